"""The bootstrap: areas under the curves of many resamples at once, exact, from one sort.

A resample draws as many groups (patients, else recordings) as there are, with replacement; each
recording then counts as often as its group was drawn. So a resample is a weight per recording, and
nothing is copied or sorted again (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
chapters 8 and 13; groups: Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x). Weighted
areas are those that scikit-learn gives for the resampled rows.
"""

import dataclasses

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ecgpipe.evaluation.metrics import ratio

BETWEEN, POSITIVE, TIED = range(3)
# Whole numbers below are exact in float32, which halves the memory that is read.
_EXACT = 2**24


def counts(groups: NDArray, resamples: int, seed: int) -> NDArray[np.uint8 | np.uint16]:
    """[row, resample]: how often each row stands in each resample, drawn by group.

    `groups` [row] name the group of each row.
    """
    rng = np.random.default_rng(seed)
    place, names = pd.factorize(np.asarray(groups, object))
    drawn = np.empty((resamples, len(names)), np.uint16)
    for resample in drawn:
        resample[:] = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
    small = drawn.max(initial=0) < 256
    by_group = drawn.T.astype(np.uint8) if small else drawn.T  # [group, resample]
    return np.ascontiguousarray(by_group)[place]


def exact_dtype(rows: int, weights: NDArray) -> type:
    """A float type in which sums of `weights` over `rows` rows are exact."""
    return np.float32 if rows * float(weights.max(initial=0)) < _EXACT else np.float64


@dataclasses.dataclass(frozen=True)
class Ranking:
    """One class's rows, sorted once: runs of equal kind, from the highest score down.

    A step is a distinct score that has a positive. Before it lie the negatives BETWEEN it and the
    step before, at it its POSITIVE rows and the negatives TIED with them. `sums` @ weights adds up
    each run; `step` and `kind` [run].
    """

    sums: csr_array
    step: NDArray[np.int64]
    kind: NDArray[np.int64]
    steps: int

    def count(self, weights: NDArray) -> "RankedCounts":
        """What lies where for `weights` [row, resample] (float, whole numbers)."""
        parts = np.zeros((3, self.steps + 1, weights.shape[1]))
        parts[self.kind, self.step] = self.sums @ weights
        above, positive, tied = parts
        above[1:] += tied[:-1]
        np.cumsum(above, axis=0, out=above)
        return RankedCounts(positive, tied, above, positive.sum(axis=0), above[-1])


@dataclasses.dataclass(frozen=True)
class RankedCounts:
    """How many rows of a ranking lie where in many resamples. [step, resample]: the `positive` of a
    step, the negatives `tied` with them and those `above` it; after the last step come the
    negatives below all positives. [resample]: all `positives` and `negatives`."""

    positive: NDArray[np.float64]
    tied: NDArray[np.float64]
    above: NDArray[np.float64]
    positives: NDArray[np.float64]
    negatives: NDArray[np.float64]


def auroc(ranked: RankedCounts) -> NDArray[np.float64]:
    """[resample]: the share of pairs of a positive and a negative that are ranked rightly, ties
    half; NaN without a positive or a negative."""
    wrongly = ranked.above + ranked.tied / 2
    lost = np.einsum("sr,sr->r", ranked.positive, wrongly)  # whole numbers and halves: exact
    return 1 - ratio(lost, ranked.positives * ranked.negatives)


def average_precision(ranked: RankedCounts) -> NDArray[np.float64]:
    """[resample]: the mean over the positives of the precision at their step; NaN without a
    positive or a negative."""
    hits = np.cumsum(ranked.positive, axis=0)
    answered = ranked.above + ranked.tied
    answered += hits
    precision = np.divide(hits, np.maximum(answered, 1, out=answered), out=answered)
    summed = np.einsum("sr,sr->r", ranked.positive, precision)
    return np.where(ranked.negatives > 0, ratio(summed, ranked.positives), np.nan)


def rank(
    truth: NDArray, scores: NDArray, rows: NDArray, total: int, dtype: type = np.float32
) -> Ranking:
    """The ranking of label entries with `truth` (1, 0), `scores` and `rows` [entry]: the row of the
    weights, of `total`, that each counts by. A row may have many entries (micro averages)."""
    positive = np.asarray(truth) == 1
    order = np.lexsort((~positive, -np.asarray(scores)))
    ranked, positive = np.asarray(scores)[order], positive[order]
    distinct = np.cumsum(_first_of_run(ranked)) - 1  # [entry]: which distinct score it has
    with_positive = np.zeros(distinct[-1] + 1 if len(distinct) else 0, bool)
    with_positive[distinct[positive]] = True
    # [entry]: its step; that of a score without positives is the next one.
    step = (np.cumsum(with_positive) - with_positive)[distinct]
    kind = np.where(with_positive[distinct], np.where(positive, POSITIVE, TIED), BETWEEN)
    first = np.flatnonzero(_first_of_run(step * 3 + kind))
    ends = np.append(first, len(order)).astype(np.int64)
    sums = csr_array(
        (np.ones(len(order), dtype), np.asarray(rows)[order], ends), shape=(len(first), total)
    )
    return Ranking(sums, step[first], kind[first], int(with_positive.sum()))


def _first_of_run(values: NDArray) -> NDArray[np.bool_]:
    """[place]: does a value differ from the one before it?"""
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def percentiles(draws: NDArray, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a statistic's values [resample]; NaN where more than 1 - level of
    them are undefined, since they say nothing then."""
    defined = draws[~np.isnan(draws)]
    if len(defined) < level * len(draws) or not len(defined):
        return np.nan, np.nan
    tail = 50 * (1 - level)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)
