"""What is known of a pretrained network: card.json, and the page (README.md) that says it in words.

It is scored on simulated recordings of a seed of their own, which neither training nor validation
saw. How good it is on real ones is for real ones to say: `python -m
tests.benchmarks.pretrained_on_real`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, metrics

MADE = "made from simulated hearts alone; not for patients"


def scores(
    labels: NDArray,
    probabilities: NDArray,
    names: Sequence[str],
    *,
    groups: Sequence[object],
    resamples: int,
    seed: int,
    least: int = 1,
) -> dict[str, Any]:
    """AUROC of each class with its 95 % interval (bootstrap over `groups` [row]) and positives, and
    their mean over the classes with `least` positives or more; labels (1, 0, NaN) and
    probabilities are [row, class]. Undefined numbers are NaN."""
    values = metrics.auroc(labels, probabilities)
    positives = np.nansum(labels, axis=0).astype(int)
    draws = _draws(labels, probabilities, np.asarray(groups, object), resamples, seed)
    classes = {}
    for index, name in enumerate(names):
        annotated = int(np.isfinite(labels[:, index]).sum())
        counted = {"positives": int(positives[index]), "annotated": annotated}
        classes[name] = counted | _with_interval(values[index], draws[index])
    macro = np.isfinite(values) & (positives >= least)
    # In a resample without a positive of a class the class counts as in all rows.
    of_macro = np.where(np.isnan(draws), values[:, None], draws)[macro]
    mean = _with_interval(values[macro].mean(), of_macro.mean(axis=0)) if macro.any() else {}
    counts = {"recordings": len(labels), "classes_of_mean": int(macro.sum()), "least": least}
    return {**counts, "auroc_macro": mean, "classes": classes}


def _draws(
    labels: NDArray, probabilities: NDArray, groups: NDArray, resamples: int, seed: int
) -> NDArray[np.float64]:
    """AUROC [class, resample]."""
    weights = bootstrap.counts(groups, resamples, seed)
    dtype = bootstrap.exact_dtype(len(labels), weights)
    weights, drawn = weights.astype(dtype), []
    for truth, scores_of_class in zip(labels.T, probabilities.T, strict=True):
        rows = np.flatnonzero(np.isfinite(truth))
        ranking = bootstrap.rank(truth[rows], scores_of_class[rows], rows, len(labels), dtype)
        drawn.append(bootstrap.auroc(ranking.count(weights)))
    return np.stack(drawn)


def _with_interval(value: float, draws: NDArray) -> dict[str, float]:
    low, high = bootstrap.percentiles(draws)
    return {"auroc": float(value), "low": low, "high": high}


def page(card: Mapping[str, Any], full_names: Mapping[str, str]) -> str:
    """The text of README.md; `full_names` by abbreviation."""
    scored, counts = card["scores"], card["recordings"]
    macro = scored["auroc_macro"]
    lines = [
        "# A network that learnt from simulated hearts",
        "",
        f"It is {card['made']}. Trained on {counts['train']:,} simulated recordings by "
        "`dvc repro -f pretrain` with the section `pretrain` of params.yaml (card.json has a "
        f"copy); scored here on {scored['recordings']:,} others, simulated too: a score on them "
        "says nothing about patients.",
        "",
        "| class | AUROC | 95 % interval | positives |",
        "|---|---|---|---|",
    ]
    for name, of_class in scored["classes"].items():
        words = " ".join(dict.fromkeys([name, full_names[name]]))
        if np.isfinite(of_class["auroc"]):
            numbers = f"{of_class['auroc']:.3f} | {_interval(of_class)}"
            lines.append(f"| {words} | {numbers} | {of_class['positives']} |")
        else:
            lines.append(f"| {words} | not learnt | | {of_class['positives']} |")
    if macro:
        mean = f"{macro['auroc']:.3f} | {_interval(macro)}"
        lines.append(f"| mean of {scored['classes_of_mean']} classes | {mean} | |")
    return "\n".join(lines) + "\n"


def _interval(value: Mapping[str, float]) -> str:
    return f"{value['low']:.3f} to {value['high']:.3f}"
