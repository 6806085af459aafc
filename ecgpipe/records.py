"""Recordings on disk, in WFDB form (.hea with .mat or .dat) or HDF5 form (.h5 with a metadata table), into `Recording`.

- WFDB: `headers` has the format of the header. Signals of format 16 are read here: int16, little endian, the signals of
  one file interleaved, after the byte offset, -32768 a missing sample; every other format is read by the wfdb package.
- HDF5: dataset `ecg` [lead, time] in mV, leads in the standard order. Labels, age, sex and patient stand in the table.

Reading is strict. What cannot be trusted is refused, with a reason: format, leads, gain, units, missing, truncated,
oversized, checksum, short, flat, non-finite, unreadable, rate; `describe` adds header, no-metadata and
duplicate-record. What is odd but usable is flagged by `quality`.
Nothing outside the source's folder is opened: a header names its signal file plainly, in its own folder.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgpipe import catalogue, headers, quality
from ecgpipe.catalogue import Params as Params
from ecgpipe.catalogue import Source, duplicates, find
from ecgpipe.catalogue import in_use as in_use
from ecgpipe.headers import Header, Signal
from ecgpipe.leads import LEADS, canonical

MIN_S = 1.0
_MISSING = -32768
_MV = {"mv": 1.0, "uv": 1e-3, "\u00b5v": 1e-3, "\u03bcv": 1e-3, "v": 1e3}


@dataclass(frozen=True)
class Recording:
    """One recording: `signal_mv` float32 [time, 12] in the order of leads.LEADS, every value finite, each lead in one
    piece of memory (signal_mv.T is C-contiguous), so that reductions over time run at the machine's speed.

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
    """What headers and tables say of one recording. `path` is relative to the source's folder, with forward slashes;
    `fault` is '' or `reason: message`, and then the rest may be unknown."""

    record: str
    path: str
    patient: str | None = None
    age: float | None = None
    sex: str | None = None
    rate_hz: float | None = None
    samples: int | None = None
    labels: tuple[str, ...] = ()
    fault: str = ""


