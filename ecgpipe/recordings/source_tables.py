"""The tables beside a source's recordings.

- metadata table of an HDF5 source: CSV, one row per recording with its labels, and age, sex,
  patient where known.
- patients table of a WFDB source (PTB-XL: ptbxl_database.csv): CSV of record names, or of the
  number in a record's name (HR00017 is 17), and patients. Where the file is absent no patient is
  known, and a warning says so.
- vocabulary of one's own: `native_label,snomed_ct`, a name that ends in .csv
  (`diagnoses.vocabularies` reads it).

All are UTF-8 with or without a byte order mark, and lie in the source's folder, which DVC tracks.
"""

import csv
import io
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecgpipe.project.errors import UserError
from ecgpipe.project.params import Section
from ecgpipe.recordings import safe_files, wfdb_header
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sources import Source

_log = logging.getLogger(__name__)


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
