"""The catalogue of sources: how each is read (`sources.<name>` in params.yaml), its files, and the
tables beside them.

- metadata table of an HDF5 source: CSV, one row per recording with its labels, and age, sex,
  patient where known.
- patients table of a WFDB source (PTB-XL: ptbxl_database.csv): CSV of record names, or of the
  number in a record's name (HR00017 is 17), and patients. Where the file is absent no patient is
  known, and a warning says so.
- vocabulary of one's own: `native_label,snomed_ct`, a name that ends in .csv (`diagnoses` reads
  it).

All are UTF-8 with or without a byte order mark, and lie in the source's folder, which DVC tracks.
"""

import csv
import io
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ecgpipe.project import params
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import NAME, Section
from ecgpipe.recordings import demographics, safe_files, suffixes, wfdb_header
from ecgpipe.recordings.refusals import Refused

_log = logging.getLogger(__name__)


class Columns(Section):
    """Column names of an HDF5 source's metadata table."""

    record: str
    labels: str
    patient: str | None = None
    age: str | None = None
    sex: str | None = None


class Patients(Section):
    """An optional table that tells a WFDB source's patients: `record` holds record names or their
    numbers."""

    table: str
    record: str
    patient: str


class Source(Section):
    """`sources.<name>` in params.yaml: how one source is read. `vocabulary` is a name of
    `diagnoses.vocabularies.vocabularies`, or a CSV of one's own below the source's folder."""

    form: Literal["wfdb", "h5"]
    vocabulary: str
    codes: Literal["snomed", "native", "aha"]
    rate_hz: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    table: str | None = None
    columns: Columns | None = None
    patients: Patients | None = None

    @field_validator("vocabulary")
    @classmethod
    def _below_the_folder(cls, name: str) -> str:
        if name.endswith(".csv") and (
            PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts
        ):
            raise ValueError(
                "a vocabulary of one's own lies below its source's folder; move it there, give its name"
            )
        return name

    @model_validator(mode="after")
    def _tables_below_the_folder(self) -> "Source":
        for name in (self.table, self.patients.table if self.patients else None):
            if name and (PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts):
                raise ValueError(
                    f"a table lies below its source's folder, found {name}; move it there, give its name"
                )
        return self

    @model_validator(mode="after")
    def _fits_its_form(self) -> "Source":
        of_h5 = {"rate_hz": self.rate_hz, "table": self.table, "columns": self.columns}
        wrong = [key for key, value in of_h5.items() if (value is None) == (self.form == "h5")]
        if wrong:
            raise ValueError(
                f"form {self.form} {'needs' if self.form == 'h5' else 'has no'} {', '.join(wrong)}"
            )
        tables = (self.table, self.patients.table if self.patients else None)
        if PurePosixPath(self.vocabulary) in [PurePosixPath(table) for table in tables if table]:
            raise ValueError(
                f"vocabulary and table are two files, found {self.vocabulary} as both; name another"
            )
        return self


class DataParams(Section):
    """`data` in params.yaml: where the sources lie, which are in use, and which share of a source's
    recordings may be refused."""

    root: str
    max_refused: float = Field(ge=0, le=1)
    sources: list[Annotated[str, Field(pattern=NAME)]] = Field(min_length=1)

    @field_validator("sources")
    @classmethod
    def _no_doubles(cls, names: list[str]) -> list[str]:
        doubles = [name for name, times in Counter(names).items() if times > 1]
        if doubles:
            raise ValueError(f"each source once; {', '.join(doubles)} stands more than once")
        return names

    def folder(self, name: str) -> Path:
        """The folder of one source: its name in the catalogue is its folder's, as dvc.yaml needs to
        know it too."""
        return Path(self.root) / name


@dataclass(frozen=True)
class MetadataRow:
    """One row of a metadata table; `times` it stands there. `labels` is text as written; `flags`
    are odd-age and odd-sex, as of headers (`headers.Header.doubts`)."""

    labels: str
    patient: str | None
    age: float | None
    sex: str | None
    times: int = 1
    flags: tuple[str, ...] = ()


def in_use(values: Mapping[str, Any]) -> dict[str, Source]:
    """The sources that `data.sources` of the whole params file names, checked; UserError lists
    every fault."""
    names = params.section(DataParams, values, "data").sources
    known = values.get("sources") or {}
    problems = [
        f"data.sources: '{name}' has no entry under sources (there: {', '.join(known)})"
        for name in names
        if name not in known
    ]
    for name in names:
        if name in known:
            problems += params.faults(Source, known[name], f"sources.{name}")
    if problems:
        raise UserError("params.yaml:\n  " + "\n  ".join(problems))
    return {name: Source.model_validate(known[name]) for name in names}


