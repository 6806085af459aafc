"""Recordings, models and an .h5 source for the tests of commands."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgpipe.model import network, saved_model
from ecgpipe.model.params import ModelParams
from ecgpipe.simulation import writers
from tests.fixtures.limbs import lawful
from tests.fixtures.sealed import write_sealed_text

ROOT = Path(__file__).parents[2]
NETWORK = ModelParams(
    width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True
)


@pytest.fixture
def raw(tmp_path):
    rng = np.random.default_rng(1)
    for name in ("A1", "A2"):
        writers.write_challenge(
            tmp_path / "raw",
            name,
            lawful(rng.normal(0, 0.2, (3000, 12))),
            500,
            age=60,
            sex="M",
            labels=["426783006"],
        )
    return tmp_path / "raw"


@pytest.fixture
def models(tmp_path):
    torch.manual_seed(1)
    about = {
        "classes": ["426783006", "164909002"],
        "rate_hz": 100.0,
        "window": 400,
        "normalise": "none",
        "folds": [0],
        "names": ["NSR", "CLBBB/LBBB"],
        "full_names": ["sinus rhythm", "left bundle branch block"],
        "conditioning": {"to_rate_hz": 100.0, "low_hz": 0.5, "high_hz": 40.0, "order": 2},
        "split": "s",
        "network": NETWORK.model_dump(),
        "validation": "v",
    }
    saved_model.save(tmp_path / "models/fold-0", network.SEResNet18(2, NETWORK), about)
    point = {
        "slope": [1, 1],
        "shift": [0, 0],
        "threshold": [0.0, None],
        "validation_auroc": [0.9, 0.6],
        "validation_precision": [None, None],
    }
    operating = {
        "classes": about["classes"],
        "folds": {"0": {**point, "validation": "v"}},
        "ensemble": point,
    }
    write_sealed_text(json.dumps(operating), tmp_path / "models/operating/operating.json")
    return tmp_path / "models"


@pytest.fixture
def west(tmp_path):
    writers.write_h5(
        tmp_path / "west", "W1", lawful(np.random.default_rng(2).normal(0, 0.2, (3000, 12)))
    )
    (tmp_path / "west/metadata.csv").write_text(
        "ECG_ID,AHA_Code,Patient_ID,Age,Sex\nW1,1,S1,50,F\n"
    )
    return str(tmp_path / "west")
