"""Native labels of every source to one table of classes with three states: 1 present, 0 absent,
blank not annotated.

A class is annotated at a source if and only if some label of its vocabulary maps to one of the
class's codes. Where it is not, absent and never looked for cannot be told apart, and the column is
blank in every row of the source: a single recording that carries such a class all the same would be
a positive without negatives. The report counts it.

How labels are written (`codes` of a source):

- snomed: SNOMED CT codes, 6 to 18 digits. A code counts whether or not the vocabulary knows it.
  Text is looked up as a native label, so that LUDB's free text and its conversion to codes need one
  entry.
- native: the source's own words, as in the vocabulary.
- aha: statements of the AHA/ACC/HRS recommendation (Mason et al. 2007,
  doi:10.1161/CIRCULATIONAHA.106.180201), a primary code with modifiers joined by '+': `60+310`. The
  most specific entry of the vocabulary speaks alone, the one with the most of the statement's
  modifiers: `147+367` is T inversion and not T abnormality as well (at SPH no recording is both),
  `147+310` is what `147` is. Entries equally specific all speak.

A recording without any label is not one without any class: its fault is 'no-labels'. Nor is one
whose labels nobody understands, neither the vocabulary nor as a code or statement as above:
'unknown-labels', and where that befalls more than half of a source's labelled recordings, its entry
in the catalogue is wrong, a UserError. Where some of them are understood, every class that is not
stated is blank, since nobody knows what else was said. A recording whose labels are all of no
chosen class is absent in every annotated class ('keep') or has the fault 'unscored' ('drop').
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import Diagnosis, is_annotated, select
from ecgpipe.labels.params import LabelParams
from ecgpipe.project import tables
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import safe_files
from ecgpipe.recordings.demographics import SNOMED_CT
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.sources import Source

AHA = re.compile(r"[0-9]{1,3}( *\+ *[0-9]{1,3})*")
Vocabulary = Mapping[str, frozenset[str]]


class Meaning(NamedTuple):
    """Of one label as written: its SNOMED CT codes, whether the vocabulary holds it, whether it is
    a diagnosis."""

    codes: frozenset[str]
    known: bool
    genuine: bool


def chosen(params: LabelParams) -> tuple[Diagnosis, ...]:
    """The classes of the params."""
    return select(params.classes, params.merge_ectopics)


def vocabulary(source: Source, folder: Path) -> Vocabulary:
    """The vocabulary of a source; one of its own (.csv) lies below the source's folder."""
    own = source.vocabulary.endswith(".csv")
    path = Path(folder) / source.vocabulary
    if own and path.exists():
        safe_files.size(path, folder)  # in the folder, whatever it links to
    return vocabularies.vocabulary(path if own else source.vocabulary)


def map_sources(
    descriptions: Mapping[str, Sequence[Description]],
    sources: Mapping[str, Source],
    vocabularies: Mapping[str, Vocabulary],
    classes: Sequence[Diagnosis],
    unscored: Literal["keep", "drop"],
) -> pd.DataFrame:
    """labels.csv of all sources, one below the other (`map_source`)."""
    parts = [
        map_source(name, descriptions[name], source, vocabularies[name], classes, unscored)
        for name, source in sources.items()
    ]
    return pd.concat(parts, ignore_index=True)


def map_source(
    name: str,
    descriptions: Sequence[Description],
    source: Source,
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
    unscored: Literal["keep", "drop"] = "keep",
) -> pd.DataFrame:
    """The rows of labels.csv of one source: IDENTITY columns, then one column per class (NaN: not
    annotated).

    A recording with a fault has NaN in every class. UserError where most labels of the source are
    unknown.
    """
    meanings = meanings_of(descriptions, source, vocabulary, classes)
    values = _values(descriptions, meanings, vocabulary, classes)  # [recording, class]
    faults = faults_of(descriptions, meanings, source)
    _check_understood(name, descriptions, faults, source)
    if unscored == "drop":
        without_class = ~(values == 1).any(axis=1)
        for row in np.flatnonzero(without_class):
            faults[row] = faults[row] or "unscored"
    values[[bool(fault) for fault in faults]] = np.nan
    identity = _identity(name, descriptions).assign(fault=faults)[tables.IDENTITY]
    codes = [diagnosis.code for diagnosis in classes]
    return pd.concat([identity, pd.DataFrame(values, columns=codes)], axis=1)


def _identity(name: str, descriptions: Sequence[Description]) -> pd.DataFrame:
    """What labels.csv says of recordings beside faults and classes: text, '' where unknown, and
    numbers, NaN where unknown."""
    columns: dict[str, object] = {
        "source": name,
        "record": [description.record for description in descriptions],
        "path": [description.path for description in descriptions],
        "patient": [description.patient or "" for description in descriptions],
        "gender": [description.sex or "" for description in descriptions],
    }
    for number in ("age", "rate_hz", "samples"):
        values = [getattr(description, number) for description in descriptions]
        columns[number] = np.array(values, dtype=np.float64)  # None becomes NaN
    return pd.DataFrame(columns)


