"""What each source can say: its native labels and the SNOMED CT code that each of them means."""

import functools
from pathlib import Path

from ecgpipe.project import tables
from ecgpipe.project.errors import UserError

HERE = Path(__file__).parent
NATIVE_LABELS = HERE / "native_labels.csv"
COLUMNS = {"native_label", "snomed_ct"}
# Verhoeff's permutation of digits; the place i from the right is permuted i times.
_VERHOEFF = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
# Sources whose native labels are readable names.
_SPELLED_OUT = ("CPSC2018", "CPSC2018-Extra", "INCART", "PTB", "Georgia")


def vocabularies() -> tuple[str, ...]:
    """The names in native_labels.csv that `vocabulary` knows."""
    return tuple(dict.fromkeys(row["source"] for row in read_rows(NATIVE_LABELS)))


def vocabulary(name_or_csv: str | Path) -> dict[str, frozenset[str]]:
    """Native label -> SNOMED CT codes: of a name in native_labels.csv, or of the own CSV
    (native_label, snomed_ct) at a path that ends in .csv. A label without a code is known, and no
    class."""
    path, rows = _rows_of(name_or_csv)
    if not rows or COLUMNS - rows[0].keys():
        there = f"found {', '.join(filter(None, rows[0]))}" if rows else "found no row"
        raise UserError(
            f"{path}: a vocabulary has the columns native_label,snomed_ct, separated by a comma, "
            f"and one row at least; {there}; save it so"
        )
    codes: dict[str, frozenset[str]] = {}
    for row in rows:
        label, code = row["native_label"].strip(), row["snomed_ct"].strip()
        if None in row:  # where DictReader puts the cells that no column heads
            raise UserError(
                f"{path}: label '{label}': its row has more cells than the table has columns; "
                "a label that holds a comma stands in quotes, a code has none"
            )
        if code and not is_code(code):
            rule = "6 to 18 digits, the last of which checks the others; one code a row"
            raise UserError(
                f"{path}: label '{label}': '{code}' is no SNOMED CT code ({rule}); correct it"
            )
        codes[label] = codes.get(label, frozenset()) | ({code} if code else set())
    return codes


def _rows_of(name_or_csv: str | Path) -> tuple[Path, list[dict[str, str]]]:
    """The table that holds a vocabulary, and its rows there."""
    if str(name_or_csv).endswith(".csv"):
        return Path(name_or_csv), _read(Path(name_or_csv))
    known = vocabularies()
    if name_or_csv not in known:
        raise UserError(
            f"vocabulary '{name_or_csv}' is none of {', '.join(known)}; or name a .csv of your own"
        )
    rows = [row for row in read_rows(NATIVE_LABELS) if row["source"] == name_or_csv]
    return NATIVE_LABELS, rows


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


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of a vocabulary."""
    if not path.is_file():
        raise UserError(
            f"{path}: no such vocabulary; put it there, into its source's folder, "
            "or correct `vocabulary`"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: a vocabulary is UTF-8 text, found other bytes ({error}); save it so"
        ) from error
    return tables.parse_rows(text, path)[1]


@functools.cache
def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of one of our own tables, read once."""
    return _read(path)


@functools.cache
def _names() -> dict[str, str]:
    """Code -> name."""
    names: dict[str, str] = {}
    # Sources that spell out go first, each in its order.
    for row in sorted(read_rows(NATIVE_LABELS), key=lambda row: row["source"] not in _SPELLED_OUT):
        names.setdefault(row["snomed_ct"], row["native_label"])
    for row in read_rows(HERE / "cinc2021_classes.csv"):
        names.update(zip(row["codes"].split("|"), row["names"].split("|"), strict=False))
    return names
