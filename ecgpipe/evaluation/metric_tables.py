"""The metric files of a run, made of the reports of `scoring`.

- summary.json: at most 30 numbers, for `dvc metrics show`, `diff` and `dvc exp show`.
- settings.json: every number for all classes of each setting with its 95 % interval.
- classes.json: the same per class. subgroups.json: per source, sex, age band and signal flag.
  folds/K.json: per fold.

A number has one key in all of them, such as `auroc_macro`; its 95 % interval stands beside it as
`auroc_macro_low` and `auroc_macro_high`, its deviation over the folds as `auroc_macro_sd`. What is
undefined is null.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.evaluation import metric_list, scoring, thresholds
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.held_out import (
    OUT_OF_FOLD,
    SETTINGS,
    TEST,
    TEST_ENSEMBLE,
    HeldOut,
    ordered,
)
from ecgpipe.evaluation.metrics import auroc, precision
from ecgpipe.evaluation.operating_points import ENSEMBLE, OperatingPoint, Skill
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.scoring import Tree, report
from ecgpipe.project import atomic, paths

NO_TEST = "no recording is in the test part"


def compute(
    held_out: HeldOut,
    classes: ScoredClasses,
    groups: pd.Series,
    subgroups: Mapping[str, Mapping[str, NDArray[np.bool_]]],
    params: EvaluateParams,
) -> Tree:
    """All metrics of a run with their intervals, as `trees` names them. `groups` [row of the split
    table] are what is resampled, `subgroups` what is scored apart."""
    reports = scoring.with_intervals(
        scoring.reports(held_out, classes),
        held_out,
        classes,
        groups.to_numpy(),
        params.resamples,
        params.seed,
    )
    return trees(reports, held_out, classes, subgroups)


def trees(
    reports: Tree,
    held_out: HeldOut,
    classes: ScoredClasses,
    subgroups: Mapping[str, Mapping[str, NDArray]],
) -> Tree:
    """What each metric file holds, by its name without `.json`, of reports with intervals; `folds`
    by fold. `subgroups` hold masks over the split table's rows."""
    points = described(held_out.points[ENSEMBLE], classes)
    return {
        "summary": summary(reports, held_out, classes),
        "settings": by_setting(reports, classes),
        "classes": by_class(reports, classes, points),
        "subgroups": by_subgroup(held_out, classes, subgroups),
        "folds": {k: of_fold(held_out, k, classes) for k in held_out.folds},
    }


def write(metrics: Tree, folder: Path = paths.METRICS) -> None:
    """Writes the files of `trees` into `folder`."""
    for name in ("summary", "settings", "classes", "subgroups"):
        atomic.write_report(folder / f"{name}.json", metrics[name], sort_keys=True)
    with atomic.atomic(folder / "folds") as temporary:
        temporary.mkdir()
        for k, tree in metrics["folds"].items():
            atomic.write_report(temporary / f"{k}.json", tree, sort_keys=True)


def summary(reports: Tree, held_out: HeldOut, classes: ScoredClasses) -> Tree:
    """At most 30 numbers: counts, and of each setting the scores whose metric's `summary` names it;
    `undefined` says in words what is null or left out."""
    table: Tree = {}
    for name in (OUT_OF_FOLD, TEST_ENSEMBLE):
        setting = reports.get(name)
        keys = _summary_keys(name, classes)
        table[name] = {key: setting[key] if setting else None for key in keys}
        bounds = setting["intervals"]["auroc_macro"] if setting else {"low": None, "high": None}
        table[name] |= _beside("auroc_macro", bounds)
    table[TEST] = {}
    for key in _summary_keys(TEST, classes):
        tested = TEST in reports
        table[TEST][key] = reports[TEST][key] if tested else None
        table[TEST] |= _beside(key, {"sd": reports["test_sd"][key] if tested else None})
    table["undefined"] = {}
    for name in SETTINGS:
        words = _undefined_words(reports.get(name))
        if words:
            table["undefined"][name] = words
    table["counts"] = {
        "classes": len(classes.names),
        "folds": len(held_out.validation),
        "recordings": reports[OUT_OF_FOLD]["recordings"],
        "test_recordings": reports[TEST]["recordings"] if TEST in reports else 0,
    }
    return table


def _summary_keys(setting: str, classes: ScoredClasses) -> list[str]:
    """The keys of the scores that the summary shows of a setting."""
    scores = metric_list.scores(classes)
    return [score.key for score in scores if score.in_summary(setting)]


def _undefined_words(setting: Tree | None) -> str:
    if setting is None:
        return NO_TEST
    return "; ".join(f"{name}: {why}" for name, why in setting["undefined"].items())


