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
    for one in drawn:
        one[:] = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
    small = drawn.max(initial=0) < 256
    return np.ascontiguousarray(drawn.T.astype(np.uint8) if small else drawn.T)[place]


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

    def areas(self, weights: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC [resample] and average precision [resample] for `weights` [row, resample] (float,
        whole numbers); NaN where a resample has no positive or no negative."""
        parts = np.zeros((3, self.steps + 1, weights.shape[1]))
        parts[self.kind, self.step] = self.sums @ weights
        above, positive, tied = parts  # the last step holds the negatives below all positives
        above[1:] += tied[:-1]
        np.cumsum(above, axis=0, out=above)  # negatives above a step
        hits = np.cumsum(positive, axis=0)
        positives, negatives = hits[-1], above[-1].copy()
        lost = np.einsum("sr,sr->r", positive, above + tied / 2)  # whole numbers and halves: exact
        above += tied
        above += hits
        precision = np.divide(hits, np.maximum(above, 1, out=above), out=above)
        found = np.einsum("sr,sr->r", positive, precision)
        with np.errstate(invalid="ignore", divide="ignore"):
            auroc, ap = 1 - lost / (positives * negatives), found / positives
        undefined = (positives == 0) | (negatives == 0)
        return np.where(undefined, np.nan, auroc), np.where(undefined, np.nan, ap)


def rank(
    truth: NDArray, scores: NDArray, rows: NDArray, total: int, dtype: type = np.float32
) -> Ranking:
    """The ranking of cells with `truth` (1, 0), `scores` and `rows` [cell]: the row of the weights,
    of `total`, that each cell counts by. A row may have many cells (micro averages)."""
    positive = np.asarray(truth) == 1
    order = np.lexsort((~positive, -np.asarray(scores)))
    ranked, positive = np.asarray(scores)[order], positive[order]
    distinct = np.cumsum(np.append(True, ranked[1:] != ranked[:-1])[: len(ranked)]) - 1
    with_positive = np.zeros(distinct[-1] + 1 if len(distinct) else 0, bool)
    with_positive[distinct[positive]] = True
    step = (np.cumsum(with_positive) - with_positive)[
        distinct
    ]  # of a score without positives: the next step
    kind = np.where(with_positive[distinct], np.where(positive, POSITIVE, TIED), BETWEEN)
    runs = step * 3 + kind
    first = np.flatnonzero(np.append(True, runs[1:] != runs[:-1])[: len(runs)])
    ends = np.append(first, len(order)).astype(np.int64)
    sums = csr_array(
        (np.ones(len(order), dtype), np.asarray(rows)[order], ends), shape=(len(first), total)
    )
    return Ranking(sums, step[first], kind[first], int(with_positive.sum()))


def percentiles(draws: NDArray, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a statistic's values [resample]; NaN where more than 1 - level of
    them are undefined, since they say nothing then."""
    defined = draws[~np.isnan(draws)]
    if len(defined) < level * len(draws) or not len(defined):
        return np.nan, np.nan
    tail = 50 * (1 - level)
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)
