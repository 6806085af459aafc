"""Features against signals whose values are known."""

import numpy as np
import pytest

from ecgpipe.simulation.recording import simulate_recording
from tests.benchmarks import signal_features

RATE_HZ = 500.0
TIME_S = np.arange(5000) / RATE_HZ


def test_the_power_of_a_sine_lies_in_its_band():
    sine_mv = 0.1 * np.sin(2 * np.pi * 30 * TIME_S)[:, None] * np.ones(8)
    values = signal_features.spectra(sine_mv, RATE_HZ)
    # Half of the squared amplitude, 100 uV.
    assert values["limb 20-40 Hz, dB"] == pytest.approx(10 * np.log10(100**2 / 2), abs=0.05)
    assert values["chest 62-100 Hz, dB"] < 0
    slow = signal_features.spectra(sine_mv[::5], RATE_HZ / 5)
    assert np.isnan(slow["limb 52-58 Hz, dB"])


def test_the_noise_between_t_and_p_is_that_of_white_noise():
    rng = np.random.default_rng(1)
    noise_mv = 0.01 * rng.normal(size=(5000, 8)) + TIME_S[:, None]
    values = signal_features.between_t_and_p(noise_mv, RATE_HZ, np.arange(0.5, 9.5, 1.2))
    assert values["TP noise, uV"] == pytest.approx(10, rel=0.03)
    assert values["TP noise of steps, uV"] == pytest.approx(10 * np.sqrt(2), rel=0.03)
    fast = signal_features.between_t_and_p(noise_mv, RATE_HZ, np.arange(0.5, 9.5, 0.4))
    assert np.isnan(fast["TP noise, uV"])


def test_laws_and_steps_of_leads():
    rng = np.random.default_rng(1)
    leads = np.round(rng.normal(size=(5000, 12)), 1)
    leads[:, 2] = leads[:, 1] - leads[:, 0] + 0.05 * np.sign(np.sin(TIME_S * 300))
    leads[:, 3] = -(leads[:, 0] + leads[:, 1]) / 2
    values = signal_features.of_the_device(leads, RATE_HZ)
    assert values["Einthoven's law, uV"] == pytest.approx(50, rel=0.01)
    assert values["Goldberger's law, uV"] == pytest.approx(0, abs=1e-6)
    of_two_steps = signal_features.of_the_device(np.repeat(leads, 2, axis=0), RATE_HZ)
    assert of_two_steps["equal to the sample before, share"] > 0.5


def test_beats_of_a_dipole_are_three_components_and_alike():
    rng = np.random.default_rng(1)
    peaks_s = np.arange(1.0, 9.0, 0.8)
    shifts_s = np.array([0, 0.02, 0.25])
    away_s = TIME_S[:, None, None] - peaks_s - shifts_s[:, None]  # [time, source, beat]
    sources = np.exp(-((away_s / 0.02) ** 2)).sum(axis=2)
    dipole_mv = sources @ rng.normal(size=(3, 8))
    values = signal_features.of_the_beats(dipole_mv, peaks_s)
    assert values["not of a dipole, QRS, dB"] == pytest.approx(-90, abs=0.5)  # nothing
    assert values["beats unlike their median in QRS, share"] < 1e-3
    assert values["spread of QRS sizes, share"] < 1e-3
    noisy = signal_features.of_the_beats(dipole_mv + 0.01 * rng.normal(size=(5000, 8)), peaks_s)
    assert noisy["not of a dipole, QRS, dB"] > -50


def test_a_simulated_recording_has_every_feature():
    recording = simulate_recording(np.random.default_rng(2), rate_hz=RATE_HZ)
    values = signal_features.measure(recording.signal_mv, RATE_HZ)
    assert len(values) == 2 * len(signal_features.BANDS_HZ) + 14
    known = [name for name, value in values.items() if np.isfinite(value)]
    assert len(known) >= len(values) - 2  # a fast heart leaves no time between T and P
