"""WFDB header files (.hea): text in, a checked `Header` out. No signal is opened here.

The format, as far as we read it, after https://physionet.org/physiotools/wag/header-5.htm:

- Blank lines are skipped, and so are lines that begin with `#`, the comments, before, between and after the others.
  Fields are separated by blanks or tabs; lines end in LF or CRLF; a byte order mark at the start is ignored; text
  that is not UTF-8 is read as Latin-1.
- The record line: `name signals [rate[/counter[(base)]] [samples [time [date]]]]`. The rate is in samples per second,
  250 where absent, from 50 to 10,000; 0 or absent samples mean that the signal file tells. `name/segments` is refused:
  no data set of ours has several segments. A file's name may hold blanks where it begins as the header's own does.
- Then one line per signal: `file format[xN][:skew][+bytes] [gain[(baseline)][/units] [resolution [zero [initial
  [checksum [block [description]]]]]]]`. Gain is in steps per unit (`1000/mV`, `1000/mv`, `1000.0(0)/mV`), units are mV
  where absent, the baseline is the step of 0 units (the converter's zero where absent). The checksum is the 16-bit sum
  of all samples. The description is the lead's name and may hold blanks.
- Comments carry the clinical data as `key: value`: `#Age: 74`, `# Age: 74`, `#<age>: 74` (LUDB), likewise Sex and Dx.
  LUDB's `#<diagnoses>` opens a list: each comment after it is one diagnosis, ended by a full stop.

A header may name another record than its file does (it happens in the wild): the file's name counts.
"""

import functools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ecgpipe import files
from ecgpipe.refusals import Refused

_DEFAULT_RATE_HZ = 250.0
# PTB-XL gives every age above 89 years as 300, for its patients' privacy; it is recorded as this many years.
OVER_89 = 90.0
_OLDEST = 120.0
# Below, no wave of an ECG is left; above, no electrocardiograph samples.
SLOWEST_HZ, FASTEST_HZ = 50.0, 10_000.0
_LARGEST = 1 << 31
_SEX = {"male": "M", "m": "M", "female": "F", "f": "F"}
_NO_VALUE = {"", "unknown", "nan", "none", "na", "n/a", "null", "-1", "-1.0"}
_CODE = re.compile(r"[1-9][0-9]{5,17}")
_DIGITS = re.compile(r"[0-9]{6}")
_STORAGE = re.compile(r"([0-9]{1,4})(?:x([0-9]{1,4}))?(?::([0-9]{1,9}))?(?:\+([0-9]{1,15}))?")
_NO_LABEL = {"", "unknown", "nan", "none"}


class Signal(NamedTuple):
    """One signal line. `gain` is in steps per unit, None where the header gives none."""

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


