"""Ventricular beats against textbooks: broad, T against QRS, directions by origin; spikes."""

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import dipole, ventricular


def net(beat):
    """Net QRS area in the twelve leads, mV s [12]."""
    return dipole.lead_areas(beat.taken(slice(0, ventricular.QRS_WAVES)), dipole.DOWER)


def test_an_ectopic_beat_is_broad_and_its_t_points_against_it():
    for seed in range(20):
        beat = ventricular.draw_ectopic(np.random.default_rng(seed), 1.0, 0.8)
        begin_s, end_s = ventricular.qrs_bounds_s(beat)
        assert 0.11 < end_s - begin_s < 0.22
        qrs_mv = beat.vector_mv[: ventricular.QRS_WAVES].sum(axis=0)
        assert qrs_mv @ beat.vector_mv[ventricular.QRS_WAVES] < 0


def test_right_ventricular_pacing_is_negative_in_v1_and_pacing_both_in_lead_i():
    right, both = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        right.append(net(ventricular.draw_paced(rng, 1.0, False, 0.8)))
        both.append(net(ventricular.draw_paced(rng, 1.0, True, 0.8)))
    assert np.mean(np.array(right)[:, LEADS.index("V1")] < 0) > 0.85
    assert np.mean(np.array(right)[:, LEADS.index("aVF")] < 0) > 0.5
    assert np.mean(np.array(both)[:, LEADS.index("I")] < 0) > 0.85


def test_pacing_both_ventricles_is_narrower():
    def mean_s(biventricular):
        beats = [
            ventricular.draw_paced(np.random.default_rng(seed), 1.0, biventricular, 0.8)
            for seed in range(30)
        ]
        return np.mean([np.ptp(ventricular.qrs_bounds_s(beat)) for beat in beats])

    assert mean_s(True) < mean_s(False) - 0.01


def test_t_comes_sooner_after_a_short_interval():
    slow, fast = (
        ventricular.draw_ectopic(np.random.default_rng(0), 1.0, rr_s) for rr_s in (1.0, 0.5)
    )
    assert fast.centre_s[ventricular.QRS_WAVES] < slow.centre_s[ventricular.QRS_WAVES] - 0.03


@pytest.mark.parametrize("rate_hz", [200, 250, 500, 1000])
def test_a_spike_has_the_same_area_at_every_rate_and_covers_a_sample(rate_hz):
    spike = ventricular.draw_spike(np.random.default_rng(1))
    seen = ventricular.at_rate(spike, rate_hz)
    np.testing.assert_allclose(
        dipole.lead_areas(seen, dipole.DOWER), dipole.lead_areas(spike, dipole.DOWER)
    )
    assert seen.before_s[0] * rate_hz >= 0.6


def test_some_spikes_are_hardly_seen_and_some_are_large():
    sizes_mv = [
        np.linalg.norm(ventricular.draw_spike(np.random.default_rng(seed)).vector_mv)
        for seed in range(300)
    ]
    assert 0.2 < np.mean(np.array(sizes_mv) < 0.05) < 0.4
    assert 0.15 < np.mean(np.array(sizes_mv) > 2) < 0.4
