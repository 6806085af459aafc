"""How good the folds' models are: the metric files of a run, in the three settings of `settings`.

- summary.json: at most 30 numbers, for `dvc metrics diff`.
- settings.json: every headline number of each setting with its 95 % interval.
- classes.json: the same per class. subgroups.json: per source, sex, age band and signal flag.
  folds/K.json: per fold.

What is undefined is null and named; a class or cell with fewer than ten positives is marked `few`.
Intervals are those of `intervals`; F1 and the challenge score use the thresholds of `operating`.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, calibration, challenge_score, intervals, thresholds
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.held_out import NAMES, OUT_OF_FOLD, TEST, TEST_ENSEMBLE, HeldOut
from ecgpipe.evaluation.intervals import Resampled
from ecgpipe.evaluation.metrics import FEW, auroc, average_precision, f1, frequent, macro, rates
from ecgpipe.evaluation.operating_points import ENSEMBLE, OperatingPoint
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import Predictions
from ecgpipe.project import atomic, paths

MEASURES = ("auroc", "ap", "f1", "brier", "ece")
HEADLINE = ("auroc_macro", "ap_macro", "f1_macro", "auroc_micro", "ap_micro")
NO_GAIN, NO_SEVERITY = "nothing to gain over sinus rhythm", "a class has no severity"
NO_TEST = "no recording is in the test part"
Tree = dict[str, Any]


def report(answers: Predictions, classes: ScoredClasses) -> Tree:
    """`recordings`, the metrics, `undefined` (class -> why) and `classes` (name -> counts, metrics,
    mean threshold)."""
    labels, raw, binary = answers.labels, answers.raw, answers.binary
    positives, annotated = (labels == 1).sum(axis=0), answers.annotated.sum(axis=0)
    columns = {
        "auroc": auroc(labels, raw),
        "ap": average_precision(labels, raw),
        "f1": np.where(positives > 0, f1(labels, binary), np.nan),
        "brier": calibration.brier(labels, answers.probabilities),
        "ece": calibration.expected_error(labels, answers.probabilities),
        "threshold": np.array(
            [answers.thresholds[k, i].mean() if k.any() else np.nan for i, k in _known(answers)]
        ),
        **rates(labels, binary),
        "annotated": annotated,
        "positives": positives,
        "few": positives < FEW,
    }
    before = {
        "brier_raw": calibration.brier(labels, raw),
        "ece_raw": calibration.expected_error(labels, raw),
    }
    cells = labels.reshape(-1, 1), raw.reshape(-1, 1)
    scored = classes.weights is not None
    score = (
        challenge_score.challenge(labels, binary, classes.weights, classes.sinus)
        if scored
        else np.nan
    )
    cases = {
        "not annotated": annotated == 0,
        "no positives": positives == 0,
        "no negatives": positives == annotated,
    }
    why = np.select(list(cases.values()), list(cases), "")
    undefined = {
        name: str(reason) for name, reason in zip(classes.names, why, strict=True) if reason
    }
    if np.isnan(score):
        undefined[classes.challenge] = NO_GAIN if scored else NO_SEVERITY
    return {
        "recordings": len(labels),
        **{f"{key}_macro": macro(columns[key]) for key in MEASURES},
        "brier_macro_raw": macro(before["brier_raw"]),
        "ece_macro_raw": macro(before["ece_raw"]),
        "auroc_macro_frequent": macro(columns["auroc"][frequent(labels)]),
        "auroc_micro": auroc(*cells)[0],
        "ap_micro": average_precision(*cells)[0],
        classes.challenge: score,
        "undefined": undefined,
        "classes": {
            name: {key: of[i] for key, of in (columns | before).items()}
            for i, name in enumerate(classes.names)
        },
    }


def _known(answers: Predictions) -> list[tuple[int, NDArray[np.bool_]]]:
    return list(enumerate(answers.annotated.T))


def reports(found: HeldOut, classes: ScoredClasses) -> Tree:
    """Setting -> report; `test` is the mean of its folds' reports, `test_sd` their standard
    deviation (n - 1)."""
    told = {name: report(answers, classes) for name, answers in found.whole.items()}
    if found.test:
        each = [report(answers, classes) for answers in found.test.values()]
        told |= {TEST: _merged(each, np.mean)}
        told |= {
            "test_sd": _merged(
                each, lambda values: np.std(values, ddof=1) if len(values) > 1 else np.nan
            )
        }
    return told


def _merged(trees: Sequence[Any], statistic: Callable) -> Any:
    """Equal trees with `statistic` of their floats; what is no float is the first tree's."""
    if isinstance(trees[0], dict):
        return {key: _merged([tree[key] for tree in trees], statistic) for key in trees[0]}
    return statistic(trees) if isinstance(trees[0], float) else trees[0]


