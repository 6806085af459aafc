"""Ids of recordings and patients, and what spreadsheets make of them.

- `1.0` for `1`: a column of whole numbers with a gap becomes one of decimal numbers. Read as `1`.
- `1` for `001`. Read as `001` where no other recording could be meant.
- `1-Mar`, `Mar-24`, `01.03.2024`, `2024-03-01 00:00:00` for ids such as `1-3`: dates with a month's
  name or a year of four digits. What stood there is lost.
- `1.23457E+14` for a long number. What stood there is lost.

A hospital's own ids may look like dates, so such an id is refused only where it is a stranger: a
record's where no recording has it while the records that are found do not look so, a patient's
where other patients of the column do not look so. A rounded number is refused as a patient always,
and as a record where no recording has it.
"""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from ecgpipe.project.errors import UserError

_WHOLE = re.compile(r"([0-9]+)[.,]0+", re.ASCII)
_MONTH = (
    "jan|feb|mar|m\u00e4r|mrz|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez|"
    "january|february|march|april|june|july|august|september|october|november|december"
)
_TIME = r"([ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?"
_DATE = re.compile(
    rf"[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}{_TIME}"
    rf"|[0-9]{{1,2}}([./-])[0-9]{{1,2}}\3[0-9]{{4}}{_TIME}"
    rf"|[0-9]{{1,2}}[-. ]{{1,2}}({_MONTH})\.?([- .]{{1,2}}([0-9]{{2}}|[0-9]{{4}}))?"
    rf"|({_MONTH})\.?[- ]([0-9]{{2}}|[0-9]{{4}})",
    re.ASCII | re.IGNORECASE,
)
_ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.ASCII | re.IGNORECASE)
_STEP = "format the column as text before it is filled or opened, and save the table anew"


def whole(text: str) -> str:
    """A whole number that was written as a decimal one, without its point; other text as it is.

    >>> whole("15709.0"), whole("17,00"), whole("1.5"), whole("S00001")
    ('15709', '17', '1.5', 'S00001')
    """
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def padded(written: Collection[str], found: Collection[str]) -> dict[str, str]:
    """Number as a spreadsheet leaves it -> the one of `found` that it was; without those whose own
    name is `written`.

    >>> padded(["1", "2"], ["001", "2", "0003", "003"])
    {'1': '001'}
    """
    of_number: dict[str, list[str]] = {}
    for record in found:
        if record.isascii() and record.isdigit():
            of_number.setdefault(record.lstrip("0") or "0", []).append(record)
    written = frozenset(written)
    return {
        number: records[0]
        for number, records in of_number.items()
        if len(records) == 1 and records[0] not in written
    }


def is_date(text: str) -> bool:
    """Whether an id looks as spreadsheets write dates.

    >>> is_date("1-Mar"), is_date("01.03.2024"), is_date("2024-03-01 00:00:00"), is_date("12-34-56")
    (True, True, True, False)
    """
    return _DATE.fullmatch(text) is not None


def is_rounded(text: str) -> bool:
    """Whether an id looks as spreadsheets write long numbers.

    >>> is_rounded("1.23457E+14"), is_rounded("1e5")
    (True, False)
    """
    return _ROUNDED.fullmatch(text) is not None


def check_records(
    ids: Iterable[tuple[int, str]], found: Collection[str], path: Path, column: str
) -> None:
    """UserError where a record id (with its line) that is not `found` is what a spreadsheet makes
    of another."""
    ids = list(ids)
    dates_are_usual = any(is_date(text) for _, text in ids if text in found)
    for line, text in ids:
        if text in found:
            continue
        if is_rounded(text) or (is_date(text) and not dates_are_usual):
            raise UserError(
                f"{path}: line {line}: no recording is '{text}', which a spreadsheet may have made "
                f"of another id in column {column}; {_STEP}"
            )


def check_patients(ids: Iterable[tuple[int, str]], path: Path, column: str) -> None:
    """UserError where a patient's id (with its line) is what a spreadsheet makes of another."""
    ids = list(ids)
    dates_are_usual = all(is_date(text) for _, text in ids)
    for line, text in ids:
        if is_rounded(text) or (is_date(text) and not dates_are_usual):
            other = next((text for _, text in ids if not is_date(text)), text)
            raise UserError(
                f"{path}: line {line}: '{text}' may be what a spreadsheet made of another id in "
                f"column {column}, where others look like '{other}'; {_STEP}"
            )
