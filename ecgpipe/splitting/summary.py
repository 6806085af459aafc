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
from ecgpipe.project import paths, tables
from ecgpipe.signals import store
from ecgpipe.splitting.params import SplitParams

_LOG = logging.getLogger(__name__)


def folds_table(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of folds.csv, in their order."""
    return table[[*tables.FOLDS_HEAD, *tables.class_codes(table), *tables.FOLDS_TAIL]]


def info(
    table: pd.DataFrame, sources: Sequence[str], params: SplitParams, folds_csv: Path
) -> dict[str, Any]:
    """What folds.json holds: how the table was split, and digests of `folds_csv` (as written) and
    of each source's store: what a training must match to be resumed, and models to be averaged.

    `folds` are those that hold recordings, `unused` the others of split.folds.
    """
    filled = set(table["fold"])
    codes = tables.class_codes(table)
    diagnoses = classes.of_columns(codes)
    return {
        "sources": {name: store.read_about(paths.store(name))["digest"] for name in sources},
        "table": hashlib.blake2b(folds_csv.read_bytes(), digest_size=16).hexdigest(),
        "protocol": params.protocol,
        "folds": [int(fold) for fold in params.folds if str(fold) in filled],
        "unused": [int(fold) for fold in params.folds if str(fold) not in filled],
        "classes": codes,
        "codes": [classes.equivalents(diagnosis) for diagnosis in diagnoses],
        "names": [diagnosis.abbreviation for diagnosis in diagnoses],
        "full_names": [diagnosis.name for diagnosis in diagnoses],
    }


def summary(
    table: pd.DataFrame,
    left_out: pd.DataFrame,
    params: SplitParams,
    conflicts: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Figures of a split: per part that holds any, recordings, groups, prevalence by class (null
    where nothing is annotated); what is uneven; how many recordings have no known patient, and are
    groups of their own; how many are left out, by the first word of the reason; the `conflicts`
    (`duplicates.conflicting_labels`) by the first record of each.

    deviation: `class_by_source` and `class` as `_off_even` has them; fold_sizes: largest over
    smallest used fold, less 1.
    """
    filled = set(table["fold"])
    names = [part for part in (*params.parts, tables.TRAIN) if part in filled]
    parts = {part: _part(table[table["fold"] == part]) for part in names}
    whole = (tables.TEST, tables.TRAIN)
    sizes = [held["recordings"] for part, held in parts.items() if part not in whole]
    by_source, by_class = _off_even(table, params)
    deviation = {
        "class_by_source": by_source,
        "class": by_class,
        "fold_sizes": round(max(sizes) / min(sizes) - 1, 6),
    }
    reasons = left_out["reason"].map(lambda reason: re.match(r"[\w-]*", reason)[0]).value_counts()
    return {
        "parts": parts,
        "deviation": deviation,
        "patient_unknown": int((table["patient"] == "").sum()),
        "left_out": {
            reason: {"recordings": int(reasons[reason])} for reason in sorted(reasons.index)
        },
        # No list of records, which DVC would draw (`atomic.write_report`).
        "disagreeing": {conflict["records"][0]: conflict for conflict in conflicts},
    }


def _part(rows: pd.DataFrame) -> dict[str, Any]:
    """Recordings, groups and prevalence by class of the rows of one part."""
    codes = tables.class_codes(rows)
    prevalence = {}
    for code, diagnosis in zip(codes, classes.of_columns(codes), strict=True):
        share = rows[code].mean()
        prevalence[diagnosis.abbreviation] = None if np.isnan(share) else round(share, 6)
    return {
        "recordings": len(rows),
        "groups": rows["group"].nunique(),
        "prevalence": prevalence,
    }


def _off_even(table: pd.DataFrame, params: SplitParams) -> tuple[float | None, float | None]:
    """The most that a count of positives is off its even share, in recordings: of one class in one
    source, and of one class; both None where no source was divided."""
    if params.protocol != "stratified":
        return None, None
    codes = tables.class_codes(table)
    divided = table[~table["source"].isin([*params.test_sources, *params.train_sources])]
    # [part, (class, source)]
    counts = divided.groupby(["fold", "source"])[codes].sum().unstack("source", fill_value=0)
    off = counts.reindex(params.parts, fill_value=0) - np.outer(params.shares, counts.sum())
    of_class = off.T.groupby(level=0).sum()
    return round(float(off.abs().max(axis=None)), 6), round(float(of_class.abs().max(axis=None)), 6)


def log(
    table: pd.DataFrame,
    left_out: pd.DataFrame,
    conflicts: Sequence[dict[str, Any]],
    pruned: Sequence[str],
) -> None:
    """Tells how many recordings stand in the folds, and the first signals with two diagnoses."""
    _LOG.info(
        "%d recordings in the folds, %d left out (%s says why), %s pruned",
        len(table),
        len(left_out),
        paths.LEFT_OUT,
        list(pruned) or "nothing",
    )
    for conflict in conflicts[:3]:
        records = " and ".join(conflict["records"])
        _LOG.warning("%s are one signal with different labels (metrics/split.json)", records)
