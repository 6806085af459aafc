"""What models answered to a set of recordings, and how the folds' files of it are read.

`Predictions` holds labels, probabilities and thresholds [row, class]; a label is 1, 0 or NaN (not
annotated: it counts nowhere). `raw` are the probabilities as the network gave them, before
calibration.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.project import paths, tables
from ecgpipe.project.errors import UserError


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Rows are recordings: `labels`, `probabilities`, `thresholds` and `raw` are [row, class];
    `rows` [row] says which rows of the split table they are."""

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

    def of(self, mask: NDArray[np.bool_]) -> "Predictions":
        """Those of the recordings for which `mask` [row of the split table] holds."""
        return self.take(np.flatnonzero(mask[self.rows]))

    def take(self, places: NDArray[np.int64]) -> "Predictions":
        """The recordings at these places, in this order."""
        names = [field.name for field in dataclasses.fields(self)]
        return Predictions(*(getattr(self, name)[places] for name in names))


def joined(parts: Sequence[Predictions]) -> Predictions:
    """The recordings of several predictions, one after the other."""
    columns = {}
    for field in dataclasses.fields(Predictions):
        values = [getattr(part, field.name) for part in parts]
        columns[field.name] = np.concatenate(values)
    return Predictions(**columns)


def fold_names(table: pd.DataFrame, path: Path = paths.FOLDS_INFO) -> list[str]:
    """The folds that `path` (`tables.folds_info`) lists. UserError where the table's rows have
    others."""
    listed = [str(fold) for fold in tables.folds_info(path)["folds"]]
    in_table = sorted(set(table["fold"]) - {tables.TEST, tables.TRAIN})
    if sorted(listed) != in_table:
        raise UserError(
            f"{path}: folds {listed} are not those of {paths.FOLDS}, {in_table}; "
            "run the stage split again"
        )
    return listed


def read_probabilities(path: Path, rows: pd.DataFrame) -> NDArray[np.float64]:
    """[row, class]: predictions in the order of `rows` (of folds.csv). UserError where they do not
    fit the table."""
    again = "train this fold again (dvc repro)"
    codes = tables.class_codes(rows)
    predicted = tables.read(path)
    columns = tables.class_codes(predicted)
    if columns != codes:
        differ = sorted(set(columns) ^ set(codes)) or "the same codes in another order"
        raise UserError(f"{path}: its classes are not those of {paths.FOLDS}: {differ}; {again}")
    key = ["source", "record"]
    index, wanted = pd.MultiIndex.from_frame(predicted[key]), pd.MultiIndex.from_frame(rows[key])
    faults = {
        "twice": index[index.duplicated()],
        "missing": wanted.difference(index),
        "not of this part": index.difference(wanted),
    }
    for fault, recordings in faults.items():
        if len(recordings):
            raise UserError(
                f"{path}: {len(recordings)} recordings are {fault}, such as {recordings[0]}; "
                f"{again}"
            )
    values = predicted[codes].to_numpy(np.float64)[index.get_indexer(wanted)]
    if not ((values >= 0) & (values <= 1)).all():
        raise UserError(f"{path}: a probability is blank or outside 0..1; {again}")
    return values
