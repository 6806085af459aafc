"""The recordings of the study in folds: who is trained on, in which order, and who is scored.

A fold's training recordings come in an order of the seed's, of which a smaller set is the begin:
sets are nested, and each has every source's share. The scored recordings are always all of a fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.dataset import examples
from ecgpipe.dataset.examples import Examples
from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import bootstrap, challenge_score, floor, intervals, metrics
from ecgpipe.evaluation.predictions import Predictions
from ecgpipe.project import params, paths, tables
from ecgpipe.signals import store
from ecgpipe.splitting import folds
from ecgpipe.splitting.params import SplitParams
from tests.benchmarks.real_recordings import ROOT, Collection

FOLDS = 5
PROTOCOLS = {"stratified": "out of fold", "source": "whole sources held out"}
ALL = "all"  # of the sizes
RESAMPLES = 500
SCORE = "auroc_macro_frequent"  # `metric_list`: over classes with ten positives


@dataclass(frozen=True, eq=False)
class Divided:
    """Recordings divided by one protocol: `table` with columns `group` and `fold`, its `data`, the
    `inputs` [row, input] of a floor, and `order` [row], by which a set of training recordings
    grows."""

    table: pd.DataFrame
    data: Examples
    inputs: NDArray[np.float64]
    order: NDArray[np.float64]
    conditioning: dict[str, Any]

    @property
    def folds(self) -> list[str]:
        """The folds that hold recordings."""
        return sorted(set(self.table["fold"]))

    def held(self, fold: str) -> NDArray[np.int64]:
        """The rows of a fold; of all folds where it is ALL."""
        return np.flatnonzero((self.table["fold"] == fold) | (fold == ALL))

    def trained(self, fold: str, size: int | str) -> NDArray[np.int64]:
        """The first `size` rows outside a fold, in the table's order; all where there are fewer."""
        outside = np.flatnonzero(self.table["fold"] != fold)
        ordered = outside[np.argsort(self.order[outside], kind="stable")]
        return np.sort(ordered if size == ALL else ordered[: int(size)])

    def info(self) -> dict[str, Any]:
        """What folds.json would say of the classes (`training.start`)."""
        codes = tables.class_codes(self.table)
        diagnoses = classes.select("official")
        return {
            "classes": codes,
            "codes": [list(diagnosis.codes) for diagnosis in diagnoses],
            "names": [diagnosis.abbreviation for diagnosis in diagnoses],
        }


def divide(collection: Collection, protocol: str, seed: int) -> Divided:
    """The recordings in folds: their institutions are those of params.yaml."""
    values = params.load(ROOT / paths.PARAMS)["split"]
    values |= {"folds": list(range(FOLDS)), "test_sources": [], "test_fraction": 0.0}
    split = SplitParams.model_validate(values | {"protocol": protocol, "seed": seed})
    table, _ = folds.split(collection.table, sorted(collection.stores), split)
    data = examples.examples(table, collection.stores)
    conditioning = next(iter(collection.stores.values())).conditioning
    order = learning_order(table["source"], seed)
    return Divided(table, data, inputs_of(collection, table), order, conditioning)


def inputs_of(collection: Collection, table: pd.DataFrame) -> NDArray[np.float64]:
    """[row, input]: what the floor of a report is fitted on (`evaluation.floor`)."""
    parts, units = [], {}
    for name, opened in collection.stores.items():
        units, values = store.read_features(collection.signals / name)
        place = opened.index.set_index("record").index
        of_source = table.index[table["source"] == name]
        rows = place.get_indexer(table["record"][of_source])
        parts.append(pd.DataFrame(values[rows], index=of_source))
    values = pd.concat(parts).loc[table.index].to_numpy(float)
    sex = table["gender"].map({"F": 1.0, "M": 0.0}).to_numpy(float)
    return np.column_stack([floor.as_inputs(units, values), table["age"].to_numpy(float), sex])


def learning_order(source: Sequence[str], seed: int) -> NDArray[np.float64]:
    """A place in 0..1 for each recording: those of every source lie evenly, in a random order."""
    source, rng = np.asarray(source, object), np.random.default_rng([seed, 7])
    place = np.empty(len(source))
    for name in sorted(set(source)):
        rows = np.flatnonzero(source == name)
        place[rng.permutation(rows)] = (np.arange(len(rows)) + rng.random(len(rows))) / len(rows)
    return place


def scored(table: pd.DataFrame, answers: Sequence[NDArray]) -> dict[str, Any]:
    """The score of several seeds' `answers` [row, class] to the rows of `table`: the mean over the
    seeds, its interval (the same resamples of groups for each), each seed's, and that of each class
    with ten positives (the mean over the seeds)."""
    codes = tables.class_codes(table)
    labels, names = table[codes].to_numpy(float), challenge_score.scored_classes(codes)
    frequent = metrics.frequent(labels)
    weights = bootstrap.counts(table["group"], RESAMPLES, seed=1)
    of_seeds, draws, by_class = [], [], []
    for probabilities in answers:
        auroc = metrics.auroc(labels, probabilities)
        rows = np.arange(len(labels))
        half = np.full(labels.shape, 0.5)
        predictions = Predictions(labels, probabilities, half, probabilities, rows)
        of_seeds.append(metrics.macro(auroc[frequent]))
        draws.append(intervals.draws(predictions, names, weights)[SCORE])
        by_class.append(auroc)
    low, high = bootstrap.percentiles(np.mean(draws, axis=0))
    mean = np.mean(by_class, axis=0)
    kept = np.flatnonzero(frequent)
    return {
        "auroc": float(np.mean(of_seeds)),
        "low": low,
        "high": high,
        "seeds": [round(score, 5) for score in of_seeds],
        "classes": {names.names[place]: round(float(mean[place]), 4) for place in kept},
    }