def compute(
    scored: HeldOut,
    classes: ScoredClasses,
    groups: pd.Series,
    subgroups: Mapping[str, Mapping[str, NDArray[np.bool_]]],
    params: EvaluateParams,
) -> dict[str, Tree]:
    """All metrics of a run with their intervals, as `trees` names them. `groups` [row of the split
    table] are what is resampled, `subgroups` what is scored apart."""
    told = with_intervals(
        reports(scored, classes), scored, classes, groups.to_numpy(), params.resamples, params.seed
    )
    return trees(told, scored, classes, subgroups)


def with_intervals(
    told: Tree, found: HeldOut, classes: ScoredClasses, groups: NDArray, resamples: int, seed: int
) -> Tree:
    """The reports with `intervals` (metric -> low, high) in each setting and each of its classes.

    `groups` [row of the split table] name what is drawn together. Settings on the same recordings
    share resamples.
    """
    drawn: dict[str, Resampled] = {}
    pooled = found.whole[OUT_OF_FOLD]
    drawn[OUT_OF_FOLD] = intervals.draws(
        pooled, classes, bootstrap.counts(groups[pooled.rows], resamples, seed)
    )
    if found.test:
        weights = bootstrap.counts(groups[found.whole[TEST_ENSEMBLE].rows], resamples, seed)
        drawn[TEST_ENSEMBLE] = intervals.draws(found.whole[TEST_ENSEMBLE], classes, weights)
        drawn[TEST] = intervals.averaged(
            [intervals.draws(one, classes, weights) for one in found.test.values()]
        )
    return told | {name: _bounded(told[name], draws, classes) for name, draws in drawn.items()}


def _bounded(one: Tree, draws: Resampled, classes: ScoredClasses) -> Tree:
    bounds = intervals.percentiles(draws)
    headline = {key: value for key, value in bounds.items() if key not in intervals.EACH}
    each = {
        name: one["classes"][name]
        | {"intervals": {key: bounds[key][index] for key in intervals.EACH}}
        for index, name in enumerate(classes.names)
    }
    return one | {"intervals": headline, "classes": each}


def summary(told: Tree, found: HeldOut, classes: ScoredClasses) -> Tree:
    """At most 30 numbers: counts, and the headline of each setting; `undefined` says in words what
    is null or left out."""
    metrics = [*HEADLINE, classes.challenge]
    table: Tree = {}
    for name in (OUT_OF_FOLD, TEST_ENSEMBLE):
        one = told.get(name)
        table[name] = {key: one[key] if one else None for key in metrics}
        bounds = one["intervals"]["auroc_macro"] if one else {"low": None, "high": None}
        table[name] |= {f"auroc_macro_{end}": bounds[end] for end in ("low", "high")}
    table[OUT_OF_FOLD]["ece_macro"] = told[OUT_OF_FOLD]["ece_macro"]
    table[TEST] = {
        key: {"mean": told[TEST][key], "sd": told["test_sd"][key]}
        if TEST in told
        else {"mean": None, "sd": None}
        for key in ("auroc_macro", "ap_macro", classes.challenge)
    }
    table["undefined"] = {name: text for name in NAMES if (text := _words(told.get(name)))}
    table["counts"] = {
        "classes": len(classes.names),
        "folds": len(found.validation),
        "recordings": told[OUT_OF_FOLD]["recordings"],
        "test_recordings": told[TEST]["recordings"] if TEST in told else 0,
    }
    return table


def _words(one: Tree | None) -> str:
    return (
        NO_TEST
        if one is None
        else "; ".join(f"{name}: {why}" for name, why in one["undefined"].items())
    )


def trees(
    told: Tree,
    found: HeldOut,
    classes: ScoredClasses,
    subgroups: Mapping[str, Mapping[str, NDArray]],
) -> Tree:
    """What each metric file holds, by its name without `.json`, of reports with intervals; `folds`
    by fold. `subgroups` hold masks over the split table's rows."""
    return {
        "summary": summary(told, found, classes),
        "settings": by_setting(told, classes),
        "classes": by_class(told, classes, described(found.points[ENSEMBLE], classes)),
        "subgroups": by_subgroup(found, classes, subgroups),
        "folds": {k: of_fold(found, k, classes) for k in found.folds},
    }


