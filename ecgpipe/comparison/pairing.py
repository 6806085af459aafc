"""Two runs brought together: the recordings that both predicted, with the label entries that
both annotate alike."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecgpipe.evaluation import challenge_score, held_out
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import Predictions, fold_names
from ecgpipe.project import params, paths, tables
from ecgpipe.project.errors import UserError

KEY = ["source", "record"]


@dataclasses.dataclass(frozen=True)
class Run:
    """A run's split table, its classes, its settings, what folds.json says of its split, and its
    params (empty where its folder has none)."""

    table: pd.DataFrame
    classes: ScoredClasses
    settings: held_out.HeldOut
    about: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class PairedRuns:
    """Two runs' predictions of the same recordings in the same order, with the same labels: an
    entry that one of them does not annotate, or labels otherwise (`unlike` counts these), is blank
    in both."""

    a: Predictions
    b: Predictions
    classes: ScoredClasses
    groups: NDArray[np.object_]
    sources: NDArray[np.object_]
    unlike: int


def load(root: Path, predictions: Path, fallback: Mapping[str, Any]) -> Run:
    """The run whose split lies in the project tree `root` and whose folds' folders in
    `predictions`; its operating points as its own section `evaluate` says, or, where it has none,
    as that of the params `fallback` does."""
    values = params.load(root / params.PARAMS) if (root / params.PARAMS).is_file() else {}
    scoring = values if "evaluate" in values else fallback
    evaluate = params.section(EvaluateParams, scoring, "evaluate")
    table = tables.read(root / paths.FOLDS)
    folds = fold_names(table, root / paths.FOLDS_INFO)
    classes = challenge_score.scored_classes(tables.class_codes(table))
    settings = held_out.read(table, folds, classes, evaluate, predictions)
    return Run(table, classes, settings, tables.folds_info(root / paths.FOLDS_INFO), values)


def pair(a: Run, b: Run, setting: str) -> PairedRuns:
    """The recordings that both runs predicted in `setting`. UserError where there are none, or no
    common class."""
    codes = [code for code in a.classes.codes if code in b.classes.codes]
    both = []
    for run in (a, b):
        if setting in run.settings.whole:
            both.append(run.table.iloc[run.settings.whole[setting].rows])
    keys = [pd.MultiIndex.from_frame(rows[KEY]) for rows in both]
    common = keys[0].intersection(keys[1], sort=None) if len(keys) == 2 else []
    if not codes or not len(common):
        raise UserError(
            f"{setting}: the two runs have {len(common)} recordings and {len(codes)} classes "
            "in common there; compare runs on the same data, or another --setting"
        )
    sides, groups = [], []
    for run, rows, key in zip((a, b), both, keys, strict=True):
        places = key.get_indexer(common)
        columns = [run.classes.codes.index(code) for code in codes]
        sides.append(_columns(run.settings.whole[setting].take(places), columns))
        groups.append(rows["group"].to_numpy()[places])
    of_a, of_b = sides
    labels = np.where(of_a.labels == of_b.labels, of_a.labels, np.nan)
    sources = common.get_level_values("source").to_numpy(object)
    return PairedRuns(
        a=dataclasses.replace(of_a, labels=labels),
        b=dataclasses.replace(of_b, labels=labels),
        classes=a.classes.of(codes),
        groups=united(*groups),
        sources=sources,
        unlike=int((of_a.annotated & of_b.annotated & np.isnan(labels)).sum()),
    )


def _columns(predictions: Predictions, columns: Sequence[int]) -> Predictions:
    """The predictions for some classes alone."""
    fields = ("labels", "probabilities", "thresholds", "raw")
    chosen = {name: getattr(predictions, name)[:, columns] for name in fields}
    return dataclasses.replace(predictions, **chosen)


def united(of_a: NDArray, of_b: NDArray) -> NDArray[np.object_]:
    """[recording]: the groups of two splits together; what either keeps together is one group."""
    first, _ = pd.factorize(of_a)
    second, _ = pd.factorize(of_b)
    # A graph of the groups of A and, after them, those of B: a recording links its two groups.
    after = first.max() + 1
    size = after + second.max() + 1
    graph = coo_array((np.ones(len(first), bool), (first, after + second)), shape=(size, size))
    return connected_components(graph, directed=False)[1][first].astype(object)
