"""The exact intervals against the signal, and where there are none."""

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.recording import simulate_recording

CALM = {
    "premature": 0,
    "ventricular": 0,
    "conduction": "normal",
    "repolarisation": "normal",
    "extra": "none",
    "infarct": "",
    "low_voltage": "",
    "dextrocardia": False,
    "axis": 40.0,
}


def clean(rhythm, **wanted):
    rng = np.random.default_rng(5)
    findings = draw_findings(rng, rhythm, **(CALM | wanted))
    return simulate_recording(rng, rate_hz=1000, findings=findings, clean=True)


def test_intervals_of_sinus_rhythm_are_those_drawn_and_seen():
    recording = clean("NSR", rate_bpm=75.0, pr_s=0.17, qtc_s=0.41, swing_s=0.0)
    truth = recording.truth
    assert truth.rate_bpm == pytest.approx(75, rel=0.03)
    assert truth.rr_s == pytest.approx(np.diff(recording.peaks_s).mean(), abs=0.01)
    assert (truth.pr_s, truth.axis_deg) == (0.17, pytest.approx(40, abs=0.5))
    assert truth.qtc_s == pytest.approx(0.41, abs=0.01)
    assert truth.qt_s == pytest.approx(truth.qtc_s * truth.rr_s ** (1 / 3))
    # The QRS of the signal: where the leads together are steep.
    peak = round(recording.peaks_s[4] * 1000)
    around = recording.signal_mv[peak - 120 : peak + 120]
    slope = np.linalg.norm(np.diff(around, axis=0), axis=1)
    steep = np.flatnonzero(slope > 0.03 * slope.max())
    assert np.ptp(steep[np.abs(steep - 120) < 65]) / 1000 == pytest.approx(truth.qrs_s, abs=0.02)


def test_t_ends_where_the_truth_says():
    recording = clean("NSR", rate_bpm=60.0, qtc_s=0.42, swing_s=0.0, pr_s=0.16, sex="M")
    v4 = np.median(
        [
            recording.signal_mv[round(peak * 1000) : round(peak * 1000) + 700]
            for peak in recording.peaks_s[1:-2]
        ],
        axis=0,
    )[:, LEADS.index("V4")]
    end = round(
        (recording.truth.qt_s - 0.04) * 1000
    )  # the peak stands about 40 ms after QRS begins
    assert np.abs(np.ptp(v4[end + 25 : end + 60])) < 0.1 * np.ptp(v4[end - 150 : end])


def test_what_cannot_be_measured_is_nan():
    fibrillating, fluttering = clean("AF", rate_bpm=90.0).truth, clean("AFL").truth
    assert np.isnan(fibrillating.pr_s) and np.isnan(fluttering.pr_s)
    assert np.isnan(fluttering.qt_s) and np.isfinite(fibrillating.qt_s)
    assert np.isnan(clean("complete").truth.pr_s)


def test_of_paced_beats_the_paced_ones_are_measured():
    truth = clean("paced", pacing="VAT", rate_bpm=70.0).truth
    assert truth.qrs_s > 0.11
    assert 0.06 < truth.pr_s < 0.22
    assert 0.3 < truth.qt_s < 0.6
