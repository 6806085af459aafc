"""The signal lines of a WFDB header, after https://physionet.org/physiotools/wag/header-5.htm.

`file format[xN][:skew][+bytes] [gain[(baseline)][/units] [resolution [zero [initial [checksum
[block [description]]]]]]]`. Gain is in steps per unit (`1000/mV`, `1000/mv`, `1000.0(0)/mV`), units
are mV where absent, the baseline is the step of 0 units (the converter's zero where absent). The
checksum is the 16-bit sum of all samples. The description is the lead's name and may hold blanks.

The lines of a hospital's recordings differ in their files, first values and sums alone. So lines
are read by column, and what the others mean (`Layout`) is worked out once.
"""

import functools
import itertools
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from ecgpipe.recordings.demographics import NUMBER
from ecgpipe.recordings.refusals import Refused

_FIELDS = 9
_GAIN = re.compile(
    rf"(?P<gain>{NUMBER.pattern})(\((?P<baseline>[+-]?[0-9]{{1,18}})\))?(/(?P<units>.*))?"
)
_STORAGE = re.compile(r"([0-9]{1,4})(?:x([0-9]{1,4}))?(?::([0-9]{1,9}))?(?:\+([0-9]{1,15}))?")


class Signal(NamedTuple):
    """One signal line. `gain` is in steps per unit, None where the header gives none; NaN where
    what it gives is no gain, and then `units` is the field as written. Nothing is wrong with a
    header for a lead that nobody wants."""

    file: str
    format: str
    samples_per_frame: int
    skew: int
    byte_offset: int
    gain: float | None
    baseline: int
    units: str
    initial: int | None
    checksum: int | None
    name: str


class Layout(NamedTuple):
    """What signal lines say beside files, first values and sums, which the recordings of a hospital
    have in common: by line, as in `Signal`."""

    formats: tuple[str, ...]
    samples_per_frame: tuple[int, ...]
    skews: tuple[int, ...]
    byte_offsets: tuple[int, ...]
    gains: tuple[float | None, ...]
    baselines: tuple[int, ...]
    units: tuple[str, ...]
    names: tuple[str, ...]


class SignalLines(NamedTuple):
    """The signal lines of one header, by line."""

    files: tuple[str, ...]
    layout: Layout
    initials: tuple[int | None, ...]
    checksums: tuple[int | None, ...]

    def signals(self) -> tuple[Signal, ...]:
        """Each line as a `Signal`."""
        *before, names = self.layout
        columns = (self.files, *before, self.initials, self.checksums, names)
        return tuple(map(Signal._make, zip(*columns, strict=True)))


def parse(rows: list[list[str]], lines: list[str], where: str) -> SignalLines:
    """The signal lines of the fields of each (`rows`, nine at most); `lines` as written and `where`
    name them in errors.

    Refused 'format' or 'header', after the field that breaks the format.
    """
    try:
        return _of_columns(rows)
    except ValueError:
        for fields, line in zip(rows, lines, strict=True):
            _check(fields, line, where)
        raise


def _of_columns(rows: list[list[str]]) -> SignalLines:
    """The signal lines of the fields of each, of which the last may be absent; ValueError where one
    is none."""
    columns = list(itertools.zip_longest(*rows, fillvalue=""))
    columns += [("",) * len(rows)] * (_FIELDS - len(columns))
    files, storages, gains, _, zeros, initials, checksums, _, names = columns
    layout = _layout(storages, gains, zeros, names)
    return SignalLines(files, layout, _whole_numbers(initials), _whole_numbers(checksums))


@functools.lru_cache(maxsize=32)
def _layout(
    storages: tuple[str, ...],
    gains: tuple[str, ...],
    zeros: tuple[str, ...],
    names: tuple[str, ...],
) -> Layout:
    """The layout of columns as written."""
    stored = [_storage(storage) for storage in storages]
    middles = [middle or 0 for middle in _whole_numbers(zeros)]
    scales = [_scale(gain, middle) for gain, middle in zip(gains, middles, strict=True)]
    columns = [*zip(*stored, strict=True), *zip(*scales, strict=True)] or [()] * 7
    return Layout(*columns, names)


def _check(fields: list[str], line: str, where: str) -> None:
    """Refused where the fields of a signal line are none."""
    if len(fields) < 2:
        rule = f"a signal line is `file format gain ...`, found '{line[:80]}'"
        raise Refused("header", f"{where}: {rule}; correct the header")
    reason = "format"
    try:
        _storage(fields[1])
        reason = "header"
        _whole_numbers(fields[4:7])
    except ValueError as error:
        raise Refused(
            reason, f"{where}: {str(error)[:80]} in signal line '{line[:80]}'; correct the header"
        ) from None


def _whole_numbers(fields: Sequence[str]) -> tuple[int | None, ...]:
    """None where one is absent; ValueError where one is no whole number in digits of ASCII."""
    text = "".join(fields)
    # Python takes more for digits than WFDB does, which plain ASCII rarely holds.
    if ("_" in text or not text.isascii()) and not re.fullmatch("[+0-9-]*", text):
        raise ValueError("no whole numbers")
    if "" in fields:
        return tuple([int(field) if field else None for field in fields])
    return tuple(map(int, fields))


def _storage(text: str) -> tuple[str, int, int, int]:
    """`format[xN][:skew][+bytes]` -> (format, samples per frame, skew in samples, byte offset)."""
    match = _STORAGE.fullmatch(text)
    if match is None or (match[2] and int(match[2]) < 1):
        raise ValueError(f"'{text[:40]}' is no storage format such as 16 or 16+24")
    return match[1], int(match[2] or 1), int(match[3] or 0), int(match[4] or 0)


def _scale(text: str, middle: int) -> tuple[float | None, int, str]:
    """`gain[(baseline)][/units]`, '' where absent, of a converter with its zero at step `middle` ->
    (gain in steps per unit or None, baseline in steps, units); NaN and the text where it is
    none."""
    if not text:
        return None, middle, "mV"
    match = _GAIN.fullmatch(text)
    if match is None:
        return math.nan, middle, text
    baseline = match["baseline"]
    return float(match["gain"]), int(baseline or middle), match["units"] or "mV"
