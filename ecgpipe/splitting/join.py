"""Labels and signal stores joined into one table: what is in both is used, the rest left out with
its reason."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import LABELS, SIGNALS
from ecgpipe.signals.store import read_index, read_refused

KEYS = ["source", "record"]
LEFT_OUT = [*KEYS, "path", "stage", "reason"]


class StoreTables(NamedTuple):
    """What the split needs of a signal store: its index and refusals as tables."""

    index: pd.DataFrame
    refused: pd.DataFrame


def read_store(folder: Path) -> StoreTables:
    """The tables of the signal store in `folder`. UserError where one is missing."""
    return StoreTables(read_index(folder), read_refused(folder))


def join(
    labels: pd.DataFrame, stores: Mapping[str, StoreTables]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The label rows whose signal is stored, with its digest, by source and record; and who is left
    out, and why.

    Left out are recordings with a fault in the label table, refused by preprocess, or missing on
    either side; each file is listed once, with the first of these causes. UserError where a source
    is not among `stores`, or a recording stands twice.
    """
    unknown = sorted(set(labels["source"]) - set(stores))
    if unknown:
        raise UserError(
            f"{LABELS}: source '{unknown[0]}' is not one of data.sources {list(stores)}; "
            "run `dvc repro label-map`"
        )
    stored = [store.index.assign(source=name) for name, store in stores.items()]
    index = pd.concat(stored)[[*KEYS, "digest"]]
    refused = pd.concat([store.refused.assign(source=name) for name, store in stores.items()])
    sound = labels[labels["fault"] == ""]
    _check_unique(sound, LABELS)
    _check_unique(index, SIGNALS)
    joined = sound.merge(index, on=KEYS, how="left")
    kept = _without(joined[joined["digest"].notna()], refused)
    faulty = labels[labels["fault"] != ""]
    unstored = _without(joined[joined["digest"].isna()], refused)
    unlabelled = _without(index, labels).assign(path="")
    left_out = _listed(
        [
            _left_out(faulty, "label-map", faulty["fault"]),
            _left_out(refused, "preprocess", refused["reason"] + ": " + refused["message"]),
            _left_out(unstored, "preprocess", "missing: no signal is stored"),
            _left_out(unlabelled, "label-map", f"missing: no row in {LABELS}"),
        ]
    )
    return kept.sort_values(KEYS, ignore_index=True), left_out


def _check_unique(table: pd.DataFrame, path: Path) -> None:
    """UserError where a recording has two rows in `table`, which was read from `path`."""
    repeated = table[table.duplicated(KEYS)]
    if len(repeated):
        recording = "/".join(repeated[KEYS].iloc[0])
        raise UserError(f"{path}: {recording} stands twice; a recording has one row, run again")


def _without(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The rows of `table` whose recordings have no row in `other`."""
    keys = pd.MultiIndex.from_frame(table[KEYS])
    return table[~keys.isin(pd.MultiIndex.from_frame(other[KEYS]))]


def _left_out(table: pd.DataFrame, stage: str, reason: str | pd.Series) -> pd.DataFrame:
    """The recordings of `table` as rows of left_out.csv."""
    return table.assign(stage=stage, reason=reason)[LEFT_OUT]


def _listed(causes: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Each file once, with the first of the `causes` (rows of left_out.csv) that lists it."""
    # An empty table has no dtypes to speak of, and pandas warns of it.
    parts = [cause for cause in causes if len(cause)] or [pd.DataFrame(columns=LEFT_OUT)]
    first = pd.concat(parts).drop_duplicates([*KEYS, "path"])
    return first.sort_values([*KEYS, "path"], ignore_index=True)
