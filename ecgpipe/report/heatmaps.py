"""Matrices as pictures: what is answered for what, AUROC of each class at each source, labels that
go together.

A number stands in each cell; grey cells hold no recording that counts.
"""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from ecgpipe.evaluation.held_out import OUT_OF_FOLD, WHOLE
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report import style
from ecgpipe.report.curve_points import Record
from ecgpipe.report.templates import count

NO_CLASS = "no class"
# Neither can be the name of a source (paths.NAME) or of a class.
ALL, MACRO = "all sources", "macro mean"
# Below one half: worse than guessing.
_UNDER = "#F4A582"
_CELL = 0.27  # inches
_NOTE = 7  # points
_LETTER = 0.56 * _NOTE / 72  # inches: a letter of a footnote with its share of margins
_SCORE_CELL = (0.5, 0.22)  # inches wide and high


def confusion(shares: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """The matrix of `report.curve_points.confusion` (shares 0..1, [class + 1, class + 1]) in %."""
    labels = [*map(style.shortened, names), NO_CLASS]
    figure, axes = _percentages(shares, labels, labels)
    axes.axhline(len(names) - 0.5, color="white", linewidth=2)
    axes.axvline(len(names) - 0.5, color="white", linewidth=2)
    axes.set_ylabel("Recordings with", fontsize=9)
    axes.set_xlabel("answered with (%, out of fold)", fontsize=9)
    note = (
        "Diagonal: sensitivity. Elsewhere: of the recordings with the row's class and without "
        "the column's, "
        "the share answered with the column's class.\n"
        "Annotated cells only; grey: no such recording."
    )
    _note(figure, note)
    return figure


def cooccurrence(shares: NDArray[np.float64], positives: NDArray, names: Sequence[str]) -> Figure:
    """The matrix of `report.curve_points.cooccurrence` (shares 0..1, [class, class]) in %, and how
    many recordings have a class (`positives` [class]) beside its name."""
    short = list(map(style.shortened, names))
    rows = [f"{name}  {count(number)}" for name, number in zip(short, positives, strict=True)]
    others = np.array(shares, np.float64)
    absent = np.diag(np.isnan(shares))
    np.fill_diagonal(others, np.where(absent, np.nan, 0.0))
    figure, axes = _percentages(others, rows, short)
    for place in np.flatnonzero(~absent):
        axes.plot(place, place, "o", color="0.35", markersize=3)
    axes.set_ylabel("Recordings with (how many)", fontsize=9)
    axes.set_xlabel("also have (%)", fontsize=9)
    note = (
        "Of the recordings with the row's class whose source annotates the column's, "
        "the share that have it too.\n"
        "Dots: the class itself. Grey: no such recording."
    )
    _note(figure, note)
    return figure


def source_records(metrics: Mapping[str, Any]) -> list[Record]:
    """Records `class, source, setting, auroc, positives, few, state`: of the AUROC of each class at
    each source.

    Out of fold; at a source whose recordings are all in the test part, of the test ensemble.
    `state` is `scored` or why there is no AUROC. The source `ALL` holds the whole setting out of
    fold, the class `MACRO` the mean over classes (its positives are null). `metrics` are
    `evaluation.metric_tables.trees`.
    """
    everywhere = {
        "auroc_macro": metrics["settings"][OUT_OF_FOLD]["auroc_macro"],
        "classes": {name: each[OUT_OF_FOLD] for name, each in metrics["classes"].items()},
    }
    records = []
    for source, by_setting in metrics["subgroups"]["source"].items():
        setting = next(name for name in WHOLE if name in by_setting)
        records += _records_of_source(source, setting, by_setting[setting])
    return records + _records_of_source(ALL, OUT_OF_FOLD, everywhere)


def _records_of_source(source: str, setting: str, report: Mapping[str, Any]) -> list[Record]:
    """The records of each class and of their mean, of `auroc_macro` and `classes` of a report."""
    records = []
    for name, of_class in report["classes"].items():
        records.append(
            {
                "class": name,
                "source": source,
                "setting": setting,
                "auroc": of_class["auroc"],
                "positives": of_class["positives"],
                "few": bool(of_class["few"]),
                "state": style.why_unscored(of_class) or "scored",
            }
        )
    mean = report["auroc_macro"]
    records.append(
        {
            "class": MACRO,
            "source": source,
            "setting": setting,
            "auroc": mean,
            "positives": None,
            "few": False,
            "state": "scored" if np.isfinite(mean) else "none",
        }
    )
    return records


def sources(records: Sequence[Record]) -> Figure:
    """The records of `source_records` as a map: classes down, sources across."""
    names = list(dict.fromkeys(record["class"] for record in records))
    places = list(dict.fromkeys(record["source"] for record in records))
    tested = {record["source"] for record in records if record["setting"] != OUT_OF_FOLD}
    by_cell = {(record["class"], record["source"]): record for record in records}
    values = np.empty((len(names), len(places)))
    for (row, name), (column, place) in itertools.product(enumerate(names), enumerate(places)):
        values[row, column] = by_cell[name, place]["auroc"]
    wide, high = _SCORE_CELL
    size = (2.0 + wide * len(places), 1.7 + high * len(names))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    colours = colormaps["Blues"].with_extremes(bad="white", under=_UNDER)
    image = axes.imshow(np.ma.masked_invalid(values), cmap=colours, vmin=0.5, vmax=1, aspect="auto")
    for (row, name), (column, place) in itertools.product(enumerate(names), enumerate(places)):
        _score(axes, image, (row, column), by_cell[name, place])
    titles = [style.shortened(place) + (" (test)" if place in tested else "") for place in places]
    _labels(axes, [style.shortened(name) for name in names], titles, rotation=40)
    axes.axhline(len(names) - 1.5, color="0.2", linewidth=1)
    axes.axvline(len(places) - 1.5, color="0.2", linewidth=1)
    bar = _bar(figure, image, axes, "AUROC", extend="min" if (values < 0.5).any() else "neither")
    bar.set_ticks((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
    _note(figure, f"In brackets: fewer than {FEW} positives. Grey: not annotated there.")
    return figure


def _note(figure: Figure, text: str) -> None:
    """A footnote below a blank line, its lines no longer than the figure is wide."""
    most = int(figure.get_figwidth() / _LETTER)
    lines = [textwrap.fill(line, most) for line in text.split("\n")]
    figure.supxlabel("\n".join(["", *lines]), fontsize=_NOTE)


def _score(axes: Axes, image: AxesImage, cell: tuple[int, int], record: Record) -> None:
    """What stands in the cell (row, column) of a class and a source."""
    row, column = cell
    middle = {"ha": "center", "va": "center"}
    if record["state"] == "scored":
        text = f"{record['auroc']:.2f}"
        if record["few"]:
            text = f"({text})"
        of_many = record["class"] == MACRO or record["source"] == ALL
        look = {"color": ink(image, record["auroc"]), "weight": "bold" if of_many else "normal"}
        axes.text(column, row, text, fontsize=6.5, **look, **middle)
    elif record["state"] in ("not annotated", "none"):
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, color=style.LIGHT, linewidth=0))
    else:
        axes.text(column, row, record["state"], fontsize=4.8, color="0.3", **middle)


def _percentages(
    shares: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str]
) -> tuple[Figure, Axes]:
    """A square map of shares 0..1, written in % from one half on."""
    size = 3.2 + _CELL * len(shares)
    figure = Figure(figsize=(size + 0.4, size), layout="constrained")
    axes = figure.subplots()
    percent = 100 * np.asarray(shares)
    image = axes.imshow(np.ma.masked_invalid(percent), cmap="Blues", vmin=0, vmax=100)
    axes.set_facecolor(style.LIGHT)
    _labels(axes, rows, columns, rotation=90)
    for row, column in zip(*np.nonzero(np.nan_to_num(percent) >= 0.5), strict=True):
        value = percent[row, column]
        text = {"color": ink(image, value), "fontsize": 5.5, "ha": "center", "va": "center"}
        axes.text(column, row, f"{value:.0f}", **text)
    _bar(figure, image, axes, "%")
    return figure, axes


