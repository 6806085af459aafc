"""CSV as people, spreadsheets and this package write it, read strictly: a row that could be meant
in two ways stops the run and is named by its line.

- Encoding: UTF-8 with or without a byte order mark, or UTF-16 with one (Excel: "CSV UTF-8", or
  "Unicode text"). Code pages such as Windows-1252 do not say which they are, and are refused.
- Separator: that of `,` `;` and tab by which the header splits into the wanted columns; a first
  line `sep=;`, as Excel knows it, says so.
- Cells may stand in quotes, where a quote is doubled (RFC 4180). A quote that stays open, and text
  after a quote that closes a cell, are refused.
- Every row has as many cells as the header has columns. Wholly blank rows, and empty columns at the
  right end, as Excel leaves them, count for nothing. Where the header lacks these columns every row
  has them: one that is wider than the others has a separator too many somewhere.
- A wanted column stands once, and its cells hold no line break or other control character. In other
  columns a line break is text, unless an open quote there may have swallowed a row
  (`_check_others`).
"""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from ecgpipe.project.errors import UserError

SEPARATORS = (",", ";", "\t")
_SAVE = "save it as 'CSV UTF-8'"
_SAYS_SEPARATOR = re.compile(r'"?sep=([,;\t])"?[,;\t]*(\r\n|\n|\r)', re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What spreadsheets and web pages leave around a text unseen, besides blanks.
_UNSEEN = "\u200b\u200e\u200f\u2060\ufeff"
_SHOWN = 60  # characters of a row in a message


class Row(NamedTuple):
    """A row of a table: the `line` it begins in, and the text of each wanted column without the
    blanks around it."""

    line: int
    cells: dict[str, str]


def parse(content: bytes, path: Path, columns: Collection[str]) -> list[Row]:
    r"""The rows of a table that people wrote; `columns` are the wanted ones, that of ids first;
    `path` names the table in errors. UserError for all that the module's text refuses.

    >>> parse(b"label;code\nAF;164889003\n;\n", Path("own.csv"), ["code", "label"])
    [Row(line=2, cells={'code': '164889003', 'label': 'AF'})]
    """
    text = decoded(content, path)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UserError(f"{path}: a table is text, found a NUL in line {line}; {_SAVE}")
    separators, skipped = SEPARATORS, 0
    if said := _SAYS_SEPARATOR.match(text):
        separators, skipped, text = (said[1],), 1, text[said.end() :]
    separator = _separator(text, path, separators, columns)
    records = _written_records(text, path, separator, skipped)
    header, *others = records
    names = _names(header[1])
    written = [(line, cells) for line, cells in others if any(cell.strip() for cell in cells)]
    widest = max(len(header[1]), min((len(cells) for _, cells in written), default=0))
    places = {column: names.index(column.strip()) for column in columns}
    key = next(iter(places.values()))
    ids = _ids((cells for _, cells in written), key)
    rows = []
    for line, cells in written:
        if len(cells) <= widest:
            cells = _as_wide(cells, len(names))
        _check_width(cells, len(names), separator, f"{path}: line {line}")
        _check_wanted(cells, places, f"{path}: line {line}")
        _check_others(cells, names, key, ids, separator, f"{path}: line {line}")
        rows.append(Row(line, {name: _bare(cells[at]) for name, at in places.items()}))
    return rows


def decoded(content: bytes, path: Path) -> str:
    """The text of a table, without its byte order mark. UserError where it is neither UTF-8 nor
    UTF-16 with its mark."""
    if content.startswith(b"PK\x03\x04"):
        raise UserError(f"{path}: a workbook or an archive under the name of a table; {_SAVE}")
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"found byte 0x{content[error.start]:02x} in line {line}"
        raise UserError(f"{path}: a table is UTF-8 text, {found}; {_SAVE}") from error
    return text


def records(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """(the line that it begins in, its cells) of each row of a table separated by commas, the
    header first; empty lines are left out. UserError where it is no CSV or a row is not as wide as
    the header."""
    width = 0
    for line, cells in _records(text, path, 0, strict=True):
        width = width or len(cells)
        _check_width(cells, width, ",", f"{path}: line {line}")
        yield line, cells


# csv.writer quotes a cell that holds a sign of the row's end. With this end it quotes CR too, which
# any reader would otherwise take for the end of a row.
CRLF = "\r\n"


class Lines:
    """What `csv.writer` or `DataFrame.to_csv` writes into, with `CRLF` as the end of rows, so that
    rows in the file end in LF alone."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle

    def write(self, row: str) -> int:
        """Writes one row, which ends in CRLF."""
        return self._handle.write(row.removesuffix(CRLF) + "\n")


def writer(handle: TextIO) -> Any:
    """A `csv.writer` of rows that end in LF, of which any text comes back as it was."""
    return csv.writer(Lines(handle), lineterminator=CRLF)


def _records(
    text: str, path: Path, skipped: int, **dialect: object
) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row but empty lines; `skipped` lines stood before the text."""
    reader = csv.reader(io.StringIO(text, newline=""), **dialect)
    line = skipped + 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        rule = "a cell that begins with a quote ends with one, and a quote inside it is doubled"
        raise UserError(
            f"{path}: line {line}: no readable CSV table ({error}); {rule}: correct it there"
        ) from error


def _written_records(
    text: str, path: Path, separator: str, skipped: int
) -> Iterator[tuple[int, list[str]]]:
    """`_records` of a table that people wrote: blanks may stand before a quote."""
    return _records(
        text, path, skipped, delimiter=separator, strict=True, skipinitialspace=separator != "\t"
    )


def _separator(text: str, path: Path, separators: Sequence[str], columns: Collection[str]) -> str:
    """The separator by which the header has all of `columns`."""
    headers: dict[str, list[str]] = {}
    faults: list[UserError] = []
    for separator in separators:
        try:
            _, cells = next(_written_records(text, path, separator, 0), (1, []))
        except UserError as fault:
            faults.append(fault)
        else:
            headers[separator] = _names(cells)
    if not headers:
        raise faults[0]
    wanted = [column.strip() for column in columns]
    fits = [separator for separator, names in headers.items() if set(wanted) <= set(names)]
    if len(fits) > 1:
        signs = " and ".join(map(repr, fits))
        raise UserError(
            f"{path}: its header splits into {', '.join(wanted)} at {signs}; separate columns by "
            "one sign"
        )
    if not fits:
        names = max(headers.values(), key=len)
        absent = ", ".join(name for name in wanted if name not in names)
        there = f"(there: {', '.join(names) or 'nothing'})"
        signs = "a comma, a semicolon or a tab"
        raise UserError(
            f"{path}: no column {absent} {there}; name it in the first line, parted by {signs}, or "
            "correct its name in the catalogue"
        )
    names = headers[fits[0]]
    for name in wanted:
        if names.count(name) > 1:
            raise UserError(
                f"{path}: column '{name}' stands {names.count(name)} times; keep the right one"
            )
    return fits[0]


def _names(cells: Sequence[str]) -> list[str]:
    """The names of a header's columns; those without one at its end are none."""
    names = [_bare(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names


def _bare(cell: str) -> str:
    """A cell without what is blank or unseen around it."""
    return cell.strip().strip(_UNSEEN).strip()


def _as_wide(cells: list[str], width: int) -> list[str]:
    """A row without the blank cells that stand beyond the header's last column."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _check_width(cells: Sequence[str], width: int, separator: str, where: str) -> None:
    if len(cells) == width:
        return
    step = f"a blank cell keeps its separator, as in {'artefact' + separator!r}"
    if len(cells) > width:
        step = f"put a cell that holds the separator {separator!r} in quotes"
    start = separator.join(cells)[:_SHOWN]
    raise UserError(
        f"{where}: {len(cells)} cells, where the header has {width} columns: {start!r}; {step}"
    )


def _check_wanted(cells: Sequence[str], places: Mapping[str, int], where: str) -> None:
    """UserError where a wanted cell holds a control character."""
    for name, place in places.items():
        if _CONTROL.search(_bare(cells[place])):
            rule = "write it in one line, and close the quote that may have been left open"
            raise UserError(
                f"{where}: column '{name}' holds a line break or another control character: "
                f"{cells[place][:_SHOWN]!r}; {rule}"
            )


def _check_others(
    cells: Sequence[str],
    names: Sequence[str],
    key: int,
    ids: Mapping[str, Collection[str]],
    separator: str,
    where: str,
) -> None:
    """UserError where a cell of several lines may hold the end of one row and the beginning of
    another: where the id of that other would stand (column `key`) there is one that looks as `ids`
    (by look) do, and has no row."""
    for place, cell in enumerate(cells):
        lines = [line.split(separator) for line in re.split(r"\r\n|\n|\r", cell)]
        after, before = len(cells) - 1 - place, place
        if len(lines) == 1 or len(lines[0]) <= after or len(lines[-1]) <= before:
            continue
        if key < place:
            swallowed = [line[key] for line in lines[1:] if len(line) > key]
        else:
            swallowed = [line[key - len(cells)] for line in lines[:-1] if len(line) > after]
        for text in map(_bare, swallowed):
            if text not in ids.get(_look(text), [text]):
                raise UserError(
                    f"{where}: a quote of column '{names[place]}' may have swallowed the row of "
                    f"'{text}': {cell[:_SHOWN]!r}; close it, or write the text in one line"
                )


def _ids(rows: Iterable[Sequence[str]], key: int) -> dict[str, set[str]]:
    """The ids in column `key`, by their look."""
    ids: dict[str, set[str]] = {}
    for text in (_bare(cells[key]) for cells in rows if len(cells) > key):
        ids.setdefault(_look(text), set()).add(text)
    return ids


def _look(text: str) -> str:
    """What ids of one kind have in common: `HR0` of HR00017."""
    return re.sub("[0-9]+", "0", text)
