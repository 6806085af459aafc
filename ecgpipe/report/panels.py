"""Curves with a small panel for each class: ROC, precision and recall, calibration.

26 colours in one panel cannot be told apart; a panel each can be read. The settings are told apart
by colour, their numbers stand above the panel.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ecgpipe.evaluation.calibration import BINS
from ecgpipe.evaluation.held_out import OUT_OF_FOLD, SETTINGS
from ecgpipe.evaluation.predictions import Predictions
from ecgpipe.report import curve_points
from ecgpipe.report.curve_points import Record
from ecgpipe.report.style import COLOURS, GREY, plain, shortened
from ecgpipe.report.templates import count, number

COLUMNS = 6
RAW = "0.45"
# The line of guessing, or of a calibration without error.
_REFERENCE = {"color": GREY, "linewidth": 0.6, "linestyle": ":"}
# Inches: the side of a panel, what lies between panels (titles and numbers above them), and the
# margins.
_SIDE, _BETWEEN, _ABOVE = 1.08, 0.2, 0.5
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.55, 0.15, 0.42, 0.5
_TITLE_POINTS, _LETTER = 8.0, 0.62  # a letter's width over its size, in the mean
_CALIBRATION_NOTE = """Above: calibration
error (ECE) before and
after. Bars: recordings
in a bin (log scale);
in brackets the tallest"""
Table = Mapping[str, Mapping[str, Record]]


def roc(shown: Mapping[str, Predictions], classes: Table) -> Figure:
    """ROC curves of each setting. `classes`: name -> setting -> `auroc`, in the order of the
    predictions' columns."""
    figure, panels, free = grid(list(classes), "False positive rate", "True positive rate")
    for axes in panels.values():
        axes.plot([0, 1], [0, 1], **_REFERENCE)
    for name, predictions in shown.items():
        _lines(panels, curve_points.roc(predictions, list(classes)), "fpr", "tpr", COLOURS[name])
    _values(panels, shown, classes, "auroc")
    _legend(free, [_line(name) for name in shown], "Numbers: AUROC")
    return figure


def precision_recall(shown: Mapping[str, Predictions], classes: Table) -> Figure:
    """Precision-recall curves of each setting; the dotted line is the share of positives (out of
    fold).

    `classes`: name -> setting -> `ap`, `positives`, `annotated`, in the order of the predictions'
    columns.
    """
    figure, panels, free = grid(list(classes), "Recall", "Precision")
    for name, axes in panels.items():
        of_class = classes[name][OUT_OF_FOLD]
        if of_class["annotated"]:
            axes.axhline(of_class["positives"] / of_class["annotated"], **_REFERENCE)
    for name, predictions in shown.items():
        points = curve_points.precision_recall(predictions, list(classes))
        _lines(panels, points, "recall", "precision", COLOURS[name], step=True)
    _values(panels, shown, classes, "ap")
    _legend(free, [_line(name) for name in shown], "Numbers: average\nprecision")
    return figure


def calibration(pooled: Predictions, classes: Table) -> Figure:
    """Reliability out of fold, before and after calibration; 95 % intervals and counts (grey bars)
    are those after.

    `classes`: name -> `out_of_fold` -> `ece_raw`, `ece`, in the order of the predictions' columns.
    """
    figure, panels, free = grid(list(classes), "Predicted probability", "Observed share")
    columns = ["class", "probabilities", "predicted", "observed", "recordings"]
    records = pd.DataFrame(curve_points.calibration(pooled, list(classes)), columns=columns)
    for (name, kind), bins in records.groupby(["class", "probabilities"], sort=False):
        if kind == "calibrated":
            _counts(panels[name], bins)
            _shares(panels[name], bins)
        _reliability(panels[name], bins, after=kind == "calibrated")
    for name, axes in panels.items():
        axes.plot([0, 1], [0, 1], **_REFERENCE)
        of_class = classes[name][OUT_OF_FOLD]
        _above(axes, number(of_class["ece_raw"]), 0, RAW)
        _above(axes, number(of_class["ece"]), 1, COLOURS[OUT_OF_FOLD])
    marker = {"marker": "o", "markersize": 3}
    before = Line2D(
        [], [], color=RAW, markerfacecolor="white", label="before calibration", **marker
    )
    after = Line2D([], [], color=COLOURS[OUT_OF_FOLD], label="after it", **marker)
    _legend(free, [before, after], _CALIBRATION_NOTE)
    return figure


def _reliability(axes: Axes, bins: pd.DataFrame, *, after: bool) -> None:
    """Observed share against predicted probability of each bin, before or after calibration."""
    colour = COLOURS[OUT_OF_FOLD] if after else RAW
    style = {
        "color": colour,
        "linewidth": 0.9,
        "markersize": 2.4,
        "markerfacecolor": colour if after else "white",
        "markeredgewidth": 0.6,
        "zorder": 2.5 if after else 2,
    }
    axes.plot(bins["predicted"], bins["observed"], "o-", **style)


