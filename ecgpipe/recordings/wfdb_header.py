"""WFDB header files (.hea): text in, a checked `Header` out. No signal is opened here.

The format, as far as we read it, after https://physionet.org/physiotools/wag/header-5.htm:

- Blank lines are skipped, and so are lines that begin with `#`, the comments, before, between and
  after the others. Fields are separated by blanks or tabs; lines end in LF or CRLF; a byte order
  mark at the start is ignored; text that is not UTF-8 is read as Latin-1. Numbers are digits of
  ASCII. A NUL, a Ctrl-Z or a mark at a line's ends is ignored; a line that is no comment has 4,096
  characters at most.
- The record line: `name signals [rate[/counter[(base)]] [samples [time [date]]]]`. The rate is in
  samples per second, 250 where absent, from 50 to 10,000; 0 or absent samples mean that the signal
  file tells. `name/segments` is refused: no data set of ours has several segments. A file's name
  may hold blanks where it begins as the header's own does.
- Then one line per signal (`wfdb_signal_lines`).
- Comments carry the clinical data (`wfdb_comments`).

A header may name another record than its file does (it happens in the wild): the file's name
counts.
"""

import contextlib
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from ecgpipe.recordings import demographics, safe_files, wfdb_comments, wfdb_signal_lines
from ecgpipe.recordings.demographics import NUMBER
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.wfdb_comments import Clinical
from ecgpipe.recordings.wfdb_signal_lines import Signal, SignalLines

# Below the slowest rate no wave of an ECG is left; above the fastest no electrocardiograph samples.
SLOWEST_HZ, _DEFAULT_HZ, FASTEST_HZ = 50.0, 250.0, 10_000.0
_LONGEST = 4096
# Around a line, where editors of other systems leave them; and what Python, not WFDB, takes for the
# end of a line.
_NOTHING = " \t\0\x1a\ufeff"
_BREAKS = re.compile("[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")


@dataclass(frozen=True)
class Header:
    """A header as written; `samples` per signal, None where the signal file has to tell."""

    record: str
    rate_hz: float
    samples: int | None
    lines: SignalLines
    comments: tuple[str, ...]
    clinical: Clinical
    states_rate: bool = True  # where it does not, 250 Hz are taken

    @functools.cached_property
    def signals(self) -> tuple[Signal, ...]:
        """The signal lines."""
        return self.lines.signals()

    def comment(self, key: str) -> str:
        """The value of the first comment `key: value`, whatever its case and brackets; '' where
        there is none."""
        return next(iter(self.clinical.values.get(key, ())), "")

    @property
    def age(self) -> float | None:
        """In years."""
        return self.clinical.age

    @property
    def sex(self) -> str | None:
        """F, M or None."""
        return self.clinical.sex

    @property
    def not_understood(self) -> tuple[tuple[str, str], ...]:
        """What is written of the age and sex that is neither (`demographics.not_understood`)."""
        if not {"odd-age", "odd-sex"}.intersection(self.clinical.doubts):
            return ()
        values = self.clinical.values
        return demographics.not_understood(values.get("age", ()), values.get("sex", ()))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels as written, cleaned of blanks, empty ones and doubles."""
        return self.clinical.labels

    @property
    def doubts(self) -> tuple[str, ...]:
        """no-rate; odd-age, odd-sex, odd-labels (`wfdb_comments.Clinical`)."""
        doubts = self.clinical.doubts
        return doubts if self.states_rate else ("no-rate", *doubts)


def read(path: Path, where: str = "", root: Path | None = None) -> Header:
    """The header in a file below `root` (its own folder), named `where` in errors.

    Refused where it breaks the format (`parse`), or is no file that may be read
    (`recordings.safe_files.content`).
    """
    raw = safe_files.content(path, root or path.parent, safe_files.MOST_TEXT)
    try:
        return parse(safe_files.text(raw), where or str(path), path.stem)
    except Refused as refusal:
        raise safe_files.foreign_bytes(raw, path) or refusal from None


def parse(text: str, where: str, stem: str = "") -> Header:
    """The header in a text; `where` names it in errors, `stem` is its file's name, which may hold
    blanks.

    Refused 'header', 'segments', 'rate' or 'format', after the part that breaks the format.
    """
    stem = stem if " " in stem else ""
    lines, comments = _split(text, strip=not stem)
    _check_lines(lines, where)
    try:
        return _parsed(lines, comments, where, stem)
    except Refused:
        if stem:  # a copy `A 1.hea` of the header `A.hea` has lines of a record A
            with contextlib.suppress(Refused):
                return _parsed(lines, comments, where, "")
        raise


def _split(text: str, strip: bool) -> tuple[list[str], tuple[str, ...]]:
    """(lines that are no comments, stripped or as they are; comments) of a header's text."""
    lines, comments = [], []
    # A CR before an LF makes a blank line, which is skipped.
    for line in text.replace("\r", "\n").split("\n"):
        bare = line.strip(_NOTHING)
        if bare[:1] == "#":
            comments.append(bare[1:].strip())
        elif bare:
            lines.append(bare if strip else line)
    return lines, tuple(comments)