def ink(image: AxesImage, value: float) -> str:
    """Black or white, whichever stands out more on the colour of a value (contrast of WCAG 2.1,
    https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""
    luminance = 0.0
    for share, colour in zip((0.2126, 0.7152, 0.0722), image.to_rgba(value), strict=False):
        linear = colour / 12.92 if colour <= 0.04045 else ((colour + 0.055) / 1.055) ** 2.4
        luminance += share * linear
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "black"


def _labels(axes: Axes, rows: Sequence[str], columns: Sequence[str], rotation: float) -> None:
    """The names of rows and columns, no ticks and no box."""
    slanted = {"ha": "right", "rotation_mode": "anchor"} if rotation < 90 else {}
    axes.set_xticks(np.arange(len(columns)), columns, rotation=rotation, fontsize=7, **slanted)
    axes.set_yticks(np.arange(len(rows)), rows, fontsize=7)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _bar(figure: Figure, image: AxesImage, axes: Axes, title: str, extend: str = "neither") -> Any:
    """The colour bar, with its unit above it."""
    bar = figure.colorbar(image, ax=axes, shrink=0.5, pad=0.02, extend=extend)
    bar.ax.tick_params(labelsize=7)
    bar.ax.set_title(title, fontsize=7, loc="left")
    bar.outline.set_visible(False)
    return bar
