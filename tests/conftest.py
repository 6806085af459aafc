"""Fixtures: a small split table with its stores, as split and preprocess leave them."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecgpipe.preprocessing import store_writer
from ecgpipe.project import tables
from ecgpipe.signals import store
from tests.fixtures.sealed import write_sealed, write_sealed_text


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """A shell that starts the tests in the background has them ignore SIGINT, which some of them
    send themselves."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


CODES = ["426783006", "164889003", "270492004"]


@pytest.fixture
def real_data() -> Path:
    """The folder of real recordings, laid out as the Challenge's release; skips where there is
    none."""
    folder = os.environ.get("ECGPIPE_REAL_DATA")
    if not folder:
        pytest.skip("ECGPIPE_REAL_DATA is unset: no real recordings to test on")
    return Path(folder)


def learnable(rng: np.random.Generator, label: np.ndarray, samples: int) -> np.ndarray:
    """int16 [samples, 12]: noise, with a sine per present class that a network finds within a few
    epochs."""
    time = np.arange(samples) / 100
    waves = sum(
        present * np.sin(2 * np.pi * hz * time)
        for present, hz in zip(np.nan_to_num(label), (3, 7, 13), strict=True)
    )
    return np.rint(
        rng.normal(size=(samples, 12)) * 150 + 600 * np.asarray(waves).reshape(-1, 1)
    ).astype(np.int16)


@pytest.fixture
def split_project(tmp_path, monkeypatch) -> Path:
    """A folder with data/folds/folds.csv, data/folds/folds.json and two stores: 96 recordings, 3 classes, folds
    0, 1 and test; source b never annotates the third class. The working directory is moved
    there."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    rows, digests = [], {}
    for source, count in (("a", 64), ("b", 32)):
        writer = store_writer.Writer(
            tmp_path / "data/signals" / source,
            100,
            {"to_rate_hz": 100, "low_hz": 0.5, "high_hz": 40, "order": 2},
        )
        for number in range(count):
            label = (rng.random(3) < 0.4).astype(float)
            if source == "b":
                label[2] = np.nan
            samples = int(rng.integers(150, 450))
            writer.append(
                f"{number:05d}",
                learnable(rng, label, samples),
                np.arange(20, samples, 70),
                (),
                f"{source}{number}",
            )
            fold = "test" if number % 4 == 3 else str(number % 2)
            age = np.nan if number % 5 == 0 else float(rng.integers(20, 90))
            rows.append(
                [
                    f"{source}/{number}.hea",
                    age,
                    "F" if number % 2 else "",
                    *label,
                    source,
                    f"{number:05d}",
                    "",
                    f"{source}/{number}",
                    fold,
                ]
            )
        writer.close()
        digests[source] = store.read_about(tmp_path / "data/signals" / source)["digest"]
    table = pd.DataFrame(rows, columns=[*tables.FOLDS_HEAD, *CODES, *tables.FOLDS_TAIL])
    write_sealed(table, tmp_path / "data/folds/folds.csv")
    names = {
        "names": ["NSR", "AF", "IAVB"],
        "full_names": ["sinus rhythm", "atrial fibrillation", "1st degree av block"],
    }
    write_sealed_text(
        json.dumps({"folds": [0, 1], "unused": [], "sources": digests, **names}),
        tmp_path / "data/folds/folds.json",
    )
    return tmp_path
