from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.project import printable

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("sign", [*map(chr, range(32)), *map(chr, range(127, 160)), *BIDIRECTIONAL])
def test_controls_and_signs_that_turn_the_direction_are_spelled_out(sign):
    text = printable.shown(f"a{sign}b")
    assert text == f"a{ascii(sign)[1:-1]}b"
    assert text.isascii()


@pytest.mark.parametrize(
    "name",
    [
        "心電図 1.hea",
        "Müller\u00a0II",
        "\u0646\u062a\u06cc\u062c\u0647\u200c\u0647\u0627",
        "a b\u3000c",
        "👩\u200d⚕",
    ],
)
def test_what_is_seen_stays(name):
    assert printable.shown(name) == name


@given(st.text())
def test_any_text_is_one_line_that_can_be_written(text):
    shown = printable.shown(text)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert printable.shown(shown) == shown
    assert printable.shown_lines(text).count("\n") == text.count("\n")


FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20\t\r"  # four of them in full width


@given(st.text(st.sampled_from(f"{FORMULAS}'1.e ab"), max_size=6))
def test_no_cell_begins_as_a_formula_and_the_text_comes_back(text):
    cell = printable.text_cell(text)
    if cell[:1] in tuple(FORMULAS):
        float(cell)  # a number, which a spreadsheet may read as one
    assert cell.removeprefix("'") == printable.shown(text)


@given(st.text(st.sampled_from(f"{FORMULAS}./ab"), min_size=1, max_size=6))
def test_a_path_cell_names_the_same_file(text):
    cell = printable.path_cell(text)
    assert cell[0] not in FORMULAS
    assert Path(cell) == Path(printable.shown(text))
