"""What each source can say: its native labels and the SNOMED CT code that each of them means."""

import functools
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ecgpipe.project import csv_files
from ecgpipe.project.csv_files import Row
from ecgpipe.project.errors import UserError

HERE = Path(__file__).parent
NATIVE_LABELS = HERE / "native_labels.csv"
COLUMNS = ("native_label", "snomed_ct")
_POINT = re.compile(r"[.,]0+$")  # what a spreadsheet leaves of a column of numbers with gaps
# Verhoeff's permutation of digits; the place i from the right is permuted i times.
_VERHOEFF = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
# Sources whose native labels are readable names.
_SPELLED_OUT = ("CPSC2018", "CPSC2018-Extra", "INCART", "PTB", "Georgia")


def vocabularies() -> tuple[str, ...]:
    """The names in native_labels.csv that `vocabulary` knows."""
    return tuple(_of_sources())


def vocabulary(name_or_csv: str | Path) -> dict[str, frozenset[str]]:
    """Native label -> SNOMED CT codes: of a name in native_labels.csv, or of the own CSV
    (native_label, snomed_ct) at a path that ends in .csv. A label without a code is known, and no
    class."""
    if str(name_or_csv).endswith(".csv"):
        path = Path(name_or_csv)
        rows = _read(path, COLUMNS)
        if not rows:
            raise UserError(f"{path}: a vocabulary has one row at least, found none; write it")
        return _meanings(rows, path)
    known = _of_sources()
    if name_or_csv not in known:
        raise UserError(
            f"vocabulary '{name_or_csv}' is none of {', '.join(known)}; or name a .csv of your own"
        )
    return dict(known[name_or_csv])


def _meanings(rows: Sequence[Row], path: Path) -> dict[str, frozenset[str]]:
    """Native label -> codes, of the rows of one vocabulary."""
    codes: dict[str, frozenset[str]] = {}
    for line, cells in rows:
        # In NFC, as labels are (`recordings.demographics.cleaned`): a Mac may write NFD.
        label = unicodedata.normalize("NFC", cells["native_label"])
        code = _POINT.sub("", cells["snomed_ct"])
        if not label:
            raise UserError(f"{path}: line {line}: code {code} without a label; write its label")
        if code and not is_code(code):
            rule = "6 to 18 digits, the last of which checks the others; one code a row"
            raise UserError(
                f"{path}: line {line}: label '{label}': '{code}' is no SNOMED CT code ({rule}); "
                "correct it"
            )
        codes[label] = codes.get(label, frozenset()) | ({code} if code else set())
    return codes


@functools.cache
def _of_sources() -> dict[str, dict[str, frozenset[str]]]:
    """Source -> its vocabulary, of native_labels.csv."""
    rows: dict[str, list[Row]] = {}
    for row in read_rows(NATIVE_LABELS, ("source", *COLUMNS)):
        rows.setdefault(row.cells["source"], []).append(row)
    return {source: _meanings(of_source, NATIVE_LABELS) for source, of_source in rows.items()}


@functools.cache
def known_codes() -> frozenset[str]:
    """Every code that our tables know: those of all sources' labels and of the classes."""
    codes = {code for words in _of_sources().values() for meant in words.values() for code in meant}
    return frozenset(codes | _names().keys() - {""})


def is_code(text: str) -> bool:
    """Whether a text is a SNOMED CT identifier: 6 to 18 digits, of which the last is Verhoeff's
    check digit.

    Sources: SNOMED CT Release File Specifications, https://docs.snomed.org, "SCTID"; J. Verhoeff,
    Error Detecting Decimal Codes (1969): digits are multiplied in the group of the symmetries of a
    pentagon, each place permuted anew.

    >>> is_code("164889003"), is_code("164889004"), is_code("16488900"), is_code("1")
    (True, False, False, False)
    """
    if not (text.isascii() and text.isdigit() and 6 <= len(text) <= 18 and text[0] != "0"):
        return False
    product, permuted = 0, list(range(10))
    for digit in reversed(text):
        product = _product(product, permuted[int(digit)])
        permuted = [_VERHOEFF[place] for place in permuted]
    return product == 0


def _product(left: int, right: int) -> int:
    """The product of two symmetries of the pentagon: 0 to 4 are turns, 5 to 9 turns after a
    flip."""
    if left < 5:
        return (left + right) % 5 + (5 if right >= 5 else 0)
    return (left - right) % 5 + (5 if right < 5 else 0)


def name_of(code: str) -> str:
    """A readable name of a code (the official one, else what a source calls it), or the code
    itself.

    >>> name_of("164889003"), name_of("429622005"), name_of("1")
    ('atrial fibrillation', 'st depression', '1')
    """
    return _names().get(code, code)


def _read(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a vocabulary, or of a table of ours."""
    if not path.is_file():
        raise UserError(
            f"{path}: no such vocabulary; put it there, into its source's folder, "
            "or correct `vocabulary`"
        )
    return csv_files.parse(path.read_bytes(), path, columns)


@functools.cache
def read_rows(path: Path, columns: tuple[str, ...]) -> list[Row]:
    """The rows of one of our own tables, read once."""
    return _read(path, columns)


@functools.cache
def _names() -> dict[str, str]:
    """Code -> name."""
    names: dict[str, str] = {}
    rows = read_rows(NATIVE_LABELS, ("source", *COLUMNS))
    # Sources that spell out go first, each in its order.
    for _, cells in sorted(rows, key=lambda row: row.cells["source"] not in _SPELLED_OUT):
        names.setdefault(cells["snomed_ct"], cells["native_label"])
    for _, cells in read_rows(HERE / "cinc2021_classes.csv", ("codes", "names")):
        names.update(zip(cells["codes"].split("|"), cells["names"].split("|"), strict=False))
    return names
