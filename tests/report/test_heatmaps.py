import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.metrics import roc_auc_score

from ecgpipe.evaluation import predictions
from ecgpipe.report import curve_points, heatmaps, style
from tests.fixtures.small_run import run, table

NAMES = ["A", "B", "C"]


def cells(axes):
    """(row, column) -> text, of the whole numbers of a map's places."""
    places = ((text.get_position(), text.get_text()) for text in axes.texts)
    return {(int(y), int(x)): text for (x, y), text in places}


def test_the_map_of_answers_is_in_percent_like_its_colour_bar():
    shares = np.full((4, 4), 0.004)
    shares[1, 2], shares[0, 0], shares[3, 3] = 0.256, 1.0, np.nan
    figure = heatmaps.confusion(shares, NAMES)
    axes, bar = figure.axes
    assert cells(axes) == {(1, 2): "26", (0, 0): "100"}
    assert (axes.images[0].norm.vmin, axes.images[0].norm.vmax) == (0, 100)
    assert bar.get_title(loc="left") == "%"
    assert [label.get_text() for label in axes.get_xticklabels()] == [*NAMES, "no class"]


def test_the_map_of_labels_leaves_out_the_class_itself_and_counts_recordings():
    labels = np.array([[1, 1, 0], [1, 0, np.nan], [1, 1, np.nan], [0, 0, 0]])
    made = predictions.Predictions(labels, labels, labels, labels, np.arange(4))
    figure = heatmaps.cooccurrence(curve_points.cooccurrence(made), np.array([3, 2, 0]), NAMES)
    axes = figure.axes[0]
    assert cells(axes) == {(0, 1): "67", (1, 0): "100"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A  3", "B  2", "C  0"]
    assert [tuple(line.get_xydata()[0]) for line in axes.lines] == [(0, 0), (1, 1)]
    assert axes.images[0].get_array().mask.tolist() == [[False] * 3, [False] * 3, [True] * 3]


def test_records_of_classes_at_sources_agree_with_scikit_learn():
    settings, metrics, names = run()
    records = {
        (record["class"], record["source"]): record for record in heatmaps.source_records(metrics)
    }
    pooled, rows = settings.whole["out_of_fold"], table()
    assert len(records) == (len(names) + 1) * (3 + 1)
    here = (rows["source"] == "<b>").to_numpy()[pooled.rows]
    for index in (0, 2):
        wanted = roc_auc_score(pooled.labels[here, index], pooled.raw[here, index])
        record = records[names[index], "<b>"]
        assert record["auroc"] == pytest.approx(wanted)
        assert (record["setting"], record["state"]) == ("out_of_fold", "scored")
    assert records[names[2], "a & co"]["state"] == "not annotated"
    assert records[names[1], "late"]["state"] == "no positives"
    assert records[names[0], "late"]["setting"] == "test_ensemble"
    assert (
        records[names[0], "all sources"]["auroc"]
        == metrics["classes"][names[0]]["out_of_fold"]["auroc"]
    )
    assert (
        records["macro mean", "all sources"]["auroc"]
        == metrics["summary"]["out_of_fold"]["auroc_macro"]
    )
    assert (
        records["macro mean", "<b>"]["auroc"]
        == metrics["subgroups"]["source"]["<b>"]["out_of_fold"]["auroc_macro"]
    )


def test_the_map_of_sources_tells_few_none_and_not_annotated_apart(tmp_path):
    _, metrics, names = run()
    records = heatmaps.source_records(metrics)
    figure = heatmaps.sources(records)
    style.save(figure, tmp_path / "sources.png")
    axes = figure.axes[0]
    places = [label.get_text() for label in axes.get_xticklabels()]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert places == ["<b>", "a & co", "late (test)", "all sources"]
    assert rows == [*names, "macro mean"]
    grey = {(int(p.get_y() + 0.5), int(p.get_x() + 0.5)) for p in axes.patches}
    written = cells(axes)
    for record in records:
        cell = (
            rows.index(record["class"]),
            list(dict.fromkeys(r["source"] for r in records)).index(record["source"]),
        )
        if record["state"] == "scored":
            assert written[cell] == (
                f"({record['auroc']:.2f})" if record["few"] else f"{record['auroc']:.2f}"
            )
        elif record["state"] == "no positives":
            assert written[cell] == "no positives"
        else:
            assert cell in grey
            assert cell not in written
    states = {(record["state"], record["few"]) for record in records}
    assert {
        ("scored", True),
        ("scored", False),
        ("no positives", True),
        ("not annotated", True),
    } <= states


@pytest.mark.parametrize("count", [1, 2, 4, 26])
def test_footnotes_are_no_wider_than_their_picture(count):
    shares = np.full((count, count), 0.5)
    names = [f"class {number}" for number in range(count)]
    records = [
        {"class": name, "source": source, "setting": "out_of_fold", "auroc": 0.8}
        | {"positives": 20, "few": False, "state": "scored"}
        for name in names
        for source in ("east", heatmaps.ALL)
    ]
    with_none = np.full((count + 1, count + 1), 0.5)
    for figure in (
        heatmaps.sources(records),
        heatmaps.cooccurrence(shares, np.full(count, 20), names),
        heatmaps.confusion(with_none, names),
    ):
        FigureCanvasAgg(figure).draw()
        note = figure.texts[-1]
        assert note.get_text().count(".") > 1
        box, picture = note.get_window_extent(), figure.bbox
        assert picture.x0 <= box.x0 and box.x1 <= picture.x1
        assert box.y0 >= picture.y0
        (lowest, *_) = sorted(axes.get_tightbbox().y0 for axes in figure.axes)
        assert box.y1 <= lowest + 1


def test_ink_stands_out_on_every_colour():
    def luminance(colour):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return float(np.dot(parts, [0.2126, 0.7152, 0.0722]))

    image = heatmaps.confusion(np.zeros((4, 4)), NAMES).axes[0].images[0]
    for value in range(0, 101, 5):
        behind = luminance(colormaps["Blues"](value / 100))
        above = {"white": 1.0, "black": 0.0}[heatmaps.ink(image, value)]
        assert (max(above, behind) + 0.05) / (min(above, behind) + 0.05) >= 4.5
