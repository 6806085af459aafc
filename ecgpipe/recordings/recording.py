"""Recordings on disk, in WFDB form (.hea with .mat or .dat) or HDF5 form (.h5 with a metadata
table), into `Recording`.

- WFDB: `wfdb_header` has the format of the header, `wfdb_signals` those of the signal files.
- HDF5: dataset `ecg` [lead, time] in mV, leads in the standard order (`hdf5`). Labels, age, sex and
  patient stand in the table.

Reading is strict. What cannot be trusted is refused, with a reason:

- of a file: missing, no-file, outside, name, unreadable, crashed; empty, lfs-pointer, web-page,
  pickle, archive.
- of a header: header, segments, rate, leads, gain, units, format; signal (it names another
  record's).
- of the samples: truncated, oversized, checksum, gain (coarse steps), short, flat, non-finite,
  range (int16 does not hold them in microvolts: the unit, or an artefact).
- `descriptions` adds labels, no-metadata, metadata and duplicate-record.

What is odd but usable is flagged by `quality` (the signal) and `wfdb_header` (age, sex, labels).
Nothing outside the source's folder is opened: a header names its signal file plainly, in its own
folder, and links are followed inside the source's folder alone (`safe_files`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgpipe.project.errors import UserError
from ecgpipe.recordings import hdf5, quality, sources, suffixes, wfdb_header, wfdb_leads
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sources import Source

MIN_S = 1.0
_ARTEFACT = 0.01  # the largest share of a recording's values that is taken for one


@dataclass(frozen=True)
class Recording:
    """One recording: `signal_mv` float32 [time, 12] in the order of leads.LEADS, every value
    finite, each lead in one piece of memory (signal_mv.T is C-contiguous), so that reductions over
    time run at the machine's speed.

    `age` is in years, `sex` F, M or None, `labels` are as written, `faults` are flags of `quality`;
    `not_understood` is what the header says of the age and sex that is neither.
    """

    signal_mv: np.ndarray
    rate_hz: float
    age: float | None
    sex: str | None
    patient: str | None
    labels: tuple[str, ...]
    faults: tuple[str, ...]
    not_understood: tuple[tuple[str, str], ...] = ()


def read(file: Path, source: Source | None = None, root: Path | None = None) -> Recording:
    """One recording from .hea (or its .mat or .dat) or .h5; Refused where it cannot be trusted.

    `source` says how labels are separated, and an HDF5 file's rate; without it the file's attribute
    `rate_hz` does. An HDF5 file holds the signal alone: age, sex, patient and labels are for
    `descriptions`. Nothing outside `root`, the file's own folder where it is not given, is opened.
    """
    root = file.parent if root is None else root
    if file.suffix == suffixes.HDF5:
        signal_mv, rate_hz = hdf5.read(file, source.rate_hz if source else None, root)
        signal_mv, flags = usable_signal(signal_mv, rate_hz, str(file))
        return Recording(signal_mv, rate_hz, None, None, None, (), flags)
    if file.suffix not in suffixes.OWN:
        known = f"{', '.join(suffixes.OWN[:-1])} or {suffixes.OWN[-1]}"
        raise Refused("format", f"{file}: a recording ends in {known}; give one of these")
    beside = file if file.suffix == suffixes.HEADER else file.with_suffix(suffixes.HEADER)
    header = wfdb_header.read(beside, str(beside), root)
    signal_mv = wfdb_leads.read(beside, header, root)
    signal_mv, flags = usable_signal(signal_mv, header.rate_hz, str(file))
    labels = sources.single(header.labels, source)
    flags = (*flags, *header.doubts)
    return Recording(
        signal_mv,
        header.rate_hz,
        header.age,
        header.sex,
        None,
        labels,
        flags,
        header.not_understood,
    )


def check_duration(samples: int, rate_hz: float, where: str) -> None:
    """Refused 'short' below 1 s."""
    if samples < MIN_S * rate_hz:
        rule = f"a recording lasts {MIN_S:g} s or longer, found {samples / rate_hz:.3g} s"
        raise Refused("short", f"{where}: {rule}; drop it")


def usable_signal(
    signal_mv: np.ndarray, rate_hz: float, where: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(the signal [time, 12] with every value finite, its flags); Refused 'short', 'non-finite',
    'flat' or 'range'."""
    check_duration(len(signal_mv), rate_hz, where)
    flags = quality.flags(signal_mv, rate_hz)
    try:
        whole = quality.bridged(signal_mv) if "non-finite" in flags else signal_mv
    except UserError as error:
        raise Refused("non-finite", f"{where}: {error}; leave it out") from error
    if "flat-lead" in flags and quality.flat(whole).all():
        step = "leave it out, or correct its unit or gain"
        raise Refused("flat", f"{where}: all leads span less than {quality.FLAT_MV} mV; {step}")
    if "out-of-range" in flags:
        _check_range(whole, where)
    return whole, flags


def _check_range(signal_mv: np.ndarray, where: str) -> None:
    """Refused 'range' where [time, lead] does not fit into int16 microvolts, each lead about its
    median."""
    away = np.abs(signal_mv - np.median(signal_mv, axis=0))
    share = (away > quality.HOLDS_MV).mean()
    if share:
        is_unit = share > _ARTEFACT
        step = "correct its unit or gain (microvolts taken for mV?)" if is_unit else "cut it out"
        rule = f"a lead stays within {quality.HOLDS_MV} mV of its median"
        raise Refused(
            "range",
            f"{where}: {rule}, found {away.max():.4g} mV and {share:.2%} of all values beyond; "
            f"{step}, or leave it out",
        )