def snomed(
    label: str, codes: Literal["snomed", "native", "aha"], vocabulary: Vocabulary
) -> frozenset[str] | None:
    """The SNOMED CT codes of one label as written, or None where the source's vocabulary does not
    know it.

    >>> words = {"147": frozenset({"164934002"}), "147+367": frozenset({"59931005"})}
    >>> sorted(snomed("147+310+367", "aha", words)), sorted(snomed("147+310", "aha", words))
    (['59931005'], ['164934002'])
    """
    if codes == "aha":
        return _of_statement(label, vocabulary)
    if codes == "snomed" and any(label in known for known in vocabulary.values()):
        return frozenset({label})
    if codes == "snomed" and label.isdigit():
        return None
    return vocabulary.get(label)


def _of_statement(label: str, vocabulary: Vocabulary) -> frozenset[str] | None:
    """The codes of the entries of the vocabulary that fit an AHA statement most specifically."""
    primary, *modifiers = (part.strip() for part in label.split("+"))
    most = -1
    codes: frozenset[str] | None = None
    for entry, of_entry in vocabulary.items():
        first, *wanted = entry.split("+")
        if first != primary or not set(wanted) <= set(modifiers):
            continue
        if len(wanted) > most:
            most, codes = len(wanted), frozenset()
        if len(wanted) == most:
            codes |= of_entry
    return codes


def meanings_of(
    descriptions: Sequence[Description],
    source: Source,
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> dict[str, Meaning]:
    """What each label of a source means."""
    scored = {code for diagnosis in classes for code in diagnosis.codes}
    meanings: dict[str, Meaning] = {}
    for description in descriptions:
        for label in description.labels:
            if label not in meanings:
                meanings[label] = _meaning(label, source, vocabulary, scored)
    return meanings


def _meaning(label: str, source: Source, vocabulary: Vocabulary, scored: set[str]) -> Meaning:
    codes = snomed(label, source.codes, vocabulary)
    if codes is not None:
        return Meaning(codes, known=True, genuine=True)
    if source.codes == "snomed" and (label in scored or SNOMED_CT.fullmatch(label)):
        return Meaning(frozenset({label}), known=False, genuine=True)
    is_statement = source.codes == "aha" and AHA.fullmatch(label) is not None
    return Meaning(frozenset(), known=False, genuine=is_statement)


def _values(
    descriptions: Sequence[Description],
    meanings: Mapping[str, Meaning],
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> np.ndarray:
    """float64 [recording, class]: 1, 0 or NaN."""
    values = np.zeros((len(descriptions), len(classes)))
    column = {code: index for index, diagnosis in enumerate(classes) for code in diagnosis.codes}
    columns: dict[str, list[int]] = {}
    for label, meaning in meanings.items():
        columns[label] = [column[code] for code in meaning.codes if code in column]
    for row, description in enumerate(descriptions):
        if not all(meanings[label].genuine for label in description.labels):
            values[row] = np.nan  # nobody knows what else was said
        for label in description.labels:
            values[row, columns[label]] = 1.0
    values[:, ~np.array(is_annotated(vocabulary, classes), dtype=bool)] = np.nan
    return values


def faults_of(
    descriptions: Sequence[Description], meanings: Mapping[str, Meaning], source: Source
) -> list[str]:
    """The fault of each recording: the one found before, or that of its labels, or ''."""
    faults = []
    for description in descriptions:
        fault = description.fault or _fault_of_labels(description.labels, meanings, source)
        faults.append(fault)
    return faults


def _fault_of_labels(labels: Sequence[str], meanings: Mapping[str, Meaning], source: Source) -> str:
    if not labels:
        return "no-labels: it states no diagnosis, which is not the same as none; leave it out"
    if any(meanings[label].genuine for label in labels):
        return ""
    kinds = {"snomed": "a SNOMED CT code or ", "native": "", "aha": "an AHA statement or "}
    return (
        f"unknown-labels: {', '.join(map(repr, labels))}: none is {kinds[source.codes]}a label of "
        f"the vocabulary {source.vocabulary}; correct `codes` or the vocabulary"
    )


def _check_understood(
    name: str, descriptions: Sequence[Description], faults: Sequence[str], source: Source
) -> None:
    """UserError where more than half of a source's labelled recordings have labels that nobody
    understands."""
    unknown = [
        description
        for description, fault in zip(descriptions, faults, strict=True)
        if fault.startswith("unknown-labels: ")
    ]
    labelled = len(unknown) + faults.count("")
    if 2 * len(unknown) > labelled:
        raise UserError(
            f"source '{name}': {len(unknown)} of {labelled} labelled recordings have unknown "
            f"labels alone, the first '{unknown[0].labels[0]}' of record {unknown[0].record}; "
            f"correct `codes` (found {source.codes}) of sources.{name}, or its vocabulary "
            f"{source.vocabulary} (a label without a class has a row without a code)"
        )
