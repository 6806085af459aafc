"""Native labels of every source to one table of classes with three states: 1 present, 0 absent,
blank not annotated.

A class is annotated at a source if and only if some label of its vocabulary maps to one of the
class's codes. Where it is not, absent and never looked for cannot be told apart, and the column is
blank in every row of the source: a single recording that carries such a class all the same would be
a positive without negatives. The report counts it.

`meanings` has what labels say, and which of them nobody understands. Beside a label that nobody
understands every class that is not stated is blank, since nobody knows what else was said.

A recording without any label is not one without any class: its fault is 'no-labels'. Nor is one
whose labels nobody understands: 'unknown-labels'. A recording whose labels are all of no chosen
class is absent in every annotated class ('keep') or has the fault 'unscored' ('drop').

Where more than half of a source's labelled recordings carry a label that nobody understands, or
more than half of all have none (no label, or no row in the table that holds them), its entry in the
catalogue names the wrong codes, vocabulary or column: a UserError.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import Diagnosis, is_annotated, select
from ecgpipe.labels.meanings import Meaning, Vocabulary, hint, meanings_of
from ecgpipe.labels.params import LabelParams
from ecgpipe.project import tables
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import safe_files
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.sources import Source

# Faults of recordings that the reader does not refuse.
_OF_LABELS = ("no-labels: ", "unknown-labels: ", "no-metadata: ")


def chosen(params: LabelParams) -> tuple[Diagnosis, ...]:
    """The classes of the params."""
    return select(params.classes, params.merge_ectopics)


def vocabulary(source: Source, folder: Path) -> Vocabulary:
    """The vocabulary of a source; one of its own (.csv) lies below the source's folder. UserError
    where it has a label that would be taken for several."""
    own = source.vocabulary.endswith(".csv")
    path = Path(folder) / source.vocabulary
    if own and path.exists():
        safe_files.size(path, folder)  # in the folder, whatever it links to
    meant = vocabularies.vocabulary(path if own else source.vocabulary)
    parted = next((label for label in meant if "," in label), "")
    if own and source.codes != "aha" and parted:
        rule = "a comma separates labels, so that no recording has one that holds it"
        step = "write it without comma, here and in the recordings"
        raise UserError(f"{path}: label '{parted}': {rule}; {step}")
    return meant


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

    A recording with a fault has NaN in every class. UserError where most recordings have no label,
    or one that nobody understands.
    """
    meanings = meanings_of(descriptions, source, vocabulary, classes)
    values = _values(descriptions, meanings, vocabulary, classes)  # [recording, class]
    faults = faults_of(descriptions, meanings, source, vocabulary)
    _check_labels(name, descriptions, meanings, faults, source, vocabulary)
    if unscored == "drop":
        without_class = ~(values == 1).any(axis=1)
        for row in np.flatnonzero(without_class):
            faults[row] = faults[row] or "unscored"
    values[[bool(fault) for fault in faults]] = np.nan
    identity = _identity(name, descriptions, faults)
    codes = [diagnosis.code for diagnosis in classes]
    return pd.concat([identity, pd.DataFrame(values, columns=codes)], axis=1)


def _identity(
    name: str, descriptions: Sequence[Description], faults: Sequence[str]
) -> pd.DataFrame:
    """What labels.csv says of recordings beside classes: text, '' where unknown, and numbers, NaN
    where unknown."""
    columns: dict[str, object] = {
        "source": name,
        "record": [description.record for description in descriptions],
        "path": [description.path for description in descriptions],
        "patient": [description.patient or "" for description in descriptions],
        "gender": [description.sex or "" for description in descriptions],
        "fault": faults,
    }
    for number in ("age", "rate_hz", "samples"):
        values = [getattr(description, number) for description in descriptions]
        columns[number] = np.array(values, dtype=np.float64)  # None becomes NaN
    return pd.DataFrame(columns, columns=tables.IDENTITY)


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
    rows, positives = [], []
    for row, description in enumerate(descriptions):
        for label in description.labels:
            if not meanings[label].genuine:
                values[row] = np.nan  # nobody knows what else was said
            rows += [row] * len(columns[label])
            positives += columns[label]
    values[rows, positives] = 1.0
    values[:, ~np.array(is_annotated(vocabulary, classes), dtype=bool)] = np.nan
    return values


