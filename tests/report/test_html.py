import base64
import html.parser
import re

import numpy as np
import pytest

from ecgpipe.report import plots
from ecgpipe.report.html import TEMPLATE, picture, write
from ecgpipe.report.html_sentences import made
from tests.fixtures.small_run import PARAMS, history, run

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(html.parser.HTMLParser):
    """The tags of a page in order, with their attributes, and whether each was closed in its
    turn."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def of(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    settings, metrics, names = run()
    return plots.plot(settings, metrics, names, history(), folder)


MADE = made({"protocol": "source", "sources": {"<b>": "1", "c": "2"}}, PARAMS.model_dump())


def page(pictures, folder, tested=True):
    path = folder / "report.html"
    write(run(tested)[1], pictures, MADE, path)
    return path.read_text(encoding="utf-8")


def test_the_page_says_how_the_run_was_split_and_scored(pictures, tmp_path):
    text = page(pictures, tmp_path)
    assert "hospitals that it had not seen. Sources: &lt;b&gt;, c." in text
    assert "thresholds f1; 100 resamples, seed 1." in text


def test_the_page_is_well_formed_and_asks_for_nothing_from_elsewhere(pictures, tmp_path):
    text = page(pictures, tmp_path)
    parsed = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in parsed.tags}
    assert all(attributes["href"].startswith("#") for attributes in parsed.of("a"))
    assert all(
        attributes["src"].startswith("data:image/png;base64,") for attributes in parsed.of("img")
    )
    assert "url(" not in text and "@import" not in text
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    identifiers = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(set(identifiers)) == len(identifiers)
    assert {attributes["href"][1:] for attributes in parsed.of("a")} <= set(identifiers)


def test_each_picture_stands_there_once_whole_and_described(pictures, tmp_path):
    shown = Page(page(pictures, tmp_path)).of("img")
    assert len(shown) == len(pictures)
    for image, (title, caption, path) in zip(shown, pictures, strict=True):
        assert base64.b64decode(image["src"].split(",")[1]) == path.read_bytes()
        assert image["alt"] == f"{title}. {caption}"


def test_tables_have_captions_and_row_headers_and_scroll_in_their_own_box(pictures, tmp_path):
    text = page(pictures, tmp_path)
    tables = re.findall(r"<table>.*?</table>", text, re.DOTALL)
    assert len(tables) == 1 + 2 + 4 + 1
    for table in tables:
        assert "<caption>" in table
        body = table.split("<tbody>")[1]
        assert body.count("<tr>") == body.count('scope="row"') > 0
    assert text.count('<div class="box" role="region"') == len(tables) + len(pictures)


def test_every_row_of_a_table_is_as_wide_as_its_head(pictures, tmp_path):
    for tested in (True, False):
        for table in re.findall(r"<table>.*?</table>", page(pictures, tmp_path, tested), re.DOTALL):
            head, body = table.split("<tbody>")
            first, *rest = re.findall(r"<tr>.*?</tr>", head, re.DOTALL)
            spans = [int(number) for number in re.findall(r'colspan="(\d+)"', first)]
            width = first.count("<th") + sum(spans) - len(spans)
            for row in re.findall(r"<tr>.*?</tr>", body, re.DOTALL):
                assert len(re.findall(r"<t[hd]\b", row)) == width
            assert all(row.count("<th") == sum(spans) for row in rest)


def test_names_are_escaped(pictures, tmp_path):
    text = page(pictures, tmp_path)
    assert "&lt;b&gt;" in text
    assert "a &amp; co" in text
    assert "<b></th>" not in text
    rows = Page(text).words
    assert "<b>" in rows


def test_the_same_run_gives_the_same_bytes(pictures, tmp_path):
    assert page(pictures, tmp_path) == page(pictures, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_numbers_of_the_metrics_stand_on_the_page(pictures, tmp_path):
    text, metrics = page(pictures, tmp_path), run()[1]
    for setting in metrics["settings"].values():
        low, high = setting["auroc_macro_low"], setting["auroc_macro_high"]
        assert f"{setting['auroc_macro']:.3f}" in text
        assert f"{low:.3f} to {high:.3f}" in text
    assert f"{metrics['settings']['test']['auroc_macro_sd']:.3f}" in text
    for of_class in metrics["classes"].values():
        if np.isfinite(of_class["out_of_fold"]["auroc"]):
            assert f"{of_class['out_of_fold']['auroc']:.3f}" in text
    assert "nan" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text).lower()


def test_without_a_test_part_the_page_says_so_and_has_no_such_table(pictures, tmp_path):
    text = page(pictures, tmp_path, tested=False)
    Page(text)
    assert "none in the test part" in text
    assert "No recording is in the test part" in text
    assert "Test ensemble: each class" not in text
    assert len(re.findall("<table>", text)) == 1 + 1 + 4 + 1


def test_what_is_no_png_is_refused_by_name(tmp_path):
    (tmp_path / "roc.png").write_bytes(b"GIF89a..")
    with pytest.raises(
        ValueError, match=r"roc\.png: a picture of the report is a PNG, found b'GIF89a\.\.'"
    ):
        picture("ROC", "a caption", tmp_path / "roc.png")


def test_text_stands_out_from_its_ground_light_and_dark():
    """WCAG 2.1 AA: a contrast of 4.5 at least, https://www.w3.org/TR/WCAG21/#contrast-minimum."""
    css = TEMPLATE.read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#\w+)", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    assert len(schemes) == 2

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for scheme in schemes:
        for text, ground in (
            ("text", "page"),
            ("text", "shade"),
            ("soft", "page"),
            ("soft", "shade"),
            ("link", "page"),
            ("mark", "marked"),
        ):
            low, high = sorted(luminance(scheme[name]) for name in (text, ground))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
