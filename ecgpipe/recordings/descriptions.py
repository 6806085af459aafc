"""What headers and tables say of a source's recordings, never a signal byte: who the patients are,
which labels are stated, which recordings could not be read, and which files are left out that look
like recordings."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ecgpipe.recordings import (
    recording,
    refusals,
    safe_files,
    source_files,
    source_tables,
    sources,
    wfdb_header,
    wfdb_leads,
)
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.source_files import Account
from ecgpipe.recordings.source_tables import MetadataRow
from ecgpipe.recordings.sources import Source
from ecgpipe.recordings.wfdb_header import Header

# What labels are, by `codes`.
_WRITTEN = {
    "snomed": "codes of SNOMED CT",
    "native": "words of the source's vocabulary",
    "aha": "AHA statements",
}


class Description(NamedTuple):
    """What headers and tables say of one recording. `path` is relative to the source's folder, with
    forward slashes; `fault` is '' or `reason: message`, and then the rest may be unknown; `flags`
    are the doubts of `wfdb_header`, `not_understood` what is written of the age and sex that is
    neither."""

    record: str
    path: str
    patient: str | None = None
    age: float | None = None
    sex: str | None = None
    rate_hz: float | None = None
    samples: int | None = None
    labels: tuple[str, ...] = ()
    fault: str = ""
    flags: tuple[str, ...] = ()
    not_understood: tuple[tuple[str, str], ...] = ()


def describe(folder: Path, source: Source, account: Account | None = None) -> Iterator[Description]:
    """One description per recording found, sorted by record; then rows of the metadata table
    without a file, with fault 'missing'; then files that look like recordings and are not read,
    with a fault of `source_files.REASONS`. `account` is the folder's, made here where it is not
    given."""
    account = account or source_files.account_of_source(folder, source)
    files = account.recordings
    duplicates = source_files.duplicates(files)
    names = [record for record, _ in files]
    rows = source_tables.metadata(folder, source, names) if source.form == "h5" else {}
    patients = source_tables.patients(folder, source, names)
    above = os.path.join(account.folder, "")  # noqa: PTH118 (pathlib has no path that ends so)
    for record, file in files:
        path = safe_files.shown(str(file).removeprefix(above))
        try:
            if record in duplicates:
                raise Refused("duplicate-record", f"{path}: {refusals.duplicate(record)}")
            if source.form == "wfdb":
                yield _of_header(record, file, path, source, patients, folder)
            else:
                yield _of_row(record, path, source, rows)
        except Refused as refusal:
            fault = f"{refusal.reason}: {safe_files.shown(str(refusal))}"
            yield Description(record, path, fault=fault)
    for record in sorted(rows.keys() - set(names)):
        fault = f"missing: {source.table}: record '{record}' has no .h5 file; fetch it"
        yield Description(record, "", fault=fault)
    yield from _left_out(account)


def _left_out(account: Account) -> Iterator[Description]:
    """One description per file that looks like a recording and is not read."""
    for path, reason in sorted(account.left_out.items()):
        fault = f"{reason}: {path}: {source_files.REASONS[reason]}"
        yield Description(PurePosixPath(path).stem, path, fault=fault)


def _of_header(
    record: str, file: Path, path: str, source: Source, patients: Mapping[str, str], root: Path
) -> Description:
    """The description of one header; Refused where its signal could not be read, or its labels."""
    header = wfdb_header.read(file, path, root)
    wfdb_leads.check(header, file, path)
    clinical, doubts = header.clinical, header.doubts
    if "odd-labels" in doubts:
        rule = f"{_WRITTEN[source.codes]}, separated by commas, in one `Dx` line"
        raise Refused(
            "labels", f"{path}: labels are {rule}; found {_diagnoses(header)}; correct the header"
        )
    if header.samples is not None:
        recording.check_duration(header.samples, header.rate_hz, path)
    return Description(
        record,
        path,
        patient=patients.get(record),
        age=clinical.age,
        sex=clinical.sex,
        rate_hz=header.rate_hz,
        samples=header.samples,
        labels=sources.single(clinical.labels, source),
        flags=doubts,
        not_understood=header.not_understood,
    )


def _diagnoses(header: Header) -> str:
    """The lines of a header that state diagnoses, as written."""
    stating = [text for text in header.comments if text.lower().lstrip("< ").startswith("dx")]
    return "; ".join(repr(text[:80]) for text in stating)


def _of_row(record: str, path: str, source: Source, rows: Mapping[str, MetadataRow]) -> Description:
    """The description of one row of the metadata table; Refused where there is none, or several."""
    if record not in rows:
        step = "add its row or remove the file"
        raise Refused(
            "no-metadata", f"{path}: {source.table} has no row of record '{record}'; {step}"
        )
    row = rows[record]
    if row.times > 1:
        raise Refused(
            "metadata",
            f"{path}: {source.table} has {row.times} rows of record '{record}'; keep one",
        )
    written = [row.labels] if source.codes == "aha" else row.labels.split(",")
    return Description(
        record,
        path,
        patient=row.patient,
        age=row.age,
        sex=row.sex,
        rate_hz=source.rate_hz,
        labels=sources.single(written, source),
        flags=row.flags,
        not_understood=row.not_understood,
    )
