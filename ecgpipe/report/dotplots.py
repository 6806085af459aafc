"""Scores as dots on a line: each class with its interval, each subgroup of recordings."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ecgpipe.evaluation.held_out import OUT_OF_FOLD, SETTINGS, WHOLE
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.evaluation.subgroups import KINDS
from ecgpipe.report.curve_points import Record
from ecgpipe.report.style import COLOURS, plain, shortened, subgroup, why_unscored
from ecgpipe.report.templates import count

_STEP = 0.32  # between the settings of one row
Report = Mapping[str, Any]
ByName = Mapping[str, Mapping[str, Any]]


def class_records(classes: ByName) -> list[Record]:
    """Records `class, setting, auroc, low, high, positives, few`: the AUROC of each class out of
    fold and of the test ensemble with its 95 % interval, null where undefined. `classes` are those
    of `evaluation.metric_tables.trees`."""
    records = []
    for name, by_setting in classes.items():
        for setting in [setting for setting in WHOLE if setting in by_setting]:
            of_class = by_setting[setting]
            records.append(
                {
                    "class": name,
                    "setting": SETTINGS[setting],
                    "auroc": of_class["auroc"],
                    "low": of_class["auroc_low"],
                    "high": of_class["auroc_high"],
                    "positives": of_class["positives"],
                    "few": bool(of_class["few"]),
                }
            )
    return records


def classes(by_class: ByName) -> Figure:
    """AUROC of each class with its 95 % interval, sorted by the score out of fold; open dots: few
    positives.

    `by_class`: name -> setting -> `auroc`, `auroc_low`, `auroc_high`, `annotated`, `positives` and
    `few`.
    """

    def score(name: str) -> float:
        return np.nan_to_num(by_class[name][OUT_OF_FOLD]["auroc"], nan=-1.0)

    names = sorted(by_class, key=score)
    shown = _settings_of_all(by_class.values())
    figure, axes = _figure(len(names), len(shown))
    lowest, positives = [0.5], {}
    for row, name in enumerate(names):
        for place, setting in enumerate(shown):
            of_class = by_class[name][setting]
            _scored(axes, row + _offset(place, len(shown)), of_class, setting)
            lowest.append(of_class["auroc_low"])
        counts = [count(by_class[name][setting]["positives"]) for setting in shown]
        positives[row] = " / ".join(counts)
    _frame(axes, np.nanmin(lowest), len(names))
    axes.set_yticks(np.arange(len(names)), [shortened(name) for name in names])
    axes.set_xlabel("AUROC with 95 % interval", fontsize=8)
    _column(axes, 6, positives, "Positives")
    _legend(figure, shown, f"open: fewer than {FEW} positives")
    return figure


def _settings_of_all(reports: Collection[Mapping[str, Any]]) -> list[str]:
    """The settings that every class has, in their order."""
    common = set(WHOLE).intersection(*reports)
    return [setting for setting in WHOLE if setting in common]


def subgroups(by_kind: Mapping[str, ByName], overall: float) -> Figure:
    """Macro AUROC of each subgroup; open dots: most of the classes scored have few positives there.

    `by_kind`: kind -> value -> setting -> report; `overall` is the macro AUROC out of fold, a line
    across.
    """
    rows = _subgroup_rows(by_kind)
    present: set[str] = set()
    for _, reports in rows:
        present.update(reports or ())
    shown = [setting for setting in WHOLE if setting in present]
    figure, axes = _figure(len(rows), 1)
    lowest = [0.5, overall]
    for row, (_, reports) in enumerate(rows):
        for place, setting in enumerate(shown):
            report = (reports or {}).get(setting)
            if report and np.isfinite(report["auroc_macro"]):
                value = report["auroc_macro"]
                lowest.append(value)
                height = row + _offset(place, len(shown))
                _dot(axes, value, height, setting, mostly_few(report))
    _frame(axes, min(np.nan_to_num(lowest, nan=0.5)), len(rows))
    axes.axvline(overall, color=COLOURS[OUT_OF_FOLD], linewidth=0.8, linestyle=":")
    axes.set_yticks(np.arange(len(rows)), [shortened(name) for name, _ in rows])
    for label, (_, reports) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_weight("normal" if reports else "bold")
    axes.set_xlabel("Macro AUROC", fontsize=8)
    _column(axes, 6, _counts(rows, shown, _recordings), "Recordings")
    _column(axes, 78, _counts(rows, shown, _scores), "Classes scored")
    note = f"open: most classes have fewer than {FEW} positives; dotted: all, out of fold"
    _legend(figure, shown, note)
    return figure


def mostly_few(report: Report) -> bool:
    """Do most of the classes that have an AUROC in this report have few positives?"""
    few = [bool(each["few"]) for each in report["classes"].values() if np.isfinite(each["auroc"])]
    return 2 * sum(few) > len(few)


def _subgroup_rows(
    by_kind: Mapping[str, ByName],
) -> list[tuple[str, Mapping[str, Report] | None]]:
    """Name and reports of each row from the bottom up; a row that names a kind has no reports."""
    rows: list[tuple[str, Mapping[str, Report] | None]] = []
    for kind, by_value in by_kind.items():
        rows.append((KINDS[kind].capitalize(), None))
        rows += [(subgroup(kind, value), reports) for value, reports in by_value.items()]
    rows.reverse()
    return rows


def _counts(
    rows: Sequence[tuple[str, Mapping[str, Report] | None]],
    shown: Sequence[str],
    counted: Callable[[Mapping[str, Report], str], str],
) -> dict[int, str]:
    """Row -> a count in each setting."""
    texts = {}
    for row, (_, reports) in enumerate(rows):
        if reports:
            texts[row] = " / ".join(counted(reports, setting) for setting in shown)
    return texts


def _recordings(reports: Mapping[str, Report], setting: str) -> str:
    return count(reports[setting]["recordings"]) if setting in reports else "0"


def _scores(reports: Mapping[str, Report], setting: str) -> str:
    classes = reports[setting]["classes"].values() if setting in reports else ()
    return str(sum(bool(np.isfinite(of_class["auroc"])) for of_class in classes))


def _figure(rows: int, dots: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 1.3 + (0.17 + 0.05 * dots) * rows), layout="constrained")
    return figure, figure.subplots()


def _offset(place: int, settings: int) -> float:
    """Where in its row a setting stands, the first of so many above."""
    return _STEP * ((settings - 1) / 2 - place)


def _scored(axes: Axes, height: float, of_class: Mapping[str, Any], setting: str) -> None:
    """A dot with its interval, or why there is none."""
    why = why_unscored(of_class)
    if why:
        axes.text(0.505, height, why, fontsize=5.5, color=COLOURS[setting], va="center")
        return
    low, high = of_class["auroc_low"], of_class["auroc_high"]
    axes.hlines(height, low, high, color=COLOURS[setting], linewidth=1)
    _dot(axes, of_class["auroc"], height, setting, bool(of_class["few"]))


def _dot(axes: Axes, value: float, height: float, setting: str, few: bool) -> None:
    colour = COLOURS[setting]
    face = "white" if few else colour
    axes.plot(value, height, "o", markersize=4, color=colour, markerfacecolor=face)


def _frame(axes: Axes, low: float, rows: int) -> None:
    """The axis from chance (or the lowest value) to 1, a stripe in every other row."""
    plain(axes, 7)
    axes.set_xlim(low - 0.02 if low < 0.5 else 0.49, 1.008)
    axes.set_ylim(-0.6, rows - 0.4)
    axes.axvline(0.5, color="0.3", linewidth=0.8)
    axes.grid(axis="x", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color="0.965", linewidth=0, zorder=0)


def _column(axes: Axes, points: float, texts: Mapping[int, str], title: str) -> None:
    """Text right of the rows, so many points from the axis."""
    style = {
        "xycoords": axes.get_yaxis_transform(),
        "textcoords": "offset points",
        "va": "center",
        "color": "0.2",
        "fontsize": 6.5,
    }
    for row, text in texts.items():
        axes.annotate(text, (1, row), (points, 0), **style)
    axes.annotate(title, (1, axes.get_ylim()[1]), (points, 4), weight="bold", **style)


def _legend(figure: Figure, shown: Sequence[str], note: str) -> None:
    """What the colours and open dots mean."""
    marker = {"marker": "o", "markersize": 4}
    lines = [Line2D([], [], color=COLOURS[name], label=SETTINGS[name], **marker) for name in shown]
    open_dot = {"color": "0.3", "markerfacecolor": "white", "linewidth": 0, **marker}
    lines.append(Line2D([], [], label=note, **open_dot))
    place = {"loc": "outside lower center", "ncols": len(lines)}
    figure.legend(handles=lines, fontsize=7, frameon=False, **place)
