"""The plots of a run: data for `dvc plots` (plots/*.json) and figures for a paper (plots/*.png).

roc.json, pr.json and calibration.json hold the out-of-fold curves with the class as a column, history.json holds
`fold, epoch, train_loss, val_loss, val_auroc_macro`; the figures draw the test ensemble too where there is one.
Classes have a small panel each: 26 colours in one panel cannot be told apart. Colours are those of Okabe and Ito
(https://jfly.uni-koeln.de/color/), safe for colour-blind readers. The same data give the same bytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ecgpipe import answers as curves
from ecgpipe import layout
from ecgpipe.answers import Answers, Record, write_json

COLOURS = {"out_of_fold": "#0072B2", "test_ensemble": "#D55E00"}
FOLDS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
DASHES = ("-", "--", ":")
GREY = "0.6"
COLUMNS = 6
HISTORY = ("train_loss", "val_loss", "val_auroc_macro")
DPI = 200


def read_histories(folds: Sequence[str]) -> pd.DataFrame:
    """The folds' history.csv in one table with the fold as a column. ValueError where a column is missing."""
    tables = []
    for fold in folds:
        path = layout.predictions(fold) / "history.csv"
        table = pd.read_csv(path)
        missing = [column for column in ("epoch", *HISTORY) if column not in table]
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}; train this fold again (dvc repro)")
        tables.append(table[["epoch", *HISTORY]].assign(fold=f"fold {fold}"))
    return pd.concat(tables, ignore_index=True)


def draw(
    settings: Mapping[str, Any], told: Mapping[str, Any], names: Sequence[str], history: pd.DataFrame, folder: Path
) -> None:
    """Writes all plots of a run into `folder`.

    `settings` and `told` map `out_of_fold` and, where there is a test part, `test_ensemble` to the answers and to
    their report (`classes`: name -> auroc, ap, positives).
    """
    shown = {name: settings[name] for name in COLOURS if name in settings}
    pooled = shown["out_of_fold"]
    write_json(curves.roc(pooled, names), folder / "roc.json")
    write_json(curves.precision_recall(pooled, names), folder / "pr.json")
    write_json(curves.calibration(pooled, names), folder / "calibration.json")
    write_json(history.astype({"epoch": int}).to_dict("records"), folder / "history.json")
    figures = {
        "roc": roc(shown, told, names),
        "pr": precision_recall(shown, told, names),
        "calibration": calibration(pooled, names),
        "history": training_history(history),
        "confusion": confusion(curves.confusion(pooled), names),
        "classes": class_scores({name: told[name]["classes"] for name in shown}),
    }
    for name, figure in figures.items():
        save(figure, folder / f"{name}.png")


def save(figure: Figure, path: Path, dpi: int = DPI) -> None:
    """Writes a PNG atomically, without the name and version of the software that drew it."""
    FigureCanvasAgg(figure)
    with layout.atomic(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})


def roc(shown: Mapping[str, Answers], told: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """ROC curves, a panel a class."""
    figure, panels, free = _panels(names, "False positive rate", "True positive rate")
    for axes in panels.values():
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
    for name, answers in shown.items():
        _lines(panels, curves.roc(answers, names), "fpr", "tpr", COLOURS[name])
    _values(panels, shown, told, "auroc")
    _legend(free, shown, "Numbers: AUROC")
    return figure


def precision_recall(shown: Mapping[str, Answers], told: Mapping[str, Any], names: Sequence[str]) -> Figure:
    """Precision-recall curves, a panel a class; the dotted line is the share of positives (out of fold)."""
    figure, panels, free = _panels(names, "Recall", "Precision")
    for name, axes in panels.items():
        one = told["out_of_fold"]["classes"][name]
        if one["annotated"]:
            axes.axhline(one["positives"] / one["annotated"], color=GREY, linewidth=0.6, linestyle=":")
    for name, answers in shown.items():
        _lines(panels, curves.precision_recall(answers, names), "recall", "precision", COLOURS[name], step=True)
    _values(panels, shown, told, "ap")
    _legend(free, shown, "Numbers: average\nprecision")
    return figure


def calibration(pooled: Answers, names: Sequence[str]) -> Figure:
    """Reliability of out-of-fold probabilities, a panel a class, with 95 % intervals; grey bars are log counts."""
    figure, panels, free = _panels(names, "Predicted probability", "Observed share")
    records = pd.DataFrame(curves.calibration(pooled, names), columns=["class", "predicted", "observed", "recordings"])
    for name, bins in records.groupby("class", sort=False):
        axes, count = panels[name], bins["recordings"].to_numpy(np.float64)
        left = np.minimum(np.floor(bins["predicted"] * curves.BINS), curves.BINS - 1) / curves.BINS
        height = 0.3 * np.log10(1 + count) / np.log10(1 + count.max())
        axes.bar(left, height, 1 / curves.BINS, align="edge", color="0.88", edgecolor="white", linewidth=0.4)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.6, linestyle=":")
        low, high = _wilson(bins["observed"].to_numpy(), count)
        axes.vlines(bins["predicted"], low, high, color=COLOURS["out_of_fold"], linewidth=0.8)
        axes.plot(
            bins["predicted"], bins["observed"], "o-", markersize=2.2, linewidth=0.9, color=COLOURS["out_of_fold"]
        )
        _above(axes, f"{int(count.max()):,}", 1, "0.4")
    note = "Grey bars: recordings in\na bin (log scale); the\nnumber: the tallest bar"
    _legend(free, {"out_of_fold": pooled}, note)
    return figure


