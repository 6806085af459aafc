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
    values = _values(descriptions, meanings, vocabulary, classes)
    faults = faults_of(descriptions, meanings, source)
    _understood(name, descriptions, faults, source)
    if unscored == "drop":
        faults = [
            fault or ("" if (row == 1).any() else "unscored")
            for fault, row in zip(faults, values, strict=True)
        ]
    values[[bool(fault) for fault in faults]] = np.nan
    table = pd.DataFrame(
        {
            "source": name,
            "record": [d.record for d in descriptions],
            "path": [d.path for d in descriptions],
            "patient": [d.patient or "" for d in descriptions],
            "age": np.array(
                [np.nan if d.age is None else d.age for d in descriptions], dtype=np.float64
            ),
            "gender": [d.sex or "" for d in descriptions],
            "rate_hz": np.array(
                [np.nan if d.rate_hz is None else d.rate_hz for d in descriptions], dtype=np.float64
            ),
            "samples": np.array(
                [np.nan if d.samples is None else d.samples for d in descriptions], dtype=np.float64
            ),
            "fault": faults,
        },
        columns=tables.IDENTITY,
    )
    return pd.concat(
        [table, pd.DataFrame(values, columns=[diagnosis.code for diagnosis in classes])], axis=1
    )


def snomed(
    label: str, codes: Literal["snomed", "native", "aha"], vocabulary: Vocabulary
) -> frozenset[str] | None:
    """The SNOMED CT codes of one label as written, or None where the source's vocabulary does not
    know it.

    >>> words = {"147": frozenset({"164934002"}), "147+367": frozenset({"59931005"})}
    >>> sorted(snomed("147+310+367", "aha", words)), sorted(snomed("147+310", "aha", words))
    (['59931005'], ['164934002'])
    """
    if codes == "snomed" and any(label in said for said in vocabulary.values()):
        return frozenset({label})
    if codes == "snomed" and label.isdigit():
        return None
    if codes in ("snomed", "native"):
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


def meanings_of(
    descriptions: Sequence[Description],
    source: Source,
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> dict[str, Meaning]:
    """What each label of a source means."""
    scored = {code for diagnosis in classes for code in diagnosis.codes}
    meanings = {}
    for label in dict.fromkeys(
        label for description in descriptions for label in description.labels
    ):
        said = snomed(label, source.codes, vocabulary)
        if said is not None:
            meanings[label] = Meaning(said, known=True, genuine=True)
        elif source.codes == "snomed" and (label in scored or SNOMED_CT.fullmatch(label)):
            meanings[label] = Meaning(frozenset({label}), known=False, genuine=True)
        else:
            statement = source.codes == "aha" and AHA.fullmatch(label) is not None
            meanings[label] = Meaning(frozenset(), known=False, genuine=statement)
    return meanings


def _values(
    descriptions: Sequence[Description],
    meanings: Mapping[str, Meaning],
    vocabulary: Vocabulary,
    classes: Sequence[Diagnosis],
) -> np.ndarray:
    """float64 [recording, class]: 1, 0 or NaN."""
    values = np.zeros((len(descriptions), len(classes)))
    column = {code: index for index, diagnosis in enumerate(classes) for code in diagnosis.codes}
    meant = {
        label: [column[code] for code in said.codes if code in column]
        for label, said in meanings.items()
    }
    for row, description in enumerate(descriptions):
        if not all(meanings[label].genuine for label in description.labels):
            values[row] = np.nan
        for label in description.labels:
            values[row, meant[label]] = 1.0
    values[:, [not said for said in is_annotated(vocabulary, classes)]] = np.nan
    return values


def faults_of(
    descriptions: Sequence[Description], meanings: Mapping[str, Meaning], source: Source
) -> list[str]:
    """The fault of each recording: the one found before, or that of its labels, or ''."""
    kind = {"snomed": "a SNOMED CT code or ", "native": "", "aha": "an AHA statement or "}[
        source.codes
    ]
    rule = f"none is {kind}a label of the vocabulary {source.vocabulary}; correct `codes` or the vocabulary"
    faults = []
    for description in descriptions:
        if description.fault:
            faults.append(description.fault)
        elif not description.labels:
            faults.append(
                "no-labels: it states no diagnosis, which is not the same as none; leave it out"
            )
        elif any(meanings[label].genuine for label in description.labels):
            faults.append("")
        else:
            faults.append(
                f"unknown-labels: {', '.join(repr(label) for label in description.labels)}: {rule}"
            )
    return faults


def _understood(
    name: str, descriptions: Sequence[Description], faults: Sequence[str], source: Source
) -> None:
    """UserError where more than half of a source's labelled recordings have labels that nobody
    understands."""
    unknown = [
        d
        for d, fault in zip(descriptions, faults, strict=True)
        if fault.startswith("unknown-labels: ")
    ]
    labelled = len(unknown) + faults.count("")
    if 2 * len(unknown) > labelled:
        raise UserError(
            f"source '{name}': {len(unknown)} of {labelled} labelled recordings have unknown labels alone, the first "
            f"'{unknown[0].labels[0]}' of record {unknown[0].record}; correct `codes` (found {source.codes}) of "
            f"sources.{name}, or its vocabulary {source.vocabulary} (a label without a class has a row without a code)"
        )