class Refused(ValueError):  # noqa: N818 (it is what happened to a recording)
    """A recording that cannot be trusted: `reason` is a short code, the text names file, rule, value and next step."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple:
        """Lets it travel between processes."""
        return type(self), (self.reason, str(self))


def describe(folder: Path, source: Source) -> Iterator[Description]:
    """One description per recording found, sorted by record: headers and tables only, never a signal byte.

    Rows of the metadata table without a file come last, with fault 'missing'.
    """
    found = find(folder, source)
    twice = duplicates(found)
    rows = catalogue.metadata(folder, source) if source.form == "h5" else {}
    patients = catalogue.patients(folder, source)
    for record, file in found:
        path = file.relative_to(folder).as_posix()
        try:
            if record in twice:
                raise Refused("duplicate-record", f"{path}: another file has this record name; rename or remove one")
            if source.form == "wfdb":
                yield _of_header(record, file, path, source, patients)
            else:
                yield _of_row(record, path, source, rows)
        except Refused as refusal:
            yield Description(record, path, fault=f"{refusal.reason}: {refusal}")
    for record in sorted(rows.keys() - dict(found).keys()):
        yield Description(record, "", fault=f"missing: {source.table}: record '{record}' has no .h5 file; fetch it")


def read(file: Path, source: Source | None = None) -> Recording:
    """One recording from .hea (or its .mat or .dat) or .h5; Refused where it cannot be trusted.

    `source` says how labels are separated, and an HDF5 file's rate; without it the file's attribute `rate_hz` does.
    An HDF5 file holds the signal alone: age, sex, patient and labels are for `describe`.
    """
    file = Path(file)
    if file.suffix == ".h5":
        signal_mv, rate_hz = _read_h5(file, source.rate_hz if source else None)
        age, sex, labels = None, None, ()
    elif file.suffix in (".hea", ".mat", ".dat"):
        beside = file.with_suffix(".hea")
        header = _header(beside, str(beside))
        signal_mv, rate_hz = _read_wfdb(beside, header), header.rate_hz
        age, sex, labels = header.age, header.sex, catalogue.single(header.labels, source)
    else:
        raise Refused("format", f"{file}: a recording ends in .hea, .mat, .dat or .h5; give one of these")
    signal_mv, faults = checked(signal_mv, rate_hz, str(file))
    return Recording(signal_mv, rate_hz, age, sex, None, labels, faults)


def _header(file: Path, where: str) -> Header:
    """A header, or Refused 'missing', 'unreadable' or 'header'."""
    try:
        return headers.read(file, where)
    except FileNotFoundError:
        raise Refused("missing", f"{where}: no such header; give the path of a .hea file") from None
    except OSError as error:
        raise Refused("unreadable", f"{where}: cannot be read ({error.strerror}); check the disk") from error
    except ValueError as error:
        raise Refused("header", str(error)) from error


def _of_header(record: str, file: Path, path: str, source: Source, patients: Mapping[str, str]) -> Description:
    """The description of one header; Refused where its signal could not be read."""
    header = _header(file, path)
    _leads(header, path)
    if header.samples is not None:
        _long_enough(header.samples, header.rate_hz, path)
    patient = catalogue.patient(record, patients)
    labels = catalogue.single(header.labels, source)
    return Description(record, path, patient, header.age, header.sex, header.rate_hz, header.samples, labels)


def _of_row(record: str, path: str, source: Source, rows: Mapping[str, catalogue.Row]) -> Description:
    """The description of one row of the metadata table; Refused where there is none, or several."""
    if record not in rows:
        step = "add its row or remove the file"
        raise Refused("no-metadata", f"{path}: {source.table} has no row of record '{record}'; {step}")
    row = rows[record]
    if row.times > 1:
        raise Refused("metadata", f"{path}: {source.table} has {row.times} rows of record '{record}'; keep one")
    labels = catalogue.single((row.labels,) if source.codes == "aha" else row.labels.split(","), source)
    return Description(record, path, row.patient, row.age, row.sex, source.rate_hz, None, labels)


def _leads(header: Header, where: str) -> list[Signal]:
    """The signal lines of the 12 leads in the standard order; Refused 'leads', 'gain', 'units' or 'format'."""
    found: dict[str, Signal] = {}
    for signal in header.signals:
        if "/" in signal.file or "\\" in signal.file or signal.file in (".", ".."):
            raise Refused("format", f"{where}: signal file '{signal.file}' is not in the header's folder; move it")
        lead = canonical(signal.name)
        if lead in found:
            raise Refused("leads", f"{where}: lead {lead} stands twice, each lead stands once; correct the header")
        if lead is not None:
            found[lead] = signal
    absent = [lead for lead in LEADS if lead not in found]
    if absent:
        raise Refused("leads", f"{where}: all 12 standard leads are needed, missing {', '.join(absent)}; leave it out")
    for lead, signal in found.items():
        if not signal.gain or not math.isfinite(signal.gain):
            raise Refused("gain", f"{where}: lead {lead}: the gain is a number but 0, found {signal.gain}; correct it")
        if signal.units.lower() not in _MV:
            raise Refused("units", f"{where}: lead {lead}: units are mV, uV or V, found '{signal.units}'; convert it")
    return [found[lead] for lead in LEADS]


def _read_wfdb(file: Path, header: Header) -> np.ndarray:
    """float32 [time, 12] in mV, NaN where a sample is missing; Refused where header and signal file disagree."""
    wanted = _leads(header, str(file))
    plain = all(s.format == "16" and s.samples_per_frame == 1 and s.skew == 0 for s in wanted)
    for name in dict.fromkeys(signal.file for signal in wanted):
        if not (file.parent / name).is_file():
            raise Refused("missing", f"{file}: signal file {name} does not exist; fetch it")
    try:
        digital, missing = (_format_16 if plain else _other_format)(file, header, wanted)
    except OSError as error:
        raise Refused("unreadable", f"{file}: its signals cannot be read ({error}); check the disk") from error
    _sums(digital, wanted, file)
    exact = np.float32 if digital.dtype == np.int16 else np.float64  # float32 holds 24 bits
    signal_mv = digital.astype(exact)
    signal_mv -= np.array([signal.baseline for signal in wanted], dtype=exact)
    signal_mv *= np.array([_MV[signal.units.lower()] / signal.gain for signal in wanted], dtype=exact)
    np.copyto(signal_mv, np.nan, where=missing)
    return signal_mv.astype(np.float32, copy=False)


def _format_16(file: Path, header: Header, wanted: list[Signal]) -> tuple[np.ndarray, np.ndarray]:
    """int16 [time, 12], each lead in one piece, and where samples are missing."""
    columns, places = [], []
    for name in dict.fromkeys(signal.file for signal in wanted):
        lines = [signal for signal in header.signals if signal.file == name]
        offset, path, width = lines[0].byte_offset, file.parent / name, 2 * len(lines)
        if any(line[1:5] != lines[0][1:5] for line in lines):
            raise Refused("format", f"{file}: the signals of {name} differ in format or byte offset; correct it")
        held = path.stat().st_size - offset
        samples = header.samples if header.samples is not None else max(held, 0) // width
        if held != samples * width:
            reason = "truncated" if held < samples * width else "oversized"
            rule = f"the header tells of {samples * width + offset} bytes"
            raise Refused(reason, f"{path}: {rule}, found {held + offset}; fetch it anew")
        columns.append(np.frombuffer(path.read_bytes(), dtype="<i2", offset=offset).reshape(samples, len(lines)))
        places += lines
    if len({len(block) for block in columns}) > 1:
        raise Refused("truncated", f"{file}: its signal files differ in length; fetch them anew")
    digital = np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0]
    digital = digital if places == wanted else digital[:, [places.index(signal) for signal in wanted]]
    digital = np.asfortranarray(digital)
    return digital, digital == _MISSING


def _other_format(file: Path, header: Header, wanted: list[Signal]) -> tuple[np.ndarray, np.ndarray]:
    """Whole steps [time, 12], and where samples are missing, of any format that the wfdb package reads."""
    import wfdb

    order = [header.signals.index(signal) for signal in wanted]
    try:
        record = wfdb.rdrecord(str(file.with_suffix("")), channels=order, physical=False)
        return np.asfortranarray(record.d_signal), np.isnan(record.dac())
    except Exception as error:  # wfdb raises whatever its parsing meets
        raise Refused("unreadable", f"{file}: wfdb cannot read its signals ({error}); fetch it anew") from error


def _sums(digital: np.ndarray, wanted: list[Signal], file: Path) -> None:
    """Refused 'checksum' where a lead's samples do not fit the first value and the 16-bit sum that the header gives.

    Leads sampled several times a frame, or skewed, come changed from the wfdb package and are not checked.
    """
    if not len(digital):
        return
    totals = digital.sum(axis=0, dtype=digital.dtype)  # 16 bits or more: what runs over is a multiple of 2^16
    for signal, first, total in zip(wanted, digital[0].tolist(), totals.tolist(), strict=True):
        if signal.samples_per_frame > 1 or signal.skew:
            continue
        if signal.initial is not None and first != signal.initial:
            found = f"first value: the header says {signal.initial}, found {first}"
        elif signal.checksum is not None and (total - signal.checksum) % 0x10000:
            found = f"checksum: the header says {signal.checksum}, found {(total + 0x8000) % 0x10000 - 0x8000}"
        else:
            continue
        raise Refused("checksum", f"{file}: lead {signal.name}: {found}; fetch it anew")


def _read_h5(file: Path, rate_hz: float | None) -> tuple[np.ndarray, float]:
    """(float32 [time, 12] in mV, rate) of an HDF5 file."""
    import h5py

    if not file.is_file():
        raise Refused("missing", f"{file}: no such file; give the path of an .h5 file")
    try:
        with h5py.File(file, "r") as opened:
            link = opened.get("ecg", getlink=True)
            data = opened["ecg"] if isinstance(link, h5py.HardLink) else None
            if not isinstance(data, h5py.Dataset) or data.dtype.kind != "f" or data.external or data.is_virtual:
                raise Refused("format", f"{file}: an .h5 recording holds a dataset 'ecg' of floats; convert it")
            if data.ndim != 2 or data.shape[0] != len(LEADS):
                raise Refused("leads", f"{file}: 'ecg' is [12 leads, time], found {data.shape}; convert it")
            rate_hz = rate_hz or float(opened.attrs.get("rate_hz", 0))
            signal_mv = np.ascontiguousarray(data[:], dtype=np.float32).T
    except Refused:
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError, TypeError for broken files
        raise Refused("unreadable", f"{file}: no readable HDF5 file ({error}); fetch it anew") from error
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise Refused(
            "rate", f"{file}: the rate in Hz is unknown; give rate_hz of its source or as the file's attribute"
        )
    return signal_mv, rate_hz


def _long_enough(samples: int, rate_hz: float, where: str) -> None:
    """Refused 'short' below 1 s."""
    if samples < MIN_S * rate_hz:
        raise Refused(
            "short", f"{where}: a recording lasts {MIN_S:g} s or longer, found {samples / rate_hz:.3g} s; drop it"
        )


def checked(signal_mv: np.ndarray, rate_hz: float, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(the signal [time, 12] with every value finite, its flags); Refused 'short', 'non-finite' or 'flat'."""
    _long_enough(len(signal_mv), rate_hz, where)
    faults = quality.flags(signal_mv, rate_hz)
    try:
        whole = quality.bridged(signal_mv) if "non-finite" in faults else signal_mv
    except ValueError as error:
        raise Refused("non-finite", f"{where}: {error}; leave it out") from error
    if "flat-lead" in faults and quality.flat(whole).all():
        raise Refused("flat", f"{where}: all leads span less than {quality.FLAT_MV} mV; leave it out")
    return whole, faults
