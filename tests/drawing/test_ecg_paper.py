"""ECG paper true to scale, with every lead in its place and nothing over anything else."""

import itertools

import numpy as np
import pytest
from matplotlib import image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection

from ecgpipe.drawing import ecg_paper
from ecgpipe.project.leads import LEADS


def test_a_second_is_25_mm_and_a_millivolt_10_mm_on_the_printed_sheet():
    step = np.where(np.arange(1000) < 500, 0.0, 1.0)
    traces = [("II", step, step * 0), ("V1", step, step)]
    figure = ecg_paper.strips(traces, 250, "a title", ("new", "old"))
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
    traces = [("I", tall, tall), ("II", tall * 2, tall), ("V1", tall * 0.1, tall)]
    figure = ecg_paper.strips(traces, 250, "", ("", ""))
    lines = figure.axes[0].lines
    reach = []
    for number in range(3):
        strip = np.concatenate([line.get_ydata() for line in lines[2 * number : 2 * number + 2]])
        reach.append((strip.min(), strip.max()))
    assert all(lower[1] < upper[0] for upper, lower in itertools.pairwise(reach))
    assert reach[0][1] < figure.axes[0].get_ylim()[1]
    assert reach[-1][0] > 0


def twelve(duration_s=10.0, rate_hz=500):
    time = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.stack([np.sin(2 * np.pi * time) * 0.1 * (lead + 1) for lead in range(12)], axis=1)


def by_text(axes):
    return {text.get_text(): text for text in axes.texts}


def traces(figure):
    """[row][column] of the lines longer than pulses and strokes."""
    lines = [line.get_xydata() for line in figure.axes[0].lines if len(line.get_xydata()) > 6]
    return lines[:4], lines[4:8], lines[8:12], lines[12:]


def test_the_sheet_is_true_to_scale_at_its_dpi(tmp_path):
    step = np.where(np.arange(5000) % 500 < 100, 1.0, 0.0)[:, None].repeat(12, axis=1)
    figure = ecg_paper.twelve_leads(step, 500, "a title", "a note")
    width_mm, height_mm = figure.get_size_inches() * 25.4
    assert figure.axes[0].get_xlim() == pytest.approx((0, width_mm))
    assert figure.axes[0].get_ylim() == pytest.approx((0, height_mm))
    figure.savefig(tmp_path / "sheet.png", dpi=ecg_paper.DPI)
    pixels = image.imread(tmp_path / "sheet.png")
    assert pixels.shape[:2] == (round(height_mm * 5), round(width_mm * 5))
    *rows, rhythm = traces(figure)
    assert np.ptp(rhythm[0][:, 0]) == pytest.approx(250, abs=0.1)
    assert np.ptp(rhythm[0][:, 1]) == pytest.approx(10)
    widths_mm = [np.ptp(piece[:, 0]) for row in rows for piece in row]
    assert widths_mm == pytest.approx([62.5] * 12, abs=0.1)
    pulse = next(line.get_xydata() for line in figure.axes[0].lines if len(line.get_xydata()) == 6)
    assert np.ptp(pulse[:, 1]) == 10
    assert pulse[3, 0] - pulse[2, 0] == pytest.approx(0.2 * 25)


def test_columns_follow_one_another_in_time_and_hold_the_leads_of_a_cardiograph():
    figure = ecg_paper.twelve_leads(twelve(), 500, "", "")
    *rows, rhythm = traces(figure)
    for row in rows:
        places = np.concatenate([piece[:, 0] for piece in row])
        assert places == pytest.approx(rhythm[0][:, 0])
    sizes = [[np.ptp(piece[:, 1]) for piece in row] for row in rows]
    leads = [LEADS.index(lead) + 1 for row in ecg_paper.LAYOUT[:3] for lead in row]
    assert np.ravel(sizes) == pytest.approx([2 * 0.1 * lead * 10 for lead in leads], rel=1e-3)
    assert np.ptp(rhythm[0][:, 1]) == pytest.approx(4, rel=1e-3)
    assert [text.get_text() for text in figure.axes[0].texts].count("II") == 2
    assert set(LEADS) <= by_text(figure.axes[0]).keys()


