"""The text of a comparison, as a Markdown reader of the outside sees it."""

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from ecgpipe.comparison import compare, page

ROWS = [
    ["headline", "all", "auroc_macro", 0.8, 0.85, 0.05, 0.02, 0.08, "better", 1200, 4000],
    ["class", "AF", "auroc", 0.9, 0.87, -0.03, -0.05, -0.01, "worse", 1200, 40],
    ["class", "PRWP", "auroc", np.nan, 0.5, np.nan, np.nan, np.nan, "undefined", 1200, 9],
]


@pytest.fixture
def comparison():
    table = pd.DataFrame(ROWS, columns=compare.COLUMNS)
    return compare.Comparison("out_of_fold", table, ["The params are the same."])


def cells(text):
    """The cells of each row of all tables."""
    tokens, rows = MarkdownIt("commonmark").enable("table").parse(text), []
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("td_open", "th_open"):
            rows[-1].append("".join(child.content for child in tokens[place + 1].children))
    return rows


def test_every_row_stands_in_the_table_of_its_kind(comparison):
    text = page.markdown(comparison, "main", "exp")
    assert text.startswith("### out_of_fold: exp (B) against main (A)\n\n")
    head, all_, _, af, prwp = cells(text)
    assert head[1:6] == ["metric", "A", "B", "B - A", "95 % interval"]
    assert all_[2:] == ["0.800", "0.850", "+0.050", "+0.020 to +0.080", "better", "1,200", "4,000"]
    minus = "\N{MINUS SIGN}"
    assert af[4:7] == [f"{minus}0.030", f"{minus}0.050 to {minus}0.010", "worse"]
    assert prwp[2:] == ["undefined", "0.500", "undefined", "", "undefined", "1,200", "9 (few)"]
    assert text.index("**All**") < text.index("**Classes**")
    assert "\n\nThe params are the same.\n\n" in text


def test_the_gist_names_what_differs(comparison):
    minus = "\N{MINUS SIGN}"
    gist = f"B is auroc_macro better (+0.050), auroc of AF worse ({minus}0.030).\n"
    assert gist in page.markdown(comparison, "main", "exp")
    comparison.table["verdict"] = "within noise"
    text = page.markdown(comparison, "main", "exp")
    assert "No difference is beyond noise." in text
    assert "Another seed" not in text


def test_names_are_text_whatever_they_hold(comparison):
    nasty = "a|<img src=x> [x](http://evil) *b*"
    comparison.table["name"] = nasty
    comparison.remarks[:] = [f"Params that differ: `train.note` x -> {nasty}."]
    text = page.markdown(comparison, nasty, nasty)
    assert [row[0] for row in cells(text) if row[1] != "metric"] == [nasty] * 3
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = {child.type for token in tokens for child in token.children or [token]}
    assert not inline & {"html_inline", "html_block", "link_open", "image", "em_open"}
    assert "code_inline" in inline  # of our own


def test_where_nothing_could_be_judged_the_gist_says_so_and_not_that_all_is_noise(comparison):
    comparison.table["verdict"] = ["too few", "no interval", "undefined"]
    text = page.markdown(comparison, "main", "exp")
    gist = "Nothing can be said: a verdict needs 10 patients, 10 positives and 10 negatives.\n"
    assert gist in text
    assert "beyond noise" not in text
