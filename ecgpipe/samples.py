"""Signal files of WFDB recordings (.dat, .mat), into whole steps [time, 12] and where samples are missing.

The formats that we read ourselves, after https://physionet.org/physiotools/wag/signal-5.htm. The signals of one file
are interleaved, after the byte offset; the least value of each format is a missing sample.

- 16 and 61: int16, little and big endian. 24 and 32: three and four bytes, little endian.
- 80 and 160: unsigned, less 128 or 32,768. 212: two samples of 12 bits in three bytes.
- A file that ends in .mat holds its samples as MATLAB does (`matrices`), whatever offset the header gives.

All others, and leads sampled several times a frame or skewed, are read by the wfdb package, in a process of its own.
A file has the bytes that the header tells of, no less and no more.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ecgpipe import files, matrices, parsers
from ecgpipe.headers import Header, Signal
from ecgpipe.refusals import Refused
from ecgpipe.sandbox import Sandbox


def _of_24(raw: np.ndarray) -> np.ndarray:
    """Bytes -> int32: three bytes a sample, the first the lowest."""
    parts = raw.reshape(-1, 3).astype(np.int32)
    return (parts[:, 0] << 8 | parts[:, 1] << 16 | parts[:, 2] << 24) >> 8


def _of_212(raw: np.ndarray) -> np.ndarray:
    """Bytes -> int16: the first byte and the low half of the second, then the third and the high half."""
    parts = np.pad(raw, (0, -len(raw) % 3)).reshape(-1, 3).astype(np.int16)
    pairs = np.stack([(parts[:, 1] & 0x0F) << 8 | parts[:, 0], (parts[:, 1] & 0xF0) << 4 | parts[:, 2]], axis=1)
    return (pairs.reshape(-1) << 4) >> 4


# Format -> (bytes per two samples, the value of a missing sample, bytes -> samples).
_FORMATS: dict[str, tuple[int, int, Callable[[np.ndarray], np.ndarray]]] = {
    "16": (4, -(1 << 15), lambda raw: raw.view("<i2")),
    "61": (4, -(1 << 15), lambda raw: raw.view(">i2").astype("<i2")),
    "24": (6, -(1 << 23), _of_24),
    "32": (8, -(1 << 31), lambda raw: raw.view("<i4")),
    "80": (2, -(1 << 7), lambda raw: raw.astype(np.int16) - np.int16(128)),
    "160": (4, -(1 << 15), lambda raw: (raw.view("<u2") ^ 0x8000).view("<i2")),
    "212": (3, -(1 << 11), _of_212),
}


def read(file: Path, header: Header, wanted: list[Signal], root: Path) -> tuple[np.ndarray, np.ndarray]:
    """(steps, whether each is missing), both [time, lead] with each lead in one piece, of the `wanted` signals of the
    header `file`; its files lie below `root`.

    int16 where every step fits by its format, else int32. Refused where header and files disagree: 'format', 'missing',
    'truncated', 'oversized', 'checksum', or as `files.size` and `parsers.read_wfdb` say.
    """
    wrong = [one for one in wanted if one.file.lower().endswith(".mat") and one.format not in ("16", "61")]
    if wrong:
        rule = f"a .mat file is of format 16, the header says {wrong[0].format}"
        raise Refused("format", f"{file}: {wrong[0].file}: {rule}; correct it")
    ours = all(one.format in _FORMATS and one.samples_per_frame == 1 and one.skew == 0 for one in wanted)
    if header.samples is not None and header.samples > parsers.MOST_SAMPLES:
        rule = f"a lead has {parsers.MOST_SAMPLES} samples at most"
        raise Refused("oversized", f"{file}: {rule}, the header tells of {header.samples}; cut it")
    digital, missing = _ours(file, header, wanted, root) if ours else _theirs(file, header, wanted, root)
    _sums(digital, wanted, file)
    return digital, missing


def _ours(file: Path, header: Header, wanted: list[Signal], root: Path) -> tuple[np.ndarray, np.ndarray]:
    blocks, places = [], []
    for name in dict.fromkeys(signal.file for signal in wanted):
        lines = [signal for signal in header.signals if signal.file == name]
        if any(line[1:5] != lines[0][1:5] for line in lines):
            raise Refused("format", f"{file}: the signals of {name} differ in format or byte offset; correct it")
        blocks.append(_block(file.parent / name, header.samples, lines, root))
        places += lines
    if len({len(block) for block in blocks}) > 1:
        raise Refused("truncated", f"{file}: its signal files differ in length; fetch them anew")
    digital = np.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]
    digital = digital if places == wanted else digital[:, [places.index(signal) for signal in wanted]]
    digital = np.asfortranarray(digital)
    codes = {_FORMATS[signal.format][1] for signal in wanted}
    if len(codes) == 1:
        return digital, digital == codes.pop()
    return digital, digital == np.array([_FORMATS[signal.format][1] for signal in wanted])


def _block(path: Path, samples: int | None, lines: list[Signal], root: Path) -> np.ndarray:
    """Whole steps [time, signal] of one signal file."""
    raw = files.content(path, root)
    if path.name.lower().endswith(".mat"):
        return _matrix(raw, path, samples, len(lines), lines[0].byte_offset)
    pair, _, decode = _FORMATS[lines[0].format]
    width, held = pair * len(lines), len(raw) - lines[0].byte_offset
    samples = samples if samples is not None else max(held, 0) * 2 // width
    _as_told(raw, -(-samples * width // 2) + lines[0].byte_offset, path)
    values = decode(np.frombuffer(raw, dtype=np.uint8, offset=lines[0].byte_offset))
    return values[: samples * len(lines)].reshape(samples, len(lines))


def _matrix(raw: bytes, path: Path, samples: int | None, leads: int, offset: int) -> np.ndarray:
    """int16 [time, lead] of a .mat file that fits its header: plain ones have the bytes that it tells of."""
    if samples is not None and not raw.startswith(b"MATLAB"):
        _as_told(raw, 2 * samples * leads + offset, path)
    values = matrices.int16(raw, path)
    if values.shape[1] != leads or samples not in (None, len(values)):
        rule = f"the header tells of {leads} leads and {samples or 'all'} samples"
        raise Refused("format", f"{path}: {rule}, found a matrix {values.shape[1]} x {len(values)}; correct it")
    return values.astype("<i2", copy=False)


def _as_told(raw: bytes, told: int, path: Path) -> None:
    """Refused where the bytes are not as many as the header tells of: 'truncated', 'oversized' or what they are."""
    if len(raw) != told:
        reason = "truncated" if len(raw) < told else "oversized"
        refusal = Refused(reason, f"{path}: the header tells of {told} bytes, found {len(raw)}; fetch it anew")
        raise files.foreign_bytes(raw[:512], path) or refusal


def _theirs(file: Path, header: Header, wanted: list[Signal], root: Path) -> tuple[np.ndarray, np.ndarray]:
    for name in dict.fromkeys(signal.file for signal in wanted):
        if files.size(file.parent / name, root) > files.MOST_BYTES:
            raise Refused("oversized", f"{file}: {name} holds more than {files.MOST_BYTES} bytes; cut it")
    order = [header.signals.index(signal) for signal in wanted]
    steps, _ = _wfdb().call(str(Path(file).absolute()), *order)
    if len(steps) != 2 * len(wanted):
        raise Refused("unreadable", f"{file}: wfdb reads {len(steps) // 2} of its leads; fetch it anew")
    return steps[: len(wanted)].T, steps[len(wanted) :].T != 0


@functools.cache
def _wfdb() -> Sandbox:
    """The one process that runs the wfdb package."""
    return Sandbox(parsers, "wfdb")


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
