"""Intervals of a run's numbers: all of them computed again for every resample of the recordings.

Models, calibration and thresholds are held as they are: an interval says how far the numbers depend
on which recordings happened to be scored, not how another training would come out (the deviation
over the folds tells of that). With few positives percentile intervals are too narrow, those of
average precision above all, and so are those of means over many such classes. The calibration error
has none: resamples hold each recording several times, which makes bins less even than they are.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, challenge_score, metrics
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.predictions import Predictions

EACH = ("auroc", "ap", "f1", "brier")
# Resamples at a time: their weights for all rows stay within some tens of megabytes.
_CHUNK = 64
_THREADS = 2
Resampled = dict[str, NDArray[np.float64]]


def draws(answers: Predictions, classes: ScoredClasses, weights: NDArray) -> Resampled:
    """Every number of `answers` in every resample: `EACH` are [class, resample]; `<each>_macro`,
    `auroc_macro_frequent`, `auroc_micro`, `ap_micro` and the challenge score are [resample].

    `weights` [row, resample] are `evaluation.bootstrap.counts` of the rows of `answers`. Macro
    means are over the same classes in all resamples: one that is undefined in a resample alone,
    since none of its few positives was drawn, counts there with its value for all rows. Left out,
    the mean would rise and fall with who is in it.
    """
    dtype = bootstrap.exact_dtype(answers.labels.size, weights)
    areas = _areas(answers, dtype)
    totals = _totals(answers, classes)

    def chunk(first: int) -> Resampled:
        part = weights[:, first : first + _CHUNK].astype(dtype)
        return areas(part) | totals(part)

    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(chunk, range(0, weights.shape[1], _CHUNK)))
    found = {key: np.concatenate([part[key] for part in parts], axis=-1) for key in parts[0]}
    once = np.ones((len(weights), 1), dtype)
    whole = areas(once) | totals(once)
    frequent = metrics.frequent(answers.labels)
    means = {f"{key}_macro": _macro(found[key], whole[key]) for key in EACH}
    return (
        found
        | means
        | {"auroc_macro_frequent": _macro(found["auroc"][frequent], whole["auroc"][frequent])}
    )


def _areas(answers: Predictions, dtype: type) -> Callable[[NDArray], Resampled]:
    """What gives the areas under the curves for weights [row, resample]."""
    known, rows = answers.annotated, len(answers.labels)
    ranked = [
        bootstrap.rank(
            answers.labels[k, index], answers.raw[k, index], np.flatnonzero(k), rows, dtype
        )
        for index, k in enumerate(known.T)
    ]
    cells = answers.labels[known], answers.raw[known], np.nonzero(known)[0]
    micro = bootstrap.rank(*cells, rows, dtype)

    def areas(weights: NDArray) -> Resampled:
        auroc, ap = np.stack([one.areas(weights) for one in ranked], axis=1)
        auroc_micro, ap_micro = micro.areas(weights)
        return {"auroc": auroc, "ap": ap, "auroc_micro": auroc_micro, "ap_micro": ap_micro}

    return areas


def _totals(answers: Predictions, classes: ScoredClasses) -> Callable[[NDArray], Resampled]:
    """What gives the numbers that are ratios of sums over rows."""
    positive, known, binary = (
        answers.labels == 1,
        answers.annotated,
        answers.binary & answers.annotated,
    )
    squares = np.where(known, answers.probabilities - np.nan_to_num(answers.labels), 0.0) ** 2
    columns = [positive & binary, positive.astype(np.int8) + binary, positive, squares, known]
    scored = classes.weights is not None
    gains = (
        challenge_score.gains(answers.labels, answers.binary, classes.weights, classes.sinus)
        if scored
        else None
    )
    by_row = np.concatenate(
        [*(column.astype(np.float64).T for column in columns), *([gains] if scored else [])]
    )

    def totals(weights: NDArray) -> Resampled:
        sums = by_row @ weights.astype(np.float64)
        hits, both, positives, errors, annotated = np.split(sums[: 5 * len(classes.codes)], 5)
        f1 = np.divide(
            2 * hits, both, out=np.full_like(hits, np.nan), where=(both > 0) & (positives > 0)
        )
        brier = np.divide(errors, annotated, out=np.full_like(errors, np.nan), where=annotated > 0)
        score = challenge_score.scaled(sums[-3:]) if scored else np.full(weights.shape[1], np.nan)
        return {"f1": f1, "brier": brier, classes.challenge: score}

    return totals


def _macro(values: NDArray, whole: NDArray) -> NDArray[np.float64]:
    """[class, resample] -> [resample]: the mean over the classes that are defined in all rows, as
    `whole` [class, 1] has them."""
    defined = ~np.isnan(whole[:, 0])
    if not defined.any():
        return np.full(values.shape[1], np.nan)
    return np.where(np.isnan(values), whole, values)[defined].mean(axis=0)


def averaged(several: list[Resampled]) -> Resampled:
    """The draws of a mean over folds: those of the same resamples, averaged."""
    return {key: np.mean([one[key] for one in several], axis=0) for key in several[0]}


def percentiles(
    found: Mapping[str, NDArray],
) -> dict[str, dict[str, float] | list[dict[str, float]]]:
    """The 95 % interval `{low, high}` of each number; a list over classes of those that are [class,
    resample]."""

    def interval(values: NDArray) -> dict[str, float]:
        low, high = bootstrap.percentiles(values)
        return {"low": low, "high": high}

    return {
        key: interval(values) if values.ndim == 1 else [interval(one) for one in values]
        for key, values in found.items()
    }
