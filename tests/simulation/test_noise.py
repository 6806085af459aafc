"""Noise at the electrodes and the filters of the cart, in numbers."""

import numpy as np
import pytest

from ecgpipe.simulation import noise


def test_noise_keeps_the_level_asked_for_and_the_electrode_algebra():
    disturbance = noise.Disturbance(
        wander_mv=0.1, muscle_mv=0.05, mains_mv=0.0, mains_hz=50, steps=0
    )
    noise_mv = noise.sample_noise(np.random.default_rng(0), disturbance, 500, 50_000)
    assert noise_mv.shape == (50_000, 8)
    expected = np.hypot(0.1, 0.05) * np.sqrt(1 + 1 / 3)  # one electrode against the mean of three
    assert 0.5 * expected < noise_mv[:, 2:].std() < 2 * expected
    np.testing.assert_allclose(
        noise.TO_LEADS.sum(axis=0), 0, atol=1e-15
    )  # what all electrodes share is not seen


def test_the_band_takes_what_lies_outside_and_leaves_what_lies_inside():
    at_s = np.arange(5000) / 500
    inside, above = np.sin(2 * np.pi * 10 * at_s)[:, None], np.sin(2 * np.pi * 120 * at_s)[:, None]
    assert noise.cart_filter(inside, 500, 0.5, 40)[1000:4000].std() == pytest.approx(
        inside.std(), rel=0.01
    )
    assert noise.cart_filter(above, 500, 0.5, 40)[1000:4000].std() < 0.02
    assert abs(noise.cart_filter(np.ones((5000, 1)), 500, 0.5, 40).mean()) < 1e-9