@dataclass(frozen=True, slots=True)
class Header:
    """A header as written; `samples` per signal, None where the signal file has to tell."""

    record: str
    rate_hz: float
    samples: int | None
    signals: tuple[Signal, ...]
    comments: tuple[str, ...]

    def comment(self, key: str) -> str:
        """The value of the first comment `key: value`, whatever its case and brackets; '' where there is none."""
        return next(iter(_said(self.comments).get(key, ())), "")

    @property
    def age(self) -> float | None:
        """In years."""
        return age(self.comment("age"))

    @property
    def sex(self) -> str | None:
        """F, M or None."""
        return sex(self.comment("sex"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels as written: `Dx` split at commas, or LUDB's list; cleaned of blanks, empty ones and doubles."""
        for index, text in enumerate(self.comments):
            if text.strip("<>: \t").lower() == "diagnoses":
                return cleaned(line.rstrip(". \t") for line in self.comments[index + 1 :])
        return cleaned(self.comment("dx").split(","))

    @property
    def doubts(self) -> tuple[str, ...]:
        """odd-age, odd-sex: a value that is none and no word for unknown, or two that differ; odd-labels: two `Dx`
        lines that differ, or codes that nobody could have meant (`no_code`)."""
        said = _said(self.comments)
        stated = {
            "odd-age": {age(text) for text in said.get("age", ()) if text.lower() not in _NO_VALUE},
            "odd-sex": {sex(text) for text in said.get("sex", ()) if text.lower() not in _NO_VALUE},
        }
        found = [name for name, values in stated.items() if None in values or len(values) > 1]
        listed = said.get("dx", ())
        differ = len(listed) > 1 and len({frozenset(cleaned(text.split(","))) for text in listed}) > 1
        if differ or any(map(no_code, self.labels)):
            found.append("odd-labels")
        return tuple(found)


@functools.lru_cache(maxsize=2)
def _said(comments: tuple[str, ...]) -> dict[str, list[str]]:
    """The values of the comments `key: value` by key, in lower case and without brackets."""
    found: dict[str, list[str]] = {}
    for text in comments:
        key, colon, value = text.partition(":")
        if colon:
            found.setdefault(key.strip("<> \t").lower(), []).append(value.strip())
    return found


def read(path: Path, where: str = "", root: Path | None = None) -> Header:
    """The header in a file below `root` (its own folder), named `where` in errors.

    Refused where it breaks the format (`parse`), or is no file that may be read (`files.content`).
    """
    path = Path(path)
    raw = files.content(path, root or path.parent, files.MOST_TEXT)
    try:
        return parse(files.text(raw), where or str(path), path.stem)
    except Refused as refusal:
        raise files.foreign_bytes(raw[:512], path) or refusal from None


def parse(text: str, where: str, stem: str = "") -> Header:
    """The header in a text; `where` names it in errors, `stem` is its file's name, which may hold blanks.

    Refused 'header', 'segments', 'rate' or 'gain', after the part that breaks the format.
    """
    lines, comments = [], []
    for line in text.replace("\r", "\n").split("\n"):  # a CR before an LF makes a blank line, which is skipped
        line = line.strip()
        if line.startswith("#"):
            comments.append(line[1:].strip())
        elif line:
            lines.append(line)
    if not lines:
        raise Refused("header", f"{where}: a header begins with a record line, found none; is this a WFDB header?")
    stem = stem if " " in stem else ""
    record, count, rate_hz, samples = _record_line(lines[0], where, stem)
    if len(lines) - 1 != count:
        rule = f"the record line announces {count} signals, found {len(lines) - 1} lines"
        raise Refused("header", f"{where}: {rule}; fetch anew")
    signals = tuple([_signal_line(line, where, stem) for line in lines[1:]])
    return Header(record, rate_hz, samples, signals, tuple(comments))


def age(text: str) -> float | None:
    """An age in years as data sets write it, or None: blank, `NaN`, negative and above 120 mean unknown, 300 over 89.

    >>> age("74"), age("NaN"), age("-1"), age("300")
    (74.0, None, None, 90.0)
    """
    try:
        years = float(text)
    except ValueError:
        return None
    if years == 300:
        return OVER_89
    return years if 0 <= years <= _OLDEST else None  # NaN fails both


def sex(text: str) -> str | None:
    """F or M from Female, F, Male, M in any case; None for anything else, numbers too.

    >>> sex("Female"), sex("m"), sex("Unknown"), sex("1")
    ('F', 'M', None, None)
    """
    return _SEX.get(text.strip().lower())


def no_code(label: str) -> bool:
    """Whether a label has the six digits of a SNOMED CT code and is none: a fraction, two codes in one, text about it.

    >>> no_code("426783006"), no_code("426783006.0"), no_code("426783006;164889003"), no_code("AV block 1")
    (False, True, True, False)
    """
    return _DIGITS.search(label) is not None and _CODE.fullmatch(label) is None


def cleaned(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels without blanks around them, empty ones, doubles and words for none, in their order.

    >>> cleaned(["426783006", " 426783006", "", "Unknown", "164889003 "])
    ('426783006', '164889003')
    """
    stripped = (label.strip() for label in labels)
    return tuple(dict.fromkeys(label for label in stripped if label.lower() not in _NO_LABEL))


def _fields(line: str, stem: str, most: int = -1) -> list[str]:
    """The fields of a line; its first, a file's name, may begin with a `stem` that holds blanks."""
    if not stem or not line.startswith(stem):
        return line.split(None, most)
    first, *rest = ("-" + line[len(stem) :]).split(None, most)
    return [stem + first[1:], *rest]


def _record_line(line: str, where: str, stem: str) -> tuple[str, int, float, int | None]:
    """(name, number of signals, rate in Hz, samples or None)."""
    fields = _fields(line, stem)
    if "/" in fields[0]:
        rule = f"record '{fields[0]}' has several segments"
        raise Refused("segments", f"{where}: {rule}; join them into one record")
    if len(fields) < 2:
        rule = f"the record line is `name signals rate samples`, found '{line[:80]}'"
        raise Refused("header", f"{where}: {rule}; is this a header?")
    count = _whole(fields[1], "the number of signals", where)
    rate_hz, samples = _DEFAULT_RATE_HZ, None
    if len(fields) > 2:
        text = fields[2].partition("/")[0].partition("(")[0]
        rate_hz = _number(text, "the rate in Hz", where)
        if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
            rule = f"a rate is above 0 Hz, from {SLOWEST_HZ:g} to {FASTEST_HZ:g} Hz"
            raise Refused("rate", f"{where}: {rule}, found '{fields[2]}'; correct the header")
    if len(fields) > 3:
        samples = _whole(fields[3], "the number of samples", where) or None
    return fields[0], count, rate_hz, samples


def _signal_line(line: str, where: str, stem: str) -> Signal:
    """One signal line. Its last field, the lead's name, may hold blanks."""
    fields = _fields(line, stem, 8)
    if len(fields) < 2:
        rule = f"a signal line is `file format gain ...`, found '{line[:80]}'"
        raise Refused("header", f"{where}: {rule}; correct the header")
    reason = "format"
    try:
        storage, frame, skew, offset = _storage(fields[1])
        reason = "gain"
        gain, baseline, units = _gain(fields[2]) if len(fields) > 2 else (None, None, "mV")
        reason = "header"
        numbers = [int(field) for field in fields[4:7]]
        zero, initial, checksum = numbers if len(fields) > 6 else [*numbers, None, None, None][:3]
    except ValueError as error:
        raise Refused(reason, f"{where}: {error} in signal line '{line[:80]}'; correct the header") from None
    if baseline is None:
        baseline = zero or 0
    if abs(baseline) > _LARGEST:
        raise Refused("gain", f"{where}: the baseline is a step of 32 bits, found {baseline}; correct the header")
    name = fields[8] if len(fields) > 8 else ""
    return Signal(fields[0], storage, frame, skew, offset, gain, baseline, units, initial, checksum, name)


@functools.lru_cache(maxsize=1024)
def _storage(text: str) -> tuple[str, int, int, int]:
    """`format[xN][:skew][+bytes]` -> (format, samples per frame, skew in samples, byte offset)."""
    found = _STORAGE.fullmatch(text)
    if found is None or (found[2] and int(found[2]) < 1):
        raise ValueError(f"'{text[:40]}' is no storage format such as 16 or 16+24")
    return found[1], int(found[2] or 1), int(found[3] or 0), int(found[4] or 0)


@functools.lru_cache(maxsize=4096)
def _gain(text: str) -> tuple[float | None, int | None, str]:
    """`gain[(baseline)][/units]` -> (gain in steps per unit, baseline in steps or None, units)."""
    number, _, units = text.partition("/")
    number, bracket, baseline = number.partition("(")
    if bracket and not baseline.endswith(")"):
        raise ValueError(f"'{text}' is no gain such as 1000(0)/mV")
    return float(number), int(baseline[:-1]) if bracket else None, units or "mV"


def _whole(text: str, what: str, where: str) -> int:
    """A count, or ValueError."""
    if not (text.isascii() and text.isdigit()):
        raise Refused("header", f"{where}: {what} is a count, found '{text[:40]}'; correct the header")
    return int(text[:19])  # more digits than any file has bytes


def _number(text: str, what: str, where: str) -> float:
    """A finite number, or ValueError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Refused("rate", f"{where}: {what} is a number, found '{text[:40]}'; correct the header")
    return value
