"""The tables that lie beside recordings, in their source's folder, which DVC tracks.

- metadata table of an HDF5 source: one row per recording with its labels, and age, sex, patient
  where known.
- patients table of a WFDB source (PTB-XL: ptbxl_database.csv): record names, or the number in a
  record's name (HR00017 is 17), and patients. Where the file is absent no patient is known, and a
  warning says so.

Both are CSV in UTF-8 with or without a byte order mark; the catalogue (`sources`) names their
columns.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecgpipe.project import tables
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import demographics, safe_files
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sources import Columns, Patients, Source

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class MetadataRow:
    """One row of a metadata table; `times` it stands there. `labels` is text as written; `flags`
    are odd-age and odd-sex (`demographics.doubts`)."""

    labels: str
    patient: str | None
    age: float | None
    sex: str | None
    times: int = 1
    flags: tuple[str, ...] = ()


def metadata(
    folder: Path, source: Source, records: Sequence[str] = (), *, labelled: bool = True
) -> dict[str, MetadataRow]:
    """Record -> row of an HDF5 source's table, which needs a column of labels where it is
    `labelled`. UserError where the table or a column is missing, or where it has a row of none of
    `records`."""
    assert source.table is not None and source.columns is not None, "the form h5 has both"
    path, columns = Path(folder) / source.table, source.columns
    rows: dict[str, MetadataRow] = {}
    for cells in _read(path, columns, folder, optional=() if labelled else ("labels",)):
        record = cells[columns.record].strip()
        if record in rows:
            rows[record] = replace(rows[record], times=rows[record].times + 1)
        else:
            rows[record] = _row(cells, columns)
    first = next(iter(records), None)
    if first is not None and rows.keys().isdisjoint(records):
        raise UserError(
            f"{path}: it has a row of no .h5 file: the first is '{first}', its column "
            f"{columns.record} begins with '{next(iter(rows), 'nothing')}'; name the column that "
            "holds record names"
        )
    return rows


def _row(cells: Mapping[str, str], columns: Columns) -> MetadataRow:
    age = cells[columns.age] if columns.age else ""
    sex = cells[columns.sex] if columns.sex else ""
    return MetadataRow(
        labels=cells.get(columns.labels, ""),
        patient=(_id(cells[columns.patient]) or None) if columns.patient else None,
        age=demographics.age(age),
        sex=demographics.sex(sex),
        flags=demographics.doubts([age], [sex]),
    )


def patients(folder: Path, source: Source, records: Sequence[str] = ()) -> dict[str, str]:
    """Record name, or number as digits -> patient; empty where the source names no such table or it
    is absent.

    UserError where it knows none of `records`: then folds would part a patient's recordings
    unseen."""
    if source.patients is None:
        return {}
    columns = source.patients
    path = Path(folder) / columns.table
    if not path.is_file():
        _LOG.warning(
            "%s: no such table of patients; each recording counts as a patient of its own", path
        )
        return {}
    rows = _read(path, columns, folder)
    known = {_id(cells[columns.record]): _id(cells[columns.patient]) for cells in rows}
    first = next(iter(records), None)
    if first is not None and not any(patient(record, known) for record in records):
        raise UserError(
            f"{path}: it tells of the patient of no recording: the first is '{first}', its column "
            f"{columns.record} begins with '{next(iter(known), 'nothing')}'; give record names "
            "there, or the number they end in"
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


def _read(
    path: Path, columns: Columns | Patients, root: Path, optional: Sequence[str] = ()
) -> list[dict[str, str]]:
    """The rows of a CSV below `root` that has all the columns named, but for those that are
    `optional`; short rows are filled with ''."""
    try:
        text = safe_files.table(path, root)
    except Refused as refusal:
        if refusal.reason != "missing":
            raise
        raise UserError(
            f"{path}: no such table; put it there or correct the source's table"
        ) from None
    names, rows = tables.parse_rows(text, path)
    wanted = columns.model_dump(exclude={"table", *optional}, exclude_none=True).values()
    absent = [name for name in wanted if name not in names]
    if absent:
        raise UserError(f"{path}: no column {', '.join(absent)} (there: {', '.join(names)})")
    return rows


def _id(text: str) -> str:
    """An id as text: PTB-XL writes patient 15709 as `15709.0`.

    >>> _id("15709.0"), _id(" S00001 "), _id("nan")
    ('15709', 'S00001', '')
    """
    text = text.strip()
    if text.lower() == "nan":
        return ""
    whole = text.removesuffix(".0")
    return whole if whole.isdigit() else text
