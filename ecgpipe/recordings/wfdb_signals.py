"""Signal files of WFDB recordings (.dat, .mat), into whole steps [time, 12] and where samples are
missing.

The signals of one file are interleaved, after the byte offset; the least value of each format is a
missing sample. We read most formats ourselves (`wfdb_formats.DECODERS`). A file that ends in .mat
holds its samples as MATLAB does (`matlab`), whatever offset within it the header gives. Files in
all other formats, and those with a lead that is sampled several times a frame or skewed, are
decoded by the wfdb package, in a process of its own (`wfdb_worker`).

A file has the bytes that the header tells of, no less and no more; where the header tells of no
number of samples, a lead has MOST_SAMPLES at most. All files of a recording have MOST_BYTES
together.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecgpipe.recordings import matlab, safe_files, suffixes, wfdb_formats, wfdb_worker
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.sandbox import Sandbox
from ecgpipe.recordings.wfdb_header import Header
from ecgpipe.recordings.wfdb_signal_lines import Signal


class _Block(NamedTuple):
    """What one signal file holds of the wanted leads.

    steps: whole steps [time, lead], of the leads `lines`, a missing sample as `missing`. totals:
    the first value and the 16-bit sum of each lead, where they are not those of `steps`. size: the
    bytes that it took.
    """

    steps: np.ndarray
    lines: list[Signal]
    missing: int
    totals: dict[Signal, tuple[int, int]]
    size: int


def read(
    file: Path, header: Header, wanted: list[Signal], root: Path
) -> tuple[np.ndarray, np.ndarray]:
    """(steps, whether each is missing), both [time, lead] with each lead in one piece, of the
    `wanted` signals of the header `file`; its files lie below `root`.

    int16 where every step fits by its format, else int32. Refused where header and files disagree:
    'format', 'missing', 'truncated', 'oversized', 'checksum', or as `safe_files.size` and
    `wfdb_worker.handle_request` say.
    """
    if header.samples is not None and header.samples > safe_files.MOST_SAMPLES:
        rule = f"a lead has {safe_files.MOST_SAMPLES} samples at most"
        raise Refused("oversized", f"{file}: {rule}, the header tells of {header.samples}; cut it")
    blocks: list[_Block] = []
    left = safe_files.MOST_BYTES
    for name in dict.fromkeys(signal.file for signal in wanted):
        blocks.append(_read_file(file, name, header, wanted, root, left))
        left -= blocks[-1].size
    if len({len(block.steps) for block in blocks}) > 1:
        raise Refused("truncated", f"{file}: its signal files differ in length; fetch them anew")
    lines = [line for block in blocks for line in block.lines]
    missing = [block.missing for block in blocks for _ in block.lines]
    totals = {line: total for block in blocks for line, total in block.totals.items()}
    steps = [block.steps for block in blocks]
    digital = np.concatenate(steps, axis=1) if len(steps) > 1 else steps[0]
    del blocks, steps  # they are as large as the recording
    if lines != wanted:
        order = [lines.index(signal) for signal in wanted]
        digital = digital[:, order]
        missing = [missing[index] for index in order]
    digital = np.asfortranarray(digital)
    _check_totals(digital, wanted, totals, file)
    code = missing[0] if len(set(missing)) == 1 else np.array(missing)
    return digital, digital == code


def _read_file(
    file: Path, name: str, header: Header, wanted: Sequence[Signal], root: Path, most: int
) -> _Block:
    """One signal file of the header `file`, which takes `most` bytes at most."""
    path = file.with_name(name)
    lines = [signal for signal in header.signals if signal.file == name]
    first = lines[0]
    if len({(line.format, line.byte_offset) for line in lines}) > 1:
        raise Refused(
            "format", f"{file}: the signals of {name} differ in format or byte offset; correct it"
        )
    plain = all(line.samples_per_frame == 1 and not line.skew for line in lines)
    if first.format in wfdb_formats.DECODERS and plain:
        steps, size = decode_file(path, header.samples, lines, root, most)
        return _Block(steps, lines, wfdb_formats.MISSING[first.format], {}, size)
    chosen = [index for index, line in enumerate(lines) if line in wanted]
    return _decoded_by_wfdb(path, header.samples, lines, chosen, root, most)


def decode_file(
    path: Path, samples: int | None, lines: list[Signal], root: Path, most: int
) -> tuple[np.ndarray, int]:
    """(whole steps [time, signal] of one signal file, the bytes that it took of `most`)."""
    raw = safe_files.content(path, root, most)
    page = safe_files.no_recording(raw, path)
    if page:
        raise page
    if path.name.lower().endswith(suffixes.MATLAB):
        values = _matrix(raw, path, samples, lines, most)
        return values, max(len(raw), values.nbytes)
    fmt, offset = lines[0].format, lines[0].byte_offset
    if samples is None:
        samples = _whole_samples(raw, fmt, offset, len(lines), path)
    size = offset + wfdb_formats.stored_bytes(fmt, samples * len(lines))
    _check_size(raw, size, path)
    _few_enough(samples, path)
    values = wfdb_formats.DECODERS[fmt](np.frombuffer(raw, dtype=np.uint8, offset=offset))
    return values[: samples * len(lines)].reshape(samples, len(lines)), len(raw)


def _whole_samples(raw: bytes, fmt: str, offset: int, leads: int, path: Path) -> int:
    """The samples of each lead that a file holds whose header does not tell."""
    held = len(raw) - offset
    packed = wfdb_formats.PACKED[fmt]
    samples = max(held, 0) * packed.samples // packed.bytes // leads
    _few_enough(samples, path)
    if held != wfdb_formats.stored_bytes(fmt, samples * leads):
        refusal = Refused(
            "truncated", f"{path}: {held} bytes are no whole number of steps; fetch it anew"
        )
        raise safe_files.foreign_bytes(raw, path) or refusal
    return samples


def _matrix(
    raw: bytes, path: Path, samples: int | None, lines: list[Signal], most: int
) -> np.ndarray:
    """int16 [time, lead] of a .mat file that fits its header; what is packed is unpacked to what
    that tells of."""
    if lines[0].format not in ("16", "61"):
        rule = f"a .mat file is of format 16, the header says {lines[0].format}"
        raise Refused("format", f"{path}: {rule}; correct the header")
    if lines[0].byte_offset > len(raw):
        rule = f"the header tells of samples after {lines[0].byte_offset} bytes"
        refusal = Refused(
            "truncated", f"{path}: {rule}, found {len(raw)} bytes in all; fetch it anew"
        )
        raise safe_files.foreign_bytes(raw, path) or refusal
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


def _check_size(raw: bytes, expected: int, path: Path) -> None:
    """Refused where the bytes are not as many as the header tells of: 'truncated', 'oversized' or
    what they are."""
    if len(raw) != expected:
        reason = "truncated" if len(raw) < expected else "oversized"
        refusal = Refused(
            reason, f"{path}: the header tells of {expected} bytes, found {len(raw)}; fetch it anew"
        )
        raise safe_files.foreign_bytes(raw, path) or refusal


def _decoded_by_wfdb(
    path: Path, samples: int | None, lines: list[Signal], chosen: list[int], root: Path, most: int
) -> _Block:
    """The `chosen` of the signals `lines` of one file, by wfdb."""
    if path.name.lower().endswith(suffixes.MATLAB):
        rule = "a .mat file is of format 16, each lead sampled once a frame"
        raise Refused(
            "format",
            f"{path}: {rule}, the header says {lines[0].format}; correct the header",
        )
    safe_files.size(path, root)
    fmt, offset = lines[0].format, lines[0].byte_offset
    numbers = [(line.samples_per_frame, line.skew, line.initial or 0) for line in lines]
    channels = ",".join(map(str, chosen))
    try:
        with wfdb_worker.own_record(path, fmt, offset, numbers) as record:
            steps, answer = wfdb_library().call(
                str(path.absolute()),
                str(root.absolute()),
                record,
                fmt,
                offset,
                samples or 0,
                most,
                channels,
                *(number for line in numbers for number in line),
            )
    except Refused as refusal:
        raise Refused(
            refusal.reason, str(refusal).replace(str(path.absolute()), str(path))
        ) from None
    firsts, sums = answer.get("firsts", ()), answer.get("sums", ())
    if not len(steps) == len(firsts) == len(sums) == len(chosen):
        raise Refused("unreadable", f"{path}: wfdb reads {len(steps)} of its leads; fetch it anew")
    lines = [lines[index] for index in chosen]
    totals = dict(zip(lines, zip(firsts, sums, strict=True), strict=True))
    return _Block(steps.T, lines, wfdb_worker.MISSING, totals, steps.nbytes)


@functools.cache
def wfdb_library() -> Sandbox:
    """The one process that runs the wfdb package."""
    return Sandbox(wfdb_worker, "wfdb")


def _check_totals(
    digital: np.ndarray,
    wanted: list[Signal],
    totals: dict[Signal, tuple[int, int]],
    file: Path,
) -> None:
    """Refused 'checksum' where a lead's samples do not fit the first value and the 16-bit sum that
    the header gives.

    `totals` has both of the leads that wfdb decoded. Skewed leads come without what the skew takes
    and are not checked.
    """
    if not len(digital):
        return
    # In 16 bits or more: what runs over is a multiple of 2^16.
    sums, firsts = digital.sum(axis=0, dtype=digital.dtype).tolist(), digital[0].tolist()
    stated = [(signal.initial, signal.checksum) for signal in wanted]
    if not totals and stated == list(zip(firsts, sums, strict=True)):
        return  # most headers, and the sooner
    for signal, first, total in zip(wanted, firsts, sums, strict=True):
        if signal.skew:
            continue
        problem = _disagreement(signal, *totals.get(signal, (first, total)))
        if problem:
            # It may be a page or an archive that is as long as the recording.
            known = safe_files.identify(file.parent / signal.file)
            message = f"{file}: lead {signal.name}: {problem}; fetch it anew"
            raise known or Refused("checksum", message)


def _disagreement(signal: Signal, first: int, total: int) -> str:
    """In what a lead's first value or sum differs from its signal line; '' where in nothing."""
    if signal.initial is not None and first != signal.initial:
        return f"first value: the header says {signal.initial}, found {first}"
    if signal.checksum is not None and (total - signal.checksum) % 0x10000:
        found = (total + 0x8000) % 0x10000 - 0x8000
        return f"checksum: the header says {signal.checksum}, found {found}"
    return ""
