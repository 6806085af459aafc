"""How `predict` and `check` find and read recordings: files and folders, their rate, who the
patients are."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ecgpipe.prediction import vendor_formats
from ecgpipe.project import leads
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import recording, refusals, source_files, source_tables, suffixes
from ecgpipe.recordings.recording import Recording
from ecgpipe.recordings.source_tables import MetadataRow
from ecgpipe.recordings.sources import Source


def source_of_rate(rate_hz: float) -> Source:
    """What the catalogue would say of .h5 files of which the rate alone is known. UserError where
    it is no rate."""
    if not (math.isfinite(rate_hz) and rate_hz > 0):
        rule = f"a rate is above 0 Hz, found {rate_hz:g}"
        raise UserError(f"--rate-hz: {rule}; give the recordings' sampling rate")
    # Not validated: an entry of the catalogue itself needs a table.
    return Source.model_construct(
        form="h5",
        vocabulary="",
        codes="native",
        rate_hz=rate_hz,
        table=None,
        columns=None,
        patients=None,
    )


def expand(paths: Iterable[Path], *, strict: bool = True) -> list[Path]:
    """Recording files from folders (all .hea, .h5 and `suffixes.VENDOR` below, but what is
    hidden), files, and records as WFDB names them: `A1`, `A1.mat` and `A1.dat` are `A1.hea`. In
    order, each once. UserError for a path without any; if not `strict`, such a path is kept, and
    reading it says what is wrong."""
    files: list[Path] = []
    for path in map(Path, paths):
        recordings = recordings_below(path) if path.is_dir() else _single(path)
        if strict and not recordings:
            raise UserError(f"{path}: {_nothing(path)}; name another")
        files += recordings or [path]
    return list(dict.fromkeys(files))


def recordings_below(folder: Path) -> list[Path]:
    """The files below a folder that are taken for recordings, by their names, sorted."""
    return sorted(file for _, file in source_files.account(folder, None).recordings)


def check_forms(files: Sequence[Path]) -> None:
    """UserError where none of the files that were named is a recording by its name."""
    is_any = any(
        file.suffix in suffixes.OWN or suffixes.is_vendor_format(file.name) for file in files
    )
    if files and not is_any:
        raise UserError(str(_no_recording(files[0])))


def left_out(folders: Iterable[Path]) -> Counter[str]:
    """Reason -> how many recordings below these folders nobody reads
    (`source_files.Account.unread`)."""
    counts: Counter[str] = Counter()
    for folder in folders:
        counts += source_files.account(folder, None).unread()
    return counts


def _nothing(path: Path) -> str:
    """What is wrong with a path without recordings."""
    if not path.is_dir():
        return "no such file"
    held = source_files.among(source_files.account(path, None))
    return f"no .hea, .h5 or other recording below this folder{held}"


def _single(path: Path) -> list[Path]:
    """The recording file that a path without folder stands for: its header, else itself; [] where
    there is neither."""
    is_signal_file = path.suffix in (suffixes.MATLAB, suffixes.SIGNAL)
    stem = path.with_suffix("") if is_signal_file else path
    header = stem.with_name(stem.name + suffixes.HEADER)
    if header.is_file():
        return [header]
    return [path] if path.exists() else []


def metadata_rows(paths: Iterable[Path], source: Source) -> dict[Path, MetadataRow | None]:
    """The row of each .h5 file of `expand(paths)` in the metadata table, None where there is not
    exactly one for it.

    Empty where the source has no table. UserError where the table is not in the folder given, or a
    file's own.
    """
    if not source.table:
        return {}
    rows: dict[Path, MetadataRow | None] = {}
    tables: dict[Path, dict[str, MetadataRow]] = {}
    for path in map(Path, paths):
        expanded = expand([path], strict=False)
        files = [file for file in expanded if file.suffix == suffixes.HDF5 and file.is_file()]
        folder = path if path.is_dir() else path.parent
        if files and folder not in tables:
            tables[folder] = _metadata(folder, source, [file.stem for file in files])
        times = Counter(file.stem for file in files)
        for file in files:
            row = tables[folder].get(file.stem)
            rows[file] = row if row and row.times == times[file.stem] == 1 else None
    return rows


def _metadata(folder: Path, source: Source, records: list[str]) -> dict[str, MetadataRow]:
    try:
        return source_tables.metadata(folder, source, records, labelled=False)
    except UserError as error:
        step = "or --rate-hz instead of --source: age and sex are unknown then"
        raise UserError(f"{error}; {step}") from error


def read(
    path: Path, source: Source | None = None, within: Sequence[Path] = ()
) -> tuple[str, str, Recording | None]:
    """('ok' | 'flagged' | 'refused', reason, the recording where it could be read). Nothing is
    opened outside the first folder of `within` that the path lies in, or its own folder."""
    root = next((folder for folder in within if path.is_relative_to(folder)), path.parent)
    try:
        content = _read(path, source, root)
    except refusals.Refused as refusal:
        return "refused", f"{refusal.reason}: {refusal}{_next_step(refusal)}", None
    codes = [flag.partition(" (")[0] for flag in content.faults]
    return ("flagged" if codes else "ok"), "|".join(codes), content


def _read(path: Path, source: Source | None, root: Path) -> Recording:
    if suffixes.is_vendor_format(path.name):
        return vendor_formats.read(path, root)
    if path.suffix in suffixes.OWN:
        return recording.read(path, source, root)
    raise _no_recording(path)


def _no_recording(path: Path) -> refusals.Refused:
    """Why a path whose name is that of no recording is none."""
    if path.is_dir():
        return refusals.Refused("missing", f"{path}: no recording below this folder; name another")
    if not os.path.lexists(path):
        rule = f"no such file, and no {path.name}{suffixes.HEADER}"
        return refusals.Refused("missing", f"{path}: {rule}; correct its name")
    known = ", ".join(sorted(suffixes.VENDOR.union(suffixes.OWN)))
    rule = f"a recording ends in one of {known}"
    return refusals.Refused("format", f"{path}: {rule}; give one of these")


def _next_step(refusal: refusals.Refused) -> str:
    """What one can do here about a refusal, besides what it says itself."""
    if refusal.reason == "rate":
        return f"; here: --source NAME (its entry in {SOURCES}) or --rate-hz HZ"
    missing = set(str(refusal).partition(", missing ")[2].partition(";")[0].split(", "))
    if refusal.reason == "leads" and missing <= leads.DERIVED:
        return f"; or write a copy with all 12 leads: {leads.LAWS}"
    return ""


def with_metadata(content: Recording, row: MetadataRow | None) -> Recording:
    """The recording with age and sex of its row in the metadata table, or flagged 'no-metadata'."""
    if row is None:
        return replace(content, faults=(*content.faults, "no-metadata"))
    return replace(content, age=row.age, sex=row.sex, patient=row.patient)
