"""Pairs of labels that contradict each other, and the recordings that carry both.

The pairs are those that the meaning of the words rules out at one moment. A recording of minutes
may change its rhythm, so a pair is a reason to look. Definitions: AHA/ACCF/HRS recommendations,
part III (Surawicz et al. 2009, doi:10.1161/CIRCULATIONAHA.108.191095) for bundle branch blocks and
axis, part II (Mason et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180201) for the terms of rhythm.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import pandas as pd

from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.snomed import concepts

COLUMNS = ["source", "record", "one", "other", "reason", "labels"]


class Contradiction(NamedTuple):
    """Two sets of SNOMED CT codes, any of the one against any of the other, and why not both."""

    one: tuple[str, ...]
    other: tuple[str, ...]
    reason: str


_NSR = (concepts.SINUS_RHYTHM,)
_SB = (concepts.SINUS_BRADYCARDIA,)
_STACH = (concepts.SINUS_TACHYCARDIA,)
_BRADY = (concepts.BRADYCARDIA,)
_AF = (concepts.ATRIAL_FIBRILLATION,)
_AFL = (concepts.ATRIAL_FLUTTER,)
PAIRS = (
    Contradiction(_AF, _NSR, "fibrillating atria have no sinus rhythm"),
    Contradiction(_AFL, _NSR, "fluttering atria have no sinus rhythm"),
    Contradiction(
        _NSR, _SB, "a normal rate, or a slow one; or a habit of writing the rhythm beside its rate"
    ),
    Contradiction(
        _NSR,
        _STACH,
        "a normal rate, or a fast one; or a habit of writing the rhythm beside its rate",
    ),
    Contradiction(_SB, _STACH, "one rhythm is slow or fast"),
    Contradiction(_BRADY, _STACH, "one rhythm is slow or fast"),
    Contradiction(
        (concepts.LEFT_AXIS_DEVIATION,),
        (concepts.RIGHT_AXIS_DEVIATION,),
        "one axis points to the left or to the right",
    ),
    Contradiction(
        (concepts.COMPLETE_LEFT_BUNDLE_BRANCH_BLOCK, concepts.LEFT_BUNDLE_BRANCH_BLOCK),
        (concepts.COMPLETE_RIGHT_BUNDLE_BRANCH_BLOCK, concepts.RIGHT_BUNDLE_BRANCH_BLOCK),
        "both bundle branches blocked: only if they take turns",
    ),
    Contradiction(
        _AF,
        (concepts.FIRST_DEGREE_AV_BLOCK, concepts.PROLONGED_PR_INTERVAL),
        "fibrillating atria have no PR interval",
    ),
)


def columns_of(codes: Sequence[str], classes: Sequence[Diagnosis]) -> list[Diagnosis]:
    """The classes that hold any of these codes."""
    return [diagnosis for diagnosis in classes if not set(diagnosis.codes).isdisjoint(codes)]


def chosen_pairs(classes: Sequence[Diagnosis]) -> list[tuple[Diagnosis, Diagnosis, str]]:
    """The pairs of chosen classes that contradict each other, with the reason; each pair once."""
    chosen: dict[tuple[str, str], tuple[Diagnosis, Diagnosis, str]] = {}
    for pair in PAIRS:
        firsts, seconds = columns_of(pair.one, classes), columns_of(pair.other, classes)
        for first, second in product(firsts, seconds):
            if first != second:
                chosen.setdefault((first.code, second.code), (first, second, pair.reason))
    return list(chosen.values())


def find(table: pd.DataFrame, classes: Sequence[Diagnosis]) -> pd.DataFrame:
    """One row per recording of labels.csv and pair that it carries whole: `source, record, one,
    other` (abbreviations), `reason`, `labels` (all its classes, separated by spaces)."""
    rows = []
    for first, second, reason in chosen_pairs(classes):
        pair = [first.abbreviation, second.abbreviation, reason]
        both = table[(table[first.code] == 1) & (table[second.code] == 1)]
        for _, row in both.iterrows():
            rows.append([row["source"], row["record"], *pair, carried(row, classes)])
    return pd.DataFrame(rows, columns=COLUMNS)


def carried(row: pd.Series, classes: Sequence[Diagnosis]) -> str:
    """The abbreviations of the classes that one row of a table has, separated by spaces."""
    return " ".join(diagnosis.abbreviation for diagnosis in classes if row[diagnosis.code] == 1)