def find(folder: Path, source: Source) -> list[tuple[str, Path]]:
    """(record, file) of every header or .h5 file below `folder`, sorted; hidden files, and what
    lies in hidden folders (snapshots, checkpoints of notebooks), are no recordings.

    Linked files count, linked folders below `folder` are not entered. UserError where nothing is
    found.
    """
    suffix = suffixes.OF_FORM[source.form]
    if not Path(folder).is_dir():
        raise UserError(
            f"{folder}: no such folder; put the source there or correct data.root or the source's folder"
        )
    found = []
    for parent, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        ours = [name for name in names if name.endswith(suffix) and not name.startswith(".")]
        found += [(safe_files.shown(name[: -len(suffix)]), Path(parent, name)) for name in ours]
    if not found:
        raise UserError(
            f"{folder}: a source of form {source.form} holds {suffix} files, found none; check the folder"
        )
    return sorted(found)


def duplicates(found: list[tuple[str, Path]]) -> frozenset[str]:
    """The record names that stand more than once in what `find` returned: none of their files can
    be trusted."""
    return frozenset(
        record for record, times in Counter(record for record, _ in found).items() if times > 1
    )


def metadata(folder: Path, source: Source, records: Sequence[str] = ()) -> dict[str, MetadataRow]:
    """Record -> row of an HDF5 source's table. UserError where the table or a column is missing,
    or where it has a row of none of `records`."""
    assert source.table is not None and source.columns is not None, "the form h5 has both"
    path, columns, found = Path(folder) / source.table, source.columns, {}
    for row in _rows(path, columns, folder):
        record = row[columns.record].strip()
        if record in found:
            found[record] = replace(found[record], times=found[record].times + 1)
            continue
        patient, age, sex = (
            row[name] if name else "" for name in (columns.patient, columns.age, columns.sex)
        )
        said = wfdb_header.Header(
            record, 0, None, (), (f"Age: {age}", f"Sex: {sex}")
        )  # a header judges both
        found[record] = MetadataRow(
            row[columns.labels], _id(patient) or None, said.age, said.sex, flags=said.doubts
        )
    first = next(iter(records), None)
    if first is not None and found.keys().isdisjoint(records):
        rule = f"it has a row of no .h5 file: the first is '{first}', its column {columns.record} begins with"
        raise UserError(
            f"{path}: {rule} '{next(iter(found), 'nothing')}'; name the column that holds record names"
        )
    return found


def patients(folder: Path, source: Source, records: Sequence[str] = ()) -> dict[str, str]:
    """Record name, or number as digits -> patient; empty where the source names no such table or it
    is absent.

    UserError where it knows none of `records`: then folds would part a patient's recordings
    unseen."""
    if source.patients is None:
        return {}
    path = Path(folder) / source.patients.table
    if not path.is_file():
        _log.warning(
            "%s: no such table of patients; each recording counts as a patient of its own", path
        )
        return {}
    rows = _rows(path, source.patients, folder)
    known = {_id(row[source.patients.record]): _id(row[source.patients.patient]) for row in rows}
    first = next(iter(records), None)
    if first is not None and not any(patient(record, known) for record in records):
        told = next(iter(known), "nothing")
        raise UserError(
            f"{path}: it tells of the patient of no recording: the first is '{first}', its column "
            f"{source.patients.record} begins with '{told}'; give record names there, or the number they end in"
        )
    return known


def patient(record: str, patients: Mapping[str, str]) -> str | None:
    """The patient of a record: by its name, else by the number that its name ends in.

    >>> patient("HR00017", {"17": "11275"}), patient("HR00018", {"17": "11275"})
    ('11275', None)
    """
    if not patients:
        return None
    number = re.search(r"[0-9]+$", record)
    by_number = patients.get(str(int(number[0]))) or patients.get(number[0]) if number else None
    return patients.get(record) or by_number or None


def single(labels: Iterable[str], source: Source | None) -> tuple[str, ...]:
    """Labels as a header or table separates them -> single labels: AHA statements end at ';'."""
    if source is None or source.codes != "aha":
        return demographics.cleaned(labels)
    return demographics.cleaned(part for label in labels for part in label.split(";"))


def _rows(path: Path, columns: Section, root: Path) -> list[dict[str, str]]:
    """The rows of a CSV below `root` that has all the columns named; short rows are filled with
    ''."""
    try:
        text = safe_files.table(path, root)
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        names = [
            name
            for key, name in columns.model_dump().items()
            if name is not None and key != "table"
        ]
        absent = [name for name in names if name not in (reader.fieldnames or [])]
        if absent:
            raise UserError(
                f"{path}: no column {', '.join(absent)} (there: {', '.join(reader.fieldnames or [])})"
            )
        return list(reader)
    except csv.Error as error:
        raise UserError(f"{path}: no readable CSV table ({error}); save it anew") from error
    except Refused as refusal:
        if refusal.reason != "missing":
            raise
        raise UserError(
            f"{path}: no such table; put it there or correct the source's table"
        ) from None


def _id(text: str) -> str:
    """An id as text: PTB-XL writes patient 15709 as `15709.0`.

    >>> _id("15709.0"), _id(" S00001 "), _id("nan")
    ('15709', 'S00001', '')
    """
    text = text.strip()
    whole = text.removesuffix(".0")
    return "" if text.lower() == "nan" else whole if whole.isdigit() else text
