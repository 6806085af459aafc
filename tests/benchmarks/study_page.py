"""The page study.md and the figure study.png of what `tests.benchmarks.study` measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecgpipe.report import style
from tests.benchmarks.study_data import ALL, PROTOCOLS

Rows = Sequence[Mapping[str, Any]]
LOW = 0.75  # a class below is named
_PAGE = """# What starting from simulated hearts brings

Written by `python -m tests.benchmarks.study` on {recordings} real recordings of {sources} public
sources, none of which any start was trained on. AUROC is the mean over the classes with ten
positives or more; intervals are those of 95 % over resampled patients, of the mean over the seeds.
{curves}{trials}"""
_CURVES = """
## Learning curves

How well a network does by the number of real recordings that it is trained on, out of five folds
(the hospital is known) and with whole sources held out (it is not). "{all}" is all that are not
held out: {most} out of fold. Scored are always all recordings.

![learning curves](study.png)

{tables}

### Class by class, whole sources held out

{classes}
"""
_TRIALS = """
## Trials

Each changes one thing in a training that starts from `{first}`, on all recordings, with whole
sources held out; the difference is taken seed by seed.

{table}
"""


def draw(rows: Rows, path: Path) -> None:
    """The curves with their intervals, a panel for each protocol."""
    protocols = [name for name in PROTOCOLS if any(row["protocol"] == name for row in rows)]
    figure = Figure(figsize=(4.6 * len(protocols), 4.0), layout="constrained")
    panels = figure.subplots(1, len(protocols), sharey=True, squeeze=False)[0]
    sizes = sizes_of(rows)
    for axes, protocol in zip(panels, protocols, strict=True):
        curves(axes, [row for row in rows if row["protocol"] == protocol], sizes)
        axes.set_title(PROTOCOLS[protocol], fontsize=10)
    panels[0].set_ylabel("AUROC, macro over classes with 10 positives", fontsize=9)
    panels[-1].legend(fontsize=8, frameon=False, loc="lower right")
    style.save(figure, path, dpi=150)


def curves(axes: Axes, rows: Rows, sizes: Sequence[int | str]) -> None:
    """One panel: a line for each method, its intervals as a band."""
    for number, name in enumerate(methods_of(rows)):
        mine = {str(row["size"]): row for row in rows if row["method"] == name}
        places = [place for place, size in enumerate(sizes) if str(size) in mine]
        points = [mine[str(sizes[place])] for place in places]
        values = {end: [point[end] for point in points] for end in ("auroc", "low", "high")}
        colour = style.FOLDS[number % len(style.FOLDS)]
        axes.plot(places, values["auroc"], "o-", color=colour, label=name, ms=4, lw=1.6)
        if len(places) > 1:
            axes.fill_between(places, values["low"], values["high"], color=colour, alpha=0.15, lw=0)
        else:
            ends = np.abs(np.array([values["low"], values["high"]]) - values["auroc"])
            axes.errorbar(places, values["auroc"], yerr=ends, color=colour, capsize=2, lw=1)
    axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    axes.set_xlabel("real recordings trained on", fontsize=9)
    axes.grid(axis="y", alpha=0.3)
    style.plain(axes, 8)


def page(content: Mapping[str, Any]) -> str:
    """The text of study.md, of the parts that were measured."""
    parts = {"curves": "", "trials": ""}
    if content.get("curves"):
        rows = content["curves"]
        tables = [
            f"### {words.capitalize()}\n\n{curve_table(of_protocol)}"
            for name, words in PROTOCOLS.items()
            if (of_protocol := [row for row in rows if row["protocol"] == name])
        ]
        parts["curves"] = _CURVES.format(
            all=ALL, most="four fifths", tables="\n\n".join(tables), classes=class_table(rows)
        )
    if content.get("trials"):
        table = trial_table(content["trials"], content["first"])
        parts["trials"] = _TRIALS.format(first=content["first"], table=table)
    return _PAGE.format(**{**content, **parts})


def sizes_of(rows: Rows) -> list[int | str]:
    """The sizes that rows have, the smallest first."""
    sizes = {row["size"] for row in rows}
    return sorted(sizes, key=lambda size: float("inf") if size == ALL else int(size))


def methods_of(rows: Rows) -> list[str]:
    """The methods that rows have, in their order."""
    return list(dict.fromkeys(row["method"] for row in rows))


def number(row: Mapping[str, Any]) -> str:
    """A score with its interval."""
    ends = [f"{row[end]:.3f}".removeprefix("0") for end in ("auroc", "low", "high")]
    return f"{ends[0]} ({ends[1]}-{ends[2]})"


def curve_table(rows: Rows) -> str:
    """A line for each method, a column for each size."""
    sizes = sizes_of(rows)
    head = ["method", *map(str, sizes), "seconds a seed, all"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in methods_of(rows):
        mine = {row["size"]: row for row in rows if row["method"] == name}
        cells = [number(mine[size]) if size in mine else "" for size in sizes]
        spent = f"{mine[ALL]['seconds']:.0f}" if ALL in mine else ""
        lines.append(f"| {' | '.join([name, *cells, spent])} |")
    return "\n".join(lines)


def class_table(rows: Rows) -> str:
    """AUROC of each class: every method on all recordings, and each start on none."""
    columns = {}
    for row in rows:
        if row["protocol"] == "source" and row["size"] in (0, ALL):
            columns[f"{row['method']}, {row['size']}"] = row["classes"]
    if not columns:
        return "Not measured."
    names = list(next(iter(columns.values())))
    lines = [f"| class | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in names:
        cells = [f"{scores[name]:.2f}".removeprefix("0") for scores in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    low = []
    for title, scores in columns.items():
        below = [name for name in names if scores[name] < LOW]
        low.append(f"{title}: {', '.join(below) or 'none'}")
    return "\n".join(lines) + f"\n\nBelow {LOW}: " + "; ".join(low) + "."


def trial_table(rows: Rows, first: str) -> str:
    """A line for each trial, and what it gains over `first`."""
    trained = [row for row in rows if row["size"] == ALL]
    base = next((row for row in trained if row["method"] == first), None)
    lines = ["| trial | AUROC | against it as it is | seconds a seed |", "|---|---|---|---|"]
    for row in rows:
        title = row["method"] if row["size"] == ALL else f"{row['method']}, no real recording"
        gain = ""
        if base and row is not base and len(row["seeds"]) == len(base["seeds"]):
            gains = np.subtract(row["seeds"], base["seeds"])
            gain = f"{gains.mean():+.4f} ({', '.join(f'{one:+.3f}' for one in gains)})"
        lines.append(f"| {title} | {number(row)} | {gain} | {row['seconds']:.0f} |")
    return "\n".join(lines)
