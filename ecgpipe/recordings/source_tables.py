"""The tables that lie beside recordings, in their source's folder, which DVC tracks.

- metadata table of an HDF5 source: one row per recording with its labels, and age, sex, patient
  where known.
- patients table of a WFDB source (PTB-XL: ptbxl_database.csv): record names, or the number in a
  record's name (HR00017 is 17, 017 or 00017), and patients. Where the file is absent and not
  `required` no patient is known, and a warning says so.

Both are CSV in the forms that `csv_files` reads; the catalogue (`sources`) names their columns, and
`spreadsheet_ids` has what is made of ids that a spreadsheet changed.
"""

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecgpipe.project import csv_files
from ecgpipe.project.csv_files import Row
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import demographics, safe_files, spreadsheet_ids
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sources import Columns, Patients, Source

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class MetadataRow:
    """One row of a metadata table; `times` it stands there. `labels` is text as written; `flags`
    are odd-age and odd-sex (`demographics.doubts`), of `not_understood`."""

    labels: str
    patient: str | None
    age: float | None
    sex: str | None
    times: int = 1
    flags: tuple[str, ...] = ()
    not_understood: tuple[tuple[str, str], ...] = ()


def metadata(
    folder: Path, source: Source, records: Sequence[str], *, labelled: bool = True
) -> dict[str, MetadataRow]:
    """Record -> row of an HDF5 source's table. UserError where the table or a column is missing,
    and if it has a row of none of `records`, which are all of the source.

    Where it need not be `labelled`, `records` may be some, and labels are not read."""
    assert source.table is not None and source.columns is not None, "the form h5 has both"
    path, columns = Path(folder) / source.table, source.columns
    written = _read(path, columns, folder, without=() if labelled else ("labels",))
    found = frozenset(records)
    padded = spreadsheet_ids.padded([row.cells[columns.record] for row in written], found)
    rows: dict[str, MetadataRow] = {}
    for line, cells in written:
        record = _record(cells[columns.record], found, f"{path}: line {line}")
        record = padded.get(record, record)
        if record in rows:
            rows[record] = replace(rows[record], times=rows[record].times + 1)
        else:
            rows[record] = _row(cells, columns, source.codes)
    if labelled and records:
        _check_ids(written, path, columns, records)
        _check_rows(rows, records, path, columns.record)
    return rows


def _record(written: str, found: Collection[str], where: str) -> str:
    """The record that a row speaks of: `1.0` is `1`, unless there is a recording of that name."""
    if not written:
        raise UserError(f"{where}: a row without a record's name; name it or remove the row")
    return written if written in found else spreadsheet_ids.whole(written)


def _row(cells: Mapping[str, str], columns: Columns, codes: str) -> MetadataRow:
    age = cells[columns.age] if columns.age else ""
    sex = cells[columns.sex] if columns.sex else ""
    labels = cells.get(columns.labels, "")
    return MetadataRow(
        labels=labels if codes == "native" else spreadsheet_ids.whole(labels),
        patient=(_id(cells[columns.patient]) or None) if columns.patient else None,
        age=demographics.age(age),
        sex=demographics.sex(sex),
        flags=demographics.doubts([age], [sex]),
        not_understood=demographics.not_understood([age], [sex]),
    )


def _check_rows(
    rows: Mapping[str, MetadataRow], records: Sequence[str], path: Path, column: str
) -> None:
    """UserError where none of the files has a row: the table or the column is another."""
    if rows.keys().isdisjoint(records):
        raise UserError(
            f"{path}: it has a row of no .h5 file: the first is '{records[0]}', its column "
            f"{column} begins with '{next(iter(rows), 'nothing')}'; name the column that holds "
            "record names"
        )


