"""plots/report.html: the scores of a run, its tables and its pictures on one page that needs no
other file, no script and no network.

The page is `report.html.j2` filled with words: all numbers are written here, as in all pages
(`templates`), all names are escaped there. The same metrics and pictures give the same bytes.
"""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.diagnoses.classes import of_columns
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.project import atomic, paths
from ecgpipe.project.errors import UserError
from ecgpipe.report import templates
from ecgpipe.report.templates import count, interval, number

TEMPLATE = Path(__file__).with_name("report.html.j2")
SETTINGS = {
    "out_of_fold": "Out of fold",
    "test_ensemble": "Test ensemble",
    "test": "Test, single models",
}
WHOLE = ("out_of_fold", "test_ensemble")
ROWS = {
    "auroc_macro": "AUROC, macro",
    "auroc_macro_frequent": "AUROC, macro over classes with 10 or more positives",
    "ap_macro": "Average precision, macro",
    "f1_macro": "F1, macro",
    "auroc_micro": "AUROC, micro",
    "ap_micro": "Average precision, micro",
    "challenge": "Challenge score",
    "challenge_subset": "Challenge score of these classes",
    "brier_macro": "Brier score, macro (lower is better)",
    "brier_macro_raw": "Brier score before calibration",
    "ece_macro": "Calibration error, macro (lower is better)",
    "ece_macro_raw": "Calibration error before calibration",
}
KINDS = {"source": "source", "sex": "sex", "age": "age in years", "flag": "signal flag"}
_PNG = b"\x89PNG\r\n\x1a\n"
_DOTS_PER_INCH, _CSS_PER_INCH = 200, 96
Row = dict[str, Any]


