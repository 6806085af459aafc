"""Native labels that say something no chosen class counts, and classes that no source can say.

`metrics/labels.json` counts the labels of each source that no chosen class counts (`unscored`),
that its vocabulary does not hold (`unknown`), and those of them that are a class's code all the
same (`outside_vocabulary`). Some are near relatives of a chosen class, and a hint says so:
equivalent codes of the official list (CinC 2021), and `RELATIVES`. Of an unknown one it says which
entry of the vocabulary may be meant.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ecgpipe.diagnoses.classes import Diagnosis, select
from ecgpipe.snomed import concepts

COLUMNS = ["source", "label", "recordings", "kind", "hint"]
KINDS = ("unscored", "outside_vocabulary", "unknown")
_PVC, _PAC = concepts.PREMATURE_VENTRICULAR_CONTRACTIONS, concepts.PREMATURE_ATRIAL_CONTRACTION
# Code -> the code of its relative, and what to know of both.
RELATIVES = {
    concepts.VENTRICULAR_ECTOPICS: (
        _PVC,
        "ventricular ectopic beats, the only label of CPSC 2018 and PTB-XL for premature "
        "ventricular beats; the official score leaves it out; `labels.merge_ectopics: true` counts "
        "it here",
    ),
    concepts.VENTRICULAR_BIGEMINY: (_PVC, "ventricular bigeminy: every second beat is one"),
    concepts.VENTRICULAR_TRIGEMINY: (_PVC, "ventricular trigeminy: every third beat is one"),
    concepts.SUPRAVENTRICULAR_BIGEMINY: (
        _PAC,
        "supraventricular bigeminy: every second beat is one",
    ),
    concepts.BLOCKED_PREMATURE_ATRIAL_CONTRACTION: (
        _PAC,
        "a premature atrial beat that is not conducted",
    ),
    concepts.PROLONGED_PR_INTERVAL: (
        concepts.FIRST_DEGREE_AV_BLOCK,
        "a prolonged PR interval; the class list `study` counts it here",
    ),
    concepts.BRADYCARDIA: (
        concepts.SINUS_BRADYCARDIA,
        "bradycardia of any kind; most such recordings are in sinus rhythm, not all",
    ),
}


def listed(
    report: Mapping[str, Any],
    meanings: Mapping[str, Mapping[str, Iterable[str]]],
    classes: Sequence[Diagnosis],
) -> pd.DataFrame:
    """One row per source and label that no class counts there: `source, label, recordings, kind,
    hint`, in the order of the sources, the kinds and the numbers.

    report: metrics/labels.json; meanings: source -> label as the report writes it -> its SNOMED CT
    codes.
    """
    rows = []
    for source, counts in report["sources"].items():
        codes_of = meanings.get(source, {})
        for kind in KINDS:
            for label, recordings in counts.get(kind, {}).items():
                entry = counts.get("did_you_mean", {}).get(label)
                near = f"did you mean '{entry}'?" if entry else ""
                near = near or hint(codes_of.get(label, ()), classes, kind)
                rows.append([source, label, recordings, kind, near])
    return pd.DataFrame(rows, columns=COLUMNS)


def hint(codes: Iterable[str], classes: Sequence[Diagnosis], kind: str = "unscored") -> str:
    """The chosen class that is a near relative of a label's codes, and how; '' where there is
    none."""
    hints = []
    for code in sorted(codes):
        relative, text = RELATIVES.get(code) or _equivalent(code)
        near, own = _name_of(relative, classes), _name_of(code, classes)
        if kind == "outside_vocabulary" and own:
            hints.append(
                f"a code of {own}: where the source uses it, it needs a row in the vocabulary"
            )
        elif near and not own:
            hints.append(f"near {near}: {text}")
    return "; ".join(hints)


def _name_of(code: str, classes: Sequence[Diagnosis]) -> str:
    """The abbreviation of the class that holds a code, '' where none does."""
    return next((diagnosis.abbreviation for diagnosis in classes if code in diagnosis.codes), "")


def _equivalent(code: str) -> tuple[str, str]:
    """Another code of the same official class, '' where there is none."""
    for diagnosis in select("official"):
        others = [other for other in diagnosis.codes if other != code]
        if code in diagnosis.codes and others:
            equivalents = " and ".join(diagnosis.codes)
            return others[0], f"the official list counts {equivalents} as one class"
    return "", ""


def unsaid(entries: pd.DataFrame) -> list[str]:
    """The abbreviations of the classes that no source in use annotates."""
    known = entries.groupby("abbreviation", sort=False)["positives"].count()
    return known.index[known == 0].tolist()
