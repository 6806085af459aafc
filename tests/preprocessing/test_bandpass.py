import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import scipy.fft
import scipy.signal
import sleepecg
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.preprocessing import bandpass

BAND = {"low_hz": 0.5, "high_hz": 40.0, "order": 2}


@pytest.mark.parametrize("order", [1, 2, 4])
def test_band_pass_equals_forward_backward_butterworth(order):
    rng = np.random.default_rng(1)
    signal = np.cumsum(rng.normal(size=(30000, 12)), axis=0) * 0.01
    ours = bandpass.condition(signal, 1000, to_rate_hz=1000, low_hz=0.5, high_hz=40.0, order=order)
    theirs = signal
    for corner, kind in ((0.5, "highpass"), (40.0, "lowpass")):
        sections = scipy.signal.butter(order, corner, kind, fs=1000, output="sos")
        theirs = scipy.signal.sosfiltfilt(sections, theirs, axis=0, padtype="odd", padlen=2000)
    middle = slice(6000, 24000)
    assert np.abs(ours[middle] - theirs[middle]).max() < 0.02 * theirs[middle].std()


@pytest.mark.parametrize(
    ("rate_hz", "to_rate_hz"),
    [(500, 100), (1000, 250), (257, 100), (100, 250), (360.5, 100), (333.333, 250), (999.999, 250)],
)
def test_a_sine_in_the_band_keeps_amplitude_phase_and_start(rate_hz, to_rate_hz):
    duration_s = 10
    time_in = np.arange(round(duration_s * rate_hz)) / rate_hz
    signal = np.repeat(np.sin(2 * np.pi * 5 * time_in + 0.3)[:, None], 12, axis=1)
    out = bandpass.condition(signal, rate_hz, to_rate_hz=to_rate_hz, low_hz=0, high_hz=45, order=8)
    time_out = np.arange(len(out)) / to_rate_hz
    assert len(out) == round(len(signal) * to_rate_hz / rate_hz)
    inner = (time_out > 1) & (time_out < 9)
    expected = np.sin(2 * np.pi * 5 * time_out + 0.3)
    assert np.abs(out[inner, 0] - expected[inner]).max() < 1e-3


@pytest.mark.parametrize("rate_hz", [333.333, 999.001, 9999.999])
def test_an_odd_rate_costs_no_more_memory_than_three_of_the_longest_steps(rate_hz):
    signal = np.zeros((5000, 12), dtype=np.float32)
    tracemalloc.start()
    try:
        bandpass.condition(signal, rate_hz, to_rate_hz=250, low_hz=0.5, high_hz=47, order=2)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_one_transform_each_way_serves_all_leads(monkeypatch):
    seen = []
    for name in ("rfft", "irfft"):
        real = getattr(scipy.fft, name)
        monkeypatch.setattr(
            scipy.fft,
            name,
            lambda x, *a, real=real, name=name, **k: seen.append((name, x.shape[1])) or real(x, *a, **k),
        )
    bandpass.condition(np.random.default_rng(1).normal(size=(5000, 12)), 500, to_rate_hz=100, **BAND)
    assert seen == [("rfft", 12), ("irfft", 12)]


def test_baseline_wander_and_offset_go_and_mains_hum_falls_below_a_hundredth():
    time = np.arange(5000) / 500
    signal = np.repeat((3.0 + np.sin(2 * np.pi * 0.05 * time) + np.sin(2 * np.pi * 150 * time))[:, None], 12, axis=1)
    out = bandpass.condition(signal, 500, to_rate_hz=500, **BAND)
    assert np.abs(out[1000:4000]).max() < 0.02


def test_a_recording_that_ends_on_an_r_peak_keeps_its_baseline():
    time = np.arange(5000) / 500
    beats = np.append(np.arange(0.0, 9.5, 0.9), 4999 / 500)
    trace = sum(1.5 * np.exp(-0.5 * ((time - beat) / 0.015) ** 2) for beat in beats)
    out = bandpass.condition(np.repeat(trace[:, None], 12, axis=1), 500, to_rate_hz=500, **BAND)[:, 0]
    quiet = np.abs(time[:, None] - beats).min(axis=1) > 0.2
    assert np.abs(out[quiet] - np.median(out[quiet])).max() < 0.15


def test_a_rate_below_the_band_invents_nothing_above_its_own_nyquist():
    rng = np.random.default_rng(2)
    out = bandpass.condition(rng.normal(size=(640, 12)), 64, to_rate_hz=250, **BAND)
    spectrum = np.abs(np.fft.rfft(out[:, 0] * np.hanning(len(out))))
    frequencies = np.fft.rfftfreq(len(out), 1 / 250)
    assert spectrum[frequencies > 36].max() < 0.02 * spectrum[frequencies < 30].max()


