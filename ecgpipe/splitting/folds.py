"""Who may learn from whom: the folds and the test part, whole groups at a time.

A group is a patient within its source where the patient is known, else a recording; groups that hold the same
recording (equal digest), in one source or in two, are one group.

Protocol `stratified` divides every source evenly (`stratification`); a blank label (not annotated) counts as 0 there.
Protocol `source` deals whole institutions (`institutions`) to the folds, the largest first, each to the emptiest fold;
where they are fewer than the folds, the last folds stay unused.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, field_validator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecgpipe.diagnoses import classes
from ecgpipe.project import atomic, tables
from ecgpipe.project.params import MOST_SEED, Section
from ecgpipe.splitting import institutions as splitting_institutions
from ecgpipe.splitting import stratification

_LOG = logging.getLogger(__name__)
LEFT_OUT = ["source", "record", "path", "stage", "reason"]


class Params(Section):
    """Section `split`.

    folds: exactly 0, 1, ..., K-1 (K >= 2). test_sources: whole sources that make up the test part; where any is
    given, test_fraction applies to none of the others. test_fraction: the test part's share of every source under
    protocol `stratified`, 0 for none; protocol `source` never divides a source, so its test part is test_sources alone.
    institutions: sets of sources that protocol `source` and test_sources keep together; a source stands in one at most.
    """

    folds: list[int] | list[str]
    protocol: Literal["stratified", "source"]
    test_fraction: float = Field(ge=0, le=0.5)
    test_sources: list[str]
    institutions: list[list[str]]
    seed: int = Field(ge=0, le=MOST_SEED)

    @field_validator("folds")
    @classmethod
    def _counted_from_zero(cls, folds: list) -> list:
        if len(folds) < 2 or [str(fold) for fold in folds] != [str(number) for number in range(len(folds))]:
            raise ValueError("must be 0, 1, ..., K-1 with K of at least 2; write [0, 1, 2] for three folds")
        return folds

    @field_validator("test_sources")
    @classmethod
    def _no_doubles(cls, names: list) -> list:
        if len(set(names)) < len(names):
            raise ValueError("must name each source once; remove the doubles")
        return names

    @field_validator("institutions")
    @classmethod
    def _disjoint(cls, found: list) -> list:
        names = [name for institution in found for name in institution]
        if len(set(names)) < len(names):
            raise ValueError("a source stands in one institution at most, and once; remove the doubles")
        return found

    @property
    def shares(self) -> np.ndarray:
        """The share of a divided source that each fold and, last, the test part is to get; float64 [folds + 1]."""
        test = self.test_fraction if self.protocol == "stratified" and not self.test_sources else 0.0
        return np.array([(1 - test) / len(self.folds)] * len(self.folds) + [test])

    @property
    def parts(self) -> list[str]:
        """The names of the sides, as in column `fold`: the folds, then the test part."""
        return [*map(str, self.folds), tables.TEST]


class Store(NamedTuple):
    """What the split needs of a signal store: its index and refusals as tables."""

    index: pd.DataFrame
    refused: pd.DataFrame


def read_store(folder: Path) -> Store:
    """The tables of the signal store in `folder`. ValueError where one is missing."""
    paths = [Path(folder) / "index.csv", Path(folder) / "refused.csv"]
    for path in paths:
        if not path.is_file():
            raise ValueError(f"{path} is missing; run `dvc repro preprocess@{path.parent.name}` first")
    return Store(*map(tables.read, paths))


def join(labels: pd.DataFrame, stores: Mapping[str, Store]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The label rows whose signal is stored, with its digest, by source and record; and who is left out, and why.

    Left out are recordings with a fault in the label table, refused by preprocess, or missing on either side; each
    file is listed once, with the first of these causes. ValueError where a source is not among `stores`, or a recording
    stands twice.
    """
    unknown = sorted(set(labels["source"]) - set(stores))
    if unknown:
        raise ValueError(
            f"{atomic.LABELS}: source '{unknown[0]}' is not one of data.sources {list(stores)}; "
            "run `dvc repro label-map`"
        )
    keys = ["source", "record"]
    index = pd.concat([store.index.assign(source=name)[[*keys, "digest"]] for name, store in stores.items()])
    refused = pd.concat([store.refused.assign(source=name) for name, store in stores.items()])
    faulty, sound = labels[labels["fault"] != ""], labels[labels["fault"] == ""]
    for table, name in ((sound, atomic.LABELS), (index, atomic.SIGNALS)):
        twice = table[table.duplicated(keys)]
        if len(twice):
            raise ValueError(
                f"{name}: {'/'.join(twice[keys].iloc[0])} stands twice; a recording has one row, run again"
            )
    joined = sound.merge(index, on=keys, how="left")
    unstored = _without(joined[joined["digest"].isna()], refused, keys)
    causes = [
        faulty.assign(stage="label-map", reason=faulty["fault"]),
        refused.assign(stage="preprocess", reason=refused["reason"] + ": " + refused["message"]),
        unstored.assign(stage="preprocess", reason="missing: no signal is stored"),
        _without(index, labels, keys).assign(path="", stage="label-map", reason=f"missing: no row in {atomic.LABELS}"),
    ]
    left_out = pd.concat([cause[LEFT_OUT] for cause in causes if len(cause)] or [pd.DataFrame(columns=LEFT_OUT)])
    left_out = left_out.drop_duplicates([*keys, "path"]).sort_values([*keys, "path"], ignore_index=True)
    kept = _without(joined[joined["digest"].notna()], refused, keys)
    return kept.sort_values(keys, ignore_index=True), left_out


