"""The three settings in which a run is scored, each with operating points chosen on other rows than
it scores.

- out_of_fold: every recording scored by the model that did not train on it (all folds' validation
  rows pooled); the point of fold k's rows is that of the other folds' validation rows.
- test_ensemble: the mean of the folds' probabilities on the test set, as `predict` gives it; its
  point is that of all folds' validation rows.
- test: each fold's model on the test set; the point (calibration and thresholds) of that fold's own
  validation rows.

AUROC and average precision rank the networks' own probabilities. Calibration keeps the order within
a class, but for rows of several points: a fold with more positives than the others would be shifted
down by them (pooled, -.003).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.evaluation import operating_points
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.operating_points import ENSEMBLE, OperatingPoint
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import Predictions, joined, read_probabilities
from ecgpipe.project import paths, tables

OUT_OF_FOLD, TEST_ENSEMBLE, TEST = "out_of_fold", "test_ensemble", "test"
# The settings by their names in files, in the order of every table and picture: words for people.
SETTINGS = {
    OUT_OF_FOLD: "out of fold",
    TEST_ENSEMBLE: "test ensemble",
    TEST: "test, single models",
}
# Those that score each recording once; TEST is a mean over the folds' models.
WHOLE = (OUT_OF_FOLD, TEST_ENSEMBLE)


def ordered(names: Collection[str]) -> list[str]:
    """Those of the settings that are among `names`, in their order."""
    return [name for name in SETTINGS if name in names]


@dataclass(frozen=True)
class HeldOut:
    """`whole`: out_of_fold and, with a test part, test_ensemble; `test` and `validation` by fold;
    `points` by fold, of the ensemble, and `crossed`: those that the rows of each fold are scored
    with out of fold."""

    whole: dict[str, Predictions]
    test: dict[str, Predictions]
    validation: dict[str, Predictions]
    points: dict[str, OperatingPoint]
    crossed: dict[str, OperatingPoint] = field(default_factory=dict)

    @property
    def folds(self) -> list[str]:
        """The names of the folds."""
        return list(self.validation)


def read(
    table: pd.DataFrame,
    folds: Sequence[str],
    classes: ScoredClasses,
    params: EvaluateParams,
    folder: Path | None = None,
) -> HeldOut:
    """The settings of the folds' predictions below `folder` (`paths.PREDICTIONS`), checked against
    the split table."""
    part = {name: table[table["fold"] == name] for name in (*folds, tables.TEST)}
    where = {k: Path(folder or paths.PREDICTIONS) / paths.predictions(k).name for k in folds}
    validation = {k: read_probabilities(where[k] / paths.VALIDATION, part[k]) for k in folds}
    tested = folds if len(part[tables.TEST]) else []
    test = {k: read_probabilities(where[k] / paths.TESTED, part[tables.TEST]) for k in tested}
    labels = table[tables.class_codes(table)].to_numpy(np.float64)
    return build(labels, table["fold"].to_numpy(), validation, test, classes, params)


def build(
    labels: NDArray,
    fold: NDArray,
    validation: Mapping[str, NDArray],
    test: Mapping[str, NDArray],
    classes: ScoredClasses,
    params: EvaluateParams,
) -> HeldOut:
    """The settings of probabilities as the networks gave them.

    `labels` [row, class] and `fold` [row] are those of the split table; `validation` and `test` map
    a fold to probabilities [row, class] of that fold's rows and of the test rows, in the table's
    order. Without a test part `test` is empty and there is no test_ensemble.
    """
    rows = {name: np.flatnonzero(fold == name) for name in (*validation, tables.TEST)}

    def chosen(folds: Sequence[str]) -> OperatingPoint:
        truth = np.concatenate([labels[:0], *(labels[rows[k]] for k in folds)])
        raw = np.concatenate([labels[:0], *(validation[k] for k in folds)])
        return operating_points.choose(truth, raw, classes, params)

    def predictions(part: str, raw: NDArray, point: OperatingPoint) -> Predictions:
        here = rows[part]
        thresholds = np.broadcast_to(point.thresholds, raw.shape)
        return Predictions(labels[here], point.scaling.apply(raw), thresholds, raw, here)

    points = {k: chosen([k]) for k in validation} | {ENSEMBLE: chosen(list(validation))}
    crossed = {}
    for k in validation:
        crossed[k] = chosen([other for other in validation if other != k])
    by_fold = {k: predictions(k, validation[k], crossed[k]) for k in validation}
    whole = {OUT_OF_FOLD: joined(list(by_fold.values()))}
    if test:
        mean = np.mean(list(test.values()), axis=0)
        whole[TEST_ENSEMBLE] = predictions(tables.TEST, mean, points[ENSEMBLE])
    tested = {k: predictions(tables.TEST, test[k], points[k]) for k in test}
    return HeldOut(whole, tested, by_fold, points, crossed)