def patients(folder: Path, source: Source, records: Sequence[str]) -> dict[str, str]:
    """Record -> patient, for those of `records` whose patient is known; empty where the source
    names no table of patients, or none that is required and it is absent.

    UserError where it is absent all the same, knows none of `records`, or gives one of them two
    patients: then folds would part a patient's recordings unseen."""
    if source.patients is None:
        return {}
    columns = source.patients
    path = Path(folder) / columns.table
    if not path.is_file() and not columns.required:
        _LOG.warning(
            "%s: no such table of patients; each recording counts as a patient of its own", path
        )
        return {}
    written = _read(path, columns, folder)
    _check_ids(written, path, columns, records)
    said = _Statements(path, columns, written, frozenset(records))
    known = {}
    for record in records:
        if patient := said.patient(record):
            known[record] = patient
    if records and not known:
        begins = written[0].cells[columns.record] if written else "nothing"
        raise UserError(
            f"{path}: it tells of the patient of no recording: the first is '{records[0]}', its "
            f"column {columns.record} begins with '{begins}'; give record names there, or the "
            "number they end in"
        )
    return known


class _Statements:
    """What the rows of a table of patients say, by record name and by number."""

    def __init__(
        self, path: Path, columns: Patients, written: Sequence[Row], records: frozenset[str]
    ) -> None:
        self._path, self._column, self._records = path, columns.record, records
        self._named: dict[str, tuple[int, str]] = {}  # record as written -> line, patient
        self._numbered: dict[int, list[str]] = {}  # number -> records as written
        for line, cells in written:
            name = _record(cells[columns.record], records, f"{path}: line {line}")
            if patient := _id(cells[columns.patient]):
                before = self._named.setdefault(name, (line, patient))
                if before[1] != patient:
                    raise self._contradiction(name, before, (line, patient))
            if name.isascii() and name.isdigit():
                self._numbered.setdefault(int(name), []).append(name)

    def patient(self, record: str) -> str:
        """The patient of a record, by its name and by the number that its name ends in; '' where
        none is known. UserError where these are two."""
        number = re.search(r"[0-9]+$", record)
        aliases = self._numbered.get(int(number[0]), []) if number else []
        # A row that names another recording speaks of that one alone.
        names = [record, *(name for name in aliases if name not in self._records)]
        stated = [self._named[name] for name in dict.fromkeys(names) if name in self._named]
        stated.sort()  # by line
        for other in stated[1:]:
            if other[1] != stated[0][1]:
                raise self._contradiction(record, stated[0], other)
        return stated[0][1] if stated else ""

    def _contradiction(
        self, record: str, one: tuple[int, str], other: tuple[int, str]
    ) -> UserError:
        (line, patient), (other_line, other_patient) = one, other
        return UserError(
            f"{self._path}: record '{record}' is of patient '{patient}' in line {line} and of "
            f"'{other_patient}' in line {other_line}; a recording has one patient, correct a row"
        )


def _check_ids(
    written: Sequence[Row], path: Path, columns: Columns | Patients, records: Sequence[str]
) -> None:
    """UserError where a spreadsheet changed the names of records or the ids of patients."""
    names = [(line, spreadsheet_ids.whole(cells[columns.record])) for line, cells in written]
    spreadsheet_ids.check_records(names, frozenset(records), path, columns.record)
    if columns.patient:
        ids = [(line, _id(cells[columns.patient])) for line, cells in written]
        ids = [(line, text) for line, text in ids if text]
        spreadsheet_ids.check_patients(ids, path, columns.patient)


def _read(
    path: Path, columns: Columns | Patients, root: Path, without: Collection[str] = ()
) -> list[Row]:
    """The rows of a CSV below `root` that has all the columns named, but for those `without`."""
    try:
        content = safe_files.content(path, root, safe_files.MOST_TABLE)
    except Refused as refusal:
        if refusal.reason != "missing":
            raise
        raise UserError(
            f"{path}: no such table; put it there or correct the source's table"
        ) from None
    no_columns = {"table", "required", *without}
    wanted = columns.model_dump(exclude=no_columns, exclude_none=True).values()
    return csv_files.parse(content, path, list(wanted))


def _id(text: str) -> str:
    """A patient's id: PTB-XL writes patient 15709 as `15709.0`; `nan` is what pandas writes where
    there is none.

    >>> _id("15709.0"), _id("S00001"), _id("nan")
    ('15709', 'S00001', '')
    """
    return "" if text.lower() == "nan" else spreadsheet_ids.whole(text)