@pytest.mark.parametrize("duration_s", [1.0, 2.5, 6.0])
def test_a_short_recording_leaves_the_paper_empty(duration_s):
    figure = ecg_paper.twelve_leads(twelve(duration_s), 500, "", "")
    lines = [line.get_xydata() for line in figure.axes[0].lines]
    whole = ecg_paper.twelve_leads(twelve(), 500, "")
    assert figure.get_size_inches()[0] == whole.get_size_inches()[0]
    longest = max(np.ptp(line[:, 0]) for line in lines if len(line))
    assert longest == pytest.approx(duration_s * 25, abs=0.1)
    assert "first 10" not in " ".join(by_text(figure.axes[0]))


@pytest.mark.parametrize("first_s", [0.1, 0.2, 0.3])
def test_no_lead_is_named_where_its_trace_runs(first_s):
    """A QRS of 2 mV near the start of each column, where the name stood."""
    time = np.arange(5000) / 500
    beat = 2.0 * np.exp(-(((time % 2.5 - first_s) / 0.02) ** 2))
    figure = ecg_paper.twelve_leads(np.repeat(beat[:, None], 12, axis=1), 500, "t", "n")
    axes = figure.axes[0]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    names = [text for text in axes.texts if text.get_text() in LEADS]
    assert len(names) == 13
    lines = np.concatenate([line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 6])
    for text in names:
        box = text.get_window_extent(canvas.get_renderer()).transformed(axes.transData.inverted())
        across = (lines[:, 0] > box.x0) & (lines[:, 0] < box.x1)
        inside = across & (lines[:, 1] > box.y0) & (lines[:, 1] < box.y1)
        assert across.any() and not inside.any(), text.get_text()
        assert box.width < 9.0 and box.height < 3.5


def test_of_a_long_recording_the_first_ten_seconds_are_shown_and_the_sheet_says_so():
    figure = ecg_paper.twelve_leads(twelve(61), 500, "", "")
    assert traces(figure)[3][0].shape == (5000, 2)
    assert any(text.startswith("first 10 of 61 s") for text in by_text(figure.axes[0]))


def test_large_waves_are_shown_and_what_is_cut_is_marked():
    tall = np.zeros((5000, 12))
    tall[100:110, LEADS.index("aVR")] = 9.0
    whole = ecg_paper.twelve_leads(tall, 500, "")
    assert np.ptp(traces(whole)[0][1][:, 1]) == 0  # of aVR the second quarter is shown
    tall[1300:1310, LEADS.index("aVR")] = 9.0
    whole = ecg_paper.twelve_leads(tall, 500, "")
    assert np.ptp(traces(whole)[0][1][:, 1]) == pytest.approx(90)
    assert not marks(whole)
    assert "cut" not in " ".join(by_text(whole.axes[0]))
    tall[1400:1410, LEADS.index("aVR")] = -12.0
    tall[1500:1510, LEADS.index("aVR")] = 30.0
    tall[1600:1610, LEADS.index("aVR")] = 30.0
    cut = ecg_paper.twelve_leads(tall, 500, "")
    trace_mm = traces(cut)[0][1][:, 1]
    assert np.nanmax(trace_mm) - np.nanmin(trace_mm) == pytest.approx(200)
    assert np.isnan(trace_mm).sum() == 3 * (10 - 2)
    assert [len(marked) for marked in marks(cut)] == [2, 1]
    assert any(text.endswith("cut at \u00b110 mV (triangles)") for text in by_text(cut.axes[0]))


def marks(figure):
    """The places of the marks, upward and downward ones."""
    scattered = [item for item in figure.axes[0].collections if isinstance(item, PathCollection)]
    return [item.get_offsets() for item in scattered if len(item.get_offsets())]


@pytest.mark.parametrize("size", [0.001, 1.0, 3.0, 50.0])
def test_rows_stay_apart_and_on_the_sheet_whatever_the_amplitude(size):
    rng = np.random.default_rng(1)
    figure = ecg_paper.twelve_leads(rng.normal(size=(5000, 12)) * size + 5, 500, "t", "n\nm")
    reach = []
    for row in traces(figure):
        heights_mm = np.concatenate([piece[:, 1] for piece in row])
        reach.append((np.nanmin(heights_mm), np.nanmax(heights_mm)))
    assert all(upper[0] > lower[1] for upper, lower in itertools.pairwise(reach))
    assert reach[-1][0] > 0
    assert all(high - low <= 2 * ecg_paper.MOST_MV * 10 for low, high in reach)
    lowest_note = min(by_text(figure.axes[0])[note].get_position()[1] for note in ("t", "n", "m"))
    assert reach[0][1] < lowest_note