def write(
    metrics: Mapping[str, Any],
    pictures: Sequence[tuple[str, str, Path]],
    how: str,
    path: Path = paths.PLOTS / "report.html",
) -> None:
    """Writes the report of a run: `metrics` are `evaluation.metric_tables.trees`, `pictures` title,
    caption and PNG in the page's order, `how` says how the run was split and scored (`made`).

    UserError where a picture is no PNG.
    """
    page = templates.render(
        TEMPLATE,
        counts=metrics["summary"]["counts"],
        cards=cards(metrics),
        summary=summary(metrics),
        headline=headline(metrics),
        notes=notes(metrics),
        classes={SETTINGS[name]: class_rows(metrics, name) for name in _shown(metrics)},
        subgroups={
            KINDS.get(kind, kind): subgroup_rows(values)
            for kind, values in metrics["subgroups"].items()
        },
        settings=[SETTINGS[name] for name in _shown(metrics)],
        how=how,
        folds=list(metrics["folds"]),
        points=points(metrics),
        pictures=[picture(*one) for one in pictures],
        few=FEW,
        tested=bool(metrics["summary"]["counts"]["test_recordings"]),
    )
    with atomic.atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def made(split: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """How a run was split (`split`: folds.json) and scored (`params`: the section evaluate), in a
    sentence or two."""
    protocols = {
        "stratified": "every source in every fold, so a model was tested on hospitals that it had seen",
        "source": "whole institutions held out, so out of fold a model was tested on hospitals that it had not seen",
    }
    told = protocols.get(split.get("protocol", ""), "unknown")
    sources = ", ".join(split.get("sources", {})) or "unknown"
    point = f"calibration {params['calibration']}, thresholds {params['thresholds']}"
    if params["thresholds"] == "sensitivity":
        point += f" of {params['sensitivity']:g}"
    drawn = f"{count(params['resamples'])} resamples, seed {params['seed']}"
    return f"Split: {told}. Sources: {sources}. Scored with {point}; {drawn}."


def cards(metrics: Mapping[str, Any]) -> list[Row]:
    """Macro AUROC of each setting: `title`, `value`, `interval`, `sd` (over the folds, of single
    models) and on how many `recordings`."""
    found = []
    for name in [name for name in SETTINGS if name in metrics["settings"]]:
        told = metrics["settings"][name]
        one = told["auroc_macro"]
        sd = number(one["sd"]) if np.isfinite(one.get("sd", np.nan)) else ""
        words = {
            "title": SETTINGS[name],
            "value": number(one["value"]),
            "interval": interval(one),
            "sd": sd,
        }
        found.append(words | {"recordings": count(told["recordings"])})
    return found


def summary(metrics: Mapping[str, Any]) -> list[str]:
    """The run in a few sentences."""
    counts, classes = metrics["summary"]["counts"], metrics["classes"]
    told = {name: one["out_of_fold"] for name, one in classes.items()}
    scored = {name: one["auroc"] for name, one in told.items() if np.isfinite(one["auroc"])}
    one = metrics["settings"]["out_of_fold"]
    text = [
        f"Each of {count(counts['recordings'])} recordings was scored by a model that had not seen it: over the "
        f"{len(scored)} of {counts['classes']} classes that can be scored, the mean AUROC is "
        f"{_with_interval(one['auroc_macro'])}, the mean F1 {_with_interval(one['f1_macro'])}."
    ]
    if "test_ensemble" in metrics["settings"]:
        ensemble, single = (
            metrics["settings"][name]["auroc_macro"] for name in ("test_ensemble", "test")
        )
        text.append(
            f"On {count(counts['test_recordings'])} test recordings, which no fold trained on, the mean of the "
            f"{counts['folds']} models reaches a mean AUROC of {_with_interval(ensemble)}; a single model "
            f"{number(single['value'])}."
        )
    many = {name: value for name, value in scored.items() if not told[name]["few"]}
    if len(many) > 1:
        best, worst = (
            f"{name} ({number(many[name])})"
            for name in (max(many, key=many.get), min(many, key=many.get))
        )
        text.append(
            f"Of the classes with {FEW} positives or more, the best out of fold is {best}, the worst {worst}."
        )
    few = [name for name, one in told.items() if one["few"]]
    if few:
        text.append(
            f"With fewer than {FEW} positives out of fold, the score says little of {', '.join(few)}."
        )
    before, after = (number(one[key]["value"]) for key in ("ece_macro_raw", "ece_macro"))
    changed = f"{before} before calibration, {after} after it" if before != after else after
    text.append(f"The mean calibration error out of fold is {changed}.")
    both = metrics["settings"].get("test_ensemble")
    if both:
        before, after = (number(both[key]["value"]) for key in ("ece_macro_raw", "ece_macro"))
        text.append(
            f"That of the test ensemble, which `predict` answers as, is {before} before and {after} after it."
        )
    return text


def _with_interval(one: Mapping[str, float]) -> str:
    ends = interval(one)
    return number(one["value"]) + (f" (95 % interval {ends})" if ends else "")


def headline(metrics: Mapping[str, Any]) -> list[Row]:
    """Rows of the table of settings: `title`, and `cells` with `value`, `interval` and `sd` of each
    setting there."""
    told = metrics["settings"]
    rows = []
    for key in [key for key in ROWS if key in told["out_of_fold"]]:
        values = [told[name][key] for name in SETTINGS if name in told]
        cells = [
            {
                "value": number(one["value"]),
                "interval": interval(one),
                "sd": number(one["sd"]) if np.isfinite(one.get("sd", np.nan)) else "",
            }
            for one in values
        ]
        rows.append({"title": ROWS[key], "cells": cells})
    return rows


def notes(metrics: Mapping[str, Any]) -> list[str]:
    """What is undefined and why, what a fold's model never saw, and which thresholds rest on no
    positive."""
    found = []
    for name in [name for name in SETTINGS if name in metrics["settings"]]:
        for what, why in metrics["settings"][name]["undefined"].items():
            found.append(
                f"{SETTINGS[name]}: {ROWS.get(what, what)} is undefined ({why}) and left out of means."
            )
    for fold, told in metrics["folds"].items():
        if told["untrained"]:
            found.append(
                f"Fold {fold}: no recording that its model learnt from has {', '.join(told['untrained'])}."
            )
    return found


def class_rows(metrics: Mapping[str, Any], setting: str) -> list[Row]:
    """Rows of the table of classes in one setting, in the order of the classes."""
    classes = metrics["classes"]
    full = [one.name for one in of_columns([one["code"] for one in classes.values()])]
    rows = []
    for (name, told), words in zip(classes.items(), full, strict=True):
        one = told[setting]
        cells = [
            {"value": number(one[key]), "interval": interval(one["intervals"].get(key, {}))}
            for key in ("auroc", "ap", "f1", "brier", "ece", "ece_raw")
        ]
        about = {
            "name": name,
            "words": words if words != name else "",
            "why": one.get("undefined", ""),
        }
        counts = {"positives": count(one["positives"]), "annotated": count(one["annotated"])}
        rows.append(about | counts | {"few": bool(one["few"]), "cells": cells})
    return rows


def subgroup_rows(values: Mapping[str, Any]) -> list[Row]:
    """Rows of the table of one kind of subgroup: `name`, and `cells` of each setting shown:
    `recordings`, `positives` of all classes, how many classes are `scored`, how many of them with
    few positives (`few`), and three means over classes."""
    rows = []
    for name, settings in values.items():
        cells = []
        for report in (settings.get(setting) for setting in WHOLE):
            each = (
                [one for one in report["classes"].values() if np.isfinite(one["auroc"])]
                if report
                else []
            )
            positives = sum(one["positives"] for one in report["classes"].values()) if report else 0
            counts = {
                "recordings": count(report["recordings"] if report else 0),
                "positives": count(positives),
            }
            counts |= {"scored": len(each)}
            means = [
                number(report[key]) if report else ""
                for key in ("auroc_macro", "ap_macro", "f1_macro")
            ]
            cells.append(counts | {"few": sum(bool(one["few"]) for one in each), "means": means})
        rows.append({"name": name, "cells": cells})
    return rows


def points(metrics: Mapping[str, Any]) -> list[Row]:
    """Rows of the table of operating points: of the `ensemble`, which `predict` uses, threshold,
    temperature and shift; out-of-fold sensitivity, specificity and precision (`rates`); the
    `thresholds` of each fold (and whether they rest on a positive)."""
    folds = metrics["folds"]
    rows = []
    for name, told in metrics["classes"].items():
        each = {k: one["point"][name] for k, one in folds.items()}
        thresholds = [
            {"value": number(each[k]["threshold"]), "undecided": name in one["undecided"]["test"]}
            for k, one in folds.items()
        ]
        ensemble = {key: number(value) for key, value in told["point"].items()}
        rates = [
            number(told["out_of_fold"][key]) for key in ("sensitivity", "specificity", "precision")
        ]
        rows.append({"name": name, "thresholds": thresholds, "ensemble": ensemble, "rates": rates})
    return rows


def picture(title: str, caption: str, path: Path) -> Row:
    """A PNG as base64 text, with its natural `width` and `height` in CSS pixels. UserError where
    it is no PNG.

    The size stands in the first chunk: https://www.w3.org/TR/png-3/#11IHDR.
    """
    data = Path(path).read_bytes()
    if not data.startswith(_PNG):
        raise UserError(
            f"{path}: a picture of the report is a PNG, found {data[:8]!r}; run `dvc repro evaluate` again"
        )
    width, height = (
        round(int.from_bytes(data[place : place + 4], "big") * _CSS_PER_INCH / _DOTS_PER_INCH)
        for place in (16, 20)
    )
    text = base64.b64encode(data).decode("ascii")
    return {
        "name": Path(path).stem,
        "title": title,
        "caption": caption,
        "data": text,
        "width": width,
        "height": height,
    }


def _shown(metrics: Mapping[str, Any]) -> list[str]:
    return [name for name in WHOLE if name in metrics["settings"]]
