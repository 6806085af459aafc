"""The bootstrap and the whole stage evaluate, on made-up predictions of the public collection's
size.

88,253 recordings of eight sources, 26 classes, five folds and a tenth as the test part, 1,000
resamples, probabilities of four digits so that ties abound. The reference is one call of
scikit-learn per class, metric and resample, timed for a few resamples.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import bootstrap
from ecgpipe.project import params, paths, tables
from tests.benchmarks import collection
from tests.benchmarks.measuring import Row, seconds
from tests.benchmarks.scale import measure
from tests.fixtures.sealed import write_sealed, write_sealed_text

CODES = [one.code for one in classes.select("official")]
FOLDS = 5
RESAMPLES = 1000
TIMED = 2  # resamples that scikit-learn is timed for


def rows() -> list[Row]:
    """The rows of this part of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        table = make(Path(scratch))
        return [areas(table), stage(Path(scratch), len(table))]


def make(project: Path) -> pd.DataFrame:
    """A project at the point where every fold has been trained: split table, stores' indexes,
    predictions."""
    rng = np.random.default_rng(1)
    count = collection.PUBLIC
    sources = np.repeat(
        list(collection.SOURCES), [one.recordings for one in collection.SOURCES.values()]
    )
    rates = 0.25 / np.arange(
        1, len(CODES) + 1
    )  # from a quarter of the recordings to one in a hundred
    labels = (rng.random((count, len(CODES))) < rates).astype(float)
    annotated = rng.random((len(collection.SOURCES), len(CODES))) < 0.85
    labels[~annotated[pd.factorize(sources)[0]]] = np.nan
    fold = rng.choice([*map(str, range(FOLDS)), tables.TEST], count, p=[0.18] * FOLDS + [0.1])
    record = [f"R{number:06d}" for number in range(count)]
    table = pd.DataFrame({"path": "p", "age": rng.integers(0, 95, count).astype(float)})
    table = pd.concat(
        [table.assign(gender=rng.choice(["F", "M"], count)), pd.DataFrame(labels, columns=CODES)],
        axis=1,
    )
    table = table.assign(source=sources, record=record, patient="", fold=fold)
    table.insert(
        len(table.columns) - 1, "group", [f"g{number // 1.15:.0f}" for number in range(count)]
    )
    write_sealed(table, project / paths.FOLDS)
    write_sealed_text(
        json.dumps({"folds": list(range(FOLDS)), "protocol": "stratified"}),
        project / paths.FOLDS_INFO,
    )
    for name, part in table.groupby("source"):
        flags = np.where(rng.random(len(part)) < 0.02, "flat-lead", "")
        write_sealed(
            part[["record"]].assign(flags=flags), project / paths.store(name) / "index.csv"
        )
    for k in map(str, range(FOLDS)):
        for part, name in ((k, "val"), (tables.TEST, "test")):
            chosen = table[table["fold"] == part]
            shape = (len(chosen), len(CODES))
            values = (
                0.3 * np.nan_to_num(chosen[CODES].to_numpy()) + 0.7 * rng.random(shape)
            ).round(4)
            given = pd.DataFrame(values, columns=CODES, index=chosen.index)
            head = chosen[["source", "record"]]
            write_sealed(pd.concat([head, given], axis=1), _predictions(project, k, name))
        history = {"epoch": [1], "train_loss": [0.5], "val_loss": [0.5], "val_auroc_macro": [0.7]}
        write_sealed(pd.DataFrame(history), _predictions(project, k, "history"))
    values = params.load(Path(__file__).parents[2] / "configs/cinc2021.yaml")
    values["evaluate"]["resamples"] = RESAMPLES
    (project / "params.yaml").write_text(json.dumps(values))  # JSON is YAML
    return table


def _predictions(project: Path, fold: str, name: str) -> Path:
    return project / paths.predictions(fold) / f"{name}.csv"


def areas(table: pd.DataFrame) -> Row:
    """AUROC and average precision of every class in every resample."""
    labels = table[CODES].to_numpy()
    scores = (
        0.3 * np.nan_to_num(labels) + 0.7 * np.random.default_rng(2).random(labels.shape)
    ).round(4)
    groups, known = table["group"].to_numpy(), ~np.isnan(labels)

    def ranked() -> list[bootstrap.Ranking]:
        return [
            bootstrap.rank(labels[k, index], scores[k, index], np.flatnonzero(k), len(labels))
            for index, k in enumerate(known.T)
        ]

    def ours() -> None:
        weights, every = bootstrap.counts(groups, RESAMPLES, 1), ranked()
        for first in range(0, RESAMPLES, 64):
            chunk = weights[:, first : first + 64].astype(np.float32)
            for one in every:
                counted = one.count(chunk)
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

    assert np.allclose(
        [roc_auc_score(labels[k, i], scores[k, i]) for i, k in enumerate(known.T)],
        [bootstrap.auroc(one.count(np.ones((len(labels), 1), np.float32)))[0] for one in ranked()],
        atol=1e-12,
    )  # fmt: skip
    theirs, mine = seconds(reference, ours, rounds=2)
    step = f"bootstrap of AUROC and AP, {len(table):,} x {len(CODES)}, one core"
    name = "scikit-learn, a call per class, metric and resample"
    return Row(step, "resamples/s", name, TIMED / theirs, RESAMPLES / mine, ">= 250 (1,000 in 4 s)")


def stage(project: Path, count: int) -> Row:
    """The whole stage as a command: every number, interval, picture and page."""
    found = measure([sys.executable, "-m", "stages.evaluate"], project, threads=2)
    step = f"evaluate: {count:,} x {len(CODES)}, {FOLDS} folds, {RESAMPLES:,} resamples, all files and pictures"
    name = f"the aim; {found['seconds']:.0f} s with {found['anonymous']:,.0f} MiB held at most"
    return Row(step, "recordings/s", name, count / 60, count / found["seconds"], "60 s, 3,000 MiB")
