"""Is the difference between two runs real? A paired bootstrap on the recordings that both
predicted.

Both runs are scored on the same recordings, classes and annotated entries, and on the same
resamples (by the groups of both): what is common to them cancels. A difference is B less A, with
its 95 % percentile interval. Of many metrics, classes or sources some interval leaves out 0 by
chance, so a difference counts only where it also lies beyond the simultaneous 95 % band of its kind
(headline, one metric of all classes or of all sources): the largest studentised deviation of all in
each resample (Romano and Wolf 2005, doi:10.1111/j.1468-0262.2005.00615.x). As all intervals here
they hold the models as they are: what another seed of the training would have given is not in them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecgpipe.comparison.pairing import PairedRuns, Run, pair
from ecgpipe.comparison.remarks import remarks
from ecgpipe.evaluation import bootstrap, held_out, intervals, metric_list
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.metric_list import MACRO, Score
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.evaluation.predictions import Predictions
from ecgpipe.project.errors import UserError

BETTER = "better"
WORSE = "worse"
NOISE = "within noise"
UNSURE = "not beyond the joint band"
# No verdict: a score is undefined; or its interval alone is, since too many resamples leave the
# difference undefined; or there are fewer than ten patients, positives or negatives.
UNDEFINED = "undefined"
NO_INTERVAL = "no interval"
TOO_FEW = "too few"
SAME = "same predictions"
COLUMNS = [
    "kind",
    "name",
    "metric",
    "a",
    "b",
    "difference",
    "low",
    "high",
    "verdict",
    "recordings",
    "positives",
]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The rows of `compare` in one setting, and what must be said with them."""

    setting: str
    table: pd.DataFrame
    remarks: list[str]
    same: bool = False  # the runs' predictions and operating points are


class Scored(NamedTuple):
    """A run's metrics by their keys: the numbers, as scikit-learn has them, and their draws
    [..., resample]."""

    values: Mapping[str, Any]
    draws: Mapping[str, NDArray]


class Column(NamedTuple):
    """One run's scores in the rows of a table: `values` [row], `draws` [row, resample]."""

    values: NDArray
    draws: NDArray


def compare(paired: PairedRuns, resamples: int, seed: int) -> pd.DataFrame:
    """One row per metric: `COLUMNS`; kind is headline, class or source, the difference is b less
    a."""
    weights = bootstrap.counts(paired.groups, resamples, seed)
    runs = [_scored(predictions, paired.classes, weights) for predictions in (paired.a, paired.b)]
    positives = (paired.a.labels == 1).sum(axis=0)  # [class]
    annotated = paired.a.annotated.sum(axis=0)  # [class]
    patients = [len(set(paired.groups[rows])) for rows in paired.a.annotated.T]  # [class]
    everyone = len(set(paired.groups))
    metrics = [score.key for score in metric_list.scores(paired.classes) if score.has_interval]
    columns = [_column([run] * len(metrics), metrics) for run in runs]
    counts = {
        "recordings": np.full(len(metrics), len(paired.groups)),
        "positives": np.full(len(metrics), positives.sum()),
    }
    enough = _enough(everyone, positives.sum(), annotated.sum()).repeat(len(metrics))
    rows = _several("headline", ["all"] * len(metrics), metrics, *columns, counts, enough)
    counts = {"recordings": annotated, "positives": positives}
    enough = _enough(patients, positives, annotated)
    for metric in metric_list.rankings():
        columns = [Column(run.values[metric.key], run.draws[metric.key]) for run in runs]
        keys = [metric.key] * len(positives)
        rows += _several("class", paired.classes.names, keys, *columns, counts, enough)
    return pd.DataFrame([*rows, *_by_source(paired, weights)], columns=COLUMNS)


def _enough(patients: ArrayLike, positives: ArrayLike, annotated: ArrayLike) -> NDArray[np.bool_]:
    """[row]: whether a row rests on ten or more patients, positives and negatives; `annotated`
    counts both."""
    counts = np.atleast_2d(np.array([patients, positives, np.subtract(annotated, positives)]).T)
    return counts.min(axis=1) >= FEW


def _scored(predictions: Predictions, classes: ScoredClasses, weights: NDArray) -> Scored:
    """All metrics of one run's predictions."""
    of_classes = metric_list.class_values(predictions)
    values = of_classes | metric_list.score_values(predictions, classes, of_classes)
    return Scored(values, intervals.draws(predictions, classes, weights))


def _column(scored: Sequence[Scored], metrics: Sequence[str]) -> Column:
    """A row per metric, each of the scores beside it."""
    pairs = list(zip(scored, metrics, strict=True))
    return Column(
        values=np.stack([scores.values[metric] for scores, metric in pairs]),
        draws=np.stack([scores.draws[metric] for scores, metric in pairs]),
    )


