"""What report.html says of a run in sentences: how it was made, its summary, its notes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgpipe.evaluation.held_out import OUT_OF_FOLD, TEST, TEST_ENSEMBLE
from ecgpipe.evaluation.metric_tables import with_ends
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report.html_tables import scores, settings, title
from ecgpipe.report.templates import count, interval, number, signed

_PROTOCOLS = {
    "stratified": "every source in every fold, so a model was tested on hospitals that it had seen",
    "source": "whole institutions held out, so out of fold a model was tested on hospitals that it "
    "had not seen",
}


def made(split: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """How a run was split (`split`: folds.json) and scored (`params`: the section evaluate), in a
    sentence or two."""
    protocol = _PROTOCOLS.get(split.get("protocol", ""), "unknown")
    sources = ", ".join(split.get("sources", {})) or "unknown"
    point = f"calibration {params['calibration']}, thresholds {params['thresholds']}"
    if params["thresholds"] == "sensitivity":
        point += f" of {params['sensitivity']:g}"
    drawn = f"{count(params['resamples'])} resamples, seed {params['seed']}"
    return f"Split: {protocol}. Sources: {sources}. Scored with {point}; {drawn}."


def summary(metrics: Mapping[str, Any]) -> list[str]:
    """The run in a few sentences."""
    by_class = {name: of_class[OUT_OF_FOLD] for name, of_class in metrics["classes"].items()}
    return [
        *_of_settings(metrics, by_class),
        *_of_floor(metrics, by_class),
        *_of_classes(by_class),
        *_of_calibration(metrics["settings"]),
    ]


def _of_settings(metrics: Mapping[str, Any], by_class: Mapping[str, Any]) -> list[str]:
    """How good the models are out of fold and on the test part."""
    counts, by_setting = metrics["summary"]["counts"], metrics["settings"]
    scored = [name for name, of_class in by_class.items() if np.isfinite(of_class["auroc"])]
    pooled = by_setting[OUT_OF_FOLD]
    sentences = [
        f"Each of {count(counts['recordings'])} recordings was scored by a model that had not "
        f"seen it: over the {len(scored)} of {counts['classes']} classes that can be scored, "
        f"the mean AUROC is {_with_interval(pooled, 'auroc_macro')}, "
        f"the mean F1 {_with_interval(pooled, 'f1_macro')}."
    ]
    if TEST_ENSEMBLE in by_setting:
        ensemble, single = by_setting[TEST_ENSEMBLE], by_setting[TEST]
        sentences.append(
            f"On {count(counts['test_recordings'])} test recordings, which no fold trained on, "
            f"the mean of the {counts['folds']} models reaches a mean AUROC of "
            f"{_with_interval(ensemble, 'auroc_macro')}; "
            f"a single model {number(single['auroc_macro'])}."
        )
    return sentences


def _of_floor(metrics: Mapping[str, Any], by_class: Mapping[str, Any]) -> list[str]:
    """What simple features reach on the same folds, and where the networks are no better."""
    sentences = []
    for name in (OUT_OF_FOLD, TEST_ENSEMBLE):
        setting = metrics["settings"].get(name, {})
        if "floor_auroc_macro" in setting:
            sentences.append(f"{title(name)}, {floor(setting)}.")
    worse = [
        name
        for name, of_class in by_class.items()
        if not of_class["few"] and of_class.get("auroc_above_floor_high", np.nan) < 0
    ]
    if worse:
        sentences.append(
            "Simple features tell these classes apart better than the networks do, by more than "
            f"chance explains: {', '.join(worse)}."
        )
    return sentences


def floor(setting: Mapping[str, Any]) -> str:
    """What the floor reaches in a setting, and whether the networks are above it, in words."""
    above = with_ends(setting, "auroc_macro_above_floor")
    reached = f"a logistic regression on {setting['floor_features']} features reaches a mean AUROC"
    reached += f" of {_with_interval(setting, 'floor_auroc_macro')}"
    if not above.get("low", np.nan) > 0:
        return f"{reached}; the networks do not beat it ({_difference(above)})"
    return f"{reached}, the networks are above it by {_difference(above)}"


def _difference(above: Mapping[str, float]) -> str:
    ends = interval(above, True)
    return signed(above["value"]) + (f", 95 % interval {ends}" if ends else "")


def _of_classes(by_class: Mapping[str, Any]) -> list[str]:
    """Which classes are predicted best and worst, and of which nobody can tell."""
    sentences = []
    auroc = {name: of_class["auroc"] for name, of_class in by_class.items() if not of_class["few"]}
    auroc = {name: value for name, value in auroc.items() if np.isfinite(value)}
    if len(auroc) > 1:
        best, worst = max(auroc, key=auroc.get), min(auroc, key=auroc.get)
        sentences.append(
            f"Of the classes with {FEW} positives or more, the best out of fold is "
            f"{best} ({number(auroc[best])}), the worst {worst} ({number(auroc[worst])})."
        )
    few = [name for name, of_class in by_class.items() if of_class["few"]]
    if few:
        sentences.append(
            f"With fewer than {FEW} positives out of fold, the score says little of "
            f"{', '.join(few)}."
        )
    return sentences


def _of_calibration(by_setting: Mapping[str, Any]) -> list[str]:
    """What calibration changed."""
    before, after = _calibration_errors(by_setting[OUT_OF_FOLD])
    changed = f"{before} before calibration, {after} after it" if before != after else after
    sentences = [f"The mean calibration error out of fold is {changed}."]
    if TEST_ENSEMBLE in by_setting:
        before, after = _calibration_errors(by_setting[TEST_ENSEMBLE])
        sentences.append(
            f"That of the test ensemble, which `predict` answers as, is {before} before and "
            f"{after} after it."
        )
    return sentences


def _calibration_errors(setting: Mapping[str, Any]) -> tuple[str, str]:
    return number(setting["ece_macro_raw"]), number(setting["ece_macro"])


def _with_interval(setting: Mapping[str, Any], key: str) -> str:
    score = with_ends(setting, key)
    ends = interval(score)
    return number(score["value"]) + (f" (95 % interval {ends})" if ends else "")


def notes(metrics: Mapping[str, Any]) -> list[str]:
    """What is undefined and why, and what a fold's model never saw."""
    words = {score.key: score.words for score in scores(metrics)}
    sentences = []
    for setting in settings(metrics):
        for name, why in metrics["settings"][setting]["undefined"].items():
            sentences.append(
                f"{title(setting)}: {words.get(name, name)} is undefined ({why}) "
                "and left out of means."
            )
    for fold, report in metrics["folds"].items():
        if report["untrained"]:
            sentences.append(
                f"Fold {fold}: no recording that its model learnt from has "
                f"{', '.join(report['untrained'])}."
            )
    return sentences
