"""Labels and signal stores joined into one table: what is in both is used, the rest left out with
its reason."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import LABELS, SIGNALS
from ecgpipe.signals.store import read_index, read_refused

LEFT_OUT = ["source", "record", "path", "stage", "reason"]


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
            f"{LABELS}: source '{unknown[0]}' is not one of data.sources {list(stores)}; run `dvc repro label-map`"
        )
    keys = ["source", "record"]
    index = pd.concat(
        [store.index.assign(source=name)[[*keys, "digest"]] for name, store in stores.items()]
    )
    refused = pd.concat([store.refused.assign(source=name) for name, store in stores.items()])
    faulty, sound = labels[labels["fault"] != ""], labels[labels["fault"] == ""]
    for table, name in ((sound, LABELS), (index, SIGNALS)):
        twice = table[table.duplicated(keys)]
        if len(twice):
            raise UserError(
                f"{name}: {'/'.join(twice[keys].iloc[0])} stands twice; a recording has one row, run again"
            )
    joined = sound.merge(index, on=keys, how="left")
    unstored = _without(joined[joined["digest"].isna()], refused, keys)
    causes = [
        faulty.assign(stage="label-map", reason=faulty["fault"]),
        refused.assign(stage="preprocess", reason=refused["reason"] + ": " + refused["message"]),
        unstored.assign(stage="preprocess", reason="missing: no signal is stored"),
        _without(index, labels, keys).assign(
            path="", stage="label-map", reason=f"missing: no row in {LABELS}"
        ),
    ]
    left_out = pd.concat(
        [cause[LEFT_OUT] for cause in causes if len(cause)] or [pd.DataFrame(columns=LEFT_OUT)]
    )
    left_out = left_out.drop_duplicates([*keys, "path"]).sort_values(
        [*keys, "path"], ignore_index=True
    )
    kept = _without(joined[joined["digest"].notna()], refused, keys)
    return kept.sort_values(keys, ignore_index=True), left_out


def _without(table: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows of `table` whose `keys` stand in no row of `other`."""
    return table[~pd.MultiIndex.from_frame(table[keys]).isin(pd.MultiIndex.from_frame(other[keys]))]
