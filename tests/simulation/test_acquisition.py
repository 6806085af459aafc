"""Recordings as they are taken: what a cart passes on, and what stays out where it should."""

import numpy as np
import pytest
import scipy.signal

from ecgpipe.simulation import devices, dipole
from ecgpipe.simulation.acquisition import Surroundings, acquired

RATE_HZ, SAMPLES = 500.0, 6000
KEPT = slice(500, 5500)
STILL = Surroundings(mains_hz=50.0, noise_factor=1e-6, faulty=False)
SINE = np.sin(2 * np.pi * 8 * np.arange(SAMPLES) / RATE_HZ)


def taken(leads_mv, surroundings, seed=0):
    twelve_mv, _ = acquired(
        np.random.default_rng(seed), leads_mv.copy(), RATE_HZ, KEPT, surroundings
    )
    return twelve_mv


@pytest.mark.parametrize("seed", range(5))
def test_without_noise_a_slow_sine_passes_as_it_is(seed):
    leads_mv = SINE * np.arange(1, 9)[:, None] / 8
    twelve_mv = taken(leads_mv, STILL, seed)
    assert twelve_mv.shape == (12, 5000)
    expected_mv = (dipole.TO_TWELVE.T @ leads_mv)[:, KEPT]
    rms_mv, expected_rms_mv = (np.sqrt((x * x).mean(axis=1)) for x in (twelve_mv, expected_mv))
    # Limb leads that are next to nothing hold steps of the converter alone.
    np.testing.assert_allclose(rms_mv, expected_rms_mv, rtol=0.08, atol=max(devices.QUANTA_MV))


def test_a_constant_is_filtered_out_without_traces_of_the_ends():
    twelve_mv = taken(np.full((8, SAMPLES), 0.7), STILL)
    assert np.abs(twelve_mv).max() <= max(devices.QUANTA_MV)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_the_mains_of_the_country_are_seen_and_those_of_others_are_not(mains_hz):
    loud = Surroundings(mains_hz=mains_hz, noise_factor=20.0, faulty=False)
    other_hz = 110.0 - mains_hz
    power = 0
    for seed in range(10):
        signal_mv = taken(np.zeros((8, SAMPLES)), loud, seed)
        hz, of_one = scipy.signal.welch(signal_mv, RATE_HZ, nperseg=1000)
        power = power + of_one.sum(axis=0)
    at, elsewhere = power[np.abs(hz - mains_hz) < 0.6], power[np.abs(hz - other_hz) < 0.6]
    assert at.max() > 20 * elsewhere.max()


def test_faults_are_left_out_where_none_are_wanted():
    leads_mv = np.tile(SINE, (8, 1))
    flat = {}
    for faulty in (True, False):
        where = Surroundings(faulty=faulty)
        recordings = [taken(leads_mv, where, seed) for seed in range(150)]
        flat[faulty] = sum((np.ptp(one[6:], axis=1) == 0).any() for one in recordings)
    assert flat[True] > 0 and flat[False] == 0
