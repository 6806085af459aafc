import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report import dotplots, style
from tests.fixtures.small_run import run


def dots(axes):
    """(value, colour) -> open? of the dots drawn."""
    is_open = {}
    for line in axes.lines:
        if line.get_marker() == "o":
            key = round(float(line.get_xdata()[0]), 9), line.get_color()
            is_open[key] = to_rgba(line.get_markerfacecolor()) == to_rgba("white")
    return is_open


def spans(axes):
    """(low, high) of the intervals drawn."""
    segments = [
        line.get_segments()[0] for line in axes.collections if isinstance(line, LineCollection)
    ]
    return {tuple(np.round(ends[:, 0], 9)) for ends in segments if ends.ndim == 2}


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_every_class_has_its_dot_interval_and_count_few_positives_an_open_one(tmp_path):
    _, metrics, names = run()
    figure = dotplots.classes(metrics["classes"])
    style.save(figure, tmp_path / "classes.png")
    axes = figure.axes[0]
    drawn, ends = dots(axes), spans(axes)
    for name in names[:2]:
        for setting, colour in style.COLOURS.items():
            of_class = metrics["classes"][name][setting]
            assert drawn[round(of_class["auroc"], 9), colour] == (of_class["positives"] < FEW)
            low, high = of_class["auroc_low"], of_class["auroc_high"]
            if np.isfinite(low):
                assert (round(low, 9), round(high, 9)) in ends
    assert {True, False} == set(drawn.values())
    written = {text.get_text() for text in axes.texts}
    assert "not annotated" in written
    counts = [metrics["classes"][names[0]][setting]["positives"] for setting in style.COLOURS]
    assert f"{counts[0]} / {counts[1]}" in written


def test_classes_are_sorted_by_score_and_undefined_ones_stand_below():
    _, metrics, names = run()
    order = labels(dotplots.classes(metrics["classes"]).axes[0])
    scores = [
        np.nan_to_num(metrics["classes"][name]["out_of_fold"]["auroc"], nan=-1) for name in order
    ]
    assert sorted(scores) == scores
    assert order[0] == names[3]


@pytest.mark.parametrize("tested", [True, False])
def test_nothing_leaves_the_pictures(tested, tmp_path):
    _, metrics, _ = run(tested)
    overall = metrics["summary"]["out_of_fold"]["auroc_macro"]
    pictures = {
        "classes": dotplots.classes(metrics["classes"]),
        "subgroups": dotplots.subgroups(metrics["subgroups"], overall),
    }
    for name, figure in pictures.items():
        style.save(figure, tmp_path / f"{name}.png")
        figure.canvas.draw()
        renderer, (width, height) = figure.canvas.get_renderer(), figure.bbox.size
        texts = [
            text
            for text in (*figure.axes[0].texts, *figure.legends[0].get_texts())
            if text.get_text()
        ]
        boxes = [text.get_window_extent(renderer) for text in texts]
        outside = [
            text.get_text()
            for text, box in zip(texts, boxes, strict=True)
            if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
        ]
        assert outside == []


def test_subgroups_are_headed_by_their_kind_and_say_how_many():
    _, metrics, names = run()
    axes = dotplots.subgroups(metrics["subgroups"], 0.8).axes[0]
    rows = labels(axes)[::-1]
    assert rows[:4] == ["Source", "<b>", "a & co", "late"]
    kinds = ["Source", "Sex", "Age in years", "Signal flag"]
    assert [row for row in rows if row in kinds] == kinds
    written = {text.get_text() for text in axes.texts}
    recordings = metrics["subgroups"]["source"]["late"]["test_ensemble"]["recordings"]
    assert f"0 / {recordings}" in written
    report = metrics["subgroups"]["sex"]["F"]["out_of_fold"]
    assert round(report["auroc_macro"], 9) in {value for value, _ in dots(axes)}
    assert dots(axes)[
        round(report["auroc_macro"], 9), style.COLOURS["out_of_fold"]
    ] == dotplots.mostly_few(report)
    assert len(names) == 4


def test_most_classes_have_few_positives_where_more_than_half_of_those_scored_do():
    def report(*few):
        scored = {str(i): {"auroc": 0.5, "few": value} for i, value in enumerate(few)}
        return {"classes": scored | {"undefined": {"auroc": np.nan, "few": True}}}

    assert dotplots.mostly_few(report(True, True, False))
    assert not dotplots.mostly_few(report(True, False))
    assert not dotplots.mostly_few(report())


def test_records_of_classes_are_long_and_hold_the_interval():
    _, metrics, names = run()
    records = dotplots.class_records(metrics["classes"])
    assert [(record["class"], record["setting"]) for record in records[:2]] == [
        (names[0], "out of fold"),
        (names[0], "test ensemble"),
    ]
    assert all(
        record.keys() == {"class", "setting", "auroc", "low", "high", "positives", "few"}
        for record in records
    )
    assert records[0]["low"] <= records[0]["auroc"] <= records[0]["high"]
    assert len(dotplots.class_records(run(False)[1]["classes"])) == len(names)
