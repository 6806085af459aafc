import tracemalloc

import numpy as np
import pytest
import scipy.fft
import scipy.signal
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
            lambda x, *a, real=real, name=name, **k: (
                seen.append((name, x.shape[1])) or real(x, *a, **k)
            ),
        )
    bandpass.condition(
        np.random.default_rng(1).normal(size=(5000, 12)), 500, to_rate_hz=100, **BAND
    )
    assert seen == [("rfft", 12), ("irfft", 12)]


def test_baseline_wander_and_offset_go_and_mains_hum_falls_below_a_hundredth():
    time = np.arange(5000) / 500
    signal = np.repeat(
        (3.0 + np.sin(2 * np.pi * 0.05 * time) + np.sin(2 * np.pi * 150 * time))[:, None],
        12,
        axis=1,
    )
    out = bandpass.condition(signal, 500, to_rate_hz=500, **BAND)
    assert np.abs(out[1000:4000]).max() < 0.02


def test_a_recording_that_ends_on_an_r_peak_keeps_its_baseline():
    time = np.arange(5000) / 500
    beats = np.append(np.arange(0.0, 9.5, 0.9), 4999 / 500)
    trace = sum(1.5 * np.exp(-0.5 * ((time - beat) / 0.015) ** 2) for beat in beats)
    out = bandpass.condition(np.repeat(trace[:, None], 12, axis=1), 500, to_rate_hz=500, **BAND)[
        :, 0
    ]
    quiet = np.abs(time[:, None] - beats).min(axis=1) > 0.2
    assert np.abs(out[quiet] - np.median(out[quiet])).max() < 0.15


def test_a_rate_below_the_band_invents_nothing_above_its_own_nyquist():
    rng = np.random.default_rng(2)
    out = bandpass.condition(rng.normal(size=(640, 12)), 64, to_rate_hz=250, **BAND)
    spectrum = np.abs(np.fft.rfft(out[:, 0] * np.hanning(len(out))))
    frequencies = np.fft.rfftfreq(len(out), 1 / 250)
    assert spectrum[frequencies > 36].max() < 0.02 * spectrum[frequencies < 30].max()


@given(
    rate_hz=st.sampled_from([100, 250, 257, 500, 1000]),
    duration_s=st.floats(1.0, 4.0),
    seed=st.integers(0, 99),
)
def test_conditioning_is_linear_and_keeps_the_lead_algebra(rate_hz, duration_s, seed):
    rng = np.random.default_rng(seed)
    limb = rng.normal(size=(round(rate_hz * duration_s), 2))
    signal = np.concatenate(
        [limb, limb[:, 1:] - limb[:, :1], rng.normal(size=(len(limb), 9))], axis=1
    )
    out = bandpass.condition(signal, rate_hz, to_rate_hz=100, **BAND)
    assert np.abs(out[:, 2] - (out[:, 1] - out[:, 0])).max() < 1e-4


@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 9), (9, 3), (10, 2), (25, 31)])
def test_both_ends_are_mirrored_as_numpy_does_it(before, after):
    signal = np.random.default_rng(8).normal(size=(10, 12)).astype(np.float32)
    ours = bandpass.mirrored(signal, before, after)
    assert np.array_equal(ours, np.pad(signal, ((before, after), (0, 0)), "reflect"))
    assert ours.flags.f_contiguous
