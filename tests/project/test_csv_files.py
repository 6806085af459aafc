"""Tables that people and spreadsheets write, against the csv module and pandas."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.project import csv_files, tables

OWN = Path("own.csv")
COLUMNS = ["label", "code", "who"]
# Cells that any of the writers can be asked to write: no control characters, blanks inside alone.
CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cf"]), max_size=8
).map(str.strip)
TABLES = st.lists(
    st.lists(CELLS, min_size=3, max_size=3).filter(lambda cells: any(cells)), max_size=5
)


def by_pandas(rows, folder):
    pd.DataFrame(rows, columns=COLUMNS, dtype=object).to_csv(folder / "t.csv", index=False)
    return (folder / "t.csv").read_bytes()


def by_us(rows, folder):
    tables.write(pd.DataFrame(rows, columns=COLUMNS, dtype=object), folder / "t.csv")
    return (folder / "t.csv").read_bytes()


def by_excel(rows, _, separator=";", encoding="utf-8-sig"):
    """CRLF, a byte order mark, quotes doubled, blank rows and columns left at the end."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerows([[*cells, ""] for cells in [COLUMNS, *rows, ["", "", ""]]])
    return text.getvalue().encode(encoding)


def as_unicode_text(rows, folder):
    return by_excel(rows, folder, "\t", "utf-16")


@settings(deadline=None)
@given(TABLES)
def test_a_table_reads_the_same_whoever_wrote_it(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("tables")
    for write in (by_pandas, by_us, by_excel, as_unicode_text):
        read = csv_files.parse(write(rows, folder), OWN, COLUMNS)
        assert [[row.cells[column] for column in COLUMNS] for row in read] == rows, write


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=4), max_size=5), st.binary())
def test_whatever_a_table_holds_it_reads_or_is_refused_by_name(rows, junk):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b"], *rows])
    for content in (text.getvalue().encode("utf-8", "surrogatepass"), b"a,b\n" + junk, junk):
        try:
            read = csv_files.parse(content, OWN, ["a", "b"])
        except ValueError as fault:
            assert str(fault).startswith("own.csv: ")
        else:
            assert all(list(row.cells) == ["a", "b"] for row in read)


@settings(deadline=None)
@given(TABLES, st.data())
def test_a_row_of_another_width_is_named_by_its_line(rows, data):
    place = data.draw(st.integers(0, len(rows)))
    cells = data.draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=6))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows[:place], cells, *rows[place:]])
    content = text.getvalue().encode()
    if len(cells) == 3:
        assert len(csv_files.parse(content, OWN, COLUMNS)) == len(rows) + 1
        return
    says = rf"own\.csv: line {place + 2}: {len(cells)} cells, where the header has 3 columns"
    with pytest.raises(ValueError, match=says):
        csv_files.parse(content, OWN, COLUMNS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n1,2,3\n", r"line 3: 3 cells, .* 2 columns: '1,2,3'; put a cell that holds"),
        ("a,b\n\n1\n", r"line 3: 1 cells, .* keeps its separator, as in 'artefact,'"),
        ("sep=;\na;b\n1;2\n1\n", r"line 4: 1 cells, .* as in 'artefact;'"),
        ('a,b\n1,"2\n3,4\n', r"line 2: no readable CSV table \(unexpected end of data\); a cell"),
        ('a,b\n"x"y,2\n', r"line 2: no readable CSV table \(',' expected after"),
        ('a,b\n1,"2\n3"\n', r"line 2: column 'b' holds a line break"),
        ('a,b\n"1\r",2\n"1\r2",2\n', r"line 4: column 'a' holds a line break"),
        (
            'a,n,b\n1,"x,2\n3,y",4\n',
            r"line 2: a quote of column 'n' may have swallowed the row of '3'",
        ),
        ('a,n,b\nA1,"x, z,2\nA2,y",4\nA3,,5\n', r"line 2: a quote of column 'n' .* row of 'A2'"),
        ('b,n,a\n4,"x, z,A2\n5,y",A1\n6,,A3\n', r"line 2: a quote of column 'n' .* row of 'A2'"),
        ("a,b,a\n1,2,3\n", r"column 'a' stands 2 times; keep the right one"),
        ("a,c\n1,2\n", r"no column b \(there: a, c\); name it in the first line, parted"),
        ("", r"no column a, b \(there: nothing\)"),
        ("a,b\n1,2\0\n", r"a table is text, found a NUL in line 2; save it as 'CSV UTF-8'"),
        ("a,b\n" + "x" * 200_000, r"line 2: no readable CSV table \(field larger"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_named_with_its_line(text, says):
    with pytest.raises(ValueError, match=rf"^own\.csv: {says}"):
        csv_files.parse(text.encode(), OWN, ["a", "b"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b\n1,\u00fc\n".encode("cp1252"), "a table is UTF-8 text, found byte 0xfc in line 2"),
        ("a,b\n".encode("utf-32"), "a table is text, found a NUL in line 1"),
        (b"\xff\xfea\0,\0b", "a table is UTF-8 text, found byte 0x62 in line 1"),
        (b"PK\x03\x04rest", "a workbook or an archive under the name of a table"),
    ],
)
def test_other_encodings_are_named(content, says):
    with pytest.raises(ValueError, match=rf"own\.csv: ({says})"):
        csv_files.parse(content, OWN, ["a", "b"])


def test_a_note_of_several_lines_is_text():
    (row,) = csv_files.parse(b'a,note,b\n1,"x, y,\nand z",2\n', OWN, ["a", "b"])
    assert row == (2, {"a": "1", "b": "2"})
    # By commas this could be a row's end and another's beginning, but for what would be its id.
    (row,) = csv_files.parse(b'a,note,b\nA1,"x,\ny, z",2\n', OWN, ["a", "b"])
    assert row == (2, {"a": "A1", "b": "2"})
    rows = csv_files.parse(b'a,note,b\n1,"1, x\n2, y",2\n2,,3\n', OWN, ["a", "b"])
    assert [row.line for row in rows] == [2, 4], "an id that has a row is swallowed by none"
    (row,) = csv_files.parse(b'a;note;b\n1;"x,\ny, z";2\n', OWN, ["a", "b"])
    assert row == (2, {"a": "1", "b": "2"})


NOTES = ["", "fine", "a, b", '5" disk', "two\nlines", "x;y"]
SIGNS = ['"', ",", ";", "\n", "\r", " ", "x"]


@settings(deadline=None, max_examples=500)
@given(
    st.lists(st.sampled_from(NOTES), min_size=2, max_size=4), st.permutations(range(4)), st.data()
)
def test_one_wrong_sign_gives_no_row_what_stands_in_another(notes, order, data):
    """A sign more, less or another stops the table or changes its own row."""
    names = ["id", "label", "who", "note"]
    rows = [[f"A{row}", f"label{row}", f"P{row}", note] for row, note in enumerate(notes)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([cells[place] for place in order] for cells in [names, *rows])
    before = text.getvalue()
    place = data.draw(st.integers(0, len(before) - 1))
    sign, gone = data.draw(st.sampled_from(["", *SIGNS])), data.draw(st.integers(0, 1))
    after = before[:place] + sign + before[place + gone :]
    try:
        read = csv_files.parse(after.encode(), OWN, names[:3])
    except ValueError:
        return
    assert len(read) == len(rows)
    for (_, cells), own in zip(read, rows, strict=True):
        others = {text for other in rows if other is not own for text in other[:3]}
        assert not others & set(cells.values())
