"""Scores as dots on a line: each class with its interval, each subgroup of recordings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report.curve_points import Record
from ecgpipe.report.style import COLOURS, WORDS, plain, shortened, why_unscored

KINDS = {"source": "Source", "sex": "Sex", "age": "Age in years", "flag": "Signal flag"}
_STEP = 0.32  # between the settings of one row


def class_records(classes: Mapping[str, Mapping[str, Any]]) -> list[Record]:
    """Records `class, setting, auroc, low, high, positives, few`: the AUROC of each class out of
    fold and of the test ensemble with its 95 % interval, null where undefined. `classes` are those
    of `evaluation.metric_tables.trees`."""
    found = []
    for name, told in classes.items():
        for setting in [setting for setting in COLOURS if setting in told]:
            one = told[setting]
            values = {
                "auroc": one["auroc"],
                **one["intervals"]["auroc"],
                "positives": one["positives"],
            }
            found.append(
                {"class": name, "setting": WORDS[setting]} | values | {"few": bool(one["few"])}
            )
    return found


def classes(told: Mapping[str, Mapping[str, Any]]) -> Figure:
    """AUROC of each class with its 95 % interval, sorted by the score out of fold; open dots: few
    positives.

    `told`: name -> setting -> `auroc`, `intervals`, `annotated`, `positives`, `few`.
    """
    names = sorted(
        told, key=lambda name: np.nan_to_num(told[name]["out_of_fold"]["auroc"], nan=-1.0)
    )
    shown = _shown(told)
    figure, axes = _figure(len(names), len(shown))
    for place, name in enumerate(names):
        for number, setting in enumerate(shown):
            _scored(axes, place + _offset(number, len(shown)), told[name][setting], setting)
    low = np.nanmin(
        [
            0.5,
            *(
                one["intervals"]["auroc"]["low"]
                for name in names
                for one in _each(told[name], shown)
            ),
        ]
    )
    _frame(axes, low, len(names))
    axes.set_yticks(np.arange(len(names)), [shortened(name) for name in names])
    axes.set_xlabel("AUROC with 95 % interval", fontsize=8)
    cells = [
        " / ".join(f"{one['positives']:,.0f}" for one in _each(told[name], shown)) for name in names
    ]
    _column(axes, 6, dict(enumerate(cells)), "Positives")
    _legend(figure, shown, f"open: fewer than {FEW} positives")
    return figure


def subgroups(told: Mapping[str, Mapping[str, Any]], overall: float) -> Figure:
    """Macro AUROC of each subgroup; open dots: most of the classes scored have few positives there.

    `told`: kind -> value -> setting -> report; `overall` is the macro AUROC out of fold, a line
    across.
    """
    rows: list[tuple[str, Mapping[str, Any] | None]] = []
    for kind, values in told.items():
        rows += [(KINDS.get(kind, kind), None), *values.items()]
    rows.reverse()
    shown = [name for name in COLOURS if any(name in report for _, report in rows if report)]
    figure, axes = _figure(len(rows), 1)
    values = [overall]
    for place, (_, reports) in enumerate(rows):
        for number, setting in enumerate(shown):
            report = (reports or {}).get(setting)
            if report and np.isfinite(report["auroc_macro"]):
                values.append(report["auroc_macro"])
                _dot(
                    axes,
                    report["auroc_macro"],
                    place + _offset(number, len(shown)),
                    setting,
                    mostly_few(report),
                )
    _frame(axes, min([0.5, *np.nan_to_num(values, nan=0.5)]), len(rows))
    axes.axvline(overall, color=COLOURS["out_of_fold"], linewidth=0.8, linestyle=":")
    axes.set_yticks(np.arange(len(rows)), [shortened(name) for name, _ in rows])
    for label, (_, reports) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_weight("normal" if reports else "bold")
    axes.set_xlabel("Macro AUROC", fontsize=8)
    for points, title, count in ((6, "Recordings", _recordings), (78, "Classes scored", _scores)):
        cells = {
            i: " / ".join(count(each, name) for name in shown)
            for i, (_, each) in enumerate(rows)
            if each
        }
        _column(axes, points, cells, title)
    _legend(
        figure,
        shown,
        f"open: most classes have fewer than {FEW} positives; dotted: all, out of fold",
    )
    return figure


def mostly_few(report: Mapping[str, Any]) -> bool:
    """Do most of the classes that have an AUROC in this report have few positives?"""
    few = [bool(one["few"]) for one in report["classes"].values() if np.isfinite(one["auroc"])]
    return 2 * sum(few) > len(few)


def _shown(told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [name for name in COLOURS if all(name in one for one in told.values())]


def _each(one: Mapping[str, Any], shown: Sequence[str]) -> list[Mapping[str, Any]]:
    return [one[name] for name in shown]


def _recordings(reports: Mapping[str, Any], setting: str) -> str:
    return f"{reports[setting]['recordings']:,}" if setting in reports else "0"


def _scores(reports: Mapping[str, Any], setting: str) -> str:
    each = reports[setting]["classes"].values() if setting in reports else ()
    return str(sum(bool(np.isfinite(one["auroc"])) for one in each))


def _figure(rows: int, dots: int) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7, 1.3 + (0.17 + 0.05 * dots) * rows), layout="constrained")
    return figure, figure.subplots()


def _offset(number: int, count: int) -> float:
    """Where in its row a setting stands, the first above."""
    return _STEP * ((count - 1) / 2 - number)


def _scored(axes: Axes, place: float, one: Mapping[str, Any], setting: str) -> None:
    """A dot with its interval, or why there is none."""
    why = why_unscored(one)
    if why:
        axes.text(0.505, place, why, fontsize=5.5, color=COLOURS[setting], va="center")
        return
    ends = one["intervals"]["auroc"]
    axes.hlines(place, ends["low"], ends["high"], color=COLOURS[setting], linewidth=1)
    _dot(axes, one["auroc"], place, setting, bool(one["few"]))


def _dot(axes: Axes, value: float, place: float, setting: str, few: bool) -> None:
    colour = COLOURS[setting]
    axes.plot(
        value, place, "o", markersize=4, color=colour, markerfacecolor="white" if few else colour
    )


def _frame(axes: Axes, low: float, rows: int) -> None:
    """The axis from chance (or the lowest value) to 1, a stripe in every other row."""
    plain(axes, 7)
    axes.set_xlim(low - 0.02 if low < 0.5 else 0.49, 1.008)
    axes.set_ylim(-0.6, rows - 0.4)
    axes.axvline(0.5, color="0.3", linewidth=0.8)
    axes.grid(axis="x", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    for place in range(0, rows, 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.965", linewidth=0, zorder=0)


def _column(axes: Axes, points: float, cells: Mapping[int, str], title: str) -> None:
    """Text right of the rows, so many points from the axis."""
    style = {
        "xycoords": axes.get_yaxis_transform(),
        "textcoords": "offset points",
        "va": "center",
        "color": "0.2",
    }
    for place, text in cells.items():
        axes.annotate(text, (1, place), (points, 0), fontsize=6.5, **style)
    axes.annotate(title, (1, axes.get_ylim()[1]), (points, 4), fontsize=6.5, weight="bold", **style)


def _legend(figure: Figure, shown: Sequence[str], note: str) -> None:
    lines = [
        Line2D([], [], color=COLOURS[name], marker="o", markersize=4, label=WORDS[name])
        for name in shown
    ]
    lines.append(
        Line2D(
            [],
            [],
            color="0.3",
            marker="o",
            markersize=4,
            markerfacecolor="white",
            label=note,
            linewidth=0,
        )
    )
    place = {"loc": "outside lower center", "ncols": len(lines)}
    figure.legend(handles=lines, fontsize=7, frameon=False, **place)
