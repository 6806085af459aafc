"""Recordings on disk, in WFDB form (.hea with .mat or .dat) or HDF5 form (.h5 with a metadata
table), into `Recording`.

- WFDB: `headers` has the format of the header, `samples` those of the signal files.
- HDF5: dataset `ecg` [lead, time] in mV, leads in the standard order (`parsers`). Labels, age, sex
  and patient stand in the table.

Reading is strict. What cannot be trusted is refused, with a reason:

- of a file: missing, no-file, outside, name, unreadable, crashed; empty, lfs-pointer, web-page,
  pickle, archive.
- of a header: header, segments, rate, leads, gain, units, format; signal (it names another
  record's).
- of the samples: truncated, oversized, checksum, gain (coarse steps), short, flat, non-finite.
- `describe` adds labels, no-metadata, metadata and duplicate-record.

What is odd but usable is flagged by `quality` (the signal) and `headers` (age, sex, labels).
Nothing outside the source's folder is opened: a header names its signal file plainly, in its own
folder, and links are followed inside the source's folder alone (`files`).
"""

import functools
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS, canonical
from ecgpipe.recordings import (
    parsers,
    quality,
    safe_files,
    source_tables,
    sources,
    suffixes,
    wfdb_header,
    wfdb_signals,
)
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sandbox import Sandbox
from ecgpipe.recordings.sources import Source, duplicates, find
from ecgpipe.recordings.wfdb_header import Header, Signal