def _row(kind: str, name: str, metric: str, a: float, b: float, draws: NDArray) -> dict[str, Any]:
    """One comparison with the percentile interval of its difference; a verdict by that interval."""
    low, high = bootstrap.percentiles(draws)
    sign = -1 if metric in metric_list.lower_is_better() else 1
    verdict = NOISE
    if np.isnan([a, b]).any():
        verdict = UNDEFINED
    elif np.isnan([low, high]).any():
        verdict = NO_INTERVAL
    elif low > 0 or high < 0:
        verdict = BETTER if sign * (b - a) > 0 else WORSE
    row = {"kind": kind, "name": name, "metric": metric, "a": a, "b": b, "difference": b - a}
    return row | {"low": low, "high": high, "verdict": verdict}


def _several(
    kind: str,
    names: Sequence[str],
    metrics: Sequence[str],
    a: Column,
    b: Column,
    counts: Mapping[str, Sequence[int] | NDArray],
    enough: NDArray[np.bool_],
) -> list[dict[str, Any]]:
    """Comparisons side by side, verdicts by the band of all that rest on `enough`; `counts` and
    `enough` are [row]."""
    draws = b.draws - a.draws
    different = np.zeros(len(enough), bool)
    different[enough] = beyond((b.values - a.values)[enough], draws[enough])
    rows = []
    for index, (name, metric) in enumerate(zip(names, metrics, strict=True)):
        row = _row(kind, name, metric, a.values[index], b.values[index], draws[index])
        if row["verdict"] != UNDEFINED and not enough[index]:
            row["verdict"] = TOO_FEW
        if row["verdict"] in (BETTER, WORSE) and not different[index]:
            row["verdict"] = UNSURE
        rows.append(row | {key: int(count[index]) for key, count in counts.items()})
    return rows


def beyond(differences: NDArray, draws: NDArray, level: float = 0.95) -> NDArray[np.bool_]:
    """[name]: whether a difference lies beyond the simultaneous band of all of them.

    `differences` [name], `draws` [name, resample] of them. Each is divided by the deviation of its
    draws; the band is the `level` quantile over resamples of the largest |draw - difference| /
    deviation.
    """
    kept = np.isfinite(differences) & (np.isfinite(draws).mean(axis=1) >= level)
    outside = np.zeros(len(differences), bool)
    if kept.any():
        deviation = np.nanstd(draws[kept], axis=1, ddof=1)
        # Where all resamples are equal there is no difference to speak of.
        deviation = np.where(deviation > 0, deviation, np.inf)
        away = np.abs(draws[kept] - differences[kept, None]) / deviation[:, None]
        # Where a resample leaves a difference undefined, it is not away.
        largest = np.nan_to_num(away).max(axis=0)  # [name, resample] -> [resample]
        outside[kept] = np.abs(differences[kept]) / deviation > np.quantile(largest, level)
    return outside


def _by_source(paired: PairedRuns, weights: NDArray) -> list[dict[str, Any]]:
    """Macro AUROC and average precision on the recordings of each source."""
    names = sorted(set(paired.sources))
    a, b = [], []
    counts: dict[str, list[int]] = {"recordings": [], "positives": []}
    patients, annotated = [], []
    for name in names:
        places = np.flatnonzero(paired.sources == name)
        for predictions, scored in ((paired.a, a), (paired.b, b)):
            scored.append(_scored(predictions.take(places), paired.classes, weights[places]))
        counts["recordings"].append(len(places))
        counts["positives"].append((paired.a.labels[places] == 1).sum())
        patients.append(len(set(paired.groups[places])))
        annotated.append(paired.a.annotated[places].sum())
    enough = _enough(patients, counts["positives"], annotated)
    rows = []
    for metric in metric_list.rankings():
        metrics = [Score(metric, MACRO).key] * len(names)
        columns = [_column(scored, metrics) for scored in (a, b)]
        rows += _several("source", names, metrics, *columns, counts, enough)
    return rows


def _same(a: Predictions, b: Predictions) -> bool:
    """Whether two runs predicted the same to the byte, at the same operating points."""
    pairs = (a.raw, b.raw), (a.probabilities, b.probabilities), (a.thresholds, b.thresholds)
    return all(one.tobytes() == other.tobytes() for one, other in pairs)


def every(a: Run, b: Run, setting: str | None, resamples: int, seed: int) -> list[Comparison]:
    """The comparisons in `setting`, or in every setting in which the runs have recordings in
    common. UserError where there is none."""
    comparisons, faults = [], []
    for name in [setting] if setting else held_out.WHOLE:
        try:
            paired = pair(a, b, name)
        except UserError as error:
            faults.append(str(error))
            continue
        table = compare(paired, resamples, seed)
        is_same = _same(paired.a, paired.b)
        if is_same:
            table["verdict"] = SAME
        comparisons.append(Comparison(name, table, remarks(a, b, name, paired), is_same))
    if not comparisons:
        raise UserError("; ".join(faults))
    return comparisons
