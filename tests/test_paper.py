import itertools

import numpy as np

from ecgpipe import paper


def test_a_second_is_25_mm_and_a_millivolt_10_mm_on_the_printed_sheet():
    step = np.where(np.arange(1000) < 500, 0.0, 1.0)
    figure = paper.strips([("II", step, step * 0), ("V1", step, step)], 250, "a title", ("new", "old"))
    axes = figure.axes[0]
    width_mm, height_mm = figure.get_size_inches() * 25.4
    assert axes.get_xlim() == (0, width_mm)
    assert axes.get_ylim() == (0, height_mm)
    beneath, above = (line.get_xydata() for line in axes.lines[:2])
    assert np.isclose(np.ptp(above[:, 0]), 25 * 999 / 250)
    assert np.isclose(np.ptp(above[:, 1]), 10)
    assert np.ptp(beneath[:, 1]) == 0
    texts = [text.get_text() for text in axes.texts]
    assert {"II", "V1", "a title", "new", "old", "25 mm/s, 10 mm/mV"} <= set(texts)


def test_strips_do_not_run_into_each_other_or_off_the_sheet():
    tall = np.sin(np.linspace(0, 50, 1000)) * 3
    figure = paper.strips(
        [(lead, tall * size, tall) for lead, size in (("I", 1), ("II", 2), ("V1", 0.1))], 250, "", ("", "")
    )
    lines = figure.axes[0].lines
    reach = []
    for number in range(3):
        strip = np.concatenate([line.get_ydata() for line in lines[2 * number : 2 * number + 2]])
        reach.append((strip.min(), strip.max()))
    assert all(lower[1] < upper[0] for upper, lower in itertools.pairwise(reach))
    assert reach[0][1] < figure.axes[0].get_ylim()[1]
    assert reach[-1][0] > 0
