"""What the wfdb package (https://github.com/MIT-LCP/wfdb-python) reads of one signal file in a form
that we do not read ourselves: other formats, several samples a frame, leads that are skewed.

Some of that is compiled code or believes what a file declares, so it runs in a process of its own
(`sandbox`), started as `python -m ecgpipe.recordings.wfdb_worker wfdb`.

Of wfdb no more than the decoding is used. Its reader of headers splits lines where WFDB does not
(at a form feed, say), knows paths and addresses that lead anywhere, and fails at names with blanks:
it would read what we have not checked. So it never sees a stranger's header or a stranger's file
name, but a record of our own making (`own_record`): a header of checked numbers alone in a private
folder, and beside it the signal file under a name of ours. What several samples of a frame, a skew
and a missing sample mean is worked out here.
"""

import contextlib
import importlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.recordings import safe_files, sandbox, suffixes, wfdb_formats
from ecgpipe.recordings.refusals import Refused

MISSING = -(1 << 31)
_NAME = "record"


@contextlib.contextmanager
def own_record(
    file: Path, fmt: str, offset: int, lines: Sequence[tuple[int, int, int]]
) -> Iterator[str]:
    """For the time of a block: the path of a record without suffix, as wfdb takes it, that holds
    the signal file `file` of format `fmt` after `offset` bytes.

    `lines` are three numbers of each of its signals: samples per frame, skew in frames, first
    value. The process that wfdb runs in may write no file, so this is done outside. The header does
    not tell of the length, which wfdb believes: it is worked out from the file.
    """
    header = [f"{_NAME} {len(lines)} 250 {safe_files.MOST_SAMPLES}"]
    for number, (per_frame, _, first) in enumerate(lines):
        storage = f"{fmt}x{per_frame}+{offset}"
        header.append(f"{_NAME}{suffixes.SIGNAL} {storage} 1/mV 0 0 {first} 0 0 signal{number}")
    with tempfile.TemporaryDirectory(prefix="ecgpipe-") as folder:
        record = Path(folder) / _NAME
        text = "\n".join(header) + "\n"
        record.with_suffix(suffixes.HEADER).write_text(text, encoding="ascii")
        record.with_suffix(suffixes.SIGNAL).symlink_to(file.absolute())
        yield str(record)


def handle_request(
    task: str,
    file: str,
    root: str,
    record: str,
    fmt: str,
    offset: int,
    frames: int,
    most: int,
    channels: str,
    *numbers: int,
) -> tuple[np.ndarray, dict[str, Any]]:
    """(int32 [channel, time], `MISSING` where a sample is missing, {'firsts': the first values,
    'sums': of all samples in 16 bits}) of one signal file below `root`, `most` bytes at most, by
    wfdb, to which it is the `record` (`own_record`).

    `frames` is 0 where the file tells; `channels`, separated by commas, are those of the file's
    signals that are given; `numbers` are the lines of `own_record`, one after another. Several
    samples of a frame come as their mean.
    """
    assert task == "wfdb", task
    per_frame, skews = list(numbers[::3]), numbers[1::3]
    if fmt not in wfdb_formats.MISSING:
        raise Refused(
            "format", f"{file}: signals are of a format of WFDB, found {fmt}; correct the header"
        )
    raw = safe_files.content(Path(file), Path(root), most)
    held = _frames(raw, fmt, offset, per_frame, frames, max(skews), file)
    del raw
    chosen = [int(channel) for channel in channels.split(",")]
    signals = _decoded(file, record, fmt, held, chosen)
    answer = np.full((len(chosen), frames or held), MISSING, dtype=np.int32)
    sums, firsts = [], []
    for row, channel, values in zip(answer, chosen, signals, strict=True):
        checked = values[: len(row) * per_frame[channel]]
        sums.append(int(checked.sum(dtype=np.int64)) % 0x10000)
        firsts.append(int(values[0]) if len(values) else 0)
        _fill(row, values.reshape(-1, per_frame[channel])[skews[channel] :], fmt)
    return answer, {"sums": sums, "firsts": firsts}


