"""The plots of a run: data for `dvc plots` (plots/*.json), pictures for an article and the report
(plots/*.png).

The JSON files are lists of records in long format, null where undefined:

- roc.json, pr.json, calibration.json: points of the out-of-fold curves (`curve_points`), the class
  as a column.
- history.json: `fold, epoch, train_loss, val_loss, val_auroc_macro`.
- classes.json (`report.dotplots.class_records`), sources.json (`report.heatmaps.source_records`).
- cooccurrence.json: `class, other, share, recordings` (those with the class whose source annotates
  the other).
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecgpipe.evaluation.held_out import OUT_OF_FOLD, WHOLE, HeldOut
from ecgpipe.evaluation.predictions import Predictions, joined
from ecgpipe.project import atomic, paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.report import curve_points, dotplots, heatmaps, panels
from ecgpipe.report.curve_points import Record
from ecgpipe.report.style import FOLDS, plain, save

DASHES = ("-", "--", ":")
HISTORY = ("train_loss", "val_loss", "val_auroc_macro")
# In the order of the page: name of the file, title, caption.
PICTURES = (
    ("classes", "Each class", "AUROC of each class with its 95 % interval, lowest at the bottom."),
    (
        "sources",
        "Each class at each source",
        "AUROC out of fold of each class at each source; a source that is wholly in the test part "
        "is marked and shows the test ensemble. The last column holds all recordings, the last "
        "row the mean over the classes scored there.",
    ),
    (
        "subgroups",
        "Subgroups",
        "Macro AUROC of the recordings of each source, sex, age band and signal flag. Two "
        "subgroups may be scored on different classes: compare them with care.",
    ),
    (
        "roc",
        "ROC curves",
        "True against false positive rate of each class; the diagonal is guessing.",
    ),
    (
        "pr",
        "Precision and recall",
        "Precision against recall of each class; the dotted line is the share of positives, which "
        "guessing would give.",
    ),
    (
        "calibration",
        "Calibration",
        "Observed share of positives against predicted probability, out of fold, before and after "
        "calibration. On the diagonal a probability means what it says. Vertical lines are 95 % "
        "intervals of the share.",
    ),
    (
        "confusion",
        "What is answered for what",
        "Of the recordings with a class, the share answered with each class, at the thresholds, "
        "out of fold.",
    ),
    (
        "cooccurrence",
        "Labels that go together",
        "Of the recordings with a class, the share that carry another label too. All recordings, "
        "labels alone.",
    ),
    (
        "history",
        "Training",
        "Loss and validation AUROC of each fold by epoch. Both losses weigh classes as training "
        "does.",
    ),
)


def read_histories(folds: Sequence[str]) -> pd.DataFrame:
    """The folds' history.csv in one table with the fold as a column. UserError where a column is
    missing."""
    histories = []
    for fold in folds:
        path = paths.predictions(fold) / paths.HISTORY
        table = tables.read_numbers(path)
        missing = [column for column in ("epoch", *HISTORY) if column not in table]
        if missing:
            raise UserError(
                f"{path}: no column {', '.join(missing)}; train this fold again (dvc repro)"
            )
        histories.append(table[["epoch", *HISTORY]].assign(fold=f"fold {fold}"))
    return pd.concat(histories, ignore_index=True)


def plot(
    held_out: HeldOut,
    metrics: Mapping[str, Any],
    names: Sequence[str],
    history: pd.DataFrame,
    folder: Path = paths.PLOTS,
) -> list[tuple[str, str, Path]]:
    """Writes all plots of a run into `folder`: title, caption and path of each PNG, in the order of
    the report.

    `metrics` are `evaluation.metric_tables.trees`, `names` those of the classes in the order of the
    predictions' columns.
    """
    shown = {name: held_out.whole[name] for name in WHOLE if name in held_out.whole}
    classes = {name: metrics["classes"][name] for name in names}
    for name, records in _records(shown, metrics, classes, history).items():
        atomic.write_json(folder / f"{name}.json", records, sort_keys=True)
    for name, figure in _figures(shown, metrics, classes, history).items():
        save(figure, folder / f"{name}.png")
    return [(title, caption, folder / f"{name}.png") for name, title, caption in PICTURES]


def _records(
    shown: Mapping[str, Predictions],
    metrics: Mapping[str, Any],
    classes: Mapping[str, Any],
    history: pd.DataFrame,
) -> dict[str, list[Record]]:
    """The data of the plots by the name of their file."""
    pooled, names = shown[OUT_OF_FOLD], list(classes)
    return {
        "roc": curve_points.roc(pooled, names),
        "pr": curve_points.precision_recall(pooled, names),
        "calibration": curve_points.calibration(pooled, names),
        "history": history.astype({"epoch": int}).to_dict("records"),
        "classes": dotplots.class_records(classes),
        "sources": heatmaps.source_records(metrics),
        "cooccurrence": together(joined(list(shown.values())), names),
    }


def _figures(
    shown: Mapping[str, Predictions],
    metrics: Mapping[str, Any],
    classes: Mapping[str, Any],
    history: pd.DataFrame,
) -> dict[str, Figure]:
    """The pictures by the name of their file."""
    pooled, names = shown[OUT_OF_FOLD], list(classes)
    whole = joined(list(shown.values()))
    shares, positives = curve_points.cooccurrence(whole), (whole.labels == 1).sum(axis=0)
    overall = metrics["summary"][OUT_OF_FOLD]["auroc_macro"]
    return {
        "classes": dotplots.classes(classes),
        "sources": heatmaps.sources(heatmaps.source_records(metrics)),
        "subgroups": dotplots.subgroups(metrics["subgroups"], overall),
        "roc": panels.roc(shown, classes),
        "pr": panels.precision_recall(shown, classes),
        "calibration": panels.calibration(pooled, classes),
        "confusion": heatmaps.confusion(curve_points.confusion(pooled), names),
        "cooccurrence": heatmaps.cooccurrence(shares, positives, names),
        "history": training_history(history),
    }


def together(predictions: Predictions, names: Sequence[str]) -> list[Record]:
    """Records `class, other, share, recordings`: of the recordings with a class whose source
    annotates another, how many have that too."""
    shares = curve_points.cooccurrence(predictions)
    positive, annotated = predictions.labels == 1, predictions.annotated
    counted = positive.T.astype(np.int64) @ annotated.astype(np.int64)
    records = []
    for (row, name), (column, other) in itertools.product(enumerate(names), repeat=2):
        count = {"share": shares[row, column], "recordings": counted[row, column]}
        records.append({"class": name, "other": other, **count})
    return records


def training_history(history: pd.DataFrame) -> Figure:
    """Losses and validation AUROC by epoch, a line a fold."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes_by_column = figure.subplots(1, 3)
    titles = ("Training loss", "Validation loss", "Validation AUROC (macro)")
    for axes, column, title in zip(axes_by_column, HISTORY, titles, strict=True):
        for index, (fold, rows) in enumerate(history.groupby("fold", sort=False)):
            look = {
                "color": FOLDS[index % len(FOLDS)],
                "linestyle": DASHES[index // len(FOLDS) % len(DASHES)],
                "linewidth": 1.1,
                "marker": "o" if len(rows) == 1 else None,
                "markersize": 3,
            }
            axes.plot(rows["epoch"], rows[column], label=fold, **look)
        axes.set_title(title, fontsize=9)
        axes.set_xlabel("Epoch", fontsize=8)
        axes.xaxis.get_major_locator().set_params(integer=True)
        plain(axes, 7)
    losses = axes_by_column[:2]
    low = min(axes.get_ylim()[0] for axes in losses)
    high = max(axes.get_ylim()[1] for axes in losses)
    for axes in losses:  # one scale for both
        axes.set_ylim(low, high)
    lines, labels = axes_by_column[0].get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": min(len(lines), 10)}
    figure.legend(lines, labels, fontsize=7, frameon=False, **place)
    return figure
