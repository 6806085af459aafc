"""Marks against the truth of simulated hearts, and on beats of known waves."""

import numpy as np
import pytest

from ecgpipe.features import beats, delineation
from ecgpipe.preprocessing import bandpass, r_peaks
from ecgpipe.simulation import findings, recording
from tests.fixtures.made_beats import WAVES, leads_mv

BAND = {"low_hz": 0.5, "high_hz": 40.0, "order": 2}


def marked_ms(signal_mv: np.ndarray, rate_hz: float, peaks: np.ndarray) -> np.ndarray:
    """QRS, QT and PR of a recording."""
    found = beats.find(signal_mv, rate_hz, peaks)
    marks = delineation.delineate(found)
    (begin, end), ms = marks.qrs, 1000 / found.rate_hz
    qt_ms = (marks.t[1] - begin) * ms if marks.has_t else np.nan
    return np.array([(end - begin) * ms, qt_ms, (begin - marks.p[0]) * ms])


@pytest.fixture(scope="module")
def hearts() -> list[recording.SimulatedRecording]:
    """Recordings of simulated hearts in sinus rhythm."""
    made = []
    for seed in range(36):
        rng = np.random.default_rng(seed)
        drawn = findings.draw_findings(rng, "NSR")
        made.append(recording.simulate_recording(rng, findings=drawn))
    return made


@pytest.mark.parametrize("rate_hz", [100.0, 250.0])
def test_marks_follow_the_truth_of_simulated_hearts(rate_hz, hearts):
    off_ms = []  # [recording, (QRS, QT, PR)]
    for made in hearts:
        signal_mv = bandpass.condition(made.signal_mv, 500.0, to_rate_hz=rate_hz, **BAND)
        marked = marked_ms(signal_mv, rate_hz, r_peaks.r_peaks(signal_mv, rate_hz))
        true_s = made.truth.qrs_s, made.truth.qt_s, made.truth.pr_s
        off_ms.append(marked - 1000 * np.array(true_s))
    # A simulated T is drawn to where it has a twentieth of its height, where the tangent has met
    # the level already; a band that ends at 40 Hz makes a QRS broader.
    usual_ms = np.nanmedian(off_ms, axis=0)
    assert usual_ms == pytest.approx([5, -17, 8], abs=8)
    assert (np.nanmedian(np.abs(off_ms - usual_ms), axis=0) < [8, 15, 10]).all()
    assert (np.nanmean(np.abs(off_ms - usual_ms), axis=0) < 25).all()
    assert (np.isfinite(off_ms).mean(axis=0) > 0.9).all()


def test_marks_stand_where_the_waves_are():
    peaks_s = np.arange(0.8, 9.5, 0.9)
    found = beats.find(leads_mv(peaks_s, 500, 10), 500, (peaks_s * 500).astype(np.int32))
    marks = delineation.delineate(found)
    peak_ms = 2 * (np.array([marks.p[1], marks.t[0]]) - found.centre)
    assert peak_ms == pytest.approx([1000 * WAVES["P"][0], 1000 * WAVES["T"][0]], abs=6)
    # Q and S are seen from and to two and a half widths off their peaks; the tangent of a
    # Gaussian's steepest point, one width after its peak, meets the level after one width more.
    q, s, t = WAVES["Q"], WAVES["S"], WAVES["T"]
    begin_ms, end_ms = 2 * (np.array(marks.qrs) - found.centre)
    assert begin_ms == pytest.approx(1000 * (q[0] - 2.5 * q[1]), abs=10)
    assert end_ms == pytest.approx(1000 * (s[0] + 2.5 * s[1]), abs=10)
    assert 2 * (marks.t[1] - found.centre) == pytest.approx(1000 * (t[0] + 2 * t[1]), abs=6)
    assert marks.has_t


def test_a_flat_t_does_not_stand_out():
    peaks_s = np.arange(0.8, 9.5, 0.9)
    waves = {name: wave for name, wave in WAVES.items() if name != "T"}
    signal_mv = leads_mv(peaks_s, 500, 10, waves=waves)
    found = beats.find(signal_mv, 500, (peaks_s * 500).astype(np.int32))
    assert not delineation.delineate(found).has_t


def test_a_level_signal_has_marks_all_the_same():
    found = beats.find(np.zeros((1000, 12), np.float32), 100, np.array([300, 400, 500], np.int32))
    marks = delineation.delineate(found)
    assert marks.qrs[0] < marks.qrs[1]
    assert not marks.has_t