def _without(table: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The rows of `table` whose `keys` stand in no row of `other`."""
    return table[~pd.MultiIndex.from_frame(table[keys]).isin(pd.MultiIndex.from_frame(other[keys]))]


def groups(table: pd.DataFrame) -> np.ndarray:
    """Each row's group: the smallest `<source>:<patient>` or, without a patient, `<source>/<record>` in the group."""
    known = table["patient"] != ""
    names = np.where(known, table["source"] + ":" + table["patient"], table["source"] + "/" + table["record"])
    person, people = pd.factorize(names, sort=True)
    signal, signals = pd.factorize(table["digest"])
    size = len(people) + len(signals)
    edges = coo_array((np.ones(len(table), dtype=bool), (person, len(people) + signal)), shape=(size, size))
    component = connected_components(edges, directed=False)[1][: len(people)]
    first = np.unique(component, return_index=True)[1]  # people are sorted, so the first is the smallest
    return np.asarray(people, dtype=object)[first[np.unique(component, return_inverse=True)[1]]][person]


def split(table: pd.DataFrame, sources: Sequence[str], settings: Params) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The joined table with columns `group` and `fold`, by source and record; and the recordings left out.

    A group that touches a test source, or sources of several folds, stands where its test source, else its first
    source by name, stands; its members elsewhere are left out. ValueError where a fold would be empty.
    """
    if settings.test_fraction and not settings.shares[-1]:
        _LOG.warning(
            "split.test_fraction is not applied: the test part is split.test_sources %s", settings.test_sources
        )
    table = table.sort_values(["source", "record"], ignore_index=True)
    table["group"] = groups(table)
    whole = _whole(table, sources, settings)
    table["fold"] = table["source"].map(whole)
    tested = table["group"].isin(table["group"][table["fold"] == tables.TEST])
    leader = table.groupby("group")["fold"].transform("first").mask(tested, tables.TEST)
    kept = table["fold"] == leader
    left_out = _duplicates(table, kept)
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
            raise ValueError(
                f"split: none of the {len(table)} recordings in {table['group'].nunique()} groups falls to '{part}'; "
                "set fewer split.folds, or another split.test_fraction or split.test_sources"
            )
    return table, left_out


def _whole(table: pd.DataFrame, sources: Sequence[str], settings: Params) -> dict[str, str]:
    """The part that each whole source belongs to; '' for a source that is to be divided."""
    for name in settings.test_sources:
        if name not in sources:
            raise ValueError(f"split.test_sources: '{name}' is not one of data.sources {list(sources)}; add it there")
    sizes = table["source"].value_counts()
    faults = splitting_institutions.torn(settings.test_sources, sources, settings.institutions)
    if faults:
        raise ValueError("\n".join(faults))
    dealt = sorted(set(sizes.index) - set(settings.test_sources))
    if not dealt:
        raise ValueError("split.test_sources leaves no recording for the folds; take a source out of it")
    whole = dict.fromkeys(settings.test_sources, tables.TEST)
    if settings.protocol == "stratified":
        return whole | dict.fromkeys(dealt, "")
    found = splitting_institutions.deal(
        {name: int(sizes[name]) for name in dealt}, settings.institutions, len(settings.folds)
    )
    unused = [fold for fold in settings.parts[:-1] if fold not in found.values()]
    if unused:
        _LOG.warning("split.folds: institutions are fewer than folds; %s stay unused", ", ".join(unused))
    return whole | found


def _duplicates(table: pd.DataFrame, kept: pd.Series) -> pd.DataFrame:
    """The rows that are not `kept`, as rows of left_out.csv that name the kept recording they would repeat."""
    name = table["source"] + "/" + table["record"]
    same = table["digest"].map(name[kept].groupby(table["digest"][kept]).first())
    person = table["group"].map(name[kept].groupby(table["group"][kept]).first())
    reason = ("duplicate of " + same).where(same.notna(), "same-patient as a duplicate: " + person)
    return table.assign(stage="split", reason=reason)[~kept][LEFT_OUT].reset_index(drop=True)


def stratified(table: pd.DataFrame, settings: Params) -> np.ndarray:
    """The part of each row of `table` (sorted by source and record), every group whole.

    A group of several sources is stratified where most of its members are, first by name at ties.
    """
    group, names = pd.factorize(table["group"], sort=True)
    source, sources = pd.factorize(table["source"], sort=True)
    marks = np.column_stack([table[tables.class_codes(table)].fillna(0).to_numpy(int), np.ones(len(table), dtype=int)])
    member = (np.ones(len(table), dtype=np.int32), (group * len(sources) + source, np.arange(len(table))))
    sums = coo_array(member, shape=(len(names) * len(sources), len(table))).tocsr() @ marks.astype(np.int32)
    sums = sums.reshape(len(names), len(sources), -1)
    home = sums[:, :, -1].argmax(axis=1)
    part = stratification.divide(sums, home, settings.shares, np.random.default_rng(settings.seed))
    return np.array(settings.parts, dtype=object)[part[group]]


def check_disjoint(table: pd.DataFrame) -> None:
    """ValueError where a group of `table` (columns group, fold) stands on two sides."""
    sides = table[["group", "fold"]].drop_duplicates()
    torn = sides[sides.duplicated("group", keep=False)]
    if len(torn):
        group = torn["group"].iloc[0]
        found = sorted(torn["fold"][torn["group"] == group])
        raise ValueError(f"{atomic.FOLDS}: group '{group}' stands in {found}; a group has one fold, run split again")


def folds_table(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of folds.csv, in their order."""
    return table[[*tables.FOLDS_HEAD, *tables.class_codes(table), *tables.FOLDS_TAIL]]


def info(table: pd.DataFrame, sources: Sequence[str], settings: Params) -> dict:
    """What folds.json holds: how the table was split, and digests of folds.csv (as written) and of each source's store:
    what a training must match to be resumed, and models to be averaged.

    `folds` are those that hold recordings, `unused` the others of split.folds.
    """
    about = {name: atomic.checked(atomic.store(name) / "store.json", required=True) for name in sources}
    digests = {name: json.loads(content)["digest"] for name, content in about.items()}
    held = set(table["fold"])
    used = [int(fold) for fold in settings.folds if str(fold) in held]
    unused = [int(fold) for fold in settings.folds if str(fold) not in held]
    made = hashlib.blake2b(atomic.FOLDS.read_bytes(), digest_size=16).hexdigest()
    codes = tables.class_codes(table)
    found = classes.of_columns(codes)
    names = {"names": [one.abbreviation for one in found], "full_names": [one.name for one in found]}
    how = {"protocol": settings.protocol, "folds": used, "unused": unused, "classes": codes, **names}
    return {"sources": digests, "table": made, **how}


def summary(table: pd.DataFrame, left_out: pd.DataFrame, settings: Params) -> dict:
    """Figures of a split: per part that holds any, recordings, groups, prevalence by class ('code abbreviation'; null
    where nothing is annotated); what is uneven.

    deviation: the most that a count of positives is off its even share, in recordings: of one class in one source, of
    one class (both null where no source was divided); fold_sizes: largest over smallest used fold, less 1.
    """
    codes = tables.class_codes(table)
    found = classes.of_columns(codes)
    names = [" ".join(dict.fromkeys([code, one.abbreviation])) for code, one in zip(codes, found, strict=True)]
    parts = {}
    for part in [part for part in settings.parts if part in set(table["fold"])]:
        rows = table[table["fold"] == part]
        means = zip(names, rows[codes].mean(), strict=True)
        prevalence = {name: None if np.isnan(value) else round(value, 6) for name, value in means}
        parts[part] = {"recordings": len(rows), "groups": rows["group"].nunique(), "prevalence": prevalence}
    sizes = [held["recordings"] for part, held in parts.items() if part != tables.TEST]
    by_source = by_class = None
    if settings.protocol == "stratified":
        divided = table[~table["source"].isin(settings.test_sources)]
        counts = divided.groupby(["fold", "source"])[codes].sum().unstack("source", fill_value=0)
        off = counts.reindex(settings.parts, fill_value=0) - np.outer(settings.shares, counts.sum())
        by_source = round(float(off.abs().max(axis=None)), 6)
        by_class = round(float(off.T.groupby(level=0).sum().abs().max(axis=None)), 6)
    reasons = left_out["reason"].map(lambda reason: re.match(r"[\w-]*", reason)[0]).value_counts()
    deviation = {"class_by_source": by_source, "class": by_class, "fold_sizes": round(max(sizes) / min(sizes) - 1, 6)}
    return {
        "parts": parts,
        "deviation": deviation,
        "left_out": {key: int(reasons[key]) for key in sorted(reasons.index)},
    }