def _shares(axes: Axes, bins: pd.DataFrame) -> None:
    """The 95 % interval of each bin's share."""
    low, high = wilson(bins["observed"].to_numpy(), bins["recordings"].to_numpy(np.float64))
    axes.vlines(bins["predicted"], low, high, color=COLOURS[OUT_OF_FOLD], linewidth=0.8)


def wilson(share: NDArray, count: NDArray) -> tuple[NDArray, NDArray]:
    """Lower and upper end of the 95 % score interval of a share (0..1) of `count` (Wilson 1927,
    doi:10.1080/01621459.1927.10502953)."""
    z = 1.959964
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half


def grid(names: Sequence[str], x_label: str, y_label: str) -> tuple[Figure, dict[str, Axes], Axes]:
    """A figure, its unit squares by name, and a free place for the legend."""
    columns = min(COLUMNS, len(names) + 1)
    rows = -(-(len(names) + 1) // columns)
    width = _LEFT + columns * (_SIDE + _BETWEEN) - _BETWEEN + _RIGHT
    height = _TOP + rows * (_SIDE + _ABOVE) - _ABOVE + _BOTTOM
    figure = Figure(figsize=(width, height))

    def square(place: int) -> Axes:
        row, column = divmod(place, columns)
        left, top = _LEFT + column * (_SIDE + _BETWEEN), _TOP + row * (_SIDE + _ABOVE)
        bottom = 1 - (top + _SIDE) / height
        return figure.add_axes((left / width, bottom, _SIDE / width, _SIDE / height))

    panels = {}
    for place, name in enumerate(names):
        axes = panels[name] = square(place)
        _titled(axes, name)
        lowest, first = place + columns >= len(names), place % columns == 0
        axes.set_xticks((0, 0.5, 1), ("0", ".5", "1") if lowest else ("", "", ""))
        axes.set_yticks((0, 0.5, 1), ("0", ".5", "1") if first else ("", "", ""))
        plain(axes, 7)
    free = square(len(names))
    free.set_axis_off()
    figure.text(0.5, 0.12 / height, x_label, fontsize=9, ha="center", va="center")
    figure.text(0.14 / width, 0.5, y_label, fontsize=9, ha="center", va="center", rotation=90)
    return figure, panels, free


def _titled(axes: Axes, name: str) -> None:
    """A unit square with a little room around it, under a title that fits above it."""
    title = shortened(name)
    fitting = 72 * (_SIDE + _BETWEEN) / (_LETTER * len(title))  # inches to points
    axes.set_title(title, fontsize=min(_TITLE_POINTS, fitting), pad=12)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


def _counts(axes: Axes, bins: pd.DataFrame) -> None:
    """Bars of how many recordings a bin holds, on a log scale, and the number of the tallest."""
    recordings = bins["recordings"].to_numpy(np.float64)
    most = recordings.max()
    left = np.minimum(np.floor(bins["predicted"] * BINS), BINS - 1) / BINS
    height = 0.3 * np.log10(1 + recordings) / np.log10(1 + most)
    bar = {"color": "0.88", "edgecolor": "white", "linewidth": 0.4, "zorder": 1}
    axes.bar(left, height, 1 / BINS, align="edge", **bar)
    style = {"fontsize": 5.5, "color": "0.4", "ha": "center", "va": "bottom"}
    axes.text(0.5, 1.035, f"({count(most)})", transform=axes.transAxes, **style)


def _lines(
    panels: Mapping[str, Axes],
    records: Sequence[Record],
    x: str,
    y: str,
    colour: str,
    *,
    step: bool = False,
) -> None:
    """One curve in each panel."""
    table = pd.DataFrame(records, columns=["class", x, y])
    for name, rows in table.groupby("class", sort=False):
        style = "steps-pre" if step else "default"
        panels[name].plot(rows[x], rows[y], color=colour, linewidth=1.1, drawstyle=style)


def _values(
    panels: Mapping[str, Axes], shown: Mapping[str, Predictions], classes: Table, key: str
) -> None:
    """A metric of each setting above its panel."""
    for name, axes in panels.items():
        for place, setting in enumerate(shown):
            _above(axes, number(classes[name][setting][key]), place, COLOURS[setting])


def _above(axes: Axes, text: str, side: int, colour: str) -> None:
    """Small text between a panel and its title, at the left (0) or the right (1)."""
    style = {"fontsize": 6.5, "color": colour, "ha": ("left", "right")[side], "va": "bottom"}
    axes.text(side, 1.03, text, transform=axes.transAxes, **style)


def _line(setting: str) -> Line2D:
    return Line2D([], [], color=COLOURS[setting], label=SETTINGS[setting])


def _legend(axes: Axes, lines: Sequence[Line2D], note: str) -> None:
    """What the colours mean and a note, in a panel of its own."""
    place = {
        "loc": "upper left",
        "bbox_to_anchor": (-0.1, 1.1),
        "borderpad": 0,
        "frameon": False,
        "handlelength": 1.3,
    }
    axes.legend(
        handles=lines, fontsize=6.5, title=note, title_fontsize=6.2, alignment="left", **place
    )
