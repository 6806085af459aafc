"""Who may learn from whom: the folds and the test part, whole groups at a time.

A group is a patient within its source where the patient is known, else a recording; groups that
hold the same recording (equal digest), in one source or in two, are one group.

Protocol `stratified` divides every source evenly (`stratification`); a blank label (not annotated)
counts as 0 there. Protocol `source` deals whole institutions (`institutions`) to the folds, the
largest first, each to the emptiest fold; where they are fewer than the folds, the last folds stay
unused.
"""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array

from ecgpipe.project import tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import FOLDS
from ecgpipe.splitting import institutions as splitting_institutions
from ecgpipe.splitting import stratification
from ecgpipe.splitting.duplicates import groups, repeated
from ecgpipe.splitting.params import SplitParams

_LOG = logging.getLogger(__name__)


def split(
    table: pd.DataFrame, sources: Sequence[str], settings: SplitParams
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The joined table with columns `group` and `fold`, by source and record; and the recordings
    left out.

    A group that touches a test source, or sources of several folds, stands where its test source,
    else its first source by name, stands; its members elsewhere are left out. UserError where a
    fold would be empty.
    """
    if settings.test_fraction and not settings.shares[-1]:
        _LOG.warning(
            "split.test_fraction is not applied: the test part is split.test_sources %s",
            settings.test_sources,
        )
    table = table.sort_values(["source", "record"], ignore_index=True)
    table["group"] = groups(table)
    whole = _whole(table, sources, settings)
    table["fold"] = table["source"].map(whole)
    tested = table["group"].isin(table["group"][table["fold"] == tables.TEST])
    leader = table.groupby("group")["fold"].transform("first").mask(tested, tables.TEST)
    kept = table["fold"] == leader
    left_out = repeated(table, kept)
    table = table[kept].reset_index(drop=True)
    free = table["fold"] == ""
    if free.any():
        table.loc[free, "fold"] = stratified(table[free], settings)
    check_disjoint(table)
    expected = set(whole.values())
    if settings.protocol == "stratified":
        expected |= set(settings.parts if settings.shares[-1] else settings.parts[:-1])
    for part in settings.parts:
        if part in expected - set(table["fold"]):
            raise UserError(
                f"split: none of the {len(table)} recordings in {table['group'].nunique()} groups falls to '{part}'; "
                "set fewer split.folds, or another split.test_fraction or split.test_sources"
            )
    return table, left_out


def _whole(table: pd.DataFrame, sources: Sequence[str], settings: SplitParams) -> dict[str, str]:
    """The part that each whole source belongs to; '' for a source that is to be divided."""
    for name in settings.test_sources:
        if name not in sources:
            raise UserError(
                f"split.test_sources: '{name}' is not one of data.sources {list(sources)}; add it there"
            )
    sizes = table["source"].value_counts()
    faults = splitting_institutions.partly_tested(
        settings.test_sources, sources, settings.institutions
    )
    if faults:
        raise UserError("\n".join(faults))
    dealt = sorted(set(sizes.index) - set(settings.test_sources))
    if not dealt:
        raise UserError(
            "split.test_sources leaves no recording for the folds; take a source out of it"
        )
    whole = dict.fromkeys(settings.test_sources, tables.TEST)
    if settings.protocol == "stratified":
        return whole | dict.fromkeys(dealt, "")
    found = splitting_institutions.deal_to_folds(
        {name: int(sizes[name]) for name in dealt}, settings.institutions, len(settings.folds)
    )
    unused = [fold for fold in settings.parts[:-1] if fold not in found.values()]
    if unused:
        _LOG.warning(
            "split.folds: institutions are fewer than folds; %s stay unused", ", ".join(unused)
        )
    return whole | found


def stratified(table: pd.DataFrame, settings: SplitParams) -> np.ndarray:
    """The part of each row of `table` (sorted by source and record), every group whole.

    A group of several sources is stratified where most of its members are, first by name at ties.
    """
    group, names = pd.factorize(table["group"], sort=True)
    source, sources = pd.factorize(table["source"], sort=True)
    marks = np.column_stack(
        [table[tables.class_codes(table)].fillna(0).to_numpy(int), np.ones(len(table), dtype=int)]
    )
    member = (
        np.ones(len(table), dtype=np.int32),
        (group * len(sources) + source, np.arange(len(table))),
    )
    sums = coo_array(member, shape=(len(names) * len(sources), len(table))).tocsr() @ marks.astype(
        np.int32
    )
    sums = sums.reshape(len(names), len(sources), -1)
    home = sums[:, :, -1].argmax(axis=1)
    part = stratification.divide(sums, home, settings.shares, np.random.default_rng(settings.seed))
    return np.array(settings.parts, dtype=object)[part[group]]


def check_disjoint(table: pd.DataFrame) -> None:
    """UserError where a group of `table` (columns group, fold) stands on two sides."""
    sides = table[["group", "fold"]].drop_duplicates()
    torn = sides[sides.duplicated("group", keep=False)]
    if len(torn):
        group = torn["group"].iloc[0]
        found = sorted(torn["fold"][torn["group"] == group])
        raise UserError(
            f"{FOLDS}: group '{group}' stands in {found}; a group has one fold, run split again"
        )
