"""HDF5 recordings (.h5): the dataset `ecg` [12 leads, time] of floats in mV, leads in the standard
order, and where it is given the rate as the file's attribute `rate_hz`.

The dataset lies in the file itself: no link to another place, no external or virtual storage, no
filter but those that come with the library (`hdf5_worker`).
"""

import functools
from pathlib import Path

import numpy as np

from ecgpipe.recordings import hdf5_worker, safe_files, wfdb_header
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sandbox import Sandbox

_MOST_BYTES = 2 * safe_files.MOST_BYTES


def read(file: Path, rate_hz: float | None, root: Path) -> tuple[np.ndarray, float]:
    """(float32 [time, 12] in mV, rate) of an HDF5 file below `root`; `rate_hz` is its source's,
    None where that is unknown. `hdf5_worker.handle_request` says what is refused besides."""
    if safe_files.size(file, root) > _MOST_BYTES:
        raise Refused(
            "oversized", f"{file}: an .h5 recording holds {_MOST_BYTES} bytes at most; cut it"
        )
    try:
        values, answer = library().call(str(file.absolute()))
    except Refused as refusal:
        message = str(refusal).replace(str(file.absolute()), str(file))
        raise safe_files.identify(file) or Refused(refusal.reason, message) from None
    return values.T, _agreed(rate_hz, answer["rate_hz"], file)


@functools.cache
def library() -> Sandbox:
    """The one process that runs the HDF5 library."""
    return Sandbox(hdf5_worker, "h5")


def _agreed(of_source: float | None, of_file: float | None, file: Path) -> float:
    """The rate that source and file state, one of them or both; Refused 'rate' where it is none."""
    if of_source and of_file and of_source != of_file:
        rule = f"the file's attribute rate_hz says {of_file:g} Hz, its source {of_source:g} Hz"
        raise Refused("rate", f"{file}: {rule}; correct the one that is wrong")
    rate_hz = of_source or of_file or 0
    slowest, fastest = wfdb_header.SLOWEST_HZ, wfdb_header.FASTEST_HZ
    if not slowest <= rate_hz <= fastest:
        rule = f"the rate in Hz is unknown, or not from {slowest:g} to {fastest:g}"
        step = "give rate_hz of its source or as the file's attribute"
        raise Refused("rate", f"{file}: {rule}, found {rate_hz:g}; {step}")
    return rate_hz
