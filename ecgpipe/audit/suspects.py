"""Recordings whose labels the models doubt: found in the out-of-fold predictions of the project in
the working directory (`label_errors`), named, and drawn on ECG paper."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecgpipe.audit import contradictions, label_errors, page
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.drawing import ecg_paper
from ecgpipe.evaluation import predictions
from ecgpipe.project import paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import refusals
from ecgpipe.recordings.recording import read
from ecgpipe.recordings.sources import DataParams, Source
from ecgpipe.report import style

COLUMNS = ["source", "record", "class", "label", "probability", "score", "fold", "others", "plot"]


class Suspects(NamedTuple):
    """`table`: one row per suspect, its `COLUMNS` and the recording's path, age and sex, highest
    score first; `unjudged`: class -> why it was not judged; `without`: why there are no suspects at
    all, or ''."""

    table: pd.DataFrame
    unjudged: Mapping[str, str]
    without: str


def find(classes: Sequence[Diagnosis]) -> Suspects:
    """The suspects among the recordings in the folds. UserError where folds.csv has other classes
    than these, or predictions do not fit it."""
    for path in (paths.FOLDS, paths.FOLDS_INFO):
        if not path.is_file():
            return _none(path)
    table = tables.read(paths.FOLDS)
    codes = [diagnosis.code for diagnosis in classes]
    if tables.class_codes(table) != codes:
        raise UserError(
            f"{paths.FOLDS}: its classes are those of {paths.LABELS}, found others; run `dvc repro`"
        )
    parts, probabilities = [], []
    for fold in predictions.fold_names(table):
        path = paths.predictions(fold) / paths.VALIDATION
        if not path.is_file():
            return _none(path)
        part = table[table["fold"] == fold]
        parts.append(part)
        probabilities.append(predictions.read_probabilities(path, part))
    rows = pd.concat(parts, ignore_index=True)
    labels = rows[codes].to_numpy(np.float64)  # [recording, class]
    errors = label_errors.find(labels, np.concatenate(probabilities))
    unjudged = {classes[column].abbreviation: why for column, why in errors.unjudged.items()}
    return Suspects(_named(errors.suspects, rows, classes), unjudged, "")


def _none(missing: Path) -> Suspects:
    """No suspects, since a file is missing."""
    step = "single recordings are judged from out-of-fold predictions; run `dvc repro`"
    return Suspects(pd.DataFrame(columns=COLUMNS), {}, f"No {missing}: {step}.")


def _named(
    suspects: pd.DataFrame, rows: pd.DataFrame, classes: Sequence[Diagnosis]
) -> pd.DataFrame:
    """Suspects (of `label_errors.find`, places in `rows`) with the recording's name, fold and other
    labels; and its path, age and sex, for the plot."""
    recordings = rows.loc[suspects["row"].to_numpy(np.int64)].reset_index(drop=True)
    named = recordings[["source", "record", "fold", "path", "age", "gender"]].copy()
    named["class"] = [classes[column].abbreviation for column in suspects["column"]]
    named["label"] = suspects["label"].to_numpy(np.int64)
    named["probability"] = suspects["probability"].to_numpy()
    named["score"] = suspects["score"].to_numpy()
    others = []
    for row, doubted in zip(suspects["row"], named["class"], strict=True):
        carried = contradictions.carried(rows.loc[row], classes).split(" ")
        others.append(" ".join(name for name in carried if name != doubted))
    return named.assign(others=others, plot="")


def plot(
    suspects: pd.DataFrame,
    most: int,
    folder: Path,
    data: DataParams,
    sources: Mapping[str, Source],
    progress: Callable,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The first `most` recordings among the suspects plotted into `folder`: the table's `COLUMNS`
    with the names of the plots; and, of those that cannot be read, recording -> why not."""
    suspects, unplotted = suspects.copy(), {}
    by_recording = list(islice(suspects.groupby(["source", "record"], sort=False), most))
    for rank, ((source, record), rows) in enumerate(progress(by_recording), start=1):
        file = data.folder(source) / rows.iloc[0]["path"]
        try:
            recording = read(file, sources[source])
        except refusals.Refused as refusal:
            unplotted[f"{source} {record}"] = str(refusal)
            continue
        name = re.sub(r"[^A-Za-z0-9._-]", "_", f"{rank:03d}-{source}-{record}.png")
        sheet = ecg_paper.twelve_leads(
            recording.signal_mv, recording.rate_hz, title(rows.iloc[0]), _note(rows)
        )
        style.save(sheet, folder / name, dpi=ecg_paper.DPI)
        suspects.loc[rows.index, "plot"] = name
    return suspects[COLUMNS], unplotted


def title(row: pd.Series) -> str:
    """Whose recording it is."""
    name = f"{row['source']} {row['record']}"
    age = "" if np.isnan(row["age"]) else f"{row['age']:g} years"
    parts = [part for part in (name, row["gender"], age, "as recorded") if part]
    return ecg_paper.drawable(", ".join(parts))


def _note(rows: pd.DataFrame) -> str:
    """The labels of a recording, and what is doubted of them."""
    doubts = "; ".join(page.doubt(row) for _, row in rows.head(2).iterrows())
    note = f"Labels: {page.labels_of(rows.iloc[0])}\n{doubts}"
    return "\n".join(map(ecg_paper.drawable, note.split("\n")))
