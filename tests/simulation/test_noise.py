"""Noise at the electrodes, in numbers."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.fft
import scipy.stats

from ecgpipe.simulation import noise
from ecgpipe.simulation.electrodes import TO_LEADS

RATE_HZ, LENGTH = 500.0, 50_000
QUIET = noise.Disturbance(
    steady_mv=np.zeros((9, 5)),
    tremor_mv=0.0,
    tremor_hz=5.0,
    mains_mv=0.0,
    mains_hz=50.0,
    harmonics=(0.0, 0.0),
    bursts=0,
    movements=0,
)


def drawn(disturbance, seed=0):
    """[8, time] of steady noise."""
    rng = np.random.default_rng(seed)
    return scipy.fft.irfft(noise.steady(rng, disturbance, RATE_HZ, LENGTH), LENGTH)


def share(noise_mv, low_hz, high_hz):
    """The share of the noise's power between two frequencies."""
    hz = scipy.fft.rfftfreq(noise_mv.shape[-1], 1 / RATE_HZ)
    power = (np.abs(scipy.fft.rfft(noise_mv)) ** 2).sum(axis=0)
    return power[(hz >= low_hz) & (hz <= high_hz)].sum() / power.sum()


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"),
    [
        (noise.WANDER, 0.03, 0.6),
        (noise.DRIFT, 0.1, 10),
        (noise.MUSCLE, 8, 160),
        (noise.SHARP, 20, 250),
    ],
)
def test_each_kind_has_the_level_asked_for_in_its_band(kind, low_hz, high_hz):
    steady_mv = np.zeros((9, 5))
    steady_mv[:, kind] = 0.05
    noise_mv = drawn(replace(QUIET, steady_mv=steady_mv))
    expected = 0.05 * np.sqrt(1 + 1 / 3)  # one electrode against the mean of three
    assert noise_mv[2:].std() == pytest.approx(expected, rel=0.15)
    assert share(noise_mv, low_hz, high_hz) > 0.9


def test_white_noise_is_gaussian_although_one_byte_makes_each_draw():
    steady_mv = np.zeros((9, 5))
    steady_mv[:, noise.WHITE] = 0.01
    noise_mv = drawn(replace(QUIET, steady_mv=steady_mv))
    sample = noise_mv[4, ::10] / noise_mv[4].std()
    assert scipy.stats.kstest(sample, "norm").pvalue > 0.01
    assert abs(scipy.stats.kurtosis(noise_mv[4])) < 0.1


def test_what_all_electrodes_share_is_not_seen():
    np.testing.assert_allclose(TO_LEADS.sum(axis=0), 0, atol=1e-15)


def test_tremor_shakes_the_limbs_at_its_frequency():
    noise_mv = drawn(replace(QUIET, tremor_mv=0.1))
    assert share(noise_mv[:2], 4, 6) > 0.5 and noise_mv[0].std() > 0.02


def test_mains_stand_at_their_frequency_and_overtones():
    rng, leads_mv = np.random.default_rng(1), np.zeros((8, 5000))
    hum = replace(QUIET, mains_mv=0.01, mains_hz=60.0, harmonics=(0.3, 0.2))
    noise.add_events(rng, hum, leads_mv, RATE_HZ)
    first, second, third = (share(leads_mv, hz - 0.2, hz + 0.2) for hz in (60, 120, 180))
    assert first > 0.7 and 0.005 < third < second < first
    assert first + second + third == pytest.approx(1, abs=1e-6)


def test_overtones_above_half_the_rate_do_not_come_back_below_it():
    leads_mv = np.zeros((8, 2000))
    hum = replace(QUIET, mains_mv=0.01, mains_hz=60.0, harmonics=(0.3, 0.2))
    noise.add_events(np.random.default_rng(1), hum, leads_mv, 200.0)
    power = np.abs(scipy.fft.rfft(leads_mv[0])) ** 2
    assert power[600] / power.sum() == pytest.approx(1, abs=1e-6)  # 60 of 100 Hz in 1,000 steps


def test_a_burst_is_louder_than_the_rest_and_a_movement_comes_back():
    steady_mv = np.zeros((9, 5))
    steady_mv[:, noise.MUSCLE] = 0.01
    tense = np.zeros((8, 5000))
    burst = replace(QUIET, steady_mv=steady_mv, bursts=1)
    noise.add_events(np.random.default_rng(2), burst, tense, RATE_HZ)
    loud = tense.reshape(8, 20, 250).std(axis=2).max(axis=0)  # of each half second
    assert loud.max() > 5 * loud.min()
    moved = np.zeros((8, 20_000))
    noise.add_events(np.random.default_rng(3), replace(QUIET, movements=1), moved, RATE_HZ)
    reach = np.abs(moved).max(axis=0)
    assert reach.max() > 0.05 and reach[0] == 0 and reach[-1] < 0.01


def test_a_loose_electrode_walks_while_it_is_loose():
    walk_mv = noise.loosened(np.random.default_rng(0), 5, 0.25, 0.5, 1000)
    assert np.abs(walk_mv[:, 250:500]).max() > 0.02
    assert not walk_mv[:, :250].any() and not walk_mv[:, 500:].any()
    assert np.flatnonzero(walk_mv.any(axis=1)).tolist() == [4]  # the third chest lead alone


def test_most_recordings_are_quiet_and_a_factor_scales_them():
    plain, loud = (
        [noise.draw_disturbance(np.random.default_rng(seed), 50, factor) for seed in range(200)]
        for factor in (1.0, 2.0)
    )
    for one, other in zip(plain, loud, strict=True):
        np.testing.assert_allclose(other.steady_mv, 2 * one.steady_mv)
    sizes_mv = [one.steady_mv[:, noise.MUSCLE].mean() for one in plain]
    assert np.quantile(sizes_mv, 0.9) > 3 * np.quantile(sizes_mv, 0.1)
