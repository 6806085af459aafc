"""For whom a model works: the recordings by source, sex, age and signal quality, as masks over the
split table."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.project import paths
from ecgpipe.signals import store

# Kinds of subgroup in their order, and their words for people.
KINDS = {"source": "source", "sex": "sex", "age": "age in years", "flag": "signal flag"}
# Years, both ends included.
AGES = {
    "0-17": (0, 17),
    "18-39": (18, 39),
    "40-59": (40, 59),
    "60-79": (60, 79),
    "80+": (80, np.inf),
}
UNKNOWN = "unknown"
NO_FLAG = "none"
Masks = dict[str, dict[str, NDArray[np.bool_]]]


def read_flags(table: pd.DataFrame) -> NDArray[np.object_]:
    """[row]: the quality flags of each recording of the split table, joined by `|`, from its
    source's store."""
    by_source = []
    for source in table["source"].unique():
        index = store.read_index(paths.store(source))
        by_source.append(index[["record", "flags"]].assign(source=source))
    joined = table[["source", "record"]].merge(pd.concat(by_source), how="left")
    return joined["flags"].fillna("").to_numpy(object)


def masks(table: pd.DataFrame, flags: NDArray[np.object_]) -> Masks:
    """Kind (source, sex, age, flag) -> value -> mask [row]; values without a recording are absent.

    A recording has one source, sex and age band, and any number of flags; `none` are those without
    any. An age between two bands (17.5) belongs to the younger.
    """
    age, sex = table["age"].to_numpy(np.float64), table["gender"].to_numpy(object)
    source = table["source"].to_numpy(object)
    carried = [set(text.split("|")) - {""} for text in flags]
    kinds: Masks = {
        "source": {name: source == name for name in sorted(set(source))},
        "sex": {"F": sex == "F", "M": sex == "M", UNKNOWN: ~np.isin(sex, ["F", "M"])},
        "age": _age_bands(age),
        "flag": {},
    }
    for name in sorted(set().union(*carried)):
        kinds["flag"][name] = np.array([name in own for own in carried])
    kinds["flag"][NO_FLAG] = np.array([not own for own in carried])
    for kind, masks in kinds.items():
        kinds[kind] = {name: mask for name, mask in masks.items() if mask.any()}
    return kinds


def _age_bands(age: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """Age band -> mask [row]; NaN is unknown."""
    years = np.floor(age)
    bands = {name: (years >= low) & (years <= high) for name, (low, high) in AGES.items()}
    return bands | {UNKNOWN: np.isnan(age)}
