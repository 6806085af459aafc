import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from ecgpipe.report import panels, style
from tests.fixtures.small_run import run


def drawn(tested=True, names=None):
    settings, metrics, own = run(tested)
    classes = dict(zip(names or own, metrics["classes"].values(), strict=True))
    shown = {name: settings.whole[name] for name in style.COLOURS if name in settings.whole}
    return {
        "roc": panels.roc(shown, classes),
        "pr": panels.precision_recall(shown, classes),
        "calibration": panels.calibration(settings.whole["out_of_fold"], classes),
    }


@pytest.mark.parametrize("count", [1, 5, 6, 17, 26])
def test_every_class_has_a_panel_and_the_legend_a_free_place(count):
    names = [f"class {index}" for index in range(count)]
    figure, by_name, free = panels.grid(names, "x", "y")
    assert [axes.get_title() for axes in by_name.values()] == names
    assert free not in by_name.values()
    assert free in figure.axes
    sizes = [axes.get_window_extent().bounds[2:] for axes in by_name.values()]
    assert np.allclose(sizes, sizes[0][0])


@pytest.mark.parametrize("tested", [True, False])
@pytest.mark.parametrize("kind", ["roc", "pr", "calibration"])
def test_no_text_overlaps_in_the_panels_or_leaves_the_picture(kind, tested, tmp_path):
    figure = drawn(tested, ["CRBBB/RBBB", "A" * 40, "B", "733534002/164909002"])[kind]
    style.save(figure, tmp_path / "one.png")
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    texts = [text for axes in figure.axes for text in (*axes.texts, axes.title) if text.get_text()]
    texts += [
        text for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()
    ]
    boxes = [text.get_window_extent(renderer) for text in (*texts, *figure.texts)]
    assert len(boxes) > 10
    pairs = itertools.combinations(range(len(texts)), 2)
    assert [
        (texts[i].get_text(), texts[j].get_text()) for i, j in pairs if boxes[i].overlaps(boxes[j])
    ] == []
    width, height = figure.bbox.size
    assert all(
        box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in boxes
    )


def test_the_numbers_above_a_panel_are_those_of_the_metrics():
    _, metrics, names = run()
    for kind, key in (("roc", "auroc"), ("pr", "ap")):
        for name, axes in zip(names, drawn()[kind].axes, strict=False):
            values = [metrics["classes"][name][setting][key] for setting in style.COLOURS]
            wanted = [f"{value:.3f}" if np.isfinite(value) else "undefined" for value in values]
            assert [text.get_text() for text in axes.texts] == wanted


def test_calibration_shows_both_curves_their_errors_and_the_tallest_bin():
    settings, metrics, names = run()
    axes, of_class = drawn()["calibration"].axes[0], metrics["classes"][names[0]]["out_of_fold"]
    pooled = settings.whole["out_of_fold"]
    tallest = np.histogram(pooled.probabilities[:, 0], bins=10, range=(0, 1))[0].max()
    assert {text.get_text() for text in axes.texts} == {
        f"{of_class['ece_raw']:.3f}",
        f"{of_class['ece']:.3f}",
        f"({tallest})",
    }
    raw, calibrated = axes.lines[:2]
    assert raw.get_color() == panels.RAW
    assert calibrated.get_color() == style.COLOURS["out_of_fold"]
    assert not np.array_equal(raw.get_xdata(), calibrated.get_xdata())
    assert max(bar.get_height() for bar in axes.patches) == pytest.approx(0.3)


def test_the_intervals_of_a_share_are_those_of_scipy():
    for positives, count in ((0, 5), (3, 7), (50, 50), (17, 400)):
        low, high = panels.wilson(np.array([positives / count]), np.array([float(count)]))
        wanted = binomtest(positives, count).proportion_ci(0.95, method="wilson")
        assert low[0] == pytest.approx(wanted.low, abs=1e-6)
        assert high[0] == pytest.approx(wanted.high, abs=1e-6)
