"""The floor: what a logistic regression on simple features reaches on the same folds. A network
that does not stand above it has learnt little that rates, intervals and amplitudes do not say.

The features are those of the stores (`signals.store`), and age and sex. For every fold and class a
regression (scikit-learn, classes balanced) is fitted on the rows of the other folds that annotate
the class, and scores the fold's rows and the test part, as the fold's network does. Features are
ranked first (their place among the training rows, 0 to 1), so that no outlier counts more than its
order, and a direction in degrees counts by its sine and cosine; what could not be measured is the
median, with a column that says so.

The resamples are those of the network's intervals, so that the difference of the two has an
interval of its own.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.evaluation import bootstrap, intervals, metrics
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.held_out import OUT_OF_FOLD, TEST_ENSEMBLE, HeldOut
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.scoring import Tree
from ecgpipe.project import paths, tables
from ecgpipe.signals import store

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

# Of scikit-learn's penalty. On 344 real recordings out of fold the mean AUROC of 14 classes was
# .857 with .003, .863 with .01, .864 with .03 and .862 with .1 (measured by us).
C = 0.03
MOST_ROWS = 10_000  # that a regression is fitted on: more would not move 120 weights
_QUANTILES = 100
_DIRECTION = "deg"  # the unit of features that turn round
_THREADS = 2


@dataclass(frozen=True)
class Floor:
    """`features`: how many there are in the stores; `raw`: setting -> probabilities [row, class] of
    the rows of `HeldOut.whole`, in their order."""

    features: int
    raw: dict[str, NDArray[np.float64]]


def compute(table: pd.DataFrame, folds: Sequence[str], held_out: HeldOut, seed: int) -> Floor:
    """The floor of a split table whose sources' stores lie in data/signals, for the rows that
    `held_out` scores. UserError where a store is damaged or has no features."""
    units, values = read_features(table)
    labels = table[tables.class_codes(table)].to_numpy(np.float64)
    age = table["age"].to_numpy(np.float64)
    sex = table["gender"].map({"F": 1.0, "M": 0.0}).to_numpy(np.float64)
    inputs = np.column_stack([as_inputs(units, values), age, sex])
    fold = table["fold"].to_numpy(object)
    tested = np.flatnonzero(fold == tables.TEST)
    scored, of_test = np.full(labels.shape, np.nan), []
    for k in folds:
        trained = ~np.isin(fold, [k, tables.TEST])
        rows = np.concatenate([np.flatnonzero(fold == k), tested])
        raw = fitted(inputs[trained], labels[trained], inputs[rows], seed)
        scored[rows[: len(rows) - len(tested)]] = raw[: len(rows) - len(tested)]
        of_test.append(raw[len(rows) - len(tested) :])
    by_setting = {OUT_OF_FOLD: scored[held_out.whole[OUT_OF_FOLD].rows]}
    if TEST_ENSEMBLE in held_out.whole:
        by_setting[TEST_ENSEMBLE] = np.mean(of_test, axis=0)
    return Floor(len(units), by_setting)


def read_features(table: pd.DataFrame) -> tuple[dict[str, str], NDArray[np.float64]]:
    """Name -> unit of the features, and their values [row, feature] of a split table's rows."""
    by_source, units = [], {}
    for source in table["source"].unique():
        units, values = store.read_features(paths.store(source))
        record = store.read_index(paths.store(source))["record"]
        by_source.append(pd.DataFrame(values).assign(record=record, source=source))
    joined = table[["source", "record"]].merge(pd.concat(by_source), how="left")
    return units, joined[list(range(len(units)))].to_numpy(np.float64)


def as_inputs(units: Mapping[str, str], values: NDArray) -> NDArray[np.float64]:
    """[row, feature] -> [row, input]: a direction becomes its sine and cosine."""
    columns = []
    for unit, column in zip(units.values(), values.T, strict=True):
        if unit == _DIRECTION:
            columns += [np.sin(np.radians(column)), np.cos(np.radians(column))]
        else:
            columns.append(column)
    return np.column_stack(columns)


def fitted(inputs: NDArray, labels: NDArray, others: NDArray, seed: int) -> NDArray[np.float64]:
    """Probabilities [other, class] of a regression for each class, fitted on `inputs`
    [row, input] where `labels` [row, class] are 1 or 0; 0.5 of a class that these lack present or
    absent, as nothing is known of it."""
    # Loaded where a floor is asked for: `predict` and `compare` read other parts of this package.
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    if len(inputs) > MOST_ROWS:
        kept = rng.choice(len(inputs), MOST_ROWS, replace=False)
        inputs, labels = inputs[kept], labels[kept]
    # A column without a value, as a lead that nobody recorded, has no order.
    known = ~np.isnan(inputs).all(axis=0)
    pipeline = _ranked(len(inputs))
    trained, other = pipeline.fit_transform(inputs[:, known]), pipeline.transform(others[:, known])
    probabilities = np.full((len(others), labels.shape[1]), 0.5)
    for index, truth in enumerate(labels.T):
        annotated = ~np.isnan(truth)
        if 0 < truth[annotated].sum() < annotated.sum():
            model = LogisticRegression(C=C, class_weight="balanced", max_iter=1000)
            model.fit(trained[annotated], truth[annotated])
            probabilities[:, index] = model.predict_proba(other)[:, 1]
    return probabilities


