"""What a reader must know of two runs to read their comparison right: other params, other
recordings, other amounts of training data, another protocol."""

from collections.abc import Mapping
from typing import Any

from ecgpipe.comparison.pairing import PairedRuns, Run
from ecgpipe.evaluation import held_out
from ecgpipe.project import tables
from ecgpipe.report import templates

# Means of recordings trained on count as alike where the larger is at most this many times the
# smaller.
ALIKE = 1.05


def remarks(a: Run, b: Run, setting: str, paired: PairedRuns) -> list[str]:
    """A sentence or a few on each matter in which the runs differ, and on what both predicted."""
    return [
        *_on_params(a, b),
        *_on_recordings(a, b, setting, paired),
        *_on_training(a, b),
        *(_on_protocols(a, b) if setting == held_out.OUT_OF_FOLD else []),
    ]


def _on_params(a: Run, b: Run) -> list[str]:
    """Nothing where a run's folder has no params."""
    if not (a.values and b.values):
        return []
    changes = []
    for key, values in unlike(a.values, b.values).items():
        # Spans of code, in which no sign of a value has a meaning.
        name, old, new = map(templates.code, (key, *values))
        changes.append(f"{name} {old} -> {new}")
    if not changes:
        return ["The params are the same."]
    return [templates.own_markdown(f"Params that differ: {', '.join(changes)}.")]


def _on_recordings(a: Run, b: Run, setting: str, paired: PairedRuns) -> list[str]:
    """How many recordings, entries and classes the comparison is on, and what is left out of it."""
    in_a, in_b = (len(run.settings.whole[setting].rows) for run in (a, b))
    sentences = [
        f"{templates.count(len(paired.groups))} recordings that both predicted "
        f"({templates.count(in_a)} in A, {templates.count(in_b)} in B)."
    ]
    if paired.unlike:
        entries = templates.count(paired.unlike)
        sentences.append(f"{entries} cells are left out: the two runs label them differently.")
    dropped = sorted(set(a.classes.names) ^ set(b.classes.names))
    if dropped:
        sentences.append(f"Left out, since one run alone has them: {', '.join(dropped)}.")
    return sentences


def _on_training(a: Run, b: Run) -> list[str]:
    """Unequal amounts of training data."""
    if _alike(a, b):
        return []
    of_a, of_b = (templates.count(_trained(run)) for run in (a, b))
    return [
        f"A model of A trained on {of_a} recordings, one of B on {of_b}: part of the difference "
        "may be that. For like with like give both runs the same split.test_fraction and as many "
        "folds."
    ]


def _on_protocols(a: Run, b: Run) -> list[str]:
    """The optimism gap, where the two runs show it or would the other way round."""
    protocols = [run.about.get("protocol") for run in (a, b)]
    same_data = a.about.get("sources") == b.about.get("sources")
    if protocols == ["stratified", "source"] and same_data and _alike(a, b):
        return [
            "A was split by protocol stratified, B by source, on the same data: the difference is "
            "the optimism gap, what a score loses where the hospital is new."
        ]
    if protocols == ["source", "stratified"]:
        return [
            "A was split by protocol source, B by stratified: for the optimism gap, compare B "
            "with A."
        ]
    return []


def unlike(first: Any, second: Any, where: str = "") -> dict[str, tuple[Any, Any]]:
    """Key (dots go deeper) -> its values in two params files, where they differ; not those of
    `compute`, which change no result.

    >>> unlike({"train": {"seed": 1, "epochs": 3}}, {"train": {"seed": 2, "epochs": 3}})
    {'train.seed': (1, 2)}
    """
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        return {} if first == second else {where: (first, second)}
    changes: dict[str, tuple[Any, Any]] = {}
    for key in [*first, *(key for key in second if key not in first)]:
        if where or key != "compute":
            path = f"{where}.{key}".removeprefix(".")
            changes |= unlike(first.get(key), second.get(key), path)
    return changes


def _alike(a: Run, b: Run) -> bool:
    """Whether models of both runs were trained on about as many recordings."""
    trained = [_trained(run) for run in (a, b)]
    return max(trained) <= ALIKE * min(trained)


def _trained(run: Run) -> int:
    """How many recordings a fold's model was trained on, on average."""
    sizes = run.table["fold"].value_counts().drop(tables.TEST, errors="ignore")
    folds = sizes.drop(tables.TRAIN, errors="ignore")
    return round(float(sizes.sum() - folds.mean()))
