"""The page realism.md of what `tests.benchmarks.realism` measured."""

from typing import Any

MOST_ROWS = 40  # features of the table of all recordings
MOST_OF_CLASS = 8
_PAGE = """# Simulated recordings beside real ones

Written by `python -m tests.benchmarks.realism`: {real} real recordings of nine public sources, each
beside one of {simulated} simulated ones (population `{population}`) whose classes are as nearly the
same as can be ({alike:.1%} of their labels are equal). KS is the distance of Kolmogorov and Smirnov
(0 alike, 1 apart), W Wasserstein's over the common deviation; quantiles are those of 10, 50 and
90 %.

## How well they are told apart

Area under the ROC curve, out of fold; 0.5 is not at all, 1 is always.

| by what | AUROC |
|---|---|
{separation}

The features that tell most, of those that conditioning leaves: a boosting is fitted, the feature
whose permutation costs it most is taken away, and so on. "reached" is its AUROC with all that were
left then, "alone lost" what the permutation cost.

| feature | reached | alone lost |
|---|---|---|
{tellers}

## All recordings

{overall}

## Class by class

The {most} features that are farthest apart; "NSR alone" are those whose only class is sinus rhythm.

{classes}
"""


def page(content: dict[str, Any]) -> str:
    """The text of realism.md."""
    counts, separation = content["recordings"], content["separation"]
    lines = [f"| {name} | {value:.3f} |" for name, value in separation["auroc"].items()]
    sections = []
    for name, rows in content["classes"].items():
        sections.append(f"### {name}\n\n{table(rows[:MOST_OF_CLASS])}")
    return _PAGE.format(
        real=counts["pairs"],
        simulated=counts["simulated"],
        population=content["population"],
        alike=content["alike_in_classes"],
        separation="\n".join(lines),
        tellers="\n".join(
            f"| {name} | {reached:.3f} | {lost:.3f} |"
            for name, reached, lost in separation["tellers"]
        ),
        overall=table(content["overall"][:MOST_ROWS]),
        most=MOST_OF_CLASS,
        classes="\n\n".join(sections),
    )


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of rows of `realism.compared`."""
    lines = ["| feature | real | simulated | KS | W |", "|---|---|---|---|---|"]
    for row in rows:
        real, simulated = quantiles(row["real"]), quantiles(row["simulated"])
        distances = f"{row['ks']:.2f} | {row['wasserstein']:.2f}"
        lines.append(f"| {row['feature']} | {real} | {simulated} | {distances} |")
    return "\n".join(lines)


def quantiles(values: list[float]) -> str:
    """Three numbers of three digits."""
    return " / ".join(f"{value:.3g}" for value in values)