def by_setting(reports: Tree, classes: ScoredClasses) -> Tree:
    """Setting -> score -> number, with its interval, and its deviation over the folds in `test`,
    beside it (`with_ends`). Scores before calibration end in `_raw`; `_frequent` are means over the
    classes with ten or more positives in the setting."""
    keys = [score.key for score in metric_list.scores(classes)]
    table: Tree = {}
    for name in ordered(reports):
        setting = reports[name]
        table[name] = {}
        for key in keys:
            table[name][key] = setting[key]
            table[name] |= _beside(key, setting["intervals"].get(key, {}))
            if name == TEST:
                table[name] |= _beside(key, {"sd": reports["test_sd"][key]})
        table[name]["recordings"] = setting["recordings"]
        table[name]["undefined"] = setting["undefined"]
    return table


def by_class(reports: Tree, classes: ScoredClasses, points: Tree) -> Tree:
    """Class -> code, the ensemble's operating `point` (of `points`) and, by setting, counts,
    metrics with intervals and mean threshold; `undefined` says why a metric is null."""
    table: Tree = {}
    for code, name in zip(classes.codes, classes.names, strict=True):
        table[name] = {"code": code, "point": points[name]}
        for setting in ordered(reports):
            undefined = reports[setting]["undefined"]
            why = {"undefined": undefined[name]} if name in undefined else {}
            of_class = dict(reports[setting]["classes"][name])
            for key, bounds in of_class.pop("intervals").items():
                of_class |= _beside(key, bounds)
            table[name][setting] = of_class | why
        if TEST in reports:
            spread = reports["test_sd"]["classes"][name]
            for metric in metric_list.METRICS:
                table[name][TEST] |= _beside(metric.key, {"sd": spread[metric.key]})
    return table


def _beside(key: str, numbers: Mapping[str, float | None]) -> Tree:
    """What belongs to the number `key` (low, high, sd), under the keys that stand beside it."""
    return {f"{key}_{kind}": number for kind, number in numbers.items()}


def with_ends(table: Mapping[str, Any], key: str) -> dict[str, float]:
    """Of a table of these files, such as a setting or a class in it: the `value` of a number, and
    its `low`, `high` and `sd` where it has them."""
    numbers = {"value": table[key]}
    for kind in ("low", "high", "sd"):
        if f"{key}_{kind}" in table:
            numbers[kind] = table[f"{key}_{kind}"]
    return numbers


def by_subgroup(
    held_out: HeldOut,
    classes: ScoredClasses,
    subgroups: Mapping[str, Mapping[str, NDArray[np.bool_]]],
) -> Tree:
    """Kind of subgroup -> its value -> setting -> report; a setting without such recordings is
    absent."""
    table: Tree = {}
    for kind, values in subgroups.items():
        table[kind] = {}
        for value, mask in values.items():
            table[kind][value] = {
                name: report(predictions.of(mask), classes)
                for name, predictions in held_out.whole.items()
                if mask[predictions.rows].any()
            }
    return table


def of_fold(held_out: HeldOut, k: str, classes: ScoredClasses) -> Tree:
    """The reports of one fold: `validation` (the point of the other folds), `test` (its own point).

    `undecided` names the classes without a positive to choose a threshold by, `untrained` those
    that no recording of the other folds has: with whole sources held out, a class that only these
    annotate. Each with why, as `undefined` has them.
    """
    others = [other for other in held_out.folds if other != k]
    without = _without_positives(held_out, others, classes)
    untrained = dict.fromkeys(without, "no recording of the other folds has it")
    return {
        "fold": k,
        "validation": report(held_out.validation[k], classes),
        "test": report(held_out.test[k], classes) if k in held_out.test else None,
        "point": described(held_out.points[k], classes),
        "undecided": {"test": _without_positives(held_out, [k], classes), "validation": without},
        "untrained": untrained,
    }


def _without_positives(
    held_out: HeldOut, folds: Sequence[str], classes: ScoredClasses
) -> dict[str, str]:
    """The classes without a positive among the validation rows of `folds` -> why they have no
    threshold."""
    some = next(iter(held_out.validation.values())).labels
    labels = np.concatenate([some[:0], *(held_out.validation[k].labels for k in folds)])
    none = thresholds.without_positives(labels)
    names = [name for name, absent in zip(classes.names, none, strict=True) if absent]
    return dict.fromkeys(names, "no positives")


def described(point: OperatingPoint, classes: ScoredClasses) -> Tree:
    """Class -> temperature, shift of the logit, and threshold."""
    columns = {
        "temperature": 1 / point.scaling.slope,
        "shift": point.scaling.shift,
        "threshold": point.thresholds,
    }
    by_class: Tree = {}
    for index, name in enumerate(classes.names):
        by_class[name] = {key: values[index] for key, values in columns.items()}
    return by_class


def validation_skill(held_out: HeldOut) -> dict[str, Skill]:
    """By fold, and of all folds' validation rows together; answers at the points of `crossed`."""
    parts = held_out.validation | {ENSEMBLE: held_out.whole[OUT_OF_FOLD]}
    skill = {}
    for name, part in parts.items():
        right = precision(part.labels, part.binary)
        skill[name] = Skill(auroc(part.labels, part.raw), right)
    return skill