def faults_of(
    descriptions: Sequence[Description],
    meanings: Mapping[str, Meaning],
    source: Source,
    vocabulary: Vocabulary,
) -> list[str]:
    """The fault of each recording: the one found before, or that of its labels, or ''."""
    faults = []
    for description in descriptions:
        of_labels = _fault_of_labels(description.labels, meanings, source, vocabulary)
        faults.append(description.fault or of_labels)
    return faults


def _fault_of_labels(
    labels: Sequence[str],
    meanings: Mapping[str, Meaning],
    source: Source,
    vocabulary: Vocabulary,
) -> str:
    if not labels:
        return (
            "no-labels: it states no diagnosis, which is not the same as none "
            f"({_looked_for(source)}); write its labels there, or leave it out"
        )
    if any(meanings[label].genuine for label in labels):
        return ""
    written = ", ".join(repr(label) + hint(label, source.codes, vocabulary) for label in labels)
    kinds = {"snomed": "a known SNOMED CT code or ", "native": "", "aha": "an AHA statement or "}
    return (
        f"unknown-labels: {written}: none is {kinds[source.codes]}a label of the vocabulary "
        f"{source.vocabulary}; correct `codes` or the vocabulary"
    )


def _check_labels(
    name: str,
    descriptions: Sequence[Description],
    meanings: Mapping[str, Meaning],
    faults: Sequence[str],
    source: Source,
    vocabulary: Vocabulary,
) -> None:
    """UserError where more than half of a source's recordings state no diagnosis, or of those that
    do carry a label that nobody understands."""
    readable = []
    for description, fault in zip(descriptions, faults, strict=True):
        if not fault or fault.startswith(_OF_LABELS):
            readable.append(description)
    labelled = [description for description in readable if description.labels]
    unlabelled = len(readable) - len(labelled)
    if 2 * unlabelled > len(readable):
        first = next(description.record for description in readable if not description.labels)
        raise UserError(
            f"source '{name}': {unlabelled} of {len(readable)} recordings state no diagnosis, the "
            f"first is {first}; {_where_labels_stand(name, source)}, give normal recordings a "
            "label that says so, and take recordings that nobody labelled out of the folder"
        )
    _check_understood(name, labelled, meanings, source, vocabulary)


def _check_understood(
    name: str,
    labelled: Sequence[Description],
    meanings: Mapping[str, Meaning],
    source: Source,
    vocabulary: Vocabulary,
) -> None:
    """UserError where more than half of the labelled recordings carry a label that nobody
    understands."""
    unknown: dict[str, str] = {}  # record -> its first unknown label
    for description in labelled:
        for label in description.labels:
            if not meanings[label].genuine:
                unknown.setdefault(description.record, label)
    if 2 * len(unknown) > len(labelled):
        record, label = next(iter(unknown.items()))
        raise UserError(
            f"source '{name}': {len(unknown)} of {len(labelled)} labelled recordings have unknown "
            f"labels, the first '{label}'{hint(label, source.codes, vocabulary)} of record "
            f"{record}; correct `codes` (found {source.codes}) of sources.{name}, or its "
            f"vocabulary {source.vocabulary} (a label without a class has a row without a code)"
        )


def _looked_for(source: Source) -> str:
    """Where a recording without labels has none."""
    if source.columns is None:
        return "its header has none in a line `#Dx: `"
    return f"its row of {source.table} has none in the column {source.columns.labels}"


def _where_labels_stand(name: str, source: Source) -> str:
    """What to correct where no labels are found."""
    if source.columns is None:
        return "write them into the headers, as `#Dx: `"
    return f"name their column in sources.{name}.columns.labels (found {source.columns.labels})"
