"""All numbers of a run: those of each setting of `held_out`, their spread over the folds, and their
intervals.

A report is a tree: `recordings`, the scores of `metric_list`, `undefined` (class or score -> why it
has no value) and `classes` (name -> metrics, counts, mean threshold). What is undefined is NaN and
named; a class with fewer than ten positives is marked `few`. F1 and the challenge score use the
thresholds of `operating_points`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, intervals, metric_list
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.held_out import OUT_OF_FOLD, TEST, TEST_ENSEMBLE, HeldOut
from ecgpipe.evaluation.intervals import Resampled
from ecgpipe.evaluation.metrics import frequent
from ecgpipe.evaluation.predictions import Predictions

NO_GAIN, NO_SEVERITY = "nothing to gain over sinus rhythm", "a class has no severity"
Tree = dict[str, Any]


def report(predictions: Predictions, classes: ScoredClasses) -> Tree:
    """The report of one set of predictions."""
    labels = predictions.labels
    values = metric_list.class_values(predictions)
    scores = metric_list.score_values(predictions, classes, values)
    columns = values | {
        "threshold": _mean_thresholds(predictions),
        "annotated": predictions.annotated.sum(axis=0),
        "positives": (labels == 1).sum(axis=0),
        "few": ~frequent(labels),
    }
    undefined = _why_undefined(predictions, classes)
    if np.isnan(scores[classes.challenge]):
        undefined[classes.challenge] = NO_SEVERITY if classes.weights is None else NO_GAIN
    by_class = {}
    for index, name in enumerate(classes.names):
        by_class[name] = {key: column[index] for key, column in columns.items()}
    return {
        "recordings": len(labels),
        **scores,
        "undefined": undefined,
        "classes": by_class,
    }


def _mean_thresholds(predictions: Predictions) -> NDArray[np.float64]:
    """[class]: the mean threshold of the annotated rows, which may be of several folds."""
    means = np.full(predictions.labels.shape[1], np.nan)
    for index, annotated in enumerate(predictions.annotated.T):
        if annotated.any():
            means[index] = predictions.thresholds[annotated, index].mean()
    return means


def _why_undefined(predictions: Predictions, classes: ScoredClasses) -> dict[str, str]:
    """Class -> why it has no AUROC."""
    annotated = predictions.annotated.sum(axis=0)
    positives = (predictions.labels == 1).sum(axis=0)
    cases = {
        "not annotated": annotated == 0,
        "no positives": positives == 0,
        "no negatives": positives == annotated,
    }
    why = np.select(list(cases.values()), list(cases), "")
    return {name: str(case) for name, case in zip(classes.names, why, strict=True) if case}


def reports(held_out: HeldOut, classes: ScoredClasses) -> Tree:
    """Setting -> report; `test` is the mean of its folds' reports, `test_sd` their standard
    deviation (n - 1)."""
    by_setting = {name: report(each, classes) for name, each in held_out.whole.items()}
    if held_out.test:
        by_fold = [report(each, classes) for each in held_out.test.values()]
        by_setting[TEST] = _merged(by_fold, np.mean)
        by_setting["test_sd"] = _merged(by_fold, _deviation)
    return by_setting


def _deviation(values: Sequence[float]) -> float:
    return np.std(values, ddof=1) if len(values) > 1 else np.nan


def _merged(trees: Sequence[Any], statistic: Callable[[Sequence[float]], float]) -> Any:
    """Equal trees with `statistic` of their floats; what is no float is the first tree's."""
    if isinstance(trees[0], dict):
        merged = {}
        for key in trees[0]:
            merged[key] = _merged([tree[key] for tree in trees], statistic)
        return merged
    return statistic(trees) if isinstance(trees[0], float) else trees[0]


def with_intervals(
    by_setting: Tree,
    held_out: HeldOut,
    classes: ScoredClasses,
    groups: NDArray,
    resamples: int,
    seed: int,
) -> Tree:
    """The reports with `intervals` (key -> low, high) in each setting and each of its classes.

    `groups` [row of the split table] name what is drawn together. Settings on the same recordings
    share resamples.
    """
    drawn: dict[str, Resampled] = {}
    pooled = held_out.whole[OUT_OF_FOLD]
    weights = bootstrap.counts(groups[pooled.rows], resamples, seed)
    drawn[OUT_OF_FOLD] = intervals.draws(pooled, classes, weights)
    if held_out.test:
        ensemble = held_out.whole[TEST_ENSEMBLE]
        weights = bootstrap.counts(groups[ensemble.rows], resamples, seed)
        drawn[TEST_ENSEMBLE] = intervals.draws(ensemble, classes, weights)
        drawn[TEST] = intervals.averaged(
            [intervals.draws(single, classes, weights) for single in held_out.test.values()]
        )
    bounded = {name: _bounded(by_setting[name], draws, classes) for name, draws in drawn.items()}
    return by_setting | bounded


def _bounded(setting: Tree, draws: Resampled, classes: ScoredClasses) -> Tree:
    """The report of a setting with its intervals."""
    bounds = intervals.percentiles(draws)
    of_classes = {key: bounds.pop(key) for key, values in draws.items() if values.ndim == 2}
    by_class = {}
    for index, name in enumerate(classes.names):
        own = {key: of_class[index] for key, of_class in of_classes.items()}
        by_class[name] = setting["classes"][name] | {"intervals": own}
    return setting | {"intervals": bounds, "classes": by_class}