def _ranked(rows: int) -> "Pipeline":
    """Ranks, fills and standardises the inputs of so many rows."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    return make_pipeline(
        QuantileTransformer(n_quantiles=min(_QUANTILES, rows), random_state=0),
        SimpleImputer(strategy="median", add_indicator=True),
        StandardScaler(),
    )


def report(
    floor: Floor,
    held_out: HeldOut,
    classes: ScoredClasses,
    groups: NDArray,
    params: EvaluateParams,
) -> Tree:
    """Setting -> `floor_auroc_macro` and `auroc_macro_above_floor` (the network's less the
    floor's), each with its interval beside it, `floor_features` (how many), and `classes`: name ->
    `floor_auroc` and `auroc_above_floor` of a class in the same way.
    `groups` [row of the split table] name what is drawn together."""
    tree: Tree = {}
    for setting, raw in floor.raw.items():
        part = held_out.whole[setting]
        weights = bootstrap.counts(groups[part.rows], params.resamples, params.seed)
        # [class] and [class, resample] of the floor, then of the network.
        values = [metrics.auroc(part.labels, each) for each in (raw, part.raw)]
        drawn = [_draws(part.labels, each, weights) for each in (raw, part.raw)]
        by_class = {}
        for index, name in enumerate(classes.names):
            pair = [each[index] for each in values], [each[index] for each in drawn]
            by_class[name] = _numbers("auroc", *pair)
        means = [metrics.macro(each) for each in values]
        mean_draws = [intervals.macro(*pair) for pair in zip(drawn, values, strict=True)]
        tree[setting] = _numbers("auroc_macro", means, mean_draws)
        tree[setting] |= {"floor_features": floor.features, "classes": by_class}
    return tree


def _numbers(key: str, values: Sequence[float], draws: Sequence[NDArray]) -> Tree:
    """The floor's number `key` and by how much the network's is above it, with their intervals;
    `values` and `draws` [resample] are the floor's and the network's."""
    (floor, network), (floor_draws, network_draws) = values, draws
    told = {
        f"floor_{key}": (floor, floor_draws),
        f"{key}_above_floor": (network - floor, network_draws - floor_draws),
    }
    numbers: Tree = {}
    for name, (value, resampled) in told.items():
        low, high = bootstrap.percentiles(resampled)
        numbers |= {name: float(value), f"{name}_low": low, f"{name}_high": high}
    return numbers


def _draws(labels: NDArray, raw: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """AUROC [class, resample] for `weights` [row, resample] of `bootstrap.counts`."""
    dtype = bootstrap.exact_dtype(labels.size, weights)
    rankings = [
        bootstrap.rank(labels[rows, index], raw[rows, index], rows, len(labels), dtype)
        for index, rows in enumerate(map(np.flatnonzero, ~np.isnan(labels.T)))
    ]

    def chunk(first: int) -> NDArray:
        part = weights[:, first : first + intervals.CHUNK].astype(dtype)
        return np.stack([bootstrap.auroc(ranking.count(part)) for ranking in rankings])

    with ThreadPoolExecutor(_THREADS) as pool:
        parts = list(pool.map(chunk, range(0, weights.shape[1], intervals.CHUNK)))
    return np.concatenate(parts, axis=1)


def beside(
    metrics_of_run: Tree,
    table: pd.DataFrame,
    folds: Sequence[str],
    held_out: HeldOut,
    classes: ScoredClasses,
    params: EvaluateParams,
) -> Tree:
    """What the metric files hold (`metric_tables.trees`), with the floor of the split `table`
    beside the network: in the settings, the classes and, out of fold, the summary."""
    floor = compute(table, folds, held_out, params.seed)
    of_floor = report(floor, held_out, classes, table["group"].to_numpy(), params)
    return with_floor(metrics_of_run, of_floor)


def with_floor(metrics_of_run: Tree, of_floor: Tree) -> Tree:
    """The metric files' content with the `report` of a floor in it."""
    settings, classes = dict(metrics_of_run["settings"]), {}
    for setting, numbers in of_floor.items():
        told = {key: value for key, value in numbers.items() if key != "classes"}
        settings[setting] = settings[setting] | told
    for name, by_setting in metrics_of_run["classes"].items():
        classes[name] = dict(by_setting)
        for setting, numbers in of_floor.items():
            classes[name][setting] = by_setting[setting] | numbers["classes"][name]
    summary, pooled = dict(metrics_of_run["summary"]), of_floor[OUT_OF_FOLD]
    shown = {key: pooled[key] for key in pooled if key.startswith("floor_auroc_macro")}
    summary[OUT_OF_FOLD] = summary[OUT_OF_FOLD] | shown
    return metrics_of_run | {"summary": summary, "settings": settings, "classes": classes}
