"""What is left between the beats: waves of a known frequency and size, and P that comes or not."""

import numpy as np
import pytest

from ecgpipe.features import atria, beats, delineation
from ecgpipe.project.leads import LEADS
from tests.fixtures.made_beats import WAVES, leads_mv

PEAKS_S = np.cumsum(np.random.default_rng(3).uniform(0.7, 1.2, 30))
SECONDS = 30
AT_S = np.arange(500 * SECONDS)[:, None] / 500
V1 = [LEADS.index("V1")]


def measured(signal_mv: np.ndarray) -> dict[str, float]:
    peaks = np.round(PEAKS_S * 500).astype(np.int32)
    found = beats.find(signal_mv.astype(np.float32), 500, peaks)
    return atria.measure(found, delineation.delineate(found))


def test_beats_alone_leave_nothing_and_their_p_is_always_there():
    values = measured(leads_mv(PEAKS_S, 500, SECONDS))
    assert set(values) == set(atria.UNITS)
    assert values["f_V1_uv"] < 5
    assert values["p_likeness"] > 0.98


@pytest.mark.parametrize("wave_hz", [5.0, 7.0])
def test_fibrillation_waves_are_found_with_their_size_and_frequency(wave_hz):
    without_p = {name: wave for name, wave in WAVES.items() if name != "P"}
    signal_mv = leads_mv(PEAKS_S, 500, SECONDS, waves=without_p).astype(np.float64)
    signal_mv[:, V1] += 0.08 * np.sin(2 * np.pi * wave_hz * AT_S)
    values = measured(signal_mv)
    # The median beat keeps a share of the waves, which is taken out with it.
    assert values["f_V1_uv"] == pytest.approx(80 / np.sqrt(2), rel=0.25)
    assert values["f_II_uv"] < 5
    assert values["f_peak_hz"] == pytest.approx(wave_hz, abs=0.2)
    assert values["f_share_V1"] > 0.8
    assert values["p_likeness"] < 0.6


def test_noise_and_drift_are_told_apart():
    signal_mv = leads_mv(PEAKS_S, 500, SECONDS).astype(np.float64)
    plain = measured(signal_mv)
    noisy = measured(signal_mv + 0.04 * np.sin(2 * np.pi * 31 * AT_S))
    drifting = measured(signal_mv + 0.2 * np.sin(2 * np.pi * 0.7 * AT_S))
    assert noisy["noise_uv"] > 20 + plain["noise_uv"]
    assert noisy["drift_uv"] == pytest.approx(plain["drift_uv"], abs=10)
    assert drifting["drift_uv"] > 80 + plain["drift_uv"]


def test_a_line_is_taken_out_of_each_lead():
    ramp = np.linspace([[1.0, -2.0]], [[3.0, 5.0]], 9, axis=1)[0]
    assert np.abs(atria.without_line(ramp)).max() < 1e-12
