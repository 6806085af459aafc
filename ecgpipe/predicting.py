"""Probabilities and decisions for new recordings, by the models of all folds together.

A recording is read, conditioned, windowed and normalised as the models' own description says. The folds' probabilities
are averaged, then calibrated and cut as the operating point beside the models says (`operating`). A recording that
cannot be read gets a row that says why.

Of HDF5 recordings the catalogue entry of their source says the rate, and its metadata table age and sex. The table lies
in the folder that the caller names, or beside the file.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ecgpipe import catalogue, checkpoint, conditioning, dataset, files, layout, operating, quality, records, signals
from ecgpipe.catalogue import Row, Source
from ecgpipe.inference import bf16_helps, probabilities_of
from ecgpipe.model import SEResNet18, folded

_SHARED = (
    "classes", "names", "full_names", "rate_hz", "window", "normalise", "conditioning", "folds", "split",
)  # fmt: skip
_BATCH = 64
# A class that ranks validation recordings worse than this is named to the user.
LEAST_AUROC = 0.7


@dataclass(frozen=True)
class Ensemble:
    """The models of all folds, what they share, their operating point and AUROC [class] on validation rows; whether to
    compute in bfloat16 (`inference.bf16_helps`)."""

    networks: list[SEResNet18]
    about: dict[str, Any]
    point: operating.Point
    validation_auroc: np.ndarray
    bf16: bool

    @property
    def names(self) -> list[str]:
        """The abbreviation of each class, in order, as the metrics have it."""
        return self.about["names"]

    @property
    def full_names(self) -> list[str]:
        """The full name of each class, in order."""
        return self.about["full_names"]

    @property
    def doubtful(self) -> list[str]:
        """Classes in which validation showed no skill: AUROC below `LEAST_AUROC`, or nothing to reckon it from."""
        return [
            name if np.isnan(value) else f"{name} ({value:.2f})"
            for name, value in zip(self.names, self.validation_auroc, strict=True)
            if not value >= LEAST_AUROC
        ]


def load_ensemble(folder: Path, precision: str = "fp32") -> Ensemble:
    """All folds' models below `folder` (data/models), to compute in `precision` (auto, fp32 or bf16). ValueError where
    one is missing or of another split."""
    first = next(iter(sorted(Path(folder).glob("fold-*/model.json"))), None)
    if first is None:
        raise ValueError(f"{folder}: no fold-K/model.json below this folder; run `dvc repro` or give another --model")
    _, about = checkpoint.load(first.parent)
    absent = [key for key in _SHARED if key not in about]
    if absent:
        raise ValueError(f"{first}: it does not say {', '.join(absent)}; train again with `dvc repro`")
    loaded = [checkpoint.load(Path(folder) / f"fold-{fold}") for fold in about["folds"]]
    for fold, (_, other) in zip(about["folds"], loaded, strict=True):
        unlike = [key for key in _SHARED if other.get(key) != about[key]]
        if unlike:
            raise ValueError(
                f"{folder}/fold-{fold}: {', '.join(unlike)} differ from {first.parent.name}'s, so they are not of one "
                "training; run `dvc repro` or remove the stale folder"
            )
    made_for = {str(fold): other["validation"] for fold, (_, other) in zip(about["folds"], loaded, strict=True)}
    point, auroc = operating.read(Path(folder) / layout.OPERATING.name, about["classes"], made_for)
    networks = [folded(network) for network, _ in loaded]
    return Ensemble(networks, about, point, auroc, bf16_helps(precision, torch.device("cpu")))


def of_rate(rate_hz: float) -> Source:
    """What the catalogue would say of .h5 files of which the rate alone is known. ValueError where it is no rate."""
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ValueError(f"--rate-hz: a rate is above 0 Hz, found {rate_hz:g}; give the recordings' sampling rate")
    nothing = {"table": None, "columns": None, "patients": None}  # an entry of the catalogue itself needs a table
    return Source.model_construct(form="h5", vocabulary="", codes="native", rate_hz=rate_hz, **nothing)


def expand(paths: Iterable[Path]) -> list[Path]:
    """Recording files from folders (all .hea and .h5 below, but hidden files), files, and records as WFDB names them:
    `A1`, `A1.mat` and `A1.dat` are `A1.hea`. In order, each once. ValueError for a path without any."""
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(p for p in [*path.rglob("*.hea"), *path.rglob("*.h5")] if not p.name.startswith("."))
        else:
            found = _single(path)
        if not found:
            raise ValueError(f"{path}: no such file, or no .hea or .h5 recording below this folder")
        files += found
    return list(dict.fromkeys(files))


def _single(path: Path) -> list[Path]:
    header = path.with_suffix(".hea") if path.suffix in (".mat", ".dat") else path.with_name(f"{path.name}.hea")
    if header.is_file():
        return [header]
    return [path] if path.exists() else []


def people(paths: Iterable[Path], source: Source) -> dict[Path, Row | None]:
    """The row of each .h5 file of `expand(paths)` in the metadata table, None where there is not exactly one for it.

    Empty where the source has no table. ValueError where the table is not in the folder given, or a file's own.
    """
    found: dict[Path, Row | None] = {}
    tables: dict[Path, dict[str, Row]] = {}
    for path in map(Path, paths) if source.table else ():
        files = [file for file in expand([path]) if file.suffix == ".h5"]
        folder = path if path.is_dir() else path.parent
        if files and folder not in tables:
            try:
                tables[folder] = catalogue.metadata(folder, source)
            except ValueError as error:
                raise ValueError(f"{error}; or --rate-hz instead of --source: age and sex are unknown then") from error
        times = Counter(file.stem for file in files)
        for file in files:
            row = tables[folder].get(file.stem)
            found[file] = row if row and row.times == times[file.stem] == 1 else None
    return found


def verdict(path: Path, source: Source | None = None) -> tuple[str, str, records.Recording | None]:
    """('ok' | 'flagged' | 'refused', reason, the recording where it could be read)."""
    try:
        recording = records.read(path, source)
    except records.Refused as refusal:
        step = "; here: --source NAME (its entry under sources in params.yaml) or --rate-hz HZ"
        return "refused", f"{refusal.reason}: {refusal}" + step * (refusal.reason == "rate"), None
    return ("flagged" if recording.faults else "ok"), "|".join(recording.faults), recording


def check(paths: Iterable[Path], source: Source | None = None) -> Iterator[tuple[str, str, str, str]]:
    """path, verdict, reason (its code; several flags joined by |) and a sentence of each recording file."""
    for path in paths:
        said, reason, _ = verdict(path, source)
        code, colon, message = reason.partition(": ")
        if not (said == "refused" and colon):
            code, message = reason, "; ".join(quality.SENTENCES[flag] for flag in reason.split("|") if flag)
        yield files.shown(path), said, code, files.shown(message)


def _of_person(recording: records.Recording, row: Row | None) -> records.Recording:
    """The recording with age and sex of its row in the metadata table, or flagged 'no-metadata'."""
    if row is None:
        return replace(recording, faults=(*recording.faults, "no-metadata"))
    return replace(recording, age=row.age, sex=row.sex, patient=row.patient)


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
    window, how = about["window"], about["normalise"]
    each = [probabilities_of(network, data, window, how, bf16=ensemble.bf16) for network in ensemble.networks]
    return ensemble.point.scaling.apply(torch.stack(each).double().mean(dim=0).numpy())


def _batch_rows(
    ensemble: Ensemble, paths: list[Path], source: Source | None, known: Mapping[Path, Row | None]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    ready, signals_uv, found = [], [], []
    for path in paths:
        said, reason, recording = verdict(path, source)
        row: dict[str, Any] = {"path": str(path), "verdict": said, "reason": reason}
        if recording is not None:
            recording = _of_person(recording, known[path]) if path in known else recording
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
            decisions = (values >= ensemble.point.thresholds).astype(int)
            row |= {f"{name}_present": decision for name, decision in zip(ensemble.names, decisions, strict=True)}
    return rows


def predict(
    ensemble: Ensemble,
    files: list[Path],
    progress: Any,
    source: Source | None = None,
    known: Mapping[Path, Row | None] | None = None,
) -> pd.DataFrame:
    """One row per file: path, verdict, reason (flags, or why it was refused), then per class its probability under its
    abbreviation and its decision (1 present, 0 absent) under `<abbreviation>_present`; blank where refused.

    source: how the files are read (`records.read`); known: age and sex of those that a table tells of (`people`).
    """
    batches = [files[first : first + _BATCH] for first in range(0, len(files), _BATCH)]
    rows = [row for batch in progress(batches) for row in _batch_rows(ensemble, batch, source, known or {})]
    columns = ["path", "verdict", "reason", *ensemble.names, *(f"{name}_present" for name in ensemble.names)]
    return pd.DataFrame(rows, columns=columns)
