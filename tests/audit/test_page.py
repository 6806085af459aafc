"""The page of an audit, as its text and as a Markdown reader of the outside sees it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from ecgpipe.audit import contradictions, prevalence, suspects, unmapped_labels
from ecgpipe.audit import page as pages
from ecgpipe.diagnoses import classes

CLASSES = classes.select(["426783006", "164889003"])


@pytest.fixture
def audit():
    rows = [
        ["a", "426783006", "NSR", "sinus rhythm", 1000, 400.0],
        ["b", "426783006", "NSR", "sinus rhythm", 1000, 420.0],
        ["c", "426783006", "NSR", "sinus rhythm", 1000, 10.0],
        ["a", "164889003", "AF", "atrial fibrillation", 1000, 30.0],
        ["b", "164889003", "AF", "atrial fibrillation", 1000, np.nan],
        ["c", "164889003", "AF", "atrial fibrillation", 1000, 28.0],
    ]
    entries = prevalence.judge(pd.DataFrame(rows, columns=prevalence.COUNTED))
    at_odds = pd.DataFrame(
        [["a", "r1", "AF", "NSR", "why", "NSR AF"]], columns=contradictions.COLUMNS
    )
    labels = [
        ["a", f"label {n}", 50 - n, "unscored", "near AF: x" if n == 20 else ""] for n in range(30)
    ]
    doubted = [
        ["a", "r<1", "AF", 1, 0.04, 0.9, "0", "NSR", "001-a.png"],
        ["a", "r2", "AF", 0, 0.9, 0.8, "1", "", ""],
    ]
    return pages.Audit(
        classes=CLASSES,
        entries=entries.assign(explanation="a | b"),
        unscored=pd.DataFrame(labels, columns=unmapped_labels.COLUMNS),
        contradictions=at_odds,
        suspects=pd.DataFrame(doubted, columns=suspects.COLUMNS),
        unjudged={"NSR": "hardly told apart"},
        without="",
        unplotted={"a r9": "gone"},
        most=3,
    )


def test_the_gist_counts_what_was_found(audit):
    assert pages.gist(audit) == [
        "3,000 usable recordings of 3 sources, 2 classes.",
        "1 of 3 cells of class and source suspicious (NSR at c 10).",
        "30 native labels without a class (near to one are: label 20 30).",
        "1 recording carries labels that contradict each other (AF with NSR 1).",
        "The models doubt 2 labels of 2 recordings (most: a r<1 (AF), a r2 (AF)).",
        "Too rare or too hard for the models to judge: NSR.",
    ]


def test_the_page_holds_every_part_and_marks_suspicious_cells(audit):
    page = pages.page(audit)
    assert page.startswith(pages.TITLE + "\n")
    assert "| NSR | 400 | 420 | **10 \u2193** |" in page
    assert "| AF | 30 |  | 28 |" in page
    assert "| NSR at c | 10 of 1,000 | 410.0 | 1 % | 40 % to 42 % | a \\| b |" in page
    assert (
        "Not judged, since fewer than 2 other sources of 20 recordings annotate them: AF." in page
    )
    assert "| AF with NSR | fibrillating atria have no sinus rhythm | 1 | a 1 |" in page
    assert "| a | r1 | NSR AF |" in page
    assert "![r&lt;1 on ECG paper](001-a.png)" in page
    assert "Labels: AF, NSR.\n\n- AF labelled, not seen: probability 0.040, score 0.900\n" in page
    assert "| AF | labelled, not seen | a | [r&lt;1](001-a.png) | 0.040 | 0.900 | NSR |" in page
    assert "| AF | seen, not labelled | a | r2 | 0.900 | 0.800 |  |" in page
    assert "| NSR | hardly told apart |" in page
    assert "No plot of a r9: gone." in page


def test_of_many_labels_the_frequent_and_the_near_are_shown(audit):
    page = pages.page(audit)
    shown = [n for n in range(30) if f"| label {n} |" in page]
    assert shown == [*range(pages.MOST_LABELS), 20]


def test_every_table_has_as_many_cells_in_each_row_as_in_its_head(audit):
    page = pages.page(audit)
    blocks = [block.splitlines() for block in page.split("\n\n") if block.startswith("| ")]
    assert len(blocks) > 5
    for lines in blocks:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_a_known_fault_is_said_even_where_the_figures_do_not_show_it(audit):
    explanations = ["", "", "far fewer", "known | of both", "", "known | of both"]
    entries = audit.entries.assign(explanation=explanations)
    page = pages.page(dataclasses.replace(audit, entries=entries))
    assert (
        "Known, though the figures here do not show it: AF at a, AF at c. known \\| of both" in page
    )
    assert page.count("far fewer") == 1


def test_duplicates_that_disagree_are_named_with_their_classes(audit):
    assert "None: exact duplicates of a signal carry the same labels" in pages.page(audit)
    duplicates = {"records": ["a/r1", "b/r7"], "classes": ["164889003"]}
    audit = dataclasses.replace(audit, disagreeing=[duplicates])
    assert "1 signal recorded with different labels (a/r1 and b/r7)." in pages.gist(audit)
    assert "| a/r1, b/r7 | AF |" in pages.page(audit)


def test_names_from_files_are_text_whatever_they_hold(audit):
    nasty = "a|[x](http://evil) <img src=x> *b* `c` ![y](z)"
    entries = audit.entries.replace({"source": {"c": nasty}, "explanation": {"a | b": nasty}})
    audit = dataclasses.replace(
        audit,
        entries=entries,
        unscored=audit.unscored.assign(label=nasty, hint=nasty),
        contradictions=audit.contradictions.assign(source=nasty, record=nasty, labels=nasty),
        suspects=audit.suspects.assign(source=nasty, record=nasty, others=nasty),
        unplotted={nasty: nasty},
        unjudged={nasty: nasty},
        disagreeing=[{"records": [nasty, nasty], "classes": ["164889003"]}],
    )
    page = pages.page(audit)
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    inline = [child for token in tokens for child in token.children or [token]]
    assert not [child for child in inline if child.type.startswith("html")]
    links = {child.attrGet("href") or child.attrGet("src") for child in inline}
    assert links == {None, "001-a.png"}
    shown = "a|[x](http://evil) <img src=x> *b* c ![y](z)"
    texts = ["".join(child.content for child in token.children or []) for token in tokens]
    assert sum(shown in text for text in texts) > 30