@given(rate_hz=st.sampled_from([100, 250, 257, 500, 1000]), duration_s=st.floats(1.0, 4.0), seed=st.integers(0, 99))
def test_conditioning_is_linear_and_keeps_the_lead_algebra(rate_hz, duration_s, seed):
    rng = np.random.default_rng(seed)
    limb = rng.normal(size=(round(rate_hz * duration_s), 2))
    signal = np.concatenate([limb, limb[:, 1:] - limb[:, :1], rng.normal(size=(len(limb), 9))], axis=1)
    out = bandpass.condition(signal, rate_hz, to_rate_hz=100, **BAND)
    assert np.abs(out[:, 2] - (out[:, 1] - out[:, 0])).max() < 1e-4


def test_r_peaks_are_found_where_they_are_and_none_in_flat_or_short_input():
    rate_hz = 100
    time = np.arange(10 * rate_hz) / rate_hz
    beats = np.arange(0.6, 9.8, 0.8)
    trace = sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in beats)
    signal = np.repeat(trace[:, None], 12, axis=1)
    found = bandpass.r_peaks(signal, rate_hz) / rate_hz
    matched = [np.abs(found - beat).min() for beat in beats[1:]]
    assert max(matched) <= 0.011
    assert len(found) <= len(beats)
    assert len(bandpass.r_peaks(np.zeros((1000, 12)), rate_hz)) == 0
    assert len(bandpass.r_peaks(signal[:150], rate_hz)) == 0


def test_r_peaks_come_from_another_lead_where_lead_ii_is_flat():
    time = np.arange(1000) / 100
    trace = sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in np.arange(0.6, 9.8, 0.8))
    signal = np.repeat(trace[:, None], 12, axis=1)
    signal[:, 1] = 0
    assert len(bandpass.r_peaks(signal, 100)) >= 10


@pytest.mark.parametrize("rate_hz", [100, 250, 360, 500.0])
def test_the_detector_finds_what_sleepecg_finds_to_the_sample(rate_hz):
    rng = np.random.default_rng(7)
    time = np.arange(int(12 * rate_hz)) / rate_hz
    for pace in (0.4, 0.8, 1.3):
        beats = np.cumsum(rng.uniform(0.7, 1.3, 30) * pace)
        trace = sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in beats) + rng.normal(0, 0.05, len(time))
        expected = sleepecg.detect_heartbeats(trace, rate_hz)
        assert len(expected) > 5
        assert np.array_equal(bandpass._heartbeats(trace, rate_hz), expected)


@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 9), (9, 3), (10, 2), (25, 31)])
def test_both_ends_are_mirrored_as_numpy_does_it(before, after):
    signal = np.random.default_rng(8).normal(size=(10, 12)).astype(np.float32)
    ours = bandpass._mirrored(signal, before, after)
    assert np.array_equal(ours, np.pad(signal, ((before, after), (0, 0)), "reflect"))
    assert ours.flags.f_contiguous


HOSTILE = """
import sys
import numpy as np
from ecgpipe.preprocessing.bandpass import r_peaks
kind, rate_hz, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
rng, samples = np.random.default_rng(1), int(int(sys.argv[2]) * float(sys.argv[3]))
time = np.arange(samples) / rate_hz
trace = {
    "fast": sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in np.arange(0.05, seconds, 0.205)),
    "step": np.where(np.arange(samples) > samples - 30, 1.0, 0.0),
    "late": np.where(np.arange(samples) > samples - 5, 1.0, 0.0),
    "noise": rng.normal(size=samples),
    "ramp": time,
}[kind]
found = r_peaks(np.repeat(trace[:, None], 12, axis=1), rate_hz)
assert len(found) == 0 or (found.min() >= 0 and found.max() < samples)
print("survived")
"""


@pytest.mark.parametrize("kind", ["fast", "step", "late", "noise", "ramp"])
def test_the_r_peak_detector_survives_recordings_without_or_with_too_many_peaks(kind):
    for rate_hz, seconds in ((100, 2), (250, 5)):
        command = [sys.executable, "-c", HOSTILE, kind, str(rate_hz), str(seconds)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
        assert run.stdout == "survived\n", (kind, rate_hz, run.returncode, run.stderr[-300:])


def test_a_band_that_does_not_fit_the_rate_is_refused_with_its_values():
    with pytest.raises(ValueError, match=r"low_hz < high_hz < rate_hz / 2 must hold: 0.5, 60.0, 100"):
        bandpass.Params(rate_hz=100, low_hz=0.5, high_hz=60, order=2, min_duration_s=2, max_refused=0.05)
