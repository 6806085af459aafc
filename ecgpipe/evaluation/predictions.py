"""What models answered to a set of recordings, and the points of its curves.

`Answers` holds labels, probabilities and thresholds [row, class]; a label is 1, 0 or NaN (not annotated: the cell
counts nowhere). `raw` are the probabilities as the network gave them, before calibration. Curves are lists of records
in long format with the class as a column, at most `POINTS` a class, as `plots/*.json` holds them. JSON files have
sorted keys, floats of six digits, null where undefined.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.evaluation.calibration import reliability
from ecgpipe.project import atomic, tables

POINTS = 200
Record = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Answers:
    """Rows are recordings: `labels`, `probabilities`, `thresholds` and `raw` are [row, class]; `rows` [row] says which
    rows of the split table they are."""

    labels: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    raw: NDArray[np.float64]
    rows: NDArray[np.int64]

    @property
    def annotated(self) -> NDArray[np.bool_]:
        """[row, class]: where the source annotates the class."""
        return ~np.isnan(self.labels)

    @property
    def binary(self) -> NDArray[np.bool_]:
        """[row, class]: the class is answered (its probability is at least its threshold)."""
        return self.probabilities >= self.thresholds

    def of(self, mask: NDArray[np.bool_]) -> "Answers":
        """Those of the recordings for which `mask` [row of the split table] holds."""
        return self.take(np.flatnonzero(mask[self.rows]))

    def take(self, places: NDArray[np.int64]) -> "Answers":
        """The recordings at these places, in this order."""
        return Answers(*(getattr(self, field.name)[places] for field in dataclasses.fields(self)))


def joined(parts: Sequence[Answers]) -> Answers:
    """The recordings of several answers, one after the other."""
    fields = dataclasses.fields(Answers)
    return Answers(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields))


def fold_names(table: pd.DataFrame, path: Path = atomic.FOLDS_INFO) -> list[str]:
    """The folds that `path` ({"folds": [...]}) lists. ValueError where the table's rows have others."""
    listed = [str(fold) for fold in json.loads(atomic.checked(path, required=True))["folds"]]
    found = sorted(set(table["fold"]) - {tables.TEST})
    if sorted(listed) != found:
        raise ValueError(f"{path}: folds {listed} are not those of {atomic.FOLDS}, {found}; run the stage split again")
    return listed


def read_probabilities(path: Path, rows: pd.DataFrame) -> NDArray[np.float64]:
    """[row, class]: predictions in the order of `rows` (of folds.csv). ValueError where they do not fit the table."""
    codes, again = tables.class_codes(rows), "train this fold again (dvc repro)"
    found = tables.read(path)
    columns = tables.class_codes(found)
    if columns != codes:
        differ = sorted(set(columns) ^ set(codes)) or "the same codes in another order"
        raise ValueError(f"{path}: its classes are not those of {atomic.FOLDS}: {differ}; {again}")
    key = ["source", "record"]
    index, wanted = pd.MultiIndex.from_frame(found[key]), pd.MultiIndex.from_frame(rows[key])
    for these, what in ((index[index.duplicated()], "twice"), (wanted.difference(index), "missing")):
        if len(these):
            raise ValueError(f"{path}: {len(these)} recordings are {what}, such as {these[0]}; {again}")
    if len(index) != len(wanted):
        extra = index.difference(wanted)
        raise ValueError(f"{path}: {len(extra)} recordings are not of this part, such as {extra[0]}; {again}")
    values = found[codes].to_numpy(np.float64)[index.get_indexer(wanted)]
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{path}: a probability is blank or outside 0..1; {again}")
    return values


def roc(answers: Answers, names: Sequence[str]) -> list[Record]:
    """Records `class, fpr, tpr` of each class that has positives and negatives, from (0, 0) to (1, 1)."""
    records = []
    for name, hits, false in _cuts(answers, names):
        tpr, fpr = hits / hits[-1], false / false[-1]
        kept = _thin(fpr, tpr)
        records += [{"class": name, "fpr": x, "tpr": y} for x, y in zip(fpr[kept], tpr[kept], strict=True)]
    return records


def precision_recall(answers: Answers, names: Sequence[str]) -> list[Record]:
    """Records `class, recall, precision` of each class that has positives and negatives, by rising recall.

    A step from the left is meant: a point's precision holds from the recall before it (first from 0) up to its own.
    """
    records = []
    for name, hits, false in _cuts(answers, names):
        recall, precision = hits / hits[-1], hits[1:] / (hits[1:] + false[1:])
        precision = np.append(precision[0], precision)
        kept = _thin(recall, precision)
        pairs = zip(recall[kept], precision[kept], strict=True)
        records += [{"class": name, "recall": x, "precision": y} for x, y in pairs]
    return records


