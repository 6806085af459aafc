"""The tables of report.html as rows of words: settings, classes, subgroups, operating points.

Which metrics they show, and in which order, is that of `evaluation.metric_list`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecgpipe.diagnoses.classes import of_columns
from ecgpipe.evaluation import metric_list
from ecgpipe.evaluation.challenge_score import scored_classes
from ecgpipe.evaluation.held_out import OUT_OF_FOLD, SETTINGS, WHOLE, ordered
from ecgpipe.evaluation.metric_list import MACRO, RATES, Metric, Score
from ecgpipe.evaluation.metric_tables import with_ends
from ecgpipe.report.style import subgroup
from ecgpipe.report.templates import count, interval, number

Row = dict[str, Any]
# The floor's numbers for all classes (`evaluation.floor`).
FLOOR_WORDS = {
    "floor_auroc_macro": "AUROC, macro, of the floor (a logistic regression on simple features)",
    "auroc_macro_above_floor": "AUROC, macro, above the floor",
}


def title(setting: str) -> str:
    """A setting as the head of a column or a table."""
    return SETTINGS[setting].capitalize()


def scores(metrics: Mapping[str, Any]) -> list[Score]:
    """The numbers for all classes together of these metrics."""
    codes = [of_class["code"] for of_class in metrics["classes"].values()]
    return metric_list.scores(scored_classes(codes))


def cards(metrics: Mapping[str, Any]) -> list[Row]:
    """Macro AUROC of each setting: `title`, `value`, `interval`, `sd` (over the folds, of single
    models) and on how many `recordings`."""
    rows = []
    for name in settings(metrics):
        setting = metrics["settings"][name]
        about = {"title": title(name), "recordings": count(setting["recordings"])}
        rows.append(about | _entry(setting, "auroc_macro"))
    return rows


def headline(metrics: Mapping[str, Any]) -> list[Row]:
    """Rows of the table of settings: `title`, and `entries` with `value`, `interval` and `sd` of
    each setting there."""
    by_setting = [metrics["settings"][name] for name in settings(metrics)]
    rows = []
    for score in scores(metrics):
        entries = [_entry(setting, score.key) for setting in by_setting]
        rows.append({"title": score.words, "entries": entries})
    return rows + floor_rows(by_setting)


def floor_rows(by_setting: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The rows of the floor in the table of settings; none where nobody computed it."""
    rows = []
    for key, words in FLOOR_WORDS.items():
        if any(key in setting for setting in by_setting):
            none = {"value": "", "interval": "", "sd": ""}
            entries = [_entry(each, key) if key in each else none for each in by_setting]
            rows.append({"title": words, "entries": entries})
    return rows


def settings(metrics: Mapping[str, Any]) -> list[str]:
    """The settings of the run, in their order."""
    return ordered(metrics["settings"])


def settings_by_class(metrics: Mapping[str, Any]) -> list[str]:
    """Those of them whose classes and subgroups have a table."""
    return [name for name in WHOLE if name in metrics["settings"]]


def _entry(setting: Mapping[str, Any], key: str) -> Row:
    """The `value` of a score, its `interval`, and `sd` over the folds where it has one."""
    score = with_ends(setting, key)
    deviation = score.get("sd", np.nan)
    return {
        "value": number(score["value"]),
        "interval": interval(score),
        "sd": number(deviation) if np.isfinite(deviation) else "",
    }


def class_columns(with_floor: bool = False) -> dict[str, str]:
    """Key -> head of the metrics in the table of classes. What calibration changed stands beside
    the calibration error, and the floor beside the network."""
    columns = {}
    for metric in metric_list.METRICS:
        columns[metric.key] = metric.words
        if with_floor and metric.key == "auroc":
            columns["floor_auroc"] = "AUROC of the floor"
        if metric.before_calibration:
            columns[f"{metric.key}_raw"] = "before calibration"
    return columns


def has_floor(metrics: Mapping[str, Any]) -> bool:
    """Whether these metrics have the floor beside the network."""
    return "floor_auroc_macro" in metrics["settings"][OUT_OF_FOLD]


def class_rows(metrics: Mapping[str, Any], setting: str) -> list[Row]:
    """Rows of the table of classes in one setting, in the order of the classes."""
    classes, columns = metrics["classes"], class_columns(has_floor(metrics))
    diagnoses = of_columns([of_class["code"] for of_class in classes.values()])
    rows = []
    for (name, by_setting), diagnosis in zip(classes.items(), diagnoses, strict=True):
        of_class = by_setting[setting]
        entries = []
        for key in columns:
            score = with_ends(of_class, key)
            entries.append({"value": number(score["value"]), "interval": interval(score)})
        rows.append(
            {
                "name": name,
                "words": diagnosis.name if diagnosis.name != name else "",
                "why": of_class.get("undefined", ""),
                "positives": count(of_class["positives"]),
                "annotated": count(of_class["annotated"]),
                "few": bool(of_class["few"]),
                "entries": entries,
            }
        )
    return rows


def subgroup_metrics() -> list[Metric]:
    """The metrics whose mean over classes stands in the tables of subgroups."""
    return [metric for metric in metric_list.METRICS if metric.headline]


def subgroup_rows(kind: str, by_value: Mapping[str, Any]) -> list[Row]:
    """Rows of the table of one kind of subgroup: `name`, and `entries` of each setting shown:
    `recordings`, `positives` of all classes, how many classes are `scored`, how many of them with
    few positives (`few`), and `means` over classes."""
    rows = []
    for name, by_setting in by_value.items():
        entries = [_subgroup_entry(by_setting.get(setting)) for setting in WHOLE]
        rows.append({"name": subgroup(kind, name), "entries": entries})
    return rows


def _subgroup_entry(report: Mapping[str, Any] | None) -> Row:
    keys = [Score(metric, MACRO).key for metric in subgroup_metrics()]
    if not report:
        none = {"recordings": "0", "positives": "0", "scored": 0, "few": 0}
        return none | {"means": ["" for _ in keys]}
    classes = report["classes"].values()
    scored = [of_class for of_class in classes if np.isfinite(of_class["auroc"])]
    return {
        "recordings": count(report["recordings"]),
        "positives": count(sum(of_class["positives"] for of_class in classes)),
        "scored": len(scored),
        "few": sum(bool(of_class["few"]) for of_class in scored),
        "means": [number(report[key]) for key in keys],
    }


def points(metrics: Mapping[str, Any]) -> list[Row]:
    """Rows of the table of operating points: of the `ensemble`, which `predict` uses, threshold,
    temperature and shift; out-of-fold `rates` (`metric_list.RATES`); the `thresholds` of each fold
    (and whether they rest on a positive)."""
    rows = []
    for name, of_class in metrics["classes"].items():
        rates = [number(of_class[OUT_OF_FOLD][metric.key]) for metric in RATES]
        rows.append(
            {
                "name": name,
                "ensemble": {key: number(value) for key, value in of_class["point"].items()},
                "rates": rates,
                "thresholds": _thresholds(metrics["folds"].values(), name),
            }
        )
    return rows


def _thresholds(folds: Sequence[Mapping[str, Any]], name: str) -> list[Row]:
    """The threshold of a class in each fold, and whether it rests on no positive."""
    return [
        {
            "value": number(fold["point"][name]["threshold"]),
            "undecided": name in fold["undecided"]["test"],
        }
        for fold in folds
    ]
