"""How `predict` and `check` find and read recordings: files and folders, their rate, who the
patients are."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecgpipe.prediction import vendor_formats
from ecgpipe.project import leads
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import refusals, source_tables, suffixes
from ecgpipe.recordings.recording import Recording, read
from ecgpipe.recordings.source_tables import MetadataRow
from ecgpipe.recordings.sources import Source


def of_rate(rate_hz: float) -> Source:
    """What the catalogue would say of .h5 files of which the rate alone is known. UserError where
    it is no rate."""
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise UserError(
            f"--rate-hz: a rate is above 0 Hz, found {rate_hz:g}; give the recordings' sampling rate"
        )
    nothing = {
        "table": None,
        "columns": None,
        "patients": None,
    }  # an entry of the catalogue itself needs a table
    return Source.model_construct(
        form="h5", vocabulary="", codes="native", rate_hz=rate_hz, **nothing
    )


def expand(paths: Iterable[Path], *, strict: bool = True) -> list[Path]:
    """Recording files from folders (all .hea, .h5 and `recordings.suffixes.VENDOR` below, but what
    is hidden), files, and records as WFDB names them: `A1`, `A1.mat` and `A1.dat` are
    `A1.hea`. In order, each once. UserError for a path without any; if not `strict`, such a path
    is kept, and reading it says what is wrong."""
    files: list[Path] = []
    for path in map(Path, paths):
        found = sorted(recordings_below(path)) if path.is_dir() else _single(path)
        if strict and not found:
            raise UserError(
                f"{path}: no such file, or no .hea, .h5 or other recording below this folder"
            )
        files += found or [path]
    return list(dict.fromkeys(files))


def recordings_below(folder: Path) -> Iterator[Path]:
    """The files below a folder that are taken for recordings, by their names; as
    `recordings.sources.find` goes."""
    for parent, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            if path.suffix in suffixes.OF_FORM.values() or _of_vendor(path):
                yield path


def _of_vendor(path: Path) -> bool:
    return path.suffix.lower() in suffixes.VENDOR


def _single(path: Path) -> list[Path]:
    header = (
        path.with_suffix(suffixes.HEADER)
        if path.suffix in (suffixes.MATLAB, suffixes.SIGNAL)
        else path.with_name(path.name + suffixes.HEADER)
    )
    if header.is_file():
        return [header]
    return [path] if path.exists() else []


def people(paths: Iterable[Path], source: Source) -> dict[Path, MetadataRow | None]:
    """The row of each .h5 file of `expand(paths)` in the metadata table, None where there is not
    exactly one for it.

    Empty where the source has no table. UserError where the table is not in the folder given, or a
    file's own.
    """
    found: dict[Path, MetadataRow | None] = {}
    tables: dict[Path, dict[str, MetadataRow]] = {}
    for path in map(Path, paths) if source.table else ():
        files = [
            file
            for file in expand([path], strict=False)
            if file.suffix == suffixes.HDF5 and file.is_file()
        ]
        folder = path if path.is_dir() else path.parent
        if files and folder not in tables:
            try:
                tables[folder] = source_tables.metadata(folder, source)
            except UserError as error:
                raise UserError(
                    f"{error}; or --rate-hz instead of --source: age and sex are unknown then"
                ) from error
        times = Counter(file.stem for file in files)
        for file in files:
            row = tables[folder].get(file.stem)
            found[file] = row if row and row.times == times[file.stem] == 1 else None
    return found


def verdict(
    path: Path, source: Source | None = None, within: Sequence[Path] = ()
) -> tuple[str, str, Recording | None]:
    """('ok' | 'flagged' | 'refused', reason, the recording where it could be read). Nothing is
    opened outside the first folder of `within` that the path lies in, or its own folder."""
    root = next((folder for folder in within if path.is_relative_to(folder)), path.parent)
    try:
        if _of_vendor(path):
            recording = vendor_formats.read(path, root)
        elif path.suffix in suffixes.OWN:
            recording = read(path, source, root)
        else:
            raise _nameless(path)
    except refusals.Refused as refusal:
        return "refused", f"{refusal.reason}: {refusal}{_step(refusal)}", None
    codes = [flag.partition(" (")[0] for flag in recording.faults]
    return ("flagged" if codes else "ok"), "|".join(codes), recording


def _nameless(path: Path) -> refusals.Refused:
    """Why a path whose name is that of no recording is none."""
    if path.is_dir():
        return refusals.Refused("missing", f"{path}: no recording below this folder; name another")
    if not os.path.lexists(path):
        return refusals.Refused(
            "missing",
            f"{path}: no such file, and no {path.name}{suffixes.HEADER}; correct its name",
        )
    known = ", ".join(sorted(suffixes.VENDOR.union(suffixes.OWN)))
    return refusals.Refused(
        "format", f"{path}: a recording ends in one of {known}; give one of these"
    )


def _step(refusal: refusals.Refused) -> str:
    """What one can do here about a refusal, besides what it says itself."""
    if refusal.reason == "rate":
        return "; here: --source NAME (its entry in configs/sources.yaml) or --rate-hz HZ"
    missing = set(str(refusal).partition(", missing ")[2].partition(";")[0].split(", "))
    if refusal.reason == "leads" and missing <= leads.DERIVED:
        return f"; or write a copy with all 12 leads: {leads.LAWS}"
    return ""


def of_person(recording: Recording, row: MetadataRow | None) -> Recording:
    """The recording with age and sex of its row in the metadata table, or flagged 'no-metadata'."""
    if row is None:
        return replace(recording, faults=(*recording.faults, "no-metadata"))
    return replace(recording, age=row.age, sex=row.sex, patient=row.patient)
