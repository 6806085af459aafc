"""What split writes beside the folds: folds.json and metrics/split.json."""

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgpipe.diagnoses import classes
from ecgpipe.project import paths as project_paths
from ecgpipe.project import tables
from ecgpipe.signals import store
from ecgpipe.splitting.params import SplitParams

_LOG = logging.getLogger(__name__)


def folds_table(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of folds.csv, in their order."""
    return table[[*tables.FOLDS_HEAD, *tables.class_codes(table), *tables.FOLDS_TAIL]]


def info(
    table: pd.DataFrame, sources: Sequence[str], settings: SplitParams, folds_csv: Path
) -> dict:
    """What folds.json holds: how the table was split, and digests of `folds_csv` (as written) and
    of each source's store: what a training must match to be resumed, and models to be averaged.

    `folds` are those that hold recordings, `unused` the others of split.folds.
    """
    digests = {name: store.read_about(project_paths.store(name))["digest"] for name in sources}
    held = set(table["fold"])
    used = [int(fold) for fold in settings.folds if str(fold) in held]
    unused = [int(fold) for fold in settings.folds if str(fold) not in held]
    made = hashlib.blake2b(folds_csv.read_bytes(), digest_size=16).hexdigest()
    codes = tables.class_codes(table)
    found = classes.of_columns(codes)
    names = {
        "names": [one.abbreviation for one in found],
        "full_names": [one.name for one in found],
    }
    how = {
        "protocol": settings.protocol,
        "folds": used,
        "unused": unused,
        "classes": codes,
        **names,
    }
    return {"sources": digests, "table": made, **how}


def summary(table: pd.DataFrame, left_out: pd.DataFrame, settings: SplitParams) -> dict:
    """Figures of a split: per part that holds any, recordings, groups, prevalence by class ('code
    abbreviation'; null where nothing is annotated); what is uneven.

    deviation: the most that a count of positives is off its even share, in recordings: of one class
    in one source, of one class (both null where no source was divided); fold_sizes: largest over
    smallest used fold, less 1.
    """
    codes = tables.class_codes(table)
    found = classes.of_columns(codes)
    names = [
        " ".join(dict.fromkeys([code, one.abbreviation]))
        for code, one in zip(codes, found, strict=True)
    ]
    parts = {}
    for part in [part for part in settings.parts if part in set(table["fold"])]:
        rows = table[table["fold"] == part]
        means = zip(names, rows[codes].mean(), strict=True)
        prevalence = {name: None if np.isnan(value) else round(value, 6) for name, value in means}
        parts[part] = {
            "recordings": len(rows),
            "groups": rows["group"].nunique(),
            "prevalence": prevalence,
        }
    sizes = [held["recordings"] for part, held in parts.items() if part != tables.TEST]
    by_source = by_class = None
    if settings.protocol == "stratified":
        divided = table[~table["source"].isin(settings.test_sources)]
        counts = divided.groupby(["fold", "source"])[codes].sum().unstack("source", fill_value=0)
        off = counts.reindex(settings.parts, fill_value=0) - np.outer(settings.shares, counts.sum())
        by_source = round(float(off.abs().max(axis=None)), 6)
        by_class = round(float(off.T.groupby(level=0).sum().abs().max(axis=None)), 6)
    reasons = left_out["reason"].map(lambda reason: re.match(r"[\w-]*", reason)[0]).value_counts()
    deviation = {
        "class_by_source": by_source,
        "class": by_class,
        "fold_sizes": round(max(sizes) / min(sizes) - 1, 6),
    }
    return {
        "parts": parts,
        "deviation": deviation,
        "left_out": {key: int(reasons[key]) for key in sorted(reasons.index)},
    }


def log(
    table: pd.DataFrame,
    left_out: pd.DataFrame,
    conflicts: Sequence[dict[str, Any]],
    pruned: Sequence[str],
) -> None:
    """Tells how many recordings stand in the folds, and the first signals with two diagnoses."""
    _LOG.info(
        "%d recordings in the folds, %d left out (%s says why), %s pruned",
        len(table), len(left_out), project_paths.LEFT_OUT, list(pruned) or "nothing",
    )  # fmt: skip
    for conflict in conflicts[:3]:
        records = " and ".join(conflict["records"])
        _LOG.warning("%s are one signal with different labels (metrics/split.json)", records)
