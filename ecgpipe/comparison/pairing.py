"""Two runs brought together: the recordings that both predicted, with the cells that both annotate
alike."""

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
    found: held_out.HeldOut
    about: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class PairedRuns:
    """Two runs' answers to the same recordings in the same order, with the same labels: a cell that
    one of them does not annotate, or labels otherwise (`unlike` counts these), is blank in both."""

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
    own = params.load(root / params.PARAMS) if (root / params.PARAMS).is_file() else {}
    chosen = params.section(EvaluateParams, own if "evaluate" in own else fallback, "evaluate")
    table = tables.read(root / paths.FOLDS)
    folds = fold_names(table, root / paths.FOLDS_INFO)
    classes = challenge_score.scored_classes(tables.class_codes(table))
    found = held_out.read(table, folds, classes, chosen, predictions)
    return Run(table, classes, found, tables.folds_info(root / paths.FOLDS_INFO), own)


def pair(a: Run, b: Run, setting: str) -> PairedRuns:
    """The recordings that both runs predicted in `setting`. UserError where there are none, or no
    common class."""
    codes = [code for code in a.classes.codes if code in b.classes.codes]
    both = [
        run.table.iloc[run.found.whole[setting].rows]
        for run in (a, b)
        if setting in run.found.whole
    ]
    keys = [pd.MultiIndex.from_frame(rows[KEY]) for rows in both]
    common = keys[0].intersection(keys[1], sort=None) if len(keys) == 2 else []
    if not codes or not len(common):
        raise UserError(
            f"{setting}: the two runs have {len(common)} recordings and {len(codes)} classes in common there; compare "
            "runs on the same data, or another --setting"
        )
    sides = []
    for run, key in zip((a, b), keys, strict=True):
        places = key.get_indexer(common)
        sides.append(
            _columns(
                run.found.whole[setting].take(places),
                [run.classes.codes.index(code) for code in codes],
            )
        )
    labels = np.where(sides[0].labels == sides[1].labels, sides[0].labels, np.nan)
    unlike = int((sides[0].annotated & sides[1].annotated & np.isnan(labels)).sum())
    groups = [
        rows["group"].to_numpy()[key.get_indexer(common)]
        for rows, key in zip(both, keys, strict=True)
    ]
    same = [dataclasses.replace(side, labels=labels) for side in sides]
    sources = common.get_level_values("source").to_numpy(object)
    return PairedRuns(*same, a.classes.of(codes), _united(*groups), sources, unlike)


def _columns(answers: Predictions, columns: Sequence[int]) -> Predictions:
    """The answers for some classes alone."""
    fields = ("labels", "probabilities", "thresholds", "raw")
    return dataclasses.replace(
        answers, **{name: getattr(answers, name)[:, columns] for name in fields}
    )


def _united(one: NDArray, other: NDArray) -> NDArray[np.object_]:
    """The groups of two splits together: what either keeps together is one group."""
    (first, _), (second, _) = pd.factorize(one), pd.factorize(other)
    size = first.max() + second.max() + 2
    edges = coo_array(
        (np.ones(len(first), bool), (first, first.max() + 1 + second)), shape=(size, size)
    )
    return connected_components(edges, directed=False)[1][first].astype(object)
