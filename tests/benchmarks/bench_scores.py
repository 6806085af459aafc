"""The bootstrap and the whole stage evaluate, on made-up predictions of the public collection's
size.

88,253 recordings of eight sources, 26 classes, five folds and a tenth as the test part, 1,000
resamples, probabilities of four digits so that ties abound. The reference is one call of
scikit-learn per class, metric and resample, timed for a few resamples.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import bootstrap
from ecgpipe.features import measure
from ecgpipe.preprocessing import store_writer
from ecgpipe.project import params, paths, tables
from tests.benchmarks import collection, scale
from tests.benchmarks.measuring import Row, seconds
from tests.fixtures.sealed import write_sealed, write_sealed_text

CODES = [diagnosis.code for diagnosis in classes.select("official")]
FOLDS = 5
RESAMPLES = 1000
TIMED = 2  # resamples that scikit-learn is timed for


def rows() -> list[Row]:
    """The rows of this part of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        table = make(Path(scratch))
        return [areas(table), stage(Path(scratch), len(table))]


def make(project: Path) -> pd.DataFrame:
    """A project at the point where every fold has been trained: split table, stores (whose features
    are drawn, and whose signals are of one sample), predictions."""
    rng = np.random.default_rng(1)
    table = split_table(rng)
    write_sealed(table, project / paths.FOLDS)
    info = {"folds": list(range(FOLDS)), "protocol": "stratified"}
    write_sealed_text(json.dumps(info), project / paths.FOLDS_INFO)
    for source, rows in table.groupby("source"):
        write_store(project / paths.store(source), rows["record"], rng)
    history = {"epoch": [1], "train_loss": [0.5], "val_loss": [0.5], "val_auroc_macro": [0.7]}
    for fold in map(str, range(FOLDS)):
        folder = project / paths.predictions(fold)
        for part, name in ((fold, "val"), (tables.TEST, "test")):
            rows = table[table["fold"] == part]
            predicted = rows[["source", "record"]].copy()
            predicted[CODES] = probabilities(rows[CODES].to_numpy(), rng)
            write_sealed(predicted, folder / f"{name}.csv")
        write_sealed(pd.DataFrame(history), folder / "history.csv")
    values = params.load(Path(__file__).parents[2] / "configs/cinc2021.yaml")
    values["evaluate"]["resamples"] = RESAMPLES
    (project / "params.yaml").write_text(json.dumps(values))  # JSON is YAML
    (project / "configs").mkdir()
    shutil.copy(collection.CATALOGUE, project / "configs")
    return table


def write_store(folder: Path, records: pd.Series, rng: np.random.Generator) -> None:
    """A store of some recordings, of which a fiftieth is flagged and a fiftieth of the features
    could not be measured."""
    features = rng.normal(size=(len(records), len(measure.UNITS))).astype(np.float32)
    features[rng.random(features.shape) < 0.02] = np.nan
    flagged = rng.random(len(records)) < 0.02
    signal_uv, peaks = np.zeros((1, 12), np.int16), np.zeros(1, np.int32)
    with store_writer.Writer(folder, 250, {}, measure.UNITS) as writer:
        for record, is_flagged, values in zip(records, flagged, features, strict=True):
            flags = ("flat-lead",) if is_flagged else ()
            writer.append(record, signal_uv, peaks, flags, "", values)
        writer.close()


def split_table(rng: np.random.Generator) -> pd.DataFrame:
    """The public collection, split: each source annotates about 85 % of the classes."""
    counts = [source.recordings for source in collection.SOURCES.values()]
    count = sum(counts)
    source = np.repeat(list(collection.SOURCES), counts)
    # from a quarter of the recordings to one in a hundred
    rates = 0.25 / np.arange(1, len(CODES) + 1)
    labels = (rng.random((count, len(CODES))) < rates).astype(float)
    annotated = rng.random((len(collection.SOURCES), len(CODES))) < 0.85
    labels[~annotated[pd.factorize(source)[0]]] = np.nan
    shares = [0.18] * FOLDS + [0.1]
    folds = rng.choice([*map(str, range(FOLDS)), tables.TEST], count, p=shares)
    table = pd.DataFrame({"path": "p", "age": rng.integers(0, 95, count).astype(float)})
    table["gender"] = rng.choice(["F", "M"], count)
    table = pd.concat([table, pd.DataFrame(labels, columns=CODES)], axis=1)
    return table.assign(
        source=source,
        record=[f"R{number:06d}" for number in range(count)],
        patient="",
        group=[f"g{number // 1.15:.0f}" for number in range(count)],
        fold=folds,
    )


def probabilities(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[row, class]: right a little more often than by chance, of four digits so that ties
    abound."""
    return (0.3 * np.nan_to_num(labels) + 0.7 * rng.random(labels.shape)).round(4)


def areas(table: pd.DataFrame) -> Row:
    """AUROC and average precision of every class in every resample."""
    labels = table[CODES].to_numpy()
    scores = probabilities(labels, np.random.default_rng(2))
    groups, known = table["group"].to_numpy(), ~np.isnan(labels)

    def ranked() -> list[bootstrap.Ranking]:
        return [
            bootstrap.rank(labels[k, index], scores[k, index], np.flatnonzero(k), len(labels))
            for index, k in enumerate(known.T)
        ]

    def ours() -> None:
        weights, rankings = bootstrap.counts(groups, RESAMPLES, 1), ranked()
        for first in range(0, RESAMPLES, 64):
            chunk = weights[:, first : first + 64].astype(np.float32)
            for ranking in rankings:
                counted = ranking.count(chunk)
                bootstrap.auroc(counted)
                bootstrap.average_precision(counted)

    drawn = bootstrap.counts(groups, TIMED, 1)

    def reference() -> None:
        for resample in range(TIMED):
            rows = np.repeat(np.arange(len(labels)), drawn[:, resample])
            for index in range(len(CODES)):
                use = rows[known[rows, index]]
                roc_auc_score(labels[use, index], scores[use, index])
                average_precision_score(labels[use, index], scores[use, index])

    once = np.ones((len(labels), 1), np.float32)
    for index, ranking in enumerate(ranked()):
        rows = known[:, index]
        expected = roc_auc_score(labels[rows, index], scores[rows, index])
        assert abs(bootstrap.auroc(ranking.count(once))[0] - expected) < 1e-12
    reference_s, ours_s = seconds(reference, ours, rounds=2)
    return Row(
        step=f"bootstrap of AUROC and AP, {len(table):,} x {len(CODES)}, one core",
        unit="resamples/s",
        reference_name="scikit-learn, a call per class, metric and resample",
        reference=TIMED / reference_s,
        ours=RESAMPLES / ours_s,
        aim=">= 250 (1,000 in 4 s)",
    )


def stage(project: Path, count: int) -> Row:
    """The whole stage as a command: every number, interval, picture and page."""
    measured = scale.measure([sys.executable, "-m", "stages.evaluate"], project, threads=2)
    size = f"{count:,} x {len(CODES)}, {FOLDS} folds, {RESAMPLES:,} resamples"
    held = f"{measured['seconds']:.0f} s with {measured['anonymous']:,.0f} MiB held at most"
    return Row(
        step=f"evaluate: {size}, all files and pictures",
        unit="recordings/s",
        reference_name=f"the aim; {held}",
        reference=count / 60,
        ours=count / measured["seconds"],
        aim="60 s, 3,000 MiB",
    )
