"""Positives of each class at each source, which of these entries are suspicious, and why they may
be.

An entry is judged against its sisters: the other sources that annotate the class, with 20 usable
recordings or more; two of them at least, since of two sources alone nobody can say which is odd.
Expected are its recordings times the median of the sisters' shares of positives. An entry is
suspicious where all three hold:

- five times fewer or more positives than expected,
- a chance below 1 in 10,000 of so few or so many, were the rate here that of all sisters together:
  of two Poisson counts, given their sum, one is binomial (Przyborowski and Wilenski 1940,
  doi:10.1093/biomet/31.3-4.313). With some 200 entries, false alarms from counting alone stay rare,
- ten or more, of the positives and the expected.

Hospitals differ, so a suspicious entry is a question and no fault. Why it may be so: `KNOWN` holds
the cases with a source; of the others `explain` gives the figures and the places to look at. Order:
by the labels too few or too many.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report import templates
from ecgpipe.snomed import concepts

FACTOR = 5.0
CHANCE = 1e-4
SISTER_RECORDINGS = 20
SISTERS = 2
COUNTED = ["source", "code", "abbreviation", "name", "recordings", "positives"]

_ZHENG = (
    "In the tables of Chapman-Shaoxing and Ningbo the native label `AF` is atrial flutter "
    "(164890007) and `AFIB` is atrial fibrillation (164889003); see native_labels.csv and Zheng "
    "et al. 2020, doi:10.1038/s41597-020-0386-x. "
)
_NINGBO = (
    "Of Ningbo's 34,905 public recordings none has fibrillation and 7,615 have flutter, while "
    "fibrillation is the more common of the two at every other source that annotates both: many of "
    "these flutter labels are likely fibrillation. Neither class can be trusted there."
)
_LUDB = (
    "LUDB states an axis for every recording; of its 200, 66 have a left and 3 a right deviation "
    "(Kalyakulina et al. 2020, doi:10.1109/ACCESS.2020.3029211). Its labels are wider than those "
    "of sources that name an axis only where a reader found it worth a diagnosis."
)
# (vocabulary, code) -> what is known of the entry.
KNOWN = {
    ("Ningbo", concepts.ATRIAL_FIBRILLATION): _ZHENG + _NINGBO,
    ("Ningbo", concepts.ATRIAL_FLUTTER): _ZHENG + _NINGBO,
    ("Chapman-Shaoxing", concepts.ATRIAL_FIBRILLATION): _ZHENG.strip(),
    ("Chapman-Shaoxing", concepts.ATRIAL_FLUTTER): _ZHENG.strip(),
    ("LUDB", concepts.LEFT_AXIS_DEVIATION): _LUDB,
    ("LUDB", concepts.RIGHT_AXIS_DEVIATION): _LUDB,
}
# Codes that one hospital may write where another writes the other: a slow sinus rhythm, a long PR
# interval.
NEIGHBOURS = {
    concepts.BRADYCARDIA: concepts.SINUS_BRADYCARDIA,
    concepts.SINUS_BRADYCARDIA: concepts.BRADYCARDIA,
    concepts.PROLONGED_PR_INTERVAL: concepts.FIRST_DEGREE_AV_BLOCK,
    concepts.FIRST_DEGREE_AV_BLOCK: concepts.PROLONGED_PR_INTERVAL,
    concepts.ATRIAL_FIBRILLATION: concepts.ATRIAL_FLUTTER,
    concepts.ATRIAL_FLUTTER: concepts.ATRIAL_FIBRILLATION,
}


def count(table: pd.DataFrame, classes: Sequence[Diagnosis]) -> pd.DataFrame:
    """One row per class and source of labels.csv: `source, code, abbreviation, name, recordings,
    positives`.

    `recordings` are those without a fault; `positives` is NaN where the source does not annotate
    the class.
    """
    sound, rows = table[table["fault"] == ""], []
    for source in dict.fromkeys(table["source"]):
        recordings = sound[sound["source"] == source]
        for diagnosis in classes:
            labels = recordings[diagnosis.code]
            positives = float((labels == 1).sum()) if labels.notna().any() else np.nan
            about = [diagnosis.code, diagnosis.abbreviation, diagnosis.name]
            rows.append([source, *about, len(recordings), positives])
    return pd.DataFrame(rows, columns=COUNTED)


def judge(counts: pd.DataFrame) -> pd.DataFrame:
    """The counts with `expected` positives, the number of `sisters`, the `lowest` and `highest` of
    their shares, the `chance` of the count, and the `verdict`: few, many, '' for neither, 'not
    judged' with fewer than two sisters.

    All but the verdict ('') is NaN in entries that are not annotated. The rule stands at the head
    of this module.
    """
    judged = [_judged(row, counts) for _, row in counts.iterrows()]
    return pd.concat([counts, pd.DataFrame(judged, index=counts.index)], axis=1)


def rates_chance(positives: int, recordings: int, others: int, other_recordings: int) -> float:
    """The chance of so few or so many of all positives on this side, whichever is rarer, were both
    rates the same.

    One of two Poisson counts is binomial, given their sum (Przyborowski and Wilenski 1940).

    >>> rates_chance(0, 100, 4, 100), rates_chance(3, 100, 0, 100)
    (0.0625, 0.125)
    """
    together, share = positives + others, recordings / (recordings + other_recordings)
    few = special.bdtr(positives, together, share)
    many = special.bdtrc(positives - 1, together, share) if positives else 1.0
    return float(min(few, many))


def suspicious(entries: pd.DataFrame) -> pd.DataFrame:
    """The suspicious entries, those with the most labels too few or too many first."""
    odd = entries[entries["verdict"].isin(["few", "many"])]
    off = (odd["positives"] - odd["expected"]).abs()
    return odd.loc[off.sort_values(ascending=False, kind="stable").index]


def explain(
    entry: Mapping[str, Any], vocabulary: str, labels: Sequence[str], neighbours: Sequence[str]
) -> str:
    """Why a suspicious entry may be so: what is known of it, else where to look.

    `vocabulary`: the name of the source's; `labels`: its native labels that map to the class;
    `neighbours`: sentences on classes that hold the same finding under another name.
    """
    known = KNOWN.get((vocabulary, entry["code"]))
    if known:
        return known
    mapped = ", ".join(f"`{label}`" for label in labels)
    if entry["positives"] == 0:
        text = (
            f"The vocabulary {vocabulary} can say the class ({mapped}), and no recording does. "
            "If nobody there uses these labels, take their rows out: the class is blank then, "
            "and no recording counts as negative."
        )
    elif entry["verdict"] == "few":
        text = (
            "Another population, another name for the same finding, or a native label that the "
            f"vocabulary {vocabulary} maps elsewhere; to this class map {mapped}."
        )
    else:
        text = (
            "Another population, a wider use of the word, or a native label too many: "
            f"to this class the vocabulary {vocabulary} maps {mapped}."
        )
    return " ".join([text, *neighbours])


def neighbours_of(entry: Mapping[str, Any], entries: pd.DataFrame) -> list[str]:
    """A sentence on each class at the same source that can hold the same finding under another
    name."""
    here = entries[(entries["source"] == entry["source"]) & entries["expected"].notna()]
    sentences = []
    for _, row in here[here["code"] == NEIGHBOURS.get(entry["code"])].iterrows():
        positives, expected = templates.count(row["positives"]), templates.count(row["expected"])
        sentences.append(
            f"{row['abbreviation']}, its neighbour, has {positives} positives here "
            f"(expected {expected})."
        )
    return sentences


def _judged(entry: pd.Series, counts: pd.DataFrame) -> dict[str, Any]:
    """What `judge` adds to one entry."""
    unknown = dict.fromkeys(("expected", "sisters", "lowest", "highest", "chance"), np.nan)
    if np.isnan(entry["positives"]) or not entry["recordings"]:
        return unknown | {"verdict": ""}
    same = counts[(counts["code"] == entry["code"]) & (counts["source"] != entry["source"])]
    sisters = same[same["positives"].notna() & (same["recordings"] >= SISTER_RECORDINGS)]
    if len(sisters) < SISTERS:
        return unknown | {"sisters": len(sisters), "verdict": "not judged"}
    shares = (sisters["positives"] / sisters["recordings"]).to_numpy()
    expected = float(entry["recordings"] * np.median(shares))
    positives = float(entry["positives"])
    others = int(sisters["positives"].sum()), int(sisters["recordings"].sum())
    chance = rates_chance(int(positives), int(entry["recordings"]), *others)
    return {
        "expected": expected,
        "sisters": len(sisters),
        "lowest": float(shares.min()),
        "highest": float(shares.max()),
        "chance": chance,
        "verdict": _verdict(positives, expected, chance),
    }


def _verdict(positives: float, expected: float, chance: float) -> str:
    """few, many, or '' where a count is not suspicious."""
    if chance >= CHANCE or max(positives, expected) < FEW:
        return ""
    if positives * FACTOR <= expected:
        return "few"
    return "many" if positives >= expected * FACTOR else ""
