"""Is the difference between two runs real? A paired bootstrap on the recordings that both
predicted.

Both runs are scored on the same recordings, classes and annotated cells, and on the same resamples
(by the groups of both): what is common to them cancels. A difference is B less A, with its 95 %
percentile interval. Of many metrics, classes or sources some interval leaves out 0 by chance, so a
difference counts only where it also lies beyond the simultaneous 95 % band of its kind (headline,
one metric of all classes or of all sources): the largest studentised deviation of all in each
resample (Romano and Wolf 2005, doi:10.1111/j.1468-0262.2005.00615.x). As all intervals here they
hold the models as they are: what another seed of the training would have given is not in them.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.comparison.pairing import PairedRuns, Run, pair
from ecgpipe.evaluation import bootstrap, held_out, intervals, metric_list
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.predictions import Predictions
from ecgpipe.project import tables
from ecgpipe.project.errors import UserError
from ecgpipe.report import templates

BETTER, WORSE, NOISE, UNSURE, UNDEFINED = (
    "better",
    "worse",
    "within noise",
    "not beyond the joint band",
    "undefined",
)
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


def compare(given: PairedRuns, resamples: int, seed: int) -> pd.DataFrame:
    """One row per metric: `COLUMNS`; kind is headline, class or source, the difference is b less
    a."""
    weights = bootstrap.counts(given.groups, resamples, seed)
    drawn = [intervals.draws(side, given.classes, weights) for side in (given.a, given.b)]
    values = [_values(side, given.classes) for side in (given.a, given.b)]
    positives, annotated = (given.a.labels == 1).sum(axis=0), given.a.annotated.sum(axis=0)
    metrics = [score.key for score in metric_list.scores(given.classes) if score.has_interval]
    stacked = [
        [np.stack([one[metric] for metric in metrics]) for one in two] for two in (values, drawn)
    ]
    counts = {
        "recordings": np.full(len(metrics), len(given.groups)),
        "positives": np.full(len(metrics), positives.sum()),
    }
    rows = _several("headline", ["all"] * len(metrics), metrics, *stacked, counts)
    counts = {"recordings": annotated, "positives": positives}
    for metric in metric_list.rankings():
        each = [[one[metric] for one in two] for two in (values, drawn)]
        rows += _several("class", given.classes.names, [metric] * len(positives), *each, counts)
    return pd.DataFrame([*rows, *_by_source(given, weights)], columns=COLUMNS)


def _values(predictions: Predictions, classes: ScoredClasses) -> dict[str, Any]:
    """The numbers themselves, as scikit-learn has them; those of `evaluation.intervals.draws` by
    their names there."""
    values = metric_list.class_values(predictions)
    return values | metric_list.score_values(predictions, classes, values)


def _row(kind: str, name: str, metric: str, a: float, b: float, draws: NDArray) -> dict[str, Any]:
    """One comparison with the percentile interval of its difference; a verdict by that interval."""
    low, high = bootstrap.percentiles(draws)
    sign = -1 if metric in metric_list.lower_is_better() else 1
    verdict = UNDEFINED if np.isnan([a, b, low, high]).any() else NOISE
    if verdict == NOISE and (low > 0 or high < 0):
        verdict = BETTER if sign * (b - a) > 0 else WORSE
    found = {"kind": kind, "name": name, "metric": metric, "a": a, "b": b, "difference": b - a}
    return found | {"low": low, "high": high, "verdict": verdict}


def _several(
    kind: str, names: Sequence[str], metrics: Sequence[str], values: Sequence[NDArray], draws: Sequence[NDArray],
    counts: Mapping[str, NDArray],
) -> list[dict[str, Any]]:  # fmt: skip
    """Comparisons side by side, verdicts by the band of all. `values` and `draws` are those of A
    and of B, [row] and [row, resample]; `counts` are [row]."""
    difference, drawn = values[1] - values[0], draws[1] - draws[0]
    different = beyond(difference, drawn)
    rows = []
    for index, (name, metric) in enumerate(zip(names, metrics, strict=True)):
        row = _row(kind, name, metric, values[0][index], values[1][index], drawn[index])
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
    found = np.zeros(len(differences), bool)
    if kept.any():
        spread = np.nanstd(draws[kept], axis=1, ddof=1)
        spread = np.where(
            spread > 0, spread, np.inf
        )  # equal in every resample: no difference to speak of
        away = np.abs(draws[kept] - differences[kept, None]) / spread[:, None]
        band = np.quantile(
            np.nan_to_num(away).max(axis=0), level
        )  # undefined in a resample: no deviation there
        found[kept] = np.abs(differences[kept]) / spread > band
    return found


def _by_source(given: PairedRuns, weights: NDArray) -> list[dict[str, Any]]:
    """Macro AUROC and average precision on the recordings of each source."""
    names = sorted(set(given.sources))
    values: list[list[dict[str, Any]]] = [[], []]
    drawn: list[list[dict[str, Any]]] = [[], []]
    counts: dict[str, list[int]] = {"recordings": [], "positives": []}
    for name in names:
        places = np.flatnonzero(given.sources == name)
        sides = [side.take(places) for side in (given.a, given.b)]
        for side, own, draws in zip(sides, values, drawn, strict=True):
            own.append(_values(side, given.classes))
            draws.append(intervals.draws(side, given.classes, weights[places]))
        counts["recordings"].append(len(places))
        counts["positives"].append(int((sides[0].labels == 1).sum()))
    rows = []
    for metric in (f"{key}_macro" for key in metric_list.rankings()):
        stacked = [
            [np.stack([one[metric] for one in each]) for each in two] for two in (values, drawn)
        ]
        of_each = {key: np.array(count) for key, count in counts.items()}
        rows += _several("source", names, [metric] * len(names), *stacked, of_each)
    return rows


def every(a: Run, b: Run, setting: str | None, resamples: int, seed: int) -> list[Comparison]:
    """The comparisons in `setting`, or in every setting in which the runs have recordings in
    common. UserError where there is none."""
    found, faults = [], []
    for name in [setting] if setting else held_out.WHOLE:
        try:
            given = pair(a, b, name)
        except UserError as error:
            faults.append(str(error))
            continue
        found.append(Comparison(name, compare(given, resamples, seed), _remarks(a, b, name, given)))
    if not found:
        raise UserError("; ".join(faults))
    return found


def _remarks(a: Run, b: Run, setting: str, given: PairedRuns) -> list[str]:
    """What a reader must know of the two runs to read the table right."""
    counts = [len(run.found.whole[setting].rows) for run in (a, b)]
    changed = [
        f"`{key}` {one} -> {other}" for key, (one, other) in unlike(a.values, b.values).items()
    ]
    params = f"Params that differ: {', '.join(changed)}." if changed else "The params are the same."
    said = [params] if a.values and b.values else []
    said.append(
        f"{templates.count(len(given.groups))} recordings that both predicted "
        f"({templates.count(counts[0])} in A, {templates.count(counts[1])} in B)."
    )
    if given.unlike:
        said.append(
            f"{templates.count(given.unlike)} cells are left out: the two runs label them differently."
        )
    dropped = sorted(set(a.classes.names) ^ set(b.classes.names))
    if dropped:
        said.append(f"Left out, since one run alone has them: {', '.join(dropped)}.")
    trained = [round(_trained(run)) for run in (a, b)]
    if max(trained) > 1.05 * min(trained):
        said.append(
            f"A model of A trained on {templates.count(trained[0])} recordings, one of B on "
            f"{templates.count(trained[1])}: part of the difference may be that. For like with like "
            "give both runs the same split.test_fraction and as many folds."
        )
    alike = max(trained) <= 1.05 * min(trained) and a.about.get("sources") == b.about.get("sources")
    protocols = [run.about.get("protocol") for run in (a, b)]
    if setting == held_out.OUT_OF_FOLD and protocols == ["stratified", "source"] and alike:
        said.append(
            "A was split by protocol stratified, B by source, on the same data: the difference is the optimism gap, "
            "what a score loses where the hospital is new."
        )
    elif setting == held_out.OUT_OF_FOLD and protocols == ["source", "stratified"]:
        said.append(
            "A was split by protocol source, B by stratified: for the optimism gap, compare B with A."
        )
    return said


def unlike(one: Any, other: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """Key (dots go deeper) -> its values in two params files, where they differ; not those of
    `compute`, which change no result.

    >>> unlike({"train": {"seed": 1, "epochs": 3}}, {"train": {"seed": 2, "epochs": 3}})
    {'train.seed': (1, 2)}
    """
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return {} if one == other else {where: (one, other)}
    found: dict[str, tuple[Any, Any]] = {}
    for key in [*one, *(key for key in other if key not in one)]:
        if where or key != "compute":
            found |= unlike(one.get(key), other.get(key), f"{where}.{key}".removeprefix("."))
    return found


def _trained(run: Run) -> float:
    """How many recordings a fold's model was trained on, on average."""
    sizes = run.table["fold"].value_counts().drop(tables.TEST, errors="ignore")
    return float(sizes.sum() - sizes.mean())
