"""What is said of two runs beside their table."""

import json

from markdown_it import MarkdownIt

from ecgpipe.comparison import compare, page, pairing, remarks
from tests.fixtures.made_runs import EVALUATE, made_run


def test_two_protocols_give_the_optimism_gap(tmp_path):
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b", protocol="source")
    text = page.markdown(compare.every(a, b, "out_of_fold", 100, 1)[0], "main", "held-out")
    assert "### out_of_fold: held-out (B) against main (A)" in text
    gap = "A was split by protocol stratified, B by source, on the same data: the difference is"
    assert f"{gap} the optimism gap" in text
    back = page.markdown(compare.every(b, a, "out_of_fold", 100, 1)[0], "held-out", "main")
    assert "for the optimism gap, compare B with A." in back
    assert "(few)" not in text.split("**Classes**")[0]


def test_the_params_that_differ_are_named_and_a_seed_is_warned_of(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        values = {"evaluate": EVALUATE, "train": {"seed": seed}, "compute": {"workers": seed}}
        (tmp_path / name / "params.yaml").write_text(json.dumps(values))  # JSON is YAML
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b", sharper=0.3)
    text = page.markdown(compare.every(a, b, "out_of_fold", 100, 1)[0], "a", "b")
    assert "Params that differ: `train.seed` `1` -> `2`." in text
    assert "Another seed of the training alone can move as much" in text


def test_values_that_differ_stand_as_they_are(tmp_path):
    """No backslashes, and no markup of a value's own."""
    nasty = ["59118001|713427006", "[x](http://evil) <img src=x> `b` *c*\n\x1b[31m"]
    for name, classes in (("a", nasty), ("b", "official")):
        (tmp_path / name).mkdir()
        values = {"evaluate": EVALUATE, "labels": {"classes": classes}}
        (tmp_path / name / "params.yaml").write_text(json.dumps(values))
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b")
    text = page.markdown(compare.every(a, b, "out_of_fold", 100, 1)[0], "a", "b")
    (line,) = [line for line in text.splitlines() if line.startswith("Params that differ")]
    assert line == f"Params that differ: `labels.classes` ``{nasty!r}`` -> `official`."
    (inline,) = [token for token in MarkdownIt("commonmark").parse(line) if token.children]
    assert {child.type for child in inline.children} == {"text", "code_inline"}
    assert [child.content for child in inline.children if child.type == "code_inline"] == [
        "labels.classes",
        repr(nasty),
        "official",
    ]


def test_unequal_amounts_of_training_data_are_said(tmp_path):
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b")
    paired = pairing.pair(a, b, "out_of_fold")
    assert not any("trained on" in text for text in remarks.remarks(a, b, "out_of_fold", paired))
    # No test part: its recordings are trained on.
    b.table.loc[b.table["fold"] == "test", "fold"] = "0"
    texts = remarks.remarks(a, b, "out_of_fold", paired)
    amounts = "A model of A trained on 40 recordings, one of B on 60: part"
    assert any(text.startswith(amounts) for text in texts)
    assert not any("optimism gap" in text for text in texts)
    # One of the four folds' recordings is trained on by all and scored by none.
    b.table.loc[b.table["fold"] == "0", "fold"] = "train"
    texts = remarks.remarks(a, b, "out_of_fold", paired)
    assert any("one of B on" in text for text in texts)