def write(metrics: Tree, folder: Path = paths.METRICS) -> None:
    """Writes the files of `trees` into `folder`."""
    for name in ("summary", "settings", "classes", "subgroups"):
        atomic.write_json(folder / f"{name}.json", metrics[name], sort_keys=True)
    with atomic.atomic(folder / "folds") as temporary:
        temporary.mkdir()
        for k, tree in metrics["folds"].items():
            atomic.write_json(temporary / f"{k}.json", tree, sort_keys=True)


def by_setting(told: Tree, classes: ScoredClasses) -> Tree:
    """Setting -> metric -> `value`, its interval `low` and `high`, and `sd` over the folds in
    `test`. Metrics before calibration end in `_raw`; `_frequent` are means over the classes with
    ten or more positives in the setting."""
    keys = [
        *HEADLINE,
        "auroc_macro_frequent",
        classes.challenge,
        "brier_macro",
        "ece_macro",
        "brier_macro_raw",
        "ece_macro_raw",
    ]
    table: Tree = {}
    for name in [name for name in NAMES if name in told]:
        one = told[name]
        table[name] = {key: {"value": one[key]} | one["intervals"].get(key, {}) for key in keys}
        if name == TEST:
            for key in keys:
                table[name][key]["sd"] = told["test_sd"][key]
        table[name]["recordings"] = one["recordings"]
        table[name]["undefined"] = one["undefined"]
    return table


def by_class(told: Tree, classes: ScoredClasses, points: Tree) -> Tree:
    """Class -> code, the ensemble's operating `point` (of `points`) and, by setting, counts,
    metrics with intervals and mean threshold; `undefined` says why a metric is null."""
    table: Tree = {}
    for code, name in zip(classes.codes, classes.names, strict=True):
        table[name] = {"code": code, "point": points[name]}
        for setting in [setting for setting in NAMES if setting in told]:
            one = told[setting]
            why = {"undefined": one["undefined"][name]} if name in one["undefined"] else {}
            table[name][setting] = one["classes"][name] | why
        if TEST in told:
            spread = told["test_sd"]["classes"][name]
            table[name][TEST] = table[name][TEST] | {f"{key}_sd": spread[key] for key in MEASURES}
    return table


def by_subgroup(
    found: HeldOut, classes: ScoredClasses, subgroups: Mapping[str, Mapping[str, NDArray[np.bool_]]]
) -> Tree:
    """Kind of subgroup -> its value -> setting -> report; a setting without such recordings is
    absent."""
    table: Tree = {}
    for kind, values in subgroups.items():
        table[kind] = {}
        for value, mask in values.items():
            here = {
                name: answers.of(mask)
                for name, answers in found.whole.items()
                if mask[answers.rows].any()
            }
            table[kind][value] = {name: report(answers, classes) for name, answers in here.items()}
    return table


def of_fold(found: HeldOut, k: str, classes: ScoredClasses) -> Tree:
    """The reports of one fold: `validation` (the point of the other folds), `test` (its own point).

    `undecided` names the classes without a positive to choose a threshold by, `untrained` those
    that no recording of the other folds has: with whole sources held out, a class that only these
    annotate.
    """

    def without(folds: list[str]) -> list[str]:
        labels = np.concatenate(
            [found.validation[k].labels[:0], *(found.validation[j].labels for j in folds)]
        )
        return [
            name
            for name, no in zip(classes.names, thresholds.without_positives(labels), strict=True)
            if no
        ]

    others = [j for j in found.folds if j != k]
    return {
        "fold": k,
        "validation": report(found.validation[k], classes),
        "test": report(found.test[k], classes) if k in found.test else None,
        "point": described(found.points[k], classes),
        "undecided": {"test": without([k]), "validation": without(others)},
        "untrained": without(others),
    }


def described(point: OperatingPoint, classes: ScoredClasses) -> Tree:
    """Class -> temperature, shift of the logit, and threshold."""
    columns = {
        "temperature": 1 / point.scaling.slope,
        "shift": point.scaling.shift,
        "threshold": point.thresholds,
    }
    return {
        name: {key: values[i] for key, values in columns.items()}
        for i, name in enumerate(classes.names)
    }


def validation_auroc(found: HeldOut) -> dict[str, NDArray[np.float64]]:
    """[class] by fold, and of all folds' validation rows together."""
    values = {k: auroc(one.labels, one.raw) for k, one in found.validation.items()}
    pooled = found.whole[OUT_OF_FOLD]
    return values | {ENSEMBLE: auroc(pooled.labels, pooled.raw)}
