"""Intervals of a run's numbers: all of them computed again for every resample of the recordings.

Models, calibration and thresholds are held as they are: an interval says how far the numbers depend
on which recordings happened to be scored, not how another training would come out (the deviation
over the folds tells of that). With few positives percentile intervals are too narrow, those of
average precision above all, and so are those of means over many such classes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, metric_list, metrics
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.metric_list import FREQUENT, MACRO, MICRO, Metric, Score
from ecgpipe.evaluation.predictions import Predictions

# Resamples at a time: their weights for all rows stay within some tens of megabytes.
CHUNK = 64
_THREADS = 2
Resampled = dict[str, NDArray[np.float64]]
Resampler = Callable[[NDArray], Resampled]


def draws(predictions: Predictions, classes: ScoredClasses, weights: NDArray) -> Resampled:
    """Every number that has an interval in every resample: those of `metric_list.METRICS` are
    [class, resample], those of `metric_list.scores` [resample].

    `weights` [row, resample] are `bootstrap.counts` of the rows of `predictions`. Macro means are
    over the same classes in all resamples: one that is undefined in a resample alone, since none of
    its few positives was drawn, counts there with its value for all rows. Left out, the mean would
    rise and fall with who is in it.
    """
    dtype = bootstrap.exact_dtype(predictions.labels.size, weights)
    from_rankings = _from_rankings(predictions, dtype)
    from_sums = _from_sums(predictions, classes)

    def chunk(first: int) -> Resampled:
        part = weights[:, first : first + CHUNK].astype(dtype)
        return from_rankings(part) | from_sums(part)

    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(chunk, range(0, weights.shape[1], CHUNK)))
    values = {}
    for key in parts[0]:
        values[key] = np.concatenate([part[key] for part in parts], axis=-1)
    once = np.ones((len(weights), 1), dtype)
    whole = from_rankings(once) | from_sums(once)
    frequent = metrics.frequent(predictions.labels)
    for score in metric_list.scores(classes):
        key = score.metric.key
        if score.has_interval and score.over == MACRO:
            values[score.key] = macro(values[key], whole[key][:, 0])
        elif score.has_interval and score.over == FREQUENT:
            values[score.key] = macro(values[key][frequent], whole[key][frequent, 0])
    return values


def _from_rankings(predictions: Predictions, dtype: type) -> Resampler:
    """What gives the metrics that are computed of a ranking for weights [row, resample]."""
    ranked = [metric for metric in metric_list.METRICS if metric.ranked]
    labels, raw, annotated = predictions.labels, predictions.raw, predictions.annotated
    rankings = [
        bootstrap.rank(labels[rows, index], raw[rows, index], rows, len(labels), dtype)
        for index, rows in enumerate(map(np.flatnonzero, annotated.T))
    ]
    # All entries as one class; a row then counts with each class that it annotates.
    rows, _ = np.nonzero(annotated)
    pooled = bootstrap.rank(labels[annotated], raw[annotated], rows, len(labels), dtype)

    def resample(weights: NDArray) -> Resampled:
        values: dict[str, list[NDArray]] = {metric.key: [] for metric in ranked}
        for ranking in rankings:
            counted = ranking.count(weights)
            for metric in ranked:
                values[metric.key].append(metric.ranked(counted))
        micro = {}
        counted = pooled.count(weights)
        for metric in ranked:
            if MICRO in metric.over:
                micro[Score(metric, MICRO).key] = metric.ranked(counted)
        return {key: np.stack(each) for key, each in values.items()} | micro

    return resample


def _from_sums(predictions: Predictions, classes: ScoredClasses) -> Resampler:
    """What gives the metrics that are formulas of sums over rows for weights [row, resample]."""
    summed = [metric for metric in metric_list.METRICS if metric.sums]
    summed.append(metric_list.challenge(classes))
    terms = [_terms(metric, predictions) for metric in summed]
    rows = len(predictions.labels)
    sizes = [math.prod(each.shape[:-1]) for each in terms]
    by_row = np.concatenate(
        [each.reshape(size, rows) for each, size in zip(terms, sizes, strict=True)]
    )
    ends = np.cumsum(sizes)[:-1]

    def resample(weights: NDArray) -> Resampled:
        parts = np.split(by_row @ weights.astype(np.float64), ends)
        values = {}
        for metric, each, part in zip(summed, terms, parts, strict=True):
            # [term, class, resample] or [term, resample]
            sums = part.reshape(*each.shape[:-1], weights.shape[1])
            values[metric.key] = metric.sums.formula(sums)
            if MICRO in metric.over:
                values[Score(metric, MICRO).key] = metric.sums.formula(sums.sum(axis=1))
        return values

    return resample


def _terms(metric: Metric, predictions: Predictions) -> NDArray[np.float64]:
    """[term, class, row] or [term, row]: what the rows add to the sums of a metric."""
    terms = metric.sums.terms(predictions.labels, metric.read(predictions))
    return np.moveaxis(terms, 1, -1).astype(np.float64)


def macro(draws: NDArray, whole: NDArray) -> NDArray[np.float64]:
    """[class, resample] -> [resample]: the mean over the classes that are defined in all rows, as
    `whole` [class] has them."""
    defined = ~np.isnan(whole)
    if not defined.any():
        return np.full(draws.shape[1], np.nan)
    return np.where(np.isnan(draws), whole[:, None], draws)[defined].mean(axis=0)


def averaged(several: Sequence[Resampled]) -> Resampled:
    """The draws of a mean over folds: those of the same resamples, averaged."""
    means = {}
    for key in several[0]:
        means[key] = np.mean([draws[key] for draws in several], axis=0)
    return means


def percentiles(
    values: Mapping[str, NDArray],
) -> dict[str, dict[str, float] | list[dict[str, float]]]:
    """The 95 % interval `{low, high}` of each number; a list over classes of those that are [class,
    resample]."""

    def interval(draws: NDArray) -> dict[str, float]:
        low, high = bootstrap.percentiles(draws)
        return {"low": low, "high": high}

    intervals = {}
    for key, draws in values.items():
        if draws.ndim == 1:
            intervals[key] = interval(draws)
        else:
            intervals[key] = [interval(of_class) for of_class in draws]
    return intervals
