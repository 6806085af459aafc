import re

import jinja2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ecgpipe.project import printable
from ecgpipe.report import templates

MARKUP = "ab1 \n\t|`*_~<>[]()!#&;:=+-.\\\"'{}/@$"
NASTY = st.text(st.sampled_from(MARKUP), max_size=24) | st.text(max_size=12)


def shown(page):
    """(kinds of blocks, texts of lines and cells) as another reader of Markdown sees a page."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    assert not AUTOLINK.search(without_code(page))
    tokens = parser.parse(page)
    texts = []
    for token in tokens:
        if token.type == "inline":
            kinds = {child.type for child in token.children}
            assert kinds <= {"text", "code_inline", "text_special"}, kinds
            texts.append("".join(child.content for child in token.children))
    return [token.type for token in tokens if token.type.endswith("_open")], texts


# What GitHub makes a link of without any markup (https://github.github.com/gfm/#autolinks).
AUTOLINK = re.compile(r"(https?|ftp)://|(?<!\w)www\.|[\w.+-]@\w", re.IGNORECASE)


def without_code(page):
    """The text of a page outside spans of code."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    spans = {c.content for t in tokens for c in t.children or [] if c.type == "code_inline"}
    for span in spans:
        page = page.replace(span, "")
    return page


def bare(text):
    """A text with the signs spelled out that are not seen, without what spans of code may take from
    it."""
    return "".join(printable.shown(" ".join(text.split())).replace("`", "").split())


@given(NASTY)
@example("# head")
@example("1. item")
@example("- item")
@example("---")
@example("a`b|c`d")
@example("&lt;")
@example("> quoted")
@example("![x](http://y)")
@example("\\`<b>`")
@example("see https://evil.example/x, www.evil.example or a@evil.example")
@example("\x1b]8;;http://evil\x07text\x1b]8;;\x07")
@example("\u202egnp.exe")
def test_a_value_is_shown_as_it_is_wherever_it_stands(text):
    escaped = templates.markdown(text)
    table = f"| head | other |\n|---|---|\n| {escaped} | end |\n"
    kinds, texts = shown(table)
    assert kinds.count("td_open") == 2 and kinds.count("tr_open") == 2
    assert bare(texts[2]) == bare(text)
    kinds, texts = shown(f"- {escaped}\n")
    assert set(kinds) <= {"bullet_list_open", "list_item_open", "paragraph_open"}
    assert bare("".join(texts)) == bare(text)


@given(NASTY)
def test_code_is_shown_as_it_is(text):
    kinds, texts = shown(f"x {templates.code(text)} y\n")
    assert kinds == ["paragraph_open"]
    assert bare(texts[0]) == bare(f"x {text} y")


@pytest.mark.parametrize("kind", ["md", "html"])
def test_signs_that_are_not_seen_are_spelled_out(tmp_path, kind):
    path = tmp_path / f"page.{kind}.j2"
    path.write_text("{{ name }}\n")
    page = templates.render(path, name="a\x1b[31m \u202eb\u2066")
    assert "\\u202eb" in page and "\\u2066" in page and "x1b" in page
    assert page.rstrip("\n").isprintable()


def test_a_sentence_of_ours_has_its_code_in_html(tmp_path):
    path = tmp_path / "page.html.j2"
    path.write_text("<p>{{ sentence | prose }}</p>\n")
    sentence = "as `predict <b>` says of <i>, ``a`b`` and a ` alone"
    html = "as <code>predict &lt;b&gt;</code> says of &lt;i&gt;, <code>a`b</code> and a ` alone"
    assert templates.render(path, sentence=sentence) == f"<p>{html}</p>\n"


def test_a_template_escapes_by_its_name(tmp_path):
    text = "{% macro row(one) %}| {{ one }} | {{ 0.5 | number }} |{% endmacro %}\n{{ row(name) }}\n"
    for kind, expected in (
        ("md", "| a\\|b &lt;i> | 0.500 |"),
        ("html", "| a|b &lt;i&gt; | 0.500 |"),
    ):
        path = tmp_path / f"page.{kind}.j2"
        path.write_text(text)
        assert templates.render(path, name="a|b <i>") == f"{expected}\n"


def test_what_a_template_lacks_is_an_error_and_not_a_gap(tmp_path):
    path = tmp_path / "page.md.j2"
    path.write_text("{{ missing }}\n")
    with pytest.raises(jinja2.UndefinedError, match="'missing' is undefined"):
        templates.render(path)


def test_every_filter_writes_what_its_function_does(tmp_path):
    path = tmp_path / "page.md.j2"
    path.write_text(
        "{{ x | number }} {{ x | signed }} {{ ends | interval }} {{ ends | interval(true) }}\n"
        "{{ n | count }} {{ x | percent }} {{ n | several('row') }} {{ s | code }}\n"
    )
    page = templates.render(path, x=0.25, ends={"low": 0.1, "high": 0.4}, n=1234, s="a|b")
    assert page.splitlines() == [
        "0.250 +0.250 0.100 to 0.400 +0.100 to +0.400",
        "1,234 25 % 1,234 rows `a|b`",
    ]


@pytest.mark.parametrize("value", [-0.0001, -0.0, -0.00049])
def test_what_rounds_to_zero_has_no_minus(value):
    assert (templates.number(value), templates.signed(value)) == ("0.000", "+0.000")
    ends = {"low": value, "high": -0.0006}
    assert templates.interval(ends) == "0.000 to \N{MINUS SIGN}0.001"


def test_a_minus_is_the_sign_of_that_name():
    assert templates.number(-0.02071) == "\N{MINUS SIGN}0.021"
    assert templates.signed(-0.02071) == "\N{MINUS SIGN}0.021"
    assert templates.interval({"low": -1, "high": 0.5}, True) == "\N{MINUS SIGN}1.000 to +0.500"
    assert templates.interval({"low": np.nan, "high": 1}) == ""
