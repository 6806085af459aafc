"""Who may learn from whom: the folds and the test part, whole groups at a time.

A group is a patient within its source where the patient is known, else a recording; groups that
hold the same recording (equal digest), in one source or in two, are one group.

Protocol `stratified` divides every source evenly (`stratification`); a blank label (not annotated)
counts as 0 there. Protocol `source` deals whole institutions (`institutions`) to the folds, the
largest first, each to the emptiest fold; where they are fewer than the folds, the last folds stay
unused.

What stands in `split.train_sources` is in no fold: every fold trains on it, and none is scored on
it (fold `train`).
"""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

from ecgpipe.project import tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import FOLDS
from ecgpipe.splitting import stratification
from ecgpipe.splitting.duplicates import groups, repeated
from ecgpipe.splitting.institutions import deal_to_folds, partly_held_out
from ecgpipe.splitting.params import SplitParams

_LOG = logging.getLogger(__name__)


def split(
    table: pd.DataFrame, sources: Sequence[str], params: SplitParams
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The joined table with columns `group` and `fold`, by source and record; and the recordings
    left out.

    A group that touches a test source, or sources of several folds, stands where its test source,
    else its first source by name, stands, and where none is scored, in the training part of all;
    its members elsewhere are left out. UserError where a fold would be empty.
    """
    if params.test_fraction and not params.shares[-1]:
        _LOG.warning(
            "split.test_fraction is not applied: the test part is split.test_sources %s",
            params.test_sources,
        )
    table = table.sort_values(["source", "record"], ignore_index=True)
    table["group"] = groups(table)
    part_of = _whole_sources(table, sources, params)
    table["fold"] = table["source"].map(part_of)
    # A group stands where its first source stands, and in the test part where any of it does.
    tested = table["group"].isin(table["group"][table["fold"] == tables.TEST])
    scored = table["fold"].where(table["fold"] != tables.TRAIN)
    leader = scored.groupby(table["group"]).transform("first").fillna(tables.TRAIN)
    leader = leader.mask(tested, tables.TEST)
    kept = table["fold"] == leader
    left_out = repeated(table, kept)
    table = table[kept].reset_index(drop=True)
    divided = table["fold"] == ""
    if divided.any():
        table.loc[divided, "fold"] = stratified(table[divided], params)
    check_disjoint(table)
    expected = set(part_of.values())
    if params.protocol == "stratified":
        expected |= set(params.parts if params.shares[-1] else params.parts[:-1])
    _check_filled(table, [part for part in params.parts if part in expected])
    return table, left_out


def _whole_sources(
    table: pd.DataFrame, sources: Sequence[str], params: SplitParams
) -> dict[str, str]:
    """The part that each whole source belongs to; '' for a source that is to be divided."""
    for setting in ("test_sources", "train_sources"):
        for name in getattr(params, setting):
            if name not in sources:
                raise UserError(
                    f"split.{setting}: '{name}' is not one of data.sources {list(sources)}; "
                    "add it there"
                )
    faults = partly_held_out(params, sources)
    if faults:
        raise UserError("\n".join(faults))
    sizes = table["source"].value_counts()
    placed = dict.fromkeys(params.test_sources, tables.TEST)
    placed |= dict.fromkeys(params.train_sources, tables.TRAIN)
    others = sorted(set(sizes.index) - set(placed))
    if not others:
        raise UserError(
            "split.test_sources and split.train_sources leave no recording for the folds; take a "
            "source out of them"
        )
    if params.protocol == "stratified":
        return placed | dict.fromkeys(others, "")
    recordings = {name: int(sizes[name]) for name in others}
    fold_of = deal_to_folds(recordings, params.institutions, len(params.folds))
    unused = [fold for fold in params.parts[:-1] if fold not in fold_of.values()]
    if unused:
        _LOG.warning(
            "split.folds: institutions are fewer than folds; %s stay unused", ", ".join(unused)
        )
    return placed | fold_of


def stratified(table: pd.DataFrame, params: SplitParams) -> np.ndarray:
    """The part of each row of `table` (sorted by source and record), every group whole.

    A group of several sources is stratified where most of its members are, first by name at ties.
    """
    group, names = pd.factorize(table["group"], sort=True)
    source, sources = pd.factorize(table["source"], sort=True)
    ones = np.ones(len(table), dtype=np.int32)
    labels = table[tables.class_codes(table)].fillna(0).to_numpy(np.int32)
    marks = np.column_stack([labels, ones])  # [row, column]: what a recording adds to its group
    # Sums over the members of each group in each source: [group * source, row] @ [row, column].
    cells = (group * len(sources) + source, np.arange(len(table)))
    membership = coo_array((ones, cells), shape=(len(names) * len(sources), len(table)))
    sums = (membership.tocsr() @ marks).reshape(len(names), len(sources), -1)
    home = sums[:, :, -1].argmax(axis=1)  # [group]: the source that holds most of it
    part = stratification.divide(sums, home, params.shares, np.random.default_rng(params.seed))
    return np.array(params.parts, dtype=object)[part[group]]


def _check_filled(table: pd.DataFrame, parts: Sequence[str]) -> None:
    """UserError where one of `parts` holds no recording of `table` (columns group, fold)."""
    empty = [part for part in parts if part not in set(table["fold"])]
    if empty:
        raise UserError(
            f"split: none of the {len(table)} recordings in {table['group'].nunique()} groups "
            f"falls to '{empty[0]}'; set fewer split.folds, or another split.test_fraction "
            "or split.test_sources"
        )


def check_disjoint(table: pd.DataFrame) -> None:
    """UserError where a group of `table` (columns group, fold) stands on two sides."""
    sides = table[["group", "fold"]].drop_duplicates()
    on_two_sides = sides[sides.duplicated("group", keep=False)]
    if len(on_two_sides):
        group = on_two_sides["group"].iloc[0]
        folds = sorted(on_two_sides["fold"][on_two_sides["group"] == group])
        raise UserError(
            f"{FOLDS}: group '{group}' stands in {folds}; a group has one fold, run split again"
        )
