"""The list of metrics: what a run is judged by, once for scores, intervals, comparison and report.

`METRICS` judge each class; the numbers for all classes together (`scores`) are made of them. A new
metric is a function in `metrics` and a record here, and stands then in `metrics/settings.json`,
`classes.json`, `subgroups.json` and `folds/`, on the page of the report and in `compare`; with
`ranked` or `sums` it has an interval. `metrics/summary.json` shows it in the settings that its
`summary` names.
"""

import dataclasses
from collections.abc import Callable, Collection
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, challenge_score, metrics
from ecgpipe.evaluation.bootstrap import RankedCounts
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.held_out import OUT_OF_FOLD, SETTINGS, TEST, WHOLE
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.evaluation.predictions import Predictions

# How the numbers for all classes together are made of a metric: the mean over the classes, over
# those that are `metrics.frequent`, of all label entries as if they were one class, or at once.
MACRO, FREQUENT, MICRO, AT_ONCE = "macro", "macro_frequent", "micro", "whole"
Over = Literal["macro", "macro_frequent", "micro", "whole"]


@dataclasses.dataclass(frozen=True)
class Sums:
    """A metric as a formula of sums over rows: `terms` of labels and what the metric reads, both
    [row, class], are [term, row, class] or [term, row]; `formula` takes their sums [term, ...]."""

    terms: Callable[[NDArray, NDArray], NDArray]
    formula: Callable[[NDArray], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric.

    key, words: its name in files and for people.
    reads: what it compares the labels with: the networks' own probabilities (`raw`: it needs no
        operating point), the calibrated `probabilities` (it is told before calibration too, as
        `<key>_raw`), or the answers (`binary`).
    function: of labels and what it reads, both [row, class], to its values [class].
    over: which numbers for all classes together are made of it.
    ranked, sums: how it is computed for many resamples at once, of the ranking by `raw` or of sums
        over rows; without either it has no interval.
    summary: the settings (`held_out.SETTINGS`) of which `summary.json` shows its numbers.
    before_calibration: it stands in the report's tables of classes before calibration too.
    """

    key: str
    words: str
    reads: Literal["raw", "probabilities", "binary"]
    function: Callable[[NDArray, NDArray], NDArray[np.float64] | float]
    over: tuple[Over, ...] = ()
    ranked: Callable[[RankedCounts], NDArray[np.float64]] | None = None
    sums: Sums | None = None
    summary: Collection[str] = ()
    before_calibration: bool = False
    lower_is_better: bool = False

    @property
    def headline(self) -> bool:
        """Does it stand in the summary of every setting in which classes have numbers?"""
        return set(self.summary) >= set(WHOLE)

    @property
    def has_interval(self) -> bool:
        """Can it be computed for many resamples at once?"""
        return self.ranked is not None or self.sums is not None

    def read(self, predictions: Predictions) -> NDArray:
        """[row, class]: what it compares the labels with."""
        return getattr(predictions, self.reads)


METRICS = (
    Metric(
        "auroc",
        "AUROC",
        reads="raw",
        function=metrics.auroc,
        over=(MACRO, FREQUENT, MICRO),
        ranked=bootstrap.auroc,
        summary=tuple(SETTINGS),
    ),
    Metric(
        "ap",
        "Average precision",
        reads="raw",
        function=metrics.average_precision,
        over=(MACRO, MICRO),
        ranked=bootstrap.average_precision,
        summary=tuple(SETTINGS),
    ),
    Metric(
        "f1",
        "F1",
        reads="binary",
        function=metrics.f1,
        over=(MACRO,),
        sums=Sums(metrics.answer_terms, metrics.f1_where_positive),
        summary=WHOLE,
    ),
    Metric(
        "brier",
        "Brier score",
        reads="probabilities",
        function=metrics.brier,
        over=(MACRO,),
        sums=Sums(metrics.brier_terms, lambda sums: metrics.ratio(*sums)),
        lower_is_better=True,
    ),
    # Has no interval: resamples hold a recording several times, which makes bins less even.
    Metric(
        "ece",
        "Calibration error",
        reads="probabilities",
        function=metrics.calibration_error,
        over=(MACRO,),
        summary=(OUT_OF_FOLD,),
        before_calibration=True,
        lower_is_better=True,
    ),
)
# Told of each class beside its operating point.
RATES = (
    Metric("sensitivity", "Sensitivity", reads="binary", function=metrics.sensitivity),
    Metric("specificity", "Specificity", reads="binary", function=metrics.specificity),
    Metric("precision", "Precision", reads="binary", function=metrics.precision),
)


def challenge(classes: ScoredClasses) -> Metric:
    """The challenge score of these classes: one number for all of them at once."""
    official = classes.challenge == challenge_score.OFFICIAL
    return Metric(
        classes.challenge,
        "Challenge score" if official else "Challenge score of these classes",
        reads="binary",
        function=classes.score,
        over=(AT_ONCE,),
        sums=Sums(classes.gains, challenge_score.scaled),
        summary=tuple(SETTINGS),
    )


@dataclasses.dataclass(frozen=True)
class Score:
    """One number for all classes together: a metric, `over` what, and whether `before` the
    calibration."""

    metric: Metric
    over: Over
    before: bool = False

    @property
    def key(self) -> str:
        """Its name in files, such as `auroc_macro_frequent` or `brier_macro_raw`."""
        if self.over == AT_ONCE:
            return self.metric.key
        return f"{self.metric.key}_{self.over}" + ("_raw" if self.before else "")

    @property
    def words(self) -> str:
        """Its name for people."""
        if self.before:
            return f"{self.metric.words} before calibration"
        better = " (lower is better)" if self.metric.lower_is_better else ""
        over = {
            MACRO: ", macro",
            FREQUENT: f", macro over classes with {FEW} or more positives",
            MICRO: ", micro",
            AT_ONCE: "",
        }
        return self.metric.words + over[self.over] + better

    @property
    def has_interval(self) -> bool:
        """Has it an interval? Before calibration no number has."""
        return self.metric.has_interval and not self.before

    def in_summary(self, setting: str) -> bool:
        """Does it stand in the summary of a setting? Of the folds' single models no pooled number
        does."""
        if self.before or self.over == FREQUENT or (setting == TEST and self.over == MICRO):
            return False
        return setting in self.metric.summary


def scores(classes: ScoredClasses) -> list[Score]:
    """The numbers for all classes together, in the order of every table: means over classes, all
    entries as one class, the challenge score; then what judges probabilities, after and before
    calibration."""
    means, pooled, of_probabilities = [], [], []
    for metric in METRICS:
        for over in metric.over:
            score = Score(metric, over)
            if metric.reads == "probabilities":
                of_probabilities += [score, Score(metric, over, before=True)]
            elif over == MICRO:
                pooled.append(score)
            else:
                means.append(score)
    return [*means, *pooled, Score(challenge(classes), AT_ONCE), *of_probabilities]


def class_values(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """Key -> values [class] of `METRICS` and `RATES`; of those that judge calibrated probabilities
    before calibration too, as `<key>_raw`."""
    labels = predictions.labels
    values = {}
    for metric in (*METRICS, *RATES):
        values[metric.key] = metric.function(labels, metric.read(predictions))
        if metric.reads == "probabilities":
            values[f"{metric.key}_raw"] = metric.function(labels, predictions.raw)
    return values


def score_values(
    predictions: Predictions, classes: ScoredClasses, values: dict[str, NDArray[np.float64]]
) -> dict[str, float]:
    """Key -> value of `scores`; `values` are the predictions' `class_values`."""
    labels, frequent = predictions.labels, metrics.frequent(predictions.labels)
    numbers = {}
    for score in scores(classes):
        metric = score.metric
        read = predictions.raw if score.before else metric.read(predictions)
        if score.over == AT_ONCE:
            numbers[score.key] = metric.function(labels, read)
        elif score.over == MICRO:  # [row, class] -> [row * class, 1]
            numbers[score.key] = metric.function(labels.reshape(-1, 1), read.reshape(-1, 1))[0]
        else:
            of_class = values[f"{metric.key}_raw" if score.before else metric.key]
            kept = of_class[frequent] if score.over == FREQUENT else of_class
            numbers[score.key] = metrics.macro(kept)
    return numbers


def lower_is_better() -> set[str]:
    """The keys of the numbers, of a class or of all, of which less is better."""
    lower = [metric for metric in METRICS if metric.lower_is_better]
    return {metric.key for metric in lower} | {
        Score(metric, over).key for metric in lower for over in metric.over
    }


def rankings() -> list[Metric]:
    """The metrics that rank by the networks' own probabilities and have an interval: no operating
    point is in them."""
    return [metric for metric in METRICS if metric.reads == "raw" and metric.has_interval]
