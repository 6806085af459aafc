"""Filters and converters of carts, in numbers; scipy's filters are their oracle."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import devices, dipole

PLAIN = devices.Device(
    high_pass_hz=0.5,
    zero_phase=False,
    low_pass_hz=40.0,
    low_pass_order=4,
    notch_hz=0.0,
    notch_quality=20.0,
    gain=np.ones(8),
    edge=np.ones(8),
    quantum_mv=0.005,
    clip_mv=5.0,
    derives=False,
)
HZ = np.array([0.05, 0.5, 1.0, 5.0, 10.0, 20.0, 40.0, 50.0, 100.0])
OPEN_HZ = 1e9  # a low-pass that lets all pass


def test_the_high_pass_is_one_resistor_and_capacitor():
    b, a = scipy.signal.butter(1, 2 * np.pi * 0.5, "high", analog=True)
    expected = scipy.signal.freqs(b, a, 2 * np.pi * HZ)[1]
    passed = devices.response(replace(PLAIN, low_pass_hz=OPEN_HZ), HZ)
    np.testing.assert_allclose(passed, expected, atol=1e-9)


def test_in_both_directions_it_has_no_phase_and_its_square_size():
    one_way = devices.response(PLAIN, HZ) / np.abs(devices.response(PLAIN, HZ))
    assert np.abs(np.angle(one_way)).max() > 0.5
    both = devices.response(replace(PLAIN, zero_phase=True, low_pass_hz=OPEN_HZ), HZ)
    single = devices.response(replace(PLAIN, low_pass_hz=OPEN_HZ), HZ)
    np.testing.assert_allclose(both, np.abs(single) ** 2, atol=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_low_pass_has_the_size_of_butterworths(order):
    b, a = scipy.signal.butter(order, 2 * np.pi * 40, "low", analog=True)
    expected = np.abs(scipy.signal.freqs(b, a, 2 * np.pi * HZ)[1])
    low = replace(PLAIN, low_pass_order=order, high_pass_hz=1e-9)
    np.testing.assert_allclose(np.abs(devices.response(low, HZ)), expected, rtol=1e-6)


def test_the_notch_is_that_of_scipy_in_the_analogue():
    notched = replace(PLAIN, low_pass_hz=OPEN_HZ, high_pass_hz=1e-9, notch_hz=50.0)
    passed = devices.response(notched, HZ)
    s = 1j * HZ / 50
    np.testing.assert_allclose(passed, (s * s + 1) / (s * s + s / 20 + 1), atol=1e-6)
    assert abs(passed[HZ == 50][0]) < 1e-6 and abs(passed[HZ == 5][0]) > 0.99
    assert devices.response(notched, np.zeros(1)) == 0  # finite where the frequency is 0


def test_channels_that_differ_have_edges_of_their_own():
    unlike = replace(PLAIN, edge=np.linspace(0.9, 1.1, 8))
    passed = devices.response(unlike, HZ)
    assert passed.shape == (8, len(HZ))
    alike = devices.response(replace(PLAIN, high_pass_hz=0.45), HZ)
    np.testing.assert_allclose(passed[0], alike)


def test_leads_are_in_steps_and_no_further_than_the_converter_reaches():
    leads_mv = 10 * np.random.default_rng(0).standard_normal((8, 500))
    twelve_mv = devices.digitised(PLAIN, leads_mv, dipole.TO_TWELVE.T)
    steps = twelve_mv / PLAIN.quantum_mv
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert np.abs(twelve_mv).max() == pytest.approx(5.0)


@pytest.mark.parametrize(("derives", "most_steps"), [(True, 1e-6), (False, 1.5)])
def test_the_limb_leads_keep_their_law_within_steps(derives, most_steps):
    leads_mv = np.random.default_rng(0).standard_normal((8, 500))
    cart = replace(PLAIN, derives=derives)
    i, ii, iii = devices.digitised(cart, leads_mv, dipole.TO_TWELVE.T)[:3]
    assert np.abs(ii - i - iii).max() <= (most_steps + 1e-6) * PLAIN.quantum_mv
    if not derives:
        assert np.abs(ii - i - iii).max() >= 0.9 * PLAIN.quantum_mv


def test_carts_differ():
    carts = [devices.draw_device(np.random.default_rng(seed), 60.0) for seed in range(300)]
    assert {cart.notch_hz for cart in carts} == {0.0, 60.0}
    assert {cart.high_pass_hz for cart in carts} == set(devices.HIGH_PASS_HZ)
    assert {cart.quantum_mv for cart in carts} == set(devices.QUANTA_MV)
    assert min(cart.low_pass_hz for cart in carts) < 26
    assert max(cart.low_pass_hz for cart in carts) > 140
    assert 0.97 < np.mean([cart.gain for cart in carts]) < 1.03
    assert len(LEADS) == dipole.TO_TWELVE.shape[1]
