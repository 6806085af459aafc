"""Signal files of WFDB recordings (.dat, .mat), into whole steps [time, 12] and where samples are
missing.

The formats that we read ourselves, after https://physionet.org/physiotools/wag/signal-5.htm. The
signals of one file are interleaved, after the byte offset; the least value of each format is a
missing sample.

- 16 and 61: int16, little and big endian. 24 and 32: three and four bytes, little endian.
- 80 and 160: unsigned, less 128 or 32,768. 212: two samples of 12 bits in three bytes.
- A file that ends in .mat holds its samples as MATLAB does (`matrices`), whatever offset within it
  the header gives.

Files in all others, and those with a lead that is sampled several times a frame or skewed, are
decoded by the wfdb package, in a process of its own. A file has the bytes that the header tells of,
no less and no more; where the header tells of no number of samples, a lead has MOST_SAMPLES at
most. All files of a recording have MOST_BYTES together.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ecgpipe.recordings import matlab, parsers, safe_files, suffixes
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sandbox import Sandbox
from ecgpipe.recordings.wfdb_header import Header, Signal

_PIECE = 3 << 18  # bytes that are decoded at once, whole groups of three


def _of_24(raw: np.ndarray) -> np.ndarray:
    """Bytes -> int32: three bytes a sample, the first the lowest."""
    steps = np.zeros(len(raw) // 3, dtype="<i4")
    steps.view(np.uint8).reshape(-1, 4)[:, 1:] = raw.reshape(-1, 3)
    steps >>= 8
    return steps


def _of_212(raw: np.ndarray) -> np.ndarray:
    """Bytes -> int16: the first byte and the low half of the second, then the third and the high
    half."""
    steps = np.empty((-(-len(raw) // 3), 2), dtype=np.int16)
    for start in range(0, len(raw), _PIECE):
        piece = raw[start : start + _PIECE]
        parts = np.pad(piece, (0, -len(piece) % 3)).reshape(-1, 3).astype(np.int16)
        into = steps[start // 3 : start // 3 + len(parts)]
        into[:, 0] = (parts[:, 1] & 0x0F) << 8 | parts[:, 0]
        into[:, 1] = (parts[:, 1] & 0xF0) << 4 | parts[:, 2]
    steps <<= 4
    steps >>= 4
    return steps.reshape(-1)


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


def read(
    file: Path, header: Header, wanted: list[Signal], root: Path
) -> tuple[np.ndarray, np.ndarray]:
    """(steps, whether each is missing), both [time, lead] with each lead in one piece, of the
    `wanted` signals of the header `file`; its files lie below `root`.

    int16 where every step fits by its format, else int32. Refused where header and files disagree:
    'format', 'missing', 'truncated', 'oversized', 'checksum', or as `recordings.safe_files.size`
    and `recordings.parsers.read_wfdb` say.
    """
    if header.samples is not None and header.samples > safe_files.MOST_SAMPLES:
        rule = f"a lead has {safe_files.MOST_SAMPLES} samples at most"
        raise Refused("oversized", f"{file}: {rule}, the header tells of {header.samples}; cut it")
    blocks, places, codes, theirs, left = [], [], [], {}, safe_files.MOST_BYTES
    for name in dict.fromkeys(signal.file for signal in wanted):
        lines = [signal for signal in header.signals if signal.file == name]
        path, first = file.parent / name, lines[0]
        if any(
            (line.format, line.byte_offset) != (first.format, first.byte_offset) for line in lines
        ):
            raise Refused(
                "format",
                f"{file}: the signals of {name} differ in format or byte offset; correct it",
            )
        if first.format in _FORMATS and all(
            line.samples_per_frame == 1 and not line.skew for line in lines
        ):
            block, taken = _block(path, header.samples, lines, root, left)
            codes += [_FORMATS[first.format][1]] * len(lines)
        else:
            chosen = [index for index, line in enumerate(lines) if line in wanted]
            block, sums = _theirs(path, header.samples, lines, chosen, root, left)
            lines, taken = [lines[index] for index in chosen], block.nbytes
            theirs |= sums
            codes += [parsers.MISSING] * len(lines)
        left -= taken
        blocks.append(block)
        places += lines
    if len({len(block) for block in blocks}) > 1:
        raise Refused("truncated", f"{file}: its signal files differ in length; fetch them anew")
    digital = np.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]
    del blocks, block
    if places != wanted:
        order = [places.index(signal) for signal in wanted]
        digital, codes = digital[:, order], [codes[index] for index in order]
    digital = np.asfortranarray(digital)
    _sums(digital, wanted, theirs, file)
    return digital, digital == (codes[0] if len(set(codes)) == 1 else np.array(codes))


def _block(
    path: Path, samples: int | None, lines: list[Signal], root: Path, most: int
) -> tuple[np.ndarray, int]:
    """(whole steps [time, signal] of one signal file, the bytes that it took of `most`)."""
    raw = safe_files.content(path, root, most)
    page = safe_files.no_recording(raw[:512], path)
    if page:
        raise page
    if path.name.lower().endswith(suffixes.MATLAB):
        values = _matrix(raw, path, samples, lines, most)
        return values, max(len(raw), values.nbytes)
    pair, _, decode = _FORMATS[lines[0].format]
    width, held = pair * len(lines), len(raw) - lines[0].byte_offset
    if samples is None:
        samples = max(held, 0) * 2 // width
        _few_enough(samples, path)
        if held != -(-samples * width // 2):
            refusal = Refused(
                "truncated", f"{path}: {held} bytes are no whole number of steps; fetch it anew"
            )
            raise safe_files.foreign_bytes(raw[:512], path) or refusal
    _as_told(raw, -(-samples * width // 2) + lines[0].byte_offset, path)
    _few_enough(samples, path)
    values = decode(np.frombuffer(raw, dtype=np.uint8, offset=lines[0].byte_offset))
    return values[: samples * len(lines)].reshape(samples, len(lines)), len(raw)


def _matrix(
    raw: bytes, path: Path, samples: int | None, lines: list[Signal], most: int
) -> np.ndarray:
    """int16 [time, lead] of a .mat file that fits its header; what is packed is unpacked to what
    that tells of."""
    if lines[0].format not in ("16", "61"):
        rule = f"a .mat file is of format 16, the header says {lines[0].format}"
        raise Refused("format", f"{path}: {rule}; correct the header")
    if lines[0].byte_offset > len(raw):
        told = f"the header tells of samples after {lines[0].byte_offset} bytes"
        refusal = Refused(
            "truncated", f"{path}: {told}, found {len(raw)} bytes in all; fetch it anew"
        )
        raise safe_files.foreign_bytes(raw[:512], path) or refusal
    values = matlab.int16(
        raw, path, min(most, 2 * (samples or safe_files.MOST_SAMPLES) * len(lines))
    )
    if values.shape[1] != len(lines):
        rule = f"the header tells of {len(lines)} leads"
        raise Refused(
            "format",
            f"{path}: {rule}, found a matrix {values.shape[1]} x {len(values)}; correct it",
        )
    if samples not in (None, len(values)):
        reason = "truncated" if len(values) < samples else "oversized"
        raise Refused(
            reason,
            f"{path}: the header tells of {samples} samples, found {len(values)}; fetch it anew",
        )
    _few_enough(len(values), path)
    return values.astype("<i2", copy=False)


def _few_enough(samples: int, path: Path) -> None:
    """Refused where a file holds more samples of a lead than any recording."""
    if samples > safe_files.MOST_SAMPLES:
        rule = f"a lead has {safe_files.MOST_SAMPLES} samples at most"
        raise Refused("oversized", f"{path}: {rule}, found {samples}; cut it")


def _as_told(raw: bytes, told: int, path: Path) -> None:
    """Refused where the bytes are not as many as the header tells of: 'truncated', 'oversized' or
    what they are."""
    if len(raw) != told:
        reason = "truncated" if len(raw) < told else "oversized"
        refusal = Refused(
            reason, f"{path}: the header tells of {told} bytes, found {len(raw)}; fetch it anew"
        )
        raise safe_files.foreign_bytes(raw[:512], path) or refusal


def _theirs(
    path: Path, samples: int | None, lines: list[Signal], wanted: list[int], root: Path, most: int
) -> tuple[np.ndarray, dict[Signal, tuple[int, int]]]:
    """(whole steps [time, wanted signal] of one signal file, the first value and the 16-bit sum of
    each)."""
    if path.name.lower().endswith(suffixes.MATLAB):
        rule = f"a .mat file is of format 16, each lead sampled once a frame, the header says {lines[0].format}"
        raise Refused("format", f"{path}: {rule}; correct the header")
    safe_files.size(path, root)
    chosen = ",".join(map(str, wanted))
    numbers = [n for line in lines for n in (line.samples_per_frame, line.skew, line.initial or 0)]
    about = (lines[0].format, lines[0].byte_offset, samples or 0, most, chosen, *numbers)
    try:
        steps, said = _wfdb().call(str(path.absolute()), str(root.absolute()), *about)
    except Refused as refusal:
        raise Refused(
            refusal.reason, str(refusal).replace(str(path.absolute()), str(path))
        ) from None
    if len(steps) != len(wanted) or not len(said.get("firsts", ())) == len(
        said.get("sums", ())
    ) == len(wanted):
        raise Refused("unreadable", f"{path}: wfdb reads {len(steps)} of its leads; fetch it anew")
    told = zip((lines[index] for index in wanted), said["firsts"], said["sums"], strict=True)
    return steps.T, {line: (first, total) for line, first, total in told}


@functools.cache
def _wfdb() -> Sandbox:
    """The one process that runs the wfdb package."""
    return Sandbox(parsers, "wfdb")


def _sums(
    digital: np.ndarray, wanted: list[Signal], theirs: dict[Signal, tuple[int, int]], file: Path
) -> None:
    """Refused 'checksum' where a lead's samples do not fit the first value and the 16-bit sum that
    the header gives.

    `theirs` has both of the leads that wfdb decoded. Skewed leads come without what the skew takes
    and are not checked.
    """
    if not len(digital):
        return
    totals = digital.sum(
        axis=0, dtype=digital.dtype
    )  # 16 bits or more: what runs over is a multiple of 2^16
    for signal, first, total in zip(wanted, digital[0].tolist(), totals.tolist(), strict=True):
        if signal.skew:
            continue
        if theirs and signal in theirs:
            first, total = theirs[signal]
        if signal.initial is not None and first != signal.initial:
            found = f"first value: the header says {signal.initial}, found {first}"
        elif signal.checksum is not None and (total - signal.checksum) % 0x10000:
            found = f"checksum: the header says {signal.checksum}, found {(total + 0x8000) % 0x10000 - 0x8000}"
        else:
            continue
        known = safe_files.identify(
            file.parent / signal.file
        )  # a page or an archive that is as long as the recording
        raise known or Refused("checksum", f"{file}: lead {signal.name}: {found}; fetch it anew")