MIN_S = 1.0
# What one step of a converter can be; above, no wave of an ECG is left. wfdb-python stretches a
# lead over the range of formats 24 and 32, which makes steps far below what any converter has.
LEAST_STEP_MV, MOST_STEP_MV = 1e-7, 0.1
_STRETCHED_MV = {"24": 1e-9, "32": 1e-12}
_LARGEST = 1 << 31
_WHOLE_IN_FLOAT32 = 1 << 24
_MV = {"mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "v": 1e3}


@dataclass(frozen=True)
class Recording:
    """One recording: `signal_mv` float32 [time, 12] in the order of leads.LEADS, every value
    finite, each lead in one piece of memory (signal_mv.T is C-contiguous), so that reductions over
    time run at the machine's speed.

    `age` is in years, `sex` F, M or None, `labels` are as written, `faults` are flags of `quality`.
    """

    signal_mv: np.ndarray
    rate_hz: float
    age: float | None
    sex: str | None
    patient: str | None
    labels: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What headers and tables say of one recording. `path` is relative to the source's folder, with
    forward slashes; `fault` is '' or `reason: message`, and then the rest may be unknown; `flags`
    are the doubts of `headers`."""

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


def describe(folder: Path, source: Source) -> Iterator[Description]:
    """One description per recording found, sorted by record: headers and tables only, never a
    signal byte. Rows of the metadata table without a file come last, with fault 'missing'."""
    found = find(folder, source)
    twice = duplicates(found)
    names = [record for record, _ in found]
    rows = source_tables.metadata(folder, source, names) if source.form == "h5" else {}
    patients = source_tables.patients(folder, source, names)
    for record, file in found:
        path = safe_files.shown(file.relative_to(folder).as_posix())
        try:
            if record in twice:
                raise Refused(
                    "duplicate-record",
                    f"{path}: another file has this record name; rename or remove one",
                )
            if source.form == "wfdb":
                yield _of_header(record, file, path, source, patients, folder)
            else:
                yield _of_row(record, path, source, rows)
        except Refused as refusal:
            yield Description(
                record, path, fault=f"{refusal.reason}: {safe_files.shown(str(refusal))}"
            )
    for record in sorted(rows.keys() - dict(found).keys()):
        yield Description(
            record,
            "",
            fault=f"missing: {source.table}: record '{record}' has no .h5 file; fetch it",
        )


def read(file: Path, source: Source | None = None, root: Path | None = None) -> Recording:
    """One recording from .hea (or its .mat or .dat) or .h5; Refused where it cannot be trusted.

    `source` says how labels are separated, and an HDF5 file's rate; without it the file's attribute
    `rate_hz` does. An HDF5 file holds the signal alone: age, sex, patient and labels are for
    `describe`. Nothing outside `root`, the file's own folder where it is not given, is opened.
    """
    file = Path(file)
    root = file.parent if root is None else root
    doubts: tuple[str, ...] = ()
    if file.suffix == suffixes.HDF5:
        signal_mv, rate_hz = _read_h5(file, source.rate_hz if source else None, root)
        age, sex, labels = None, None, ()
    elif file.suffix in suffixes.OWN:
        beside = file.with_suffix(suffixes.HEADER)
        header = wfdb_header.read(beside, str(beside), root)
        signal_mv, rate_hz = _read_wfdb(beside, header, root), header.rate_hz
        age, sex, labels = header.age, header.sex, sources.single(header.labels, source)
        doubts = header.doubts
    else:
        known = f"{', '.join(suffixes.OWN[:-1])} or {suffixes.OWN[-1]}"
        raise Refused("format", f"{file}: a recording ends in {known}; give one of these")
    signal_mv, faults = usable_signal(signal_mv, rate_hz, str(file))
    return Recording(signal_mv, rate_hz, age, sex, None, labels, (*faults, *doubts))


def _of_header(
    record: str, file: Path, path: str, source: Source, patients: Mapping[str, str], root: Path
) -> Description:
    """The description of one header; Refused where its signal could not be read, or its labels."""
    header = wfdb_header.read(file, path, root)
    _own(_leads(header, path), file, path)
    if "odd-labels" in header.doubts:
        rule = "codes of SNOMED CT, separated by commas, in one `Dx` line"
        raise Refused(
            "labels", f"{path}: labels are {rule}; found {_dx(header)}; correct the header"
        )
    if header.samples is not None:
        _long_enough(header.samples, header.rate_hz, path)
    patient = source_tables.patient(record, patients)
    labels = sources.single(header.labels, source)
    said = (header.age, header.sex, header.rate_hz, header.samples, labels)
    return Description(record, path, patient, *said, flags=header.doubts)


def _dx(header: Header) -> str:
    """The lines of a header that state diagnoses, as written."""
    return "; ".join(
        repr(text[:80]) for text in header.comments if text.lower().lstrip("< ").startswith("dx")
    )


def _of_row(
    record: str, path: str, source: Source, rows: Mapping[str, source_tables.MetadataRow]
) -> Description:
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
    labels = sources.single(
        (row.labels,) if source.codes == "aha" else row.labels.split(","), source
    )
    said = (row.patient, row.age, row.sex, source.rate_hz, None, labels)
    return Description(record, path, *said, flags=row.flags)


def _leads(header: Header, where: str) -> list[Signal]:
    """The signal lines of the 12 leads in the standard order; Refused 'leads', 'gain', 'units' or
    'format'."""
    found: dict[str, Signal] = {}
    for signal in header.signals:
        lead = canonical(signal.name)
        if lead in found:
            raise Refused(
                "leads",
                f"{where}: lead {lead} stands twice, each lead stands once; correct the header",
            )
        if lead is not None:
            found[lead] = signal
    absent = [lead for lead in LEADS if lead not in found]
    if absent:
        raise Refused(
            "leads",
            f"{where}: all 12 standard leads are needed, missing {', '.join(absent)}; leave it out",
        )
    for name in {signal.file for signal in found.values()}:
        if "/" in name or "\\" in name or name in (".", "..", "~", "-"):
            raise Refused(
                "format",
                f"{where}: signal file '{name[:80]}' is not in the header's folder; move it",
            )
    for lead, signal in found.items():
        unit = _MV.get(signal.units.lower())
        if unit is None and (signal.gain is None or not math.isnan(signal.gain)):
            rule = f"units are mV, uV or V, found '{signal.units[:80]}'"
            raise Refused("units", f"{where}: lead {lead}: {rule}; convert it")
        step_mv = unit / signal.gain if unit and signal.gain else 0.0
        least_mv = _STRETCHED_MV.get(signal.format, LEAST_STEP_MV)
        if not least_mv <= step_mv < math.inf or abs(signal.baseline) > _LARGEST:
            raise _no_gain(lead, signal, where)
    return [found[lead] for lead in LEADS]


def _no_gain(lead: str, signal: Signal, where: str) -> Refused:
    """What to say of a lead whose steps are none."""
    rule = f"the gain is a number but 0, a step from {LEAST_STEP_MV:g} to {MOST_STEP_MV:g} mV, the baseline of 32 bits"
    text = signal.gain is not None and math.isnan(signal.gain)
    found = f"'{signal.units[:80]}'" if text else f"{signal.gain} a {signal.units[:80]}"
    return Refused(
        "gain", f"{where}: lead {lead}: {rule}, found {found} and {signal.baseline}; correct it"
    )


def _own(wanted: list[Signal], file: Path, where: str) -> None:
    """Refused 'signal' where a header names the signal file of another record, which has a header
    beside it."""
    for name in dict.fromkeys(signal.file for signal in wanted):
        stem = name.rpartition(".")[0] or name
        if stem != file.stem and os.path.lexists(file.with_name(stem + suffixes.HEADER)):
            raise Refused(
                "signal",
                f"{where}: its file {name} is record {stem}'s; correct the header or remove it",
            )


def _read_wfdb(file: Path, header: Header, root: Path) -> np.ndarray:
    """float32 [time, 12] in mV, NaN where a sample is missing; Refused where header and signal file
    disagree."""
    wanted = _leads(header, str(file))
    _own(wanted, file, str(file))
    digital, missing = wfdb_signals.read(file, header, wanted, root)
    steps_mv = [_MV[signal.units.lower()] / signal.gain for signal in wanted]
    if max(steps_mv) > MOST_STEP_MV:
        _fine_enough(digital, missing, wanted, steps_mv, str(file))
    signal_mv = _in_mv(digital, missing, wanted, steps_mv)
    if missing.any():
        signal_mv[missing] = np.nan
    return signal_mv


def _in_mv(
    digital: np.ndarray, missing: np.ndarray, wanted: list[Signal], steps_mv: list[float]
) -> np.ndarray:
    """Whole steps to float32 mV: the same steps give the same mV, whatever format they came in."""
    baselines = [signal.baseline for signal in wanted]
    most = 0 if digital.dtype == np.int16 else _farthest(digital, missing)
    if max(most, max(baselines), -min(baselines)) < _WHOLE_IN_FLOAT32:
        signal_mv = digital.astype(np.float32)
        if any(baselines):
            signal_mv -= np.array(baselines, dtype=np.float32)
        signal_mv *= np.array(steps_mv, dtype=np.float32)
        return signal_mv
    signal_mv = np.empty(digital.shape, dtype=np.float32, order="F")
    for index, (baseline, step_mv) in enumerate(zip(baselines, steps_mv, strict=True)):
        signal_mv[:, index] = (digital[:, index].astype(np.float64) - baseline) * step_mv
    return signal_mv


def _farthest(digital: np.ndarray, missing: np.ndarray) -> int:
    """The known step that is farthest from 0, lead by lead to save memory."""
    known = (column[~lost] for column, lost in zip(digital.T, missing.T, strict=True))
    return max((max(int(one.max()), -int(one.min())) for one in known if one.size), default=0)


def _fine_enough(
    digital: np.ndarray,
    missing: np.ndarray,
    wanted: list[Signal],
    steps_mv: list[float],
    where: str,
) -> None:
    """Refused 'gain' where a lead that is not constant has coarse steps. One that is (an electrode
    off) has no step of its own: wfdb-python writes `1(1)/mV` for it."""
    for index, step_mv in enumerate(steps_mv):
        if step_mv > MOST_STEP_MV:
            known = digital[~missing[:, index], index]
            if known.size and known.min() != known.max():
                raise _no_gain(LEADS[index], wanted[index], where)


def _read_h5(file: Path, rate_hz: float | None, root: Path) -> tuple[np.ndarray, float]:
    """(float32 [time, 12] in mV, rate) of an HDF5 file; `recordings.parsers.read_h5` says what is
    refused."""
    if safe_files.size(file, root) > 2 * safe_files.MOST_BYTES:
        raise Refused(
            "oversized",
            f"{file}: an .h5 recording holds {2 * safe_files.MOST_BYTES} bytes at most; cut it",
        )
    try:
        values, said = _h5().call(str(file.absolute()))
    except Refused as refusal:
        message = str(refusal).replace(str(file.absolute()), str(file))
        raise safe_files.identify(file) or Refused(refusal.reason, message) from None
    if rate_hz and said["rate_hz"] and rate_hz != said["rate_hz"]:
        rule = (
            f"the file's attribute rate_hz says {said['rate_hz']:g} Hz, its source {rate_hz:g} Hz"
        )
        raise Refused("rate", f"{file}: {rule}; correct the one that is wrong")
    rate_hz = rate_hz or said["rate_hz"] or 0
    if not wfdb_header.SLOWEST_HZ <= rate_hz <= wfdb_header.FASTEST_HZ:
        rule = f"the rate in Hz is unknown, or not from {wfdb_header.SLOWEST_HZ:g} to {wfdb_header.FASTEST_HZ:g}"
        step = "give rate_hz of its source or as the file's attribute"
        raise Refused("rate", f"{file}: {rule}, found {rate_hz:g}; {step}")
    return values.T, rate_hz


@functools.cache
def _h5() -> Sandbox:
    """The one process that runs the HDF5 library."""
    return Sandbox(parsers, "h5")


def _long_enough(samples: int, rate_hz: float, where: str) -> None:
    """Refused 'short' below 1 s."""
    if samples < MIN_S * rate_hz:
        raise Refused(
            "short",
            f"{where}: a recording lasts {MIN_S:g} s or longer, found {samples / rate_hz:.3g} s; drop it",
        )


def usable_signal(
    signal_mv: np.ndarray, rate_hz: float, where: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(the signal [time, 12] with every value finite, its flags); Refused 'short', 'non-finite' or
    'flat'."""
    _long_enough(len(signal_mv), rate_hz, where)
    faults = quality.flags(signal_mv, rate_hz)
    try:
        whole = quality.bridged(signal_mv) if "non-finite" in faults else signal_mv
    except UserError as error:
        raise Refused("non-finite", f"{where}: {error}; leave it out") from error
    if "flat-lead" in faults and quality.flat(whole).all():
        raise Refused(
            "flat", f"{where}: all leads span less than {quality.FLAT_MV} mV; leave it out"
        )
    return whole, faults
