"""Native labels of every source to one table of classes with three states: 1 present, 0 absent, blank not annotated.

A class is annotated at a source if and only if some label of its vocabulary maps to one of the class's codes; where it
is not, absent and never looked for cannot be told apart, and the column is blank. A recording that does carry such a
class (a code from outside its source's vocabulary) keeps it as present, and is counted in the report.

How labels are written (`codes` of a source):

- snomed: SNOMED CT codes. A code of a class counts whether or not the vocabulary knows it.
- native: the source's own words, as in the vocabulary.
- aha: statements of the AHA/ACC/HRS recommendation (Mason et al. 2007, doi:10.1161/CIRCULATIONAHA.106.180201), a
  primary code with modifiers joined by '+': `60+310`. The most specific entry of the vocabulary speaks alone, the
  one with the most of the statement's modifiers: `147+367` is T inversion and not T abnormality as well (at SPH no
  recording is both), `147+310` is what `147` is. Entries equally specific all speak.

A recording without any label is not one without any class: its fault is 'no-labels'. A recording whose labels are all
of no chosen class is absent in every annotated class ('keep') or has the fault 'unscored' ('drop').
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from ecgpipe import diagnoses, tables
from ecgpipe.diagnoses import Diagnosis
from ecgpipe.params import Section
from ecgpipe.records import Description, Source

MOST_NAMED = 50
Vocabulary = Mapping[str, frozenset[str]]


class Params(Section):
    """`labels` in params.yaml: the classes ('official', 'study' or codes), and what of recordings without any."""

    classes: str | list[str]
    merge_ectopics: bool
    unscored: Literal["keep", "drop"]


def chosen(params: Params) -> tuple[Diagnosis, ...]:
    """The classes of the params."""
    return diagnoses.classes(params.classes, params.merge_ectopics)


def map_source(
    name: str,
    descriptions: Sequence[Description],
    source: Source,
    classes: Sequence[Diagnosis],
    unscored: Literal["keep", "drop"] = "keep",
) -> pd.DataFrame:
    """The rows of labels.csv of one source: IDENTITY columns, then one column per class (NaN: not annotated).

    A recording with a fault has NaN in every class.
    """
    vocabulary = diagnoses.vocabulary(source.vocabulary)
    values = _values(descriptions, source, vocabulary, classes)
    faults = [description.fault for description in descriptions]
    for index, description in enumerate(descriptions):
        if not faults[index] and not description.labels:
            faults[index] = "no-labels: it states no diagnosis, which is not the same as none; leave it out"
        elif not faults[index] and unscored == "drop" and not (values[index] == 1).any():
            faults[index] = "unscored"
    values[[bool(fault) for fault in faults]] = np.nan
    table = pd.DataFrame(
        {
            "source": name,
            "record": [d.record for d in descriptions],
            "path": [d.path for d in descriptions],
            "patient": [d.patient or "" for d in descriptions],
            "age": np.array([np.nan if d.age is None else d.age for d in descriptions], dtype=np.float64),
            "gender": [d.sex or "" for d in descriptions],
            "rate_hz": np.array([np.nan if d.rate_hz is None else d.rate_hz for d in descriptions], dtype=np.float64),
            "samples": np.array([np.nan if d.samples is None else d.samples for d in descriptions], dtype=np.float64),
            "fault": faults,
        },
        columns=tables.IDENTITY,
    )
    return pd.concat([table, pd.DataFrame(values, columns=[diagnosis.code for diagnosis in classes])], axis=1)


def snomed(label: str, codes: Literal["snomed", "native", "aha"], vocabulary: Vocabulary) -> frozenset[str] | None:
    """The SNOMED CT codes of one label as written, or None where the source's vocabulary does not know it.

    >>> words = {"147": frozenset({"164934002"}), "147+367": frozenset({"59931005"})}
    >>> sorted(snomed("147+310+367", "aha", words)), sorted(snomed("147+310", "aha", words))
    (['59931005'], ['164934002'])
    """
    if codes == "snomed":
        return frozenset({label}) if any(label in said for said in vocabulary.values()) else None
    if codes == "native":
        return vocabulary.get(label)
    primary, *modifiers = (part.strip() for part in label.split("+"))
    fitting = [
        (len(parts) - 1, said)
        for parts, said in ((entry.split("+"), said) for entry, said in vocabulary.items())
        if parts[0] == primary and set(parts[1:]) <= set(modifiers)
    ]
    if not fitting:
        return None
    most = max(specific for specific, _ in fitting)
    return frozenset().union(*(said for specific, said in fitting if specific == most))


def report(
    table: pd.DataFrame,
    descriptions: Mapping[str, Sequence[Description]],
    sources: Mapping[str, Source],
    classes: Sequence[Diagnosis],
) -> dict[str, Any]:
    """What metrics/labels.json says of the whole labels.csv: nothing is left out or unknown in silence.

    Positives are null where a class is not annotated. At most 50 records are named per reason.
    """
    good = table[table["fault"] == ""]
    return {
        "recordings": len(table),
        "usable": len(good),
        "sources": {
            name: {
                "recordings": int((table["source"] == name).sum()),
                "usable": int((good["source"] == name).sum()),
                "age_unknown": int(good.loc[good["source"] == name, "age"].isna().sum()),
                "sex_unknown": int((good.loc[good["source"] == name, "gender"] == "").sum()),
                "patient_unknown": int((good.loc[good["source"] == name, "patient"] == "").sum()),
                "left_out": _left_out(table[table["source"] == name]),
                **_spoken(descriptions[name], source, classes),
                **_counts(good[good["source"] == name], source, classes),
            }
            for name, source in sources.items()
        },
        "classes": {
            diagnosis.code: {
                "abbreviation": diagnosis.abbreviation,
                "name": diagnosis.name,
                "codes": list(diagnosis.codes),
                "positives": int((good[diagnosis.code] == 1).sum()),
                "annotated": int(good[diagnosis.code].notna().sum()),
            }
            for diagnosis in classes
        },
    }


def _values(
    descriptions: Sequence[Description], source: Source, vocabulary: Vocabulary, classes: Sequence[Diagnosis]
) -> np.ndarray:
    """float64 [recording, class]: 1, 0 or NaN."""
    annotated = np.array(diagnoses.annotated(vocabulary, classes), dtype=bool)
    values = np.tile(np.where(annotated, 0.0, np.nan), (len(descriptions), 1))
    column = {code: index for index, diagnosis in enumerate(classes) for code in diagnosis.codes}
    meant: dict[str, list[int]] = {}
    for row, description in enumerate(descriptions):
        for label in description.labels:
            if label not in meant:
                meant[label] = [column[code] for code in _codes(label, source, vocabulary) if code in column]
            values[row, meant[label]] = 1.0
    return values


def _codes(label: str, source: Source, vocabulary: Vocabulary) -> frozenset[str]:
    """The SNOMED CT codes that a label stands for; a code written as such stands for itself, known or not."""
    if source.codes == "snomed":
        return frozenset({label})
    return snomed(label, source.codes, vocabulary) or frozenset()


def _spoken(descriptions: Sequence[Description], source: Source, classes: Sequence[Diagnosis]) -> dict[str, Any]:
    """What the labels of a source say beyond the classes: label -> recordings, the most frequent first.

    `unknown` are labels that its vocabulary does not hold, `outside_vocabulary` those of them that are present in a
    class all the same, `unscored` labels that it holds and that no chosen class counts.
    """
    vocabulary = diagnoses.vocabulary(source.vocabulary)
    scored = {code for diagnosis in classes for code in diagnosis.codes}
    counts: dict[str, Counter[str]] = {"unknown": Counter(), "outside_vocabulary": Counter(), "unscored": Counter()}
    of_no_class = set()
    for label, times in Counter(label for d in descriptions for label in d.labels).items():
        in_class = not scored.isdisjoint(_codes(label, source, vocabulary))
        if snomed(label, source.codes, vocabulary) is None:
            counts["outside_vocabulary" if in_class else "unknown"][_named(label, source)] += times
        elif not in_class:
            counts["unscored"][_named(label, source)] += times
        if not in_class:
            of_no_class.add(label)
    ordered = {
        kind: dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))) for kind, found in counts.items()
    }
    without = sum(bool(d.labels) and of_no_class.issuperset(d.labels) for d in descriptions)
    return {**ordered, "without_a_class": without}


def _named(label: str, source: Source) -> str:
    """A code with its name, where it has one; other labels as they are."""
    name = diagnoses.name_of(label) if source.codes == "snomed" else label
    return label if name == label else f"{label} {name}"


def _counts(good: pd.DataFrame, source: Source, classes: Sequence[Diagnosis]) -> dict[str, Any]:
    """Positives per class of one source, None where the class is not annotated there."""
    annotated = diagnoses.annotated(diagnoses.vocabulary(source.vocabulary), classes)
    positives = {
        diagnosis.code: int((good[diagnosis.code] == 1).sum()) if said else None
        for diagnosis, said in zip(classes, annotated, strict=True)
    }
    return {"positives": positives}


def _left_out(table: pd.DataFrame) -> dict[str, Any]:
    """Reason -> how many recordings of one source, and the first of them by name."""
    bad = table[table["fault"] != ""]
    reasons = bad["fault"].str.partition(":")[0] if len(bad) else bad["fault"]
    return {
        reason: {"recordings": len(rows), "records": rows["record"].tolist()[:MOST_NAMED]}
        for reason, rows in bad.groupby(reasons)
    }
