"""What the HDF5 library reads of one file (`hdf5` has the format).

It is compiled code that believes what a file declares, so it runs in a process of its own
(`sandbox`), started as `python -m ecgpipe.recordings.hdf5_worker h5`.
"""

import importlib
from typing import Any

import numpy as np

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import safe_files, sandbox
from ecgpipe.recordings.refusals import Refused

_SPARE = 1 << 25  # bytes of memory that the library itself may take
_FILTERS = {1, 2, 3, 32000}  # gzip, shuffle, fletcher32, lzf


def handle_request(task: str, file: str) -> tuple[np.ndarray, dict[str, Any]]:
    """(float32 [12, time] as stored, {'rate_hz': the file's attribute, or None}) of an HDF5
    file."""
    import h5py

    assert task == "h5", task
    try:
        with h5py.File(file, "r") as opened:
            data = _dataset(opened, file)
            _check_size(data, file)
            return data.astype(np.float32)[:], {"rate_hz": _rate(opened.attrs, file)}
    except (Refused, MemoryError):
        raise
    except Exception as error:  # OSError, KeyError, RuntimeError, TypeError for broken files
        if "memory allocation failed" in str(error):
            raise MemoryError from error
        cause = " ".join(str(error).split())[:200]
        raise Refused(
            "unreadable", f"{file}: no readable HDF5 file ({cause}); fetch it anew"
        ) from error


def _dataset(opened: Any, file: str) -> Any:
    """The dataset `ecg` where it is of floats that lie in the file itself."""
    import h5py

    link = opened.get("ecg", getlink=True)
    data = opened["ecg"] if isinstance(link, h5py.HardLink) else None
    floats = isinstance(data, h5py.Dataset) and data.dtype.kind == "f"
    if not floats or data.external or data.is_virtual:
        raise Refused(
            "format", f"{file}: an .h5 recording holds a dataset 'ecg' of floats; convert it"
        )
    return data


def _check_size(data: Any, file: str) -> None:
    """Refused where a dataset is not [12, time], is longer than a recording, or is packed in an
    unknown way."""
    if data.ndim != 2 or data.shape[0] != len(LEADS):
        raise Refused("leads", f"{file}: 'ecg' is [12 leads, time], found {data.shape}; convert it")
    chunk_bytes = data.dtype.itemsize * np.prod(data.chunks or (1,), dtype=float)
    # The samples, and a chunk packed, unpacked and as its buffer grows, are in memory at once.
    needed = 4 * data.size + 3 * chunk_bytes
    if data.shape[1] > safe_files.MOST_SAMPLES or needed > sandbox.MOST_MEMORY - _SPARE:
        raise Refused(
            "oversized",
            f"{file}: a lead has {safe_files.MOST_SAMPLES} samples at most, in chunks that fit "
            f"into {sandbox.MOST_MEMORY} bytes, found {data.shape[1]} in chunks {data.chunks}; "
            "cut it",
        )
    plist = data.id.get_create_plist()
    filters = {plist.get_filter(index)[0] for index in range(plist.get_nfilters())}
    unknown = filters - _FILTERS
    if unknown:
        raise Refused(
            "format",
            f"{file}: 'ecg' is packed by unknown filters {sorted(unknown)}; pack it by gzip",
        )


def _rate(attributes: Any, file: str) -> float | None:
    """The attribute `rate_hz` as a number, None where there is none."""
    if "rate_hz" not in attributes:
        return None
    try:
        value = np.asarray(attributes["rate_hz"])
    except (TypeError, ValueError, OSError):
        value = np.empty(0)
    if value.size != 1 or value.dtype.kind not in "iuf":
        raise Refused(
            "rate", f"{file}: the attribute rate_hz is one number, found {value.dtype}; correct it"
        )
    return float(value.item())


if __name__ == "__main__":
    importlib.import_module("h5py")  # before memory and time are limited
    sandbox.serve(handle_request)
