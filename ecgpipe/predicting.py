"""Probabilities and decisions for new recordings, by the models of all folds together.

A recording is read, conditioned, windowed and normalised as the models' own description says; the folds' probabilities
and thresholds are averaged. A recording that cannot be read gets a row that says why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ecgpipe import checkpoint, conditioning, dataset, diagnoses, records, signals
from ecgpipe.inference import probabilities_of
from ecgpipe.model import SEResNet18

_SHARED = ("classes", "rate_hz", "window", "normalise", "conditioning", "folds", "split")
_BATCH = 64


@dataclass(frozen=True)
class Ensemble:
    """The models of all folds, what they share, and the mean of their thresholds [class]."""

    networks: list[SEResNet18]
    about: dict[str, Any]
    thresholds: np.ndarray

    @property
    def names(self) -> list[str]:
        """The abbreviation of each class, in order."""
        return [diagnosis.abbreviation for diagnosis in diagnoses.classes(self.about["classes"])]


def load_ensemble(folder: Path) -> Ensemble:
    """All folds' models below `folder` (data/models). ValueError where one is missing or of another split."""
    first = next(iter(sorted(Path(folder).glob("fold-*/model.json"))), None)
    if first is None:
        raise ValueError(f"{folder}: no fold-K/model.json below this folder; run `dvc repro` or give another --model")
    _, about = checkpoint.load(first.parent)
    loaded = [checkpoint.load(Path(folder) / f"fold-{fold}") for fold in about["folds"]]
    for fold, (_, other) in zip(about["folds"], loaded, strict=True):
        unlike = [key for key in _SHARED if other[key] != about[key]]
        if unlike:
            raise ValueError(
                f"{folder}/fold-{fold}: {', '.join(unlike)} differ from {first.parent.name}'s, so they are not of one "
                "training; run `dvc repro` or remove the stale folder"
            )
    cuts = np.mean([other["thresholds"] for _, other in loaded], axis=0)
    return Ensemble([network for network, _ in loaded], about, cuts)


def expand(paths: Iterable[Path]) -> list[Path]:
    """Recording files from files and folders (all .hea and .h5 below), in order. ValueError for a path without any."""
    files: list[Path] = []
    for path in map(Path, paths):
        found = sorted([*path.rglob("*.hea"), *path.rglob("*.h5")]) if path.is_dir() else [path] * path.exists()
        if not found:
            raise ValueError(f"{path}: no such file, or no .hea or .h5 recording below this folder")
        files += found
    return files


def verdict(path: Path, source: records.Source | None = None) -> tuple[str, str, records.Recording | None]:
    """('ok' | 'flagged' | 'refused', reason, the recording where it could be read)."""
    try:
        recording = records.read(path, source)
    except records.Refused as refusal:
        return "refused", f"{refusal.reason}: {refusal}", None
    return ("flagged" if recording.faults else "ok"), "|".join(recording.faults), recording


def check(files: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    """path, verdict and reason of each recording file."""
    for path in files:
        said, reason, _ = verdict(path)
        yield str(path), said, reason


def _doubts(recording: records.Recording, about: dict[str, Any]) -> list[str]:
    doubts = list(recording.faults)
    if recording.age is None and about["network"]["demographics"]:
        doubts.append("age-unknown")
    if recording.rate_hz / 2 < about["conditioning"]["high_hz"]:
        doubts.append("low-rate")
    return doubts


def _probabilities(ensemble: Ensemble, signals_uv: list[np.ndarray], found: list[records.Recording]) -> np.ndarray:
    about = ensemble.about
    age = np.array([np.nan if one.age is None else one.age for one in found], dtype=float)
    gender = np.array([one.sex or "" for one in found])
    data = dataset.of_signals(signals_uv, age, gender, rate_hz=about["rate_hz"], classes=len(about["classes"]))
    each = [probabilities_of(network, data, about["window"], about["normalise"]) for network in ensemble.networks]
    return torch.stack(each).double().mean(dim=0).numpy()


def _batch_rows(ensemble: Ensemble, paths: list[Path]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    ready, signals_uv, found = [], [], []
    for path in paths:
        said, reason, recording = verdict(path)
        row: dict[str, Any] = {"path": str(path), "verdict": said, "reason": reason}
        if recording is not None:
            doubts = _doubts(recording, ensemble.about)
            row |= {"verdict": "flagged" if doubts else "ok", "reason": "|".join(doubts)}
            signal_mv = conditioning.condition(recording.signal_mv, recording.rate_hz, **ensemble.about["conditioning"])
            signals_uv.append(signals.to_microvolts(signal_mv))
            found.append(recording)
            ready.append(row)
        rows.append(row)
    if ready:
        for row, values in zip(ready, _probabilities(ensemble, signals_uv, found), strict=True):
            row |= dict(zip(ensemble.names, values, strict=True))
            decisions = (values >= ensemble.thresholds).astype(int)
            row |= {f"{name}_present": decision for name, decision in zip(ensemble.names, decisions, strict=True)}
    return rows


def predict(ensemble: Ensemble, files: list[Path], progress: Any) -> pd.DataFrame:
    """One row per file: path, verdict, reason (flags, or why it was refused), then per class its probability under its
    abbreviation and its decision (1 present, 0 absent) under `<abbreviation>_present`; blank where refused."""
    batches = [files[first : first + _BATCH] for first in range(0, len(files), _BATCH)]
    rows = [row for batch in progress(batches) for row in _batch_rows(ensemble, batch)]
    columns = ["path", "verdict", "reason", *ensemble.names, *(f"{name}_present" for name in ensemble.names)]
    return pd.DataFrame(rows, columns=columns)
