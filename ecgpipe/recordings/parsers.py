"""Recordings that only other people's parsers read: HDF5 (h5py), and WFDB formats beyond our own
(wfdb).

Both hold compiled code or believe what a file declares, so they run in a process of their own
(`sandbox`), started as `python -m ecgpipe.parsers h5`, or `wfdb`. HDF5: the dataset `ecg` [12
leads, time] of floats lies in the file itself, no link to another place, no external or virtual
storage, no filter but those that come with the library.
"""

import functools
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.recordings import safe_files, sandbox
from ecgpipe.recordings.refusals import Refused

MISSING = -(1 << 31)
_SPARE = 1 << 25
_FILTERS = {1, 2, 3, 32000}  # gzip, shuffle, fletcher32, lzf
_LEADS = 12


def handle_request(task: str, file: str, *arguments: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """What a request asks for: `h5` (`read_h5`) or `wfdb` (`read_wfdb`)."""
    return {"h5": read_h5, "wfdb": read_wfdb}[task](file, *arguments)


def read_h5(file: str) -> tuple[np.ndarray, dict[str, Any]]:
    """(float32 [12, time] as stored, {'rate_hz': the file's attribute, or None}) of an HDF5
    file."""
    import h5py

    try:
        with h5py.File(file, "r") as opened:
            link = opened.get("ecg", getlink=True)
            data = opened["ecg"] if isinstance(link, h5py.HardLink) else None
            if (
                not isinstance(data, h5py.Dataset)
                or data.dtype.kind != "f"
                or data.external
                or data.is_virtual
            ):
                raise Refused(
                    "format",
                    f"{file}: an .h5 recording holds a dataset 'ecg' of floats; convert it",
                )
            _fits(data, file)
            values = data.astype(np.float32)[:]
            return values, {"rate_hz": _rate(opened.attrs, file)}
    except (Refused, MemoryError):
        raise
    except (
        Exception
    ) as error:  # h5py raises OSError, KeyError, RuntimeError, TypeError for broken files
        said = " ".join(str(error).split())[:200]
        raise Refused(
            "unreadable", f"{file}: no readable HDF5 file ({said}); fetch it anew"
        ) from error


def _fits(data: Any, file: str) -> None:
    """Refused where a dataset is not [12, time], is longer than a recording, or is packed in an
    unknown way."""
    if data.ndim != 2 or data.shape[0] != _LEADS:
        raise Refused("leads", f"{file}: 'ecg' is [12 leads, time], found {data.shape}; convert it")
    chunk = data.dtype.itemsize * np.prod(data.chunks or (1,), dtype=float)
    # The samples, and a chunk packed, unpacked and as its buffer grows, are in memory at once.
    if (
        data.shape[1] > safe_files.MOST_SAMPLES
        or 4 * data.size + 3 * chunk > sandbox.MOST_MEMORY - _SPARE
    ):
        rule = (
            f"a lead has {safe_files.MOST_SAMPLES} samples at most, in chunks that fit into "
            f"{sandbox.MOST_MEMORY} bytes"
        )
        raise Refused(
            "oversized", f"{file}: {rule}, found {data.shape[1]} in chunks {data.chunks}; cut it"
        )
    plist = data.id.get_create_plist()
    unknown = {plist.get_filter(index)[0] for index in range(plist.get_nfilters())} - _FILTERS
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


def read_wfdb(
    file: str, root: str, fmt: str, offset: int, frames: int, most: int, channels: str, *lines: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """(int32 [channel, time], `MISSING` where a sample is missing, {'firsts': the first values,
    'sums': of all samples in 16 bits}) of one signal file below `root`, `most` bytes at most, of
    format `fmt` after `offset` bytes, by wfdb.

    `frames` is 0 where the file tells; `channels`, separated by commas, are those of the file's
    signals that are given; `lines` are three numbers of each of these signals: samples per frame,
    skew in frames, first value. Several samples of a frame come as their mean.

    Of wfdb no more than the decoding is used. Its reader of headers splits lines where WFDB does
    not (at a form feed, say), knows paths and addresses that lead anywhere, and fails at names with
    blanks: it would read what we have not checked. The file comes by its number among the opened,
    as a name can be an address to wfdb.
    """
    from wfdb.io import _signal

    path, per_frame, skews, firsts = Path(file), list(lines[::3]), lines[1::3], list(lines[2::3])
    if fmt not in _signal.DAT_FMTS:
        raise Refused(
            "format", f"{file}: signals are of a format of WFDB, found {fmt}; correct the header"
        )
    raw = safe_files.content(path, Path(root), most)
    page = safe_files.no_recording(raw[:512], path)
    if page:
        raise page
    there = _frames(raw, fmt, offset, per_frame, frames, max(skews), file)
    if there > safe_files.MOST_SAMPLES:
        raise Refused(
            "oversized",
            f"{file}: a lead has {safe_files.MOST_SAMPLES} samples at most, found {there}; cut it",
        )
    del raw
    signals = _signals(file, fmt, offset, there, per_frame, firsts)
    chosen = [int(channel) for channel in channels.split(",")]
    return _framed(
        signals, chosen, per_frame, skews, frames or there, _signal.INVALID_SAMPLE_VALUE[fmt]
    )


def _signals(
    file: str, fmt: str, offset: int, frames: int, per_frame: list[int], firsts: list[int]
) -> list[np.ndarray]:
    """The samples of each signal of a file that holds `frames`, by wfdb."""
    from wfdb.io import _signal

    handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        about = (
            fmt,
            len(per_frame),
            frames,
            offset,
            per_frame,
            [0] * len(per_frame),
            firsts,
            0,
            frames,
        )
        return _signal._rd_dat_signals(f"/dev/fd/{handle}", "", None, *about)
    except MemoryError:
        raise
    except Exception as error:  # wfdb raises whatever its parsing meets
        said = " ".join(str(error).split())[:200]
        raise Refused(
            "unreadable", f"{file}: wfdb cannot read its signals ({said}); fetch it anew"
        ) from error
    finally:
        os.close(handle)


def _frames(
    raw: bytes, fmt: str, offset: int, per_frame: list[int], told: int, skew: int, file: str
) -> int:
    """The frames that a signal file holds: those `told`, or so many more at most as the largest
    `skew` leaves over; as many as there are where `told` is 0. Refused where its bytes are not
    exactly these."""
    from wfdb.io import _signal

    held, a_frame = max(len(raw) - offset, 0), sum(per_frame)
    if (
        fmt in _signal.COMPRESSED_FMTS
    ):  # its header tells, https://www.rfc-editor.org/rfc/rfc9639#section-8.2
        if raw[:4] != b"fLaC" or len(raw) < 42:
            rule = f"format {fmt} is a FLAC file, found none; correct the header or fetch it anew"
            raise safe_files.foreign_bytes(raw[:512], Path(file)) or Refused(
                "format", f"{file}: {rule}"
            )
        most, rest = divmod(
            max((int.from_bytes(raw[18:26], "big") & (1 << 36) - 1) - offset, 0), per_frame[0]
        )
    else:
        taken = functools.partial(_signal._required_byte_num, fmt=fmt)
        if told and held in {taken(mode, n_samp=told * a_frame) for mode in ("read", "write")}:
            return told
        most = int(held / _signal.BYTES_PER_SAMPLE[fmt]) // a_frame
        most -= taken("read", n_samp=most * a_frame) > held
        rest = held not in {taken(mode, n_samp=most * a_frame) for mode in ("read", "write")}
    if most < told or rest or most > (told + skew if told else most):
        reason = "truncated" if most < told or not told else "oversized"
        rule = f"the header tells of {told} frames" if told else "a file holds whole frames"
        refusal = Refused(
            reason, f"{file}: {rule}, found {most} in {len(raw)} bytes; fetch it anew"
        )
        raise safe_files.foreign_bytes(raw[:512], Path(file)) or refusal
    return most


def _framed(
    signals: list[np.ndarray], channels: list[int], per_frame: list[int], skews: tuple[int, ...], frames: int,
    code: int | None,
) -> tuple[np.ndarray, dict[str, Any]]:  # fmt: skip
    """What `read_wfdb` gives, of each signal's samples as stored, [frames * samples per frame]."""
    found = np.full((len(channels), frames), MISSING, dtype=np.int32)
    sums, firsts = [], []
    for row, channel in zip(found, channels, strict=True):
        values = signals[channel]
        sums.append(int(values[: frames * per_frame[channel]].sum(dtype=np.int64)) % 0x10000)
        firsts.append(int(values[0]) if len(values) else 0)
        values = values.reshape(-1, per_frame[channel])[skews[channel] :][:frames]
        lost = np.zeros(len(values), dtype=bool) if code is None else (values == code).any(axis=1)
        means = (
            values[:, 0]
            if per_frame[channel] == 1
            else values.sum(axis=1, dtype=np.int64) / per_frame[channel]
        )
        row[: len(values)] = means  # without their fraction
        row[: len(values)][lost] = MISSING
    return found, {"sums": sums, "firsts": firsts}


if __name__ == "__main__":
    importlib.import_module(
        {"h5": "h5py", "wfdb": "wfdb.io._signal"}[sys.argv[1]]
    )  # before memory and time are limited
    sandbox.serve(handle_request)
