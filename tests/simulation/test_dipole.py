"""The dipole heart against formulas done another way, and against what its leads show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.simulation import depolarisation, dipole, torso

ONE = dipole.waves_of_ms((0, 10, 20, (1.0, 0.5, -0.2)))


def test_limb_leads_follow_from_two_exactly():
    i, ii, iii, avr, avl, avf = dipole.to_twelve(np.random.default_rng(0).standard_normal((50, 8)))[
        :, :6
    ].T
    np.testing.assert_allclose(iii, ii - i, atol=1e-14)
    np.testing.assert_allclose(avr, -(i + ii) / 2, atol=1e-14)
    np.testing.assert_allclose(avl, (i - iii) / 2, atol=1e-14)
    np.testing.assert_allclose(avf, (ii + iii) / 2, atol=1e-14)


def test_chest_leads_pass_through_unchanged():
    leads = np.arange(16.0).reshape(2, 8)
    np.testing.assert_array_equal(dipole.to_twelve(leads)[:, 6:], leads[:, 2:])


def test_a_beat_drawn_by_events_equals_the_same_beat_at_once():
    rate_hz, samples = 500, 600
    at_s = np.arange(samples) / rate_hz
    one = (ONE, np.array([0.4, 0.8]), np.ones(2), np.array([1.0, 2.0]))
    slower = (ONE.turned(np.eye(3) * 3), np.array([0.6]), np.array([2.0]), np.ones(1))
    none = (ONE, np.zeros(0), np.zeros(0), np.zeros(0))
    drawn = dipole.moving_dipole([one, none, slower], rate_hz, samples)
    expected = dipole.single_beat(ONE, at_s - 0.4) + 2 * dipole.single_beat(ONE, at_s - 0.8)
    expected += 3 * dipole.single_beat(ONE, (at_s - 0.6) / 2)
    np.testing.assert_allclose(drawn.T, expected, atol=1.5e-3)


def test_what_falls_outside_the_recording_is_left_out():
    events = (ONE, np.array([-5.0, 0.0, 50.0]), np.ones(3), np.ones(3))
    drawn = dipole.moving_dipole([events], 100, 100)
    assert drawn.shape == (3, 100)
    np.testing.assert_allclose(drawn[:, 0], ONE.vector_mv[0])
    assert np.abs(drawn[0, 20:]).max() == 0


def test_areas_in_closed_form_equal_sums_over_samples():
    step = 1e-4
    leads = dipole.to_twelve(
        dipole.single_beat(depolarisation.NORMAL_QRS, np.arange(-0.2, 0.2, step)) @ dipole.DOWER.T
    )
    np.testing.assert_allclose(
        dipole.lead_areas(depolarisation.NORMAL_QRS, dipole.DOWER),
        leads.sum(axis=0) * step,
        atol=1e-6,
    )


@settings(max_examples=30, deadline=None)
@given(degrees=st.floats(-179, 179), seed=st.integers(0, 1000))
def test_the_axis_aimed_at_is_the_axis_that_leads_show(degrees, seed):
    field = torso.lead_field(np.random.default_rng(seed))
    turned = dipole.with_axis(depolarisation.NORMAL_QRS, field, degrees)
    leads = dipole.to_twelve(dipole.single_beat(turned, np.arange(-0.2, 0.2, 0.001)) @ field.T).sum(
        axis=0
    )
    shown = np.degrees(np.arctan2(leads[5] * 2 / np.sqrt(3), leads[0]))
    assert abs((shown - degrees + 180) % 360 - 180) < 1


@pytest.mark.parametrize("name", sorted(depolarisation.QRS))
def test_the_duration_aimed_at_is_measured(name):
    begin, end = dipole.bounds_s(dipole.with_duration(depolarisation.QRS[name], 0.11))
    assert end - begin == pytest.approx(0.11, abs=0.0015)


def test_the_normal_heart_progresses_from_s_to_r_across_the_chest():
    low, high = dipole.extremes(depolarisation.NORMAL_QRS, dipole.DOWER, -0.1, 0.1)
    share = high[6:] / (high - low)[6:]
    assert share[0] < 0.4 and share[4] > 0.7 and share[5] > 0.7
    assert 0.5 < (high - low)[1] < 2.5


@given(seed=st.integers(0, 10_000), angle=st.floats(-3, 3))
def test_a_rotation_keeps_lengths_and_its_axis(seed, angle):
    axis = np.random.default_rng(seed).standard_normal(3)
    turn = dipole.rotation(axis, angle)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turn @ axis, axis, atol=1e-12)
