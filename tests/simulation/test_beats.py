"""Whole recordings of clean hearts: where beats stand and what the atria do between them."""

from dataclasses import replace

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation.beats import draw_beats, independent_leads
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.patients import draw_heart
from ecgpipe.simulation.recording import simulate_recording


def simulated(seed, rhythm, rate_bpm):
    rng = np.random.default_rng(seed)
    calm = {
        "infarct": "",
        "premature": 0,
        "ventricular": 0,
        "conduction": "normal",
        "extra": "none",
        "low_voltage": "",
        "axis": 40.0,
    }
    findings = draw_findings(rng, rhythm, rate_bpm=rate_bpm, **calm)
    return simulate_recording(rng, findings=findings, clean=True)


@pytest.mark.parametrize("seed", range(12))
def test_peaks_stand_on_the_steepest_activity(seed):
    recording = simulated(seed, "NSR", 70.0)
    steep = np.abs(np.diff(recording.signal_mv, axis=0)).sum(axis=1)
    for peak in recording.peaks_s[1:-1]:
        around = steep[round((peak - 0.3) * 500) : round((peak + 0.3) * 500)]
        assert abs(around.argmax() / 500 - 0.3) < 0.06


def test_atria_between_beats_are_silent_in_sinus_rhythm_and_active_in_flutter():
    calm, flutter = simulated(4, "NSR", 62.0), simulated(4, "AFL", 300.0)

    def between_beats(recording):
        """How much lead II moves in a tenth of a second that ends a quarter before a beat, in
        mV."""
        peaks = np.rint(recording.peaks_s[1:] * 500).astype(int)
        lead_mv = recording.signal_mv[:, LEADS.index("II")]
        return np.median([np.ptp(lead_mv[peak - 180 : peak - 125]) for peak in peaks])

    assert between_beats(calm) < 0.02 and between_beats(flutter) > 0.06


def test_pr_runs_from_the_begin_of_p_to_the_begin_of_qrs():
    rng = np.random.default_rng(1)
    calm = {"premature": 0, "ventricular": 0, "conduction": "normal", "low_voltage": ""}
    findings = draw_findings(rng, "NSR", rate_bpm=60.0, pr_s=0.20, infarct="", **calm)
    heart = draw_heart(rng, findings)
    beats, atrial_mv = draw_beats(rng, findings, 1000, 12.0, 1.0)
    leads_mv = independent_leads(rng, heart, beats, atrial_mv, 1000)
    size_mv = np.abs(leads_mv - np.median(leads_mv, axis=0)).sum(axis=1)
    begin = round((beats.qrs_s[5] + heart.begin_s - 0.20) * 1000)
    before, p_wave = size_mv[begin - 40 : begin - 15].max(), size_mv[begin + 30 : begin + 60].max()
    assert p_wave > 4 * before


def test_a_pacemaker_shows_its_spikes_before_each_paced_beat():
    rng = np.random.default_rng(0)
    findings = draw_findings(rng, "paced", pacing="VAT", rate_bpm=70.0)
    heart = draw_heart(rng, findings)
    spike = replace(heart.spike, vector_mv=np.array([[3.0, 3.0, 3.0]]))
    beats, atrial_mv = draw_beats(rng, findings, 500, 12.0, 1.0)
    shown = []
    for one in (replace(heart, spike=spike), replace(heart, spike=None)):
        own = np.random.default_rng(7)
        shown.append(independent_leads(own, one, beats, atrial_mv, 500))
    differs = np.abs(shown[0] - shown[1]).max(axis=1)
    at_s = np.flatnonzero(differs > 0.3) / 500
    expected_s = beats.qrs_s + heart.own_begin_s - 0.004
    inside = (expected_s > 0.1) & (expected_s < 11.9)
    assert all(np.abs(at_s - when).min() < 0.004 for when in expected_s[inside])
    assert 0 < len(at_s) < 6 * len(beats.qrs_s)


def test_a_longer_interval_brings_a_longer_qt():
    peaks = []
    well = {"repolarisation": "normal", "conduction": "normal", "premature": 0, "infarct": ""}
    well |= {"ventricular": 0, "extra": "none", "qtc_s": 0.40}
    for rate_bpm in (50.0, 100.0):
        rng = np.random.default_rng(1)
        findings = draw_findings(rng, "NSR", rate_bpm=rate_bpm, **well)
        heart = draw_heart(rng, findings)
        beats, atrial_mv = draw_beats(rng, findings, 500, 12.0, 1.0)
        v4 = independent_leads(rng, heart, beats, atrial_mv, 500)[:, 5]
        start = round((beats.qrs_s[4] + 0.15) * 500)
        peaks.append(np.abs(v4[start : start + 150]).argmax())
    assert peaks[0] > peaks[1] + 15
