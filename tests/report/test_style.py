import numpy as np
import pytest
from matplotlib.figure import Figure

from ecgpipe.evaluation import held_out
from ecgpipe.report import style


def test_a_picture_is_written_whole_and_without_the_name_of_the_software(tmp_path):
    figure = Figure(figsize=(2, 1))
    figure.subplots()
    style.save(figure, tmp_path / "new" / "one.png", dpi=100)
    data = (tmp_path / "new" / "one.png").read_bytes()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one.png"]
    assert data.startswith(b"\x89PNG")
    assert (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")) == (200, 100)
    assert b"matplotlib" not in data.lower()


def test_long_names_are_shortened_and_no_name_means_mathematics(tmp_path):
    assert len(style.shortened("x" * 80)) == style.MOST_LETTERS
    assert style.shortened("AF") == "AF"
    figure = Figure()
    figure.text(0, 0, style.shortened("$a_{b$"))
    style.save(figure, tmp_path / "one.png")


@pytest.mark.parametrize(
    ("annotated", "positives", "why"),
    [(0, 0, "not annotated"), (5, 0, "no positives"), (5, 5, "no negatives")],
)
def test_a_class_without_auroc_says_why(annotated, positives, why):
    assert (
        style.why_unscored({"annotated": annotated, "positives": positives, "auroc": np.nan}) == why
    )
    assert style.why_unscored({"annotated": 5, "positives": 2, "auroc": 0.5}) == ""


def test_the_colours_of_the_settings_are_told_apart():
    assert tuple(style.COLOURS) == held_out.WHOLE
    assert len({*style.COLOURS.values()}) == 2
    assert len(set(style.FOLDS)) == len(style.FOLDS)