def calibration(answers: Answers, names: Sequence[str]) -> list[Record]:
    """Records `class, probabilities, predicted, observed, recordings`: mean probability and share of positives in ten
    equal bins, of the probabilities `raw` (before calibration) and `calibrated`."""
    records = []
    for index, name in enumerate(names):
        known = answers.annotated[:, index]
        truth = answers.labels[known, index]
        for kind, scores in (("raw", answers.raw), ("calibrated", answers.probabilities)):
            _, *bins = reliability(truth, scores[known, index])
            for x, y, n in zip(*bins, strict=True):
                one = {"class": name, "probabilities": kind, "predicted": x, "observed": y, "recordings": int(n)}
                records.append(one)
    return records


def cooccurrence(answers: Answers) -> NDArray[np.float64]:
    """[class, class]: of recordings with class j (row), the share with class k (column) among those where both are
    annotated; NaN where there are none."""
    present, annotated = (answers.labels == 1).astype(np.float64), answers.annotated.astype(np.float64)
    counted = present.T @ annotated
    return np.divide(present.T @ present, counted, out=np.full(counted.shape, np.nan), where=counted > 0)


def confusion(answers: Answers) -> NDArray[np.float64]:
    """[class + 1, class + 1]: of recordings with class j (row), the share answered with class k (column).

    On the diagonal this is the sensitivity. Off the diagonal only recordings that truly lack k count, so that every
    such cell is a share of errors. The last row holds recordings without any of the classes, the last column the
    share answered with no class at all. Not annotated cells count nowhere; NaN where no recording counts. (The idea
    of a "none" row and column is that of the multi-label confusion matrix, Heydarian et al. 2022,
    doi:10.1109/ACCESS.2022.3151048; its way of sharing a recording between cells is not used.)
    """
    present, absent = answers.labels == 1, answers.labels == 0
    answered = answers.binary & answers.annotated
    present_or_none = np.column_stack([present, ~present.any(axis=1)]).astype(np.float64)
    lacking = np.column_stack([absent, np.ones(len(absent))]).astype(np.float64)
    given = np.column_stack([answered, ~answered.any(axis=1)]).astype(np.float64)
    counted, wrong = present_or_none.T @ lacking, present_or_none.T @ (lacking * given)
    classes = np.arange(present.shape[1])
    counted[classes, classes] = present.sum(axis=0)
    wrong[classes, classes] = (present & answered).sum(axis=0)
    return np.divide(wrong, counted, out=np.full(counted.shape, np.nan), where=counted > 0)


def write_json(value: Any, path: Path) -> None:
    """Writes `value` atomically: sorted keys, floats of six digits, NaN as null; a list has a record a line."""
    with atomic.atomic(path) as temporary:
        rules = {"sort_keys": True, "ensure_ascii": False, "allow_nan": False}
        if isinstance(value, list):
            lines = [json.dumps(_plain(record), **rules) for record in value]
            text = "[\n" + ",\n".join(lines) + "\n]"
        else:
            text = json.dumps(_plain(value), indent=1, **rules)
        temporary.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.integer | np.bool_) else value


def _cuts(answers: Answers, names: Sequence[str]):
    """(name, true positives, false positives) after 0, 1, ... distinct probabilities from the highest down."""
    for index, name in enumerate(names):
        known = answers.annotated[:, index]
        order = np.argsort(-answers.raw[known, index], kind="stable")
        scores, truth = answers.raw[known, index][order], answers.labels[known, index][order]
        if 0 < truth.sum() < len(truth):
            last = np.flatnonzero(np.append(np.diff(scores) != 0, True))
            hits = np.cumsum(truth)[last]
            yield name, np.append(0.0, hits), np.append(0.0, last + 1 - hits)


def _thin(x: NDArray, y: NDArray) -> NDArray[np.int64]:
    """Indices of at most `POINTS` points of a curve, evenly along its length, both ends kept."""
    if len(x) <= POINTS:
        return np.arange(len(x))
    length = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    picked = np.searchsorted(length, np.linspace(0, length[-1], POINTS))
    return np.unique(np.append(np.minimum(picked, len(x) - 1)[:-1], len(x) - 1))