def _check_lines(lines: list[str], where: str) -> None:
    """Refused 'header' where there is no line, or one is too long or holds what is no text."""
    if not lines:
        rule = "a header begins with a record line, found none"
        raise Refused("header", f"{where}: {rule}; is this a WFDB header?")
    together = "".join(lines)
    if len(together) <= _LONGEST and together.isprintable():
        return
    for line in lines:
        if len(line) > _LONGEST or _BREAKS.search(line):
            rule = f"a line has {_LONGEST} characters at most, and no control character"
            raise Refused(
                "header", f"{where}: {rule}, found {len(line)}: {line[:80]!r}; correct the header"
            )


def _parsed(lines: list[str], comments: tuple[str, ...], where: str, stem: str) -> Header:
    """The header of lines that are no comments, and of those that are."""
    record, count, rate_hz, samples = _record_line(lines[0], where, stem)
    if len(lines) - 1 != count:
        rule = f"the record line announces {count} signals, found {len(lines) - 1} lines"
        raise Refused("header", f"{where}: {rule}; fetch anew")
    if not stem and "".join(lines).isascii():
        rows = [line.split(None, 8) for line in lines[1:]]
    else:
        rows = [_fields(line, stem, 8, ".") for line in lines[1:]]
    return Header(
        record,
        rate_hz or _DEFAULT_HZ,
        samples,
        wfdb_signal_lines.parse(rows, lines[1:], where),
        comments,
        wfdb_comments.read(comments),
        states_rate=bool(rate_hz),
    )


def _fields(line: str, stem: str, most: int = -1, ends: str = " \t") -> list[str]:
    """The fields of a line; its first, a file's name, may begin with a `stem` that holds blanks,
    and is then followed by one of `ends`."""
    if stem:
        line = line if line.startswith(stem) else line.lstrip(_NOTHING)
        after = line[len(stem) :]
        if line.startswith(stem) and after[:1] in tuple(ends):
            first, *rest = _fields("-" + after.rstrip(_NOTHING), "", most)
            return [stem + first[1:], *rest]
        line = line.strip(_NOTHING)
    if line.isascii():
        return line.split(None, most)
    return re.split("[ \t]+", line, maxsplit=max(most, 0))


def _record_line(line: str, where: str, stem: str) -> tuple[str, int, float | None, int | None]:
    """(name, number of signals, rate in Hz or None, samples or None)."""
    fields = _fields(line, stem)
    if "/" in fields[0]:
        rule = f"record '{fields[0][:80]}' has several segments"
        raise Refused("segments", f"{where}: {rule}; join them into one record")
    if len(fields) < 2:
        rule = f"the record line is `name signals rate samples`, found '{line[:80]}'"
        raise Refused("header", f"{where}: {rule}; is this a header?")
    count = _whole(fields[1], "the number of signals", where)
    rate_hz = _rate(fields[2], where) if len(fields) > 2 else None
    samples = _whole(fields[3], "the number of samples", where) if len(fields) > 3 else 0
    return fields[0], count, rate_hz, samples or None


def _rate(field: str, where: str) -> float:
    """The rate in Hz of the field `rate[/counter[(base)]]`; Refused 'rate' where it is none."""
    text = field.partition("/")[0].partition("(")[0]
    if not NUMBER.fullmatch(text):
        rule = f"the rate in Hz is a number, found '{text[:40]}'"
        raise Refused("rate", f"{where}: {rule}; correct the header")
    rate_hz = float(text)
    if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
        rule = f"a rate is above 0 Hz, from {SLOWEST_HZ:g} to {FASTEST_HZ:g} Hz"
        raise Refused("rate", f"{where}: {rule}, found '{field[:80]}'; correct the header")
    return rate_hz


def _whole(text: str, what: str, where: str) -> int:
    """A count; Refused 'header' where it is none."""
    if not (text.isascii() and text.isdigit()):
        rule = f"{what} is a count, found '{text[:40]}'"
        raise Refused("header", f"{where}: {rule}; correct the header")
    return int(text[:19])  # more digits than any file has bytes
