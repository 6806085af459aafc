"""Recordings that only other people's parsers read: HDF5 (h5py), and WFDB formats beyond our own (wfdb).

Both hold compiled code or believe what a file declares, so they run in a process of their own (`sandbox`), started as
`python -m ecgpipe.parsers h5`, or `wfdb`. HDF5: the dataset `ecg` [12 leads, time] of floats lies in the file itself,
no link to another place, no external or virtual storage, no filter but those that come with the library.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe import sandbox
from ecgpipe.refusals import Refused

MOST_SAMPLES = 1 << 21  # of a lead: 70 minutes at 500 Hz
_MOST_CHUNK = 1 << 26
_FILTERS = {1, 2, 3, 32000}  # gzip, shuffle, fletcher32, lzf
_LEADS = 12


def answer(task: str, file: str, *arguments: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """What a request asks for: `h5` (`read_h5`) or `wfdb` (`read_wfdb`)."""
    return {"h5": read_h5, "wfdb": read_wfdb}[task](file, *arguments)


def read_h5(file: str) -> tuple[np.ndarray, dict[str, Any]]:
    """(float32 [12, time] as stored, {'rate_hz': the file's attribute, or None}) of an HDF5 file."""
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            link = opened.get("ecg", getlink=True)
            data = opened["ecg"] if isinstance(link, h5py.HardLink) else None
            if not isinstance(data, h5py.Dataset) or data.dtype.kind != "f" or data.external or data.is_virtual:
                raise Refused("format", f"{file}: an .h5 recording holds a dataset 'ecg' of floats; convert it")
            _fits(data, file)
            values = data.astype(np.float32)[:]
            return values, {"rate_hz": _rate(opened.attrs, file)}
    except (Refused, MemoryError):
        raise
    except Exception as error:  # h5py raises OSError, KeyError, RuntimeError, TypeError for broken files
        said = " ".join(str(error).split())[:200]
        raise Refused("unreadable", f"{file}: no readable HDF5 file ({said}); fetch it anew") from error


def _fits(data: Any, file: str) -> None:
    """Refused where a dataset is not [12, time], is longer than a recording, or is packed in an unknown way."""
    if data.ndim != 2 or data.shape[0] != _LEADS:
        raise Refused("leads", f"{file}: 'ecg' is [12 leads, time], found {data.shape}; convert it")
    chunk = data.dtype.itemsize * np.prod(data.chunks or (1,), dtype=float)
    if data.shape[1] > MOST_SAMPLES or chunk > _MOST_CHUNK:
        rule = f"a lead has {MOST_SAMPLES} samples at most"
        raise Refused("oversized", f"{file}: {rule}, found {data.shape[1]} in chunks {data.chunks}; cut it")
    plist = data.id.get_create_plist()
    unknown = {plist.get_filter(index)[0] for index in range(plist.get_nfilters())} - _FILTERS
    if unknown:
        raise Refused("format", f"{file}: 'ecg' is packed by unknown filters {sorted(unknown)}; pack it by gzip")


def _rate(attributes: Any, file: str) -> float | None:
    """The attribute `rate_hz` as a number, None where there is none."""
    if "rate_hz" not in attributes:
        return None
    try:
        return float(attributes["rate_hz"])
    except (TypeError, ValueError, OSError) as error:
        raise Refused("rate", f"{file}: the attribute rate_hz is a number, found none; correct it") from error


def read_wfdb(file: str, *channels: int) -> tuple[np.ndarray, dict[str, Any]]:
    """(int32 [2 * channel, time]: whole steps of a header's `channels`, then 1 where each is missing, {}), by wfdb."""
    import wfdb

    try:
        record = wfdb.rdrecord(str(Path(file).with_suffix("")), channels=list(channels), physical=False)
        steps = np.concatenate([record.d_signal, np.isnan(record.dac())], axis=1)
        if steps.shape[0] > MOST_SAMPLES:
            raise Refused("oversized", f"{file}: a lead has {MOST_SAMPLES} samples at most, found more; cut it")
        return steps.T.astype(np.int32), {}
    except (Refused, MemoryError):
        raise
    except Exception as error:  # wfdb raises whatever its parsing meets
        said = " ".join(str(error).split())[:200]
        raise Refused("unreadable", f"{file}: wfdb cannot read its signals ({said}); fetch it anew") from error


if __name__ == "__main__":
    importlib.import_module({"h5": "h5py", "wfdb": "wfdb"}[sys.argv[1]])  # before memory and time are limited
    sandbox.serve(answer)