def _decoded(
    file: str, record: str, fmt: str, frames: int, channels: list[int]
) -> list[np.ndarray]:
    """The samples of each channel as stored, whole numbers [frames * samples per frame], by
    wfdb."""
    if not frames:
        return [np.zeros(0, dtype=np.int32) for _ in channels]
    import wfdb

    # The narrowest numbers that hold the format, which wfdb has at hand: wider ones are copies.
    least = wfdb_formats.MISSING[fmt] or MISSING
    bits = next(bits for bits in (8, 16, 32) if least >= -(1 << bits - 1))
    try:
        return wfdb.rdrecord(
            record,
            sampto=frames,
            channels=channels,
            physical=False,
            smooth_frames=False,
            return_res=bits,
        ).e_d_signal
    except MemoryError:
        raise
    except Exception as error:  # wfdb raises whatever its parsing meets
        message = str(error).replace(f"{record}{suffixes.SIGNAL}", file)
        cause = " ".join(message.split())[:200]
        raise Refused(
            "unreadable", f"{file}: wfdb cannot read its signals ({cause}); fetch it anew"
        ) from error


def _fill(row: np.ndarray, framed: np.ndarray, fmt: str) -> None:
    """Writes the means of `framed` [frame, sample] into `row` [frame], as far as they go; one
    missing sample loses its frame."""
    framed = framed[: len(row)]
    means = framed[:, 0]
    if framed.shape[1] > 1:
        means = framed.sum(axis=1, dtype=np.int64) / framed.shape[1]
    row[: len(framed)] = means  # without their fraction
    missing = wfdb_formats.MISSING[fmt]
    if missing is not None:
        row[: len(framed)][(framed == missing).any(axis=1)] = MISSING


def _frames(
    raw: bytes, fmt: str, offset: int, per_frame: list[int], expected: int, skew: int, file: str
) -> int:
    """The frames that a signal file holds: those `expected`, or so many more at most as the largest
    `skew` leaves over; as many as there are where `expected` is 0. Refused where its bytes are not
    exactly these, or more than a recording has."""
    page = safe_files.no_recording(raw, Path(file))
    if page:
        raise page
    if fmt in wfdb_formats.PACKED:
        most, whole = _packed_frames(max(len(raw) - offset, 0), fmt, sum(per_frame), expected)
    else:
        most, whole = _flac_frames(raw, fmt, offset, per_frame[0], file)
    too_many = bool(expected) and most > expected + skew
    if most < expected or too_many or not whole:
        reason = "truncated" if most < expected or not expected else "oversized"
        rule = f"the header tells of {expected} frames" if expected else "a file holds whole frames"
        rule = f"{rule}, found {most} in {len(raw)} bytes"
        refusal = Refused(reason, f"{file}: {rule}; fetch it anew")
        raise safe_files.foreign_bytes(raw, Path(file)) or refusal
    if most > safe_files.MOST_SAMPLES:
        rule = f"a lead has {safe_files.MOST_SAMPLES} samples at most"
        raise Refused("oversized", f"{file}: {rule}, found {most}; cut it")
    return most


def _packed_frames(held: int, fmt: str, samples: int, expected: int) -> tuple[int, bool]:
    """(frames of so many `samples` in `held` bytes, whether they fill these): those `expected`
    where these do."""
    if expected and held in _sizes(fmt, expected * samples):
        return expected, True
    packed = wfdb_formats.PACKED[fmt]
    most = held * packed.samples // packed.bytes // samples
    if min(_sizes(fmt, most * samples)) > held:
        most -= 1
    return most, held in _sizes(fmt, most * samples)


def _sizes(fmt: str, samples: int) -> set[int]:
    """The bytes that a file of so many samples may have. The last two of format 310 take a whole
    group of four bytes; those of 311 three, which WFDB fills up to four when it writes."""
    size = wfdb_formats.stored_bytes(fmt, samples)
    if fmt in ("310", "311") and samples % 3 == 2:
        return {size + 1} if fmt == "310" else {size, size + 1}
    return {size}


def _flac_frames(raw: bytes, fmt: str, offset: int, per_frame: int, file: str) -> tuple[int, bool]:
    """(frames after `offset` samples, whether they are whole) of a FLAC file, by its header
    (https://www.rfc-editor.org/rfc/rfc9639#section-8.2)."""
    if raw[:4] != b"fLaC" or len(raw) < 42:
        rule = f"format {fmt} is a FLAC file, found none; correct the header or fetch it anew"
        raise safe_files.foreign_bytes(raw, Path(file)) or Refused("format", f"{file}: {rule}")
    samples = int.from_bytes(raw[18:26], "big") & (1 << 36) - 1
    frames, rest = divmod(max(samples - offset, 0), per_frame)
    return frames, not rest


if __name__ == "__main__":
    importlib.import_module("wfdb")  # before memory and time are limited
    sandbox.serve(handle_request)