def training_history(history: pd.DataFrame) -> Figure:
    """Losses and validation AUROC by epoch, a line a fold."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = figure.subplots(1, 3)
    titles = ("Training loss", "Validation loss", "Validation AUROC (macro)")
    for axes, column, title in zip(panels, HISTORY, titles, strict=True):
        for index, (fold, rows) in enumerate(history.groupby("fold", sort=False)):
            style = {"color": FOLDS[index % len(FOLDS)], "linestyle": DASHES[index // len(FOLDS) % len(DASHES)]}
            marker = "o" if len(rows) == 1 else None
            axes.plot(rows["epoch"], rows[column], linewidth=1.1, marker=marker, markersize=3, label=fold, **style)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("Epoch", fontsize=8)
        axes.xaxis.get_major_locator().set_params(integer=True)
        _plain(axes, 7)
    low, high = panels[0].get_ylim()
    for axes in panels[:2]:  # one scale for both losses
        low, high = min(low, axes.get_ylim()[0]), max(high, axes.get_ylim()[1])
    for axes in panels[:2]:
        axes.set_ylim(low, high)
    lines, labels = panels[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=min(len(lines), 10), fontsize=7, frameon=False)
    return figure


def confusion(shares: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """The matrix of `answers.confusion` as a heat map; what its cells are stands below it."""
    size = 3.2 + 0.27 * len(shares)
    figure = Figure(figsize=(size + 0.4, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0, vmax=1)
    axes.set_facecolor("0.85")
    places = np.arange(len(shares))
    axes.set_xticks(places, [*names, "no class"], rotation=90, fontsize=7)
    axes.set_yticks(places, [*names, "no class"], fontsize=7)
    for row, column in zip(*np.nonzero(np.nan_to_num(shares) >= 0.005), strict=True):
        value = shares[row, column]
        text = {"color": "white" if value > 0.55 else "0.15", "fontsize": 5.5, "ha": "center", "va": "center"}
        axes.text(column, row, f"{100 * value:.0f}", **text)
    axes.axhline(len(names) - 0.5, color="white", linewidth=2)
    axes.axvline(len(names) - 0.5, color="white", linewidth=2)
    axes.set_ylabel("Recordings with", fontsize=9)
    axes.set_xlabel("answered with (%, out of fold)", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.5, pad=0.02)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    note = (
        "\nDiagonal: sensitivity. Elsewhere: of the recordings with the row's class and without the column's,\n"
        "the share answered with the column's class. Annotated cells only; grey: no such recording."
    )
    figure.supxlabel(note, fontsize=7)
    return figure


def class_scores(told: Mapping[str, Mapping[str, Record]]) -> Figure:
    """AUROC of each class, sorted: bars out of fold, dots test ensemble; positives at the right."""
    pooled = told["out_of_fold"]
    names = sorted(pooled, key=lambda name: np.nan_to_num(pooled[name]["auroc"], nan=-1.0))
    values = np.array([pooled[name]["auroc"] for name in names], np.float64)
    figure = Figure(figsize=(6.5, 1.3 + 0.2 * len(names)), layout="constrained")
    axes, places = figure.subplots(), np.arange(len(names))
    axes.barh(places, np.nan_to_num(values, nan=0.5) - 0.5, left=0.5, height=0.7, color="#9ECAE1", label="out of fold")
    if "test_ensemble" in told:
        tested = np.array([told["test_ensemble"][name]["auroc"] for name in names], np.float64)
        axes.plot(tested, places, "o", markersize=4, color=COLOURS["test_ensemble"], label="test ensemble")
        values = np.append(values, tested)
    low = np.nanmin(np.append(values, 0.5))
    axes.set_xlim(low - 0.02 if low < 0.5 else 0.5, 1.005)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_yticks(places, names)
    axes.set_xlabel("AUROC", fontsize=8)
    _plain(axes, 7)
    axes.axvline(0.5, color="0.3", linewidth=0.8)
    axes.grid(axis="x", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    right = axes.secondary_yaxis("right")
    right.set_yticks(places, [_positives(told, name) for name in names], fontsize=7)
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    right.set_ylabel("Positives " + " / ".join(name.replace("_", " ") for name in told), fontsize=8)
    figure.legend(loc="outside lower center", ncols=2, fontsize=7, frameon=False)
    return figure


def _positives(told: Mapping[str, Mapping[str, Record]], name: str) -> str:
    counts = " / ".join(f"{each[name]['positives']:,}" for each in told.values())
    return counts if np.isfinite(told["out_of_fold"][name]["auroc"]) else f"{counts} (undefined)"


def _panels(names: Sequence[str], x_label: str, y_label: str) -> tuple[Figure, dict[str, Axes], Axes]:
    """A figure, its unit squares by name, and a free place for the legend."""
    columns = min(COLUMNS, len(names) + 1)
    rows = -(-(len(names) + 1) // columns)
    figure = Figure(figsize=(1.3 * columns + 0.3, 1.52 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(name, fontsize=8, pad=12)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.set_xticks((0, 0.5, 1), ("0", ".5", "1"))
        axes.set_yticks((0, 0.5, 1), ("0", ".5", "1"))
        _plain(axes, 7)
    for axes in grid[len(names) :]:
        axes.set_axis_off()
    for axes in grid[max(0, len(names) - columns) : len(names)]:
        axes.tick_params(labelbottom=True)
    figure.supxlabel(x_label, fontsize=9)
    figure.supylabel(y_label, fontsize=9)
    return figure, dict(zip(names, grid, strict=False)), grid[len(names)]


def _lines(panels: Mapping[str, Axes], records: Sequence[Record], x: str, y: str, colour: str, step: bool = False):
    """One curve in each panel."""
    table = pd.DataFrame(records, columns=["class", x, y])
    for name, rows in table.groupby("class", sort=False):
        style = "steps-pre" if step else "default"
        panels[name].plot(rows[x], rows[y], color=colour, linewidth=1.1, drawstyle=style)


def _values(panels: Mapping[str, Axes], shown: Mapping[str, Answers], told: Mapping[str, Any], key: str) -> None:
    """A metric of each setting above its panel."""
    for name, axes in panels.items():
        values = {setting: told[setting]["classes"][name][key] for setting in shown}
        for place, (setting, value) in enumerate(values.items()):
            text = f"{value:.3f}" if np.isfinite(value) else "undefined"
            _above(axes, text, place, COLOURS[setting])


def _above(axes: Axes, text: str, side: int, colour: str) -> None:
    """Small text between a panel and its title, at the left (0) or the right (1)."""
    style = {"fontsize": 6.5, "color": colour, "ha": ("left", "right")[side], "va": "bottom"}
    axes.text(side, 1.03, text, transform=axes.transAxes, **style)


def _legend(axes: Axes, shown: Mapping[str, Answers], note: str) -> None:
    """The settings' colours and a note, in a panel of its own."""
    lines = [Line2D([], [], color=COLOURS[name], label=name.replace("_", " ")) for name in shown]
    legend = axes.legend(handles=lines, loc="upper left", fontsize=7.5, frameon=False, title=note, title_fontsize=6.5)
    legend.set_in_layout(False)


def _plain(axes: Axes, size: float) -> None:
    """Small ticks, no box."""
    axes.tick_params(labelsize=size, length=2, color="0.5")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("0.5")


def _wilson(share: NDArray, count: NDArray) -> tuple[NDArray, NDArray]:
    """The 95 % score interval of a share of `count` (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    z = 1.959964
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return middle - half, middle + half
