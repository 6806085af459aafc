"""Beats of known places and shapes, found, aligned and grouped again."""

import numpy as np
import pytest
import scipy.signal

from ecgpipe.features import beats
from tests.fixtures.made_beats import WAVES, leads_mv

PEAKS_S = np.arange(0.83, 9.5, 0.817)  # between the samples


def test_finer_is_what_scipy_resamples_away_from_the_ends():
    rng = np.random.default_rng(1)
    coarse = scipy.signal.resample(rng.standard_normal((200, 12)), 800)
    fine = beats.finer(coarse, 5, 50)
    assert fine.shape == (4000, 12)
    oracle = scipy.signal.resample(coarse, 4000)
    assert np.abs(fine - oracle)[500:-500].max() < 0.01
    assert np.abs(fine[::5] - coarse).max() < 1e-5


@pytest.mark.parametrize("rate_hz", [100, 250, 500])
def test_beats_lie_over_each_other_to_the_sample_at_any_rate(rate_hz):
    signal_mv = leads_mv(PEAKS_S, rate_hz, 10)
    found = beats.find(signal_mv, rate_hz, np.round(PEAKS_S * rate_hz).astype(np.int32))
    assert found.rate_hz == max(rate_hz, 400) or rate_hz == 250
    assert len(found.peaks) == len(PEAKS_S)
    off_s = found.peaks / found.rate_hz - PEAKS_S
    assert np.ptp(off_s) <= 1 / found.rate_hz + 1e-9
    assert found.is_usual.all()
    exact = leads_mv(np.array([0.4]), found.rate_hz, 1.1)
    assert found.median_mv.shape == exact.shape
    assert np.abs(found.median_mv - exact)[100:-100].max() < 0.1


def test_the_most_frequent_shape_is_the_usual_one():
    signal_mv = leads_mv(PEAKS_S, 250, 10)
    broad = {"R": (0.0, 0.04, -1.2), "T": (0.3, 0.05, 0.4)}
    others = np.array([1, 4, 7])
    usual = np.setdiff1d(np.arange(len(PEAKS_S)), others)
    signal_mv = leads_mv(PEAKS_S[usual], 250, 10) + leads_mv(PEAKS_S[others], 250, 10, waves=broad)
    found = beats.find(signal_mv, 250, np.round(PEAKS_S * 250).astype(np.int32))
    assert np.flatnonzero(~found.is_usual).tolist() == others.tolist()
    assert found.likeness[usual].min() > 0.95
    assert found.likeness[others].max() < 0
    assert found.median_mv[found.centre].min() == pytest.approx(WAVES["R"][2], abs=0.06)


def test_peaks_that_a_detector_put_on_the_p_waves_are_moved_to_the_qrs():
    signal_mv = leads_mv(PEAKS_S, 250, 10)
    on_p = np.round((PEAKS_S + WAVES["P"][0]) * 250).astype(np.int32)
    found = beats.find(signal_mv, 250, on_p)
    off_s = found.peaks / found.rate_hz - PEAKS_S
    assert np.abs(off_s).max() < 0.02


def test_no_beat_is_found_where_none_is_whole_and_one_alone_is():
    signal_mv = leads_mv(np.array([0.03]), 100, 2)
    assert beats.find(signal_mv, 100, np.array([3], np.int32)) is None
    assert beats.find(signal_mv, 100, np.zeros(0, np.int32)) is None
    alone = beats.find(leads_mv(np.array([0.5]), 100, 2), 100, np.array([50], np.int32))
    assert np.isnan(alone.rr_s)
    assert alone.is_usual.tolist() == [True]
