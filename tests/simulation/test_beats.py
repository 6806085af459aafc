"""Whole recordings of clean hearts: where beats stand and what the atria do between them."""

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

    def at_five(recording):
        lead_mv = recording.signal_mv[:, LEADS.index("II")]
        power = np.abs(np.fft.rfft(lead_mv - lead_mv.mean()))
        return power[48:53].max() / np.median(power[20:80])

    assert at_five(flutter) > 3 * at_five(calm)


def test_a_longer_interval_brings_a_longer_qt():
    peaks = []
    well = {"repolarisation": "normal", "conduction": "normal", "premature": 0}
    for rate_bpm in (50.0, 100.0):
        rng = np.random.default_rng(1)
        findings = draw_findings(rng, "NSR", rate_bpm=rate_bpm, **well)
        heart = draw_heart(rng, findings)
        beats, atrial_mv = draw_beats(rng, findings, 500, 12.0, 1.0)
        v4 = independent_leads(rng, heart, beats, atrial_mv, 500)[:, 5]
        start = round((beats.qrs_s[4] + 0.15) * 500)
        peaks.append(np.abs(v4[start : start + 150]).argmax())
    assert peaks[0] > peaks[1] + 15
