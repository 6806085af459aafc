"""Pacing modes against their letters: what is paced, and what is waited for."""

import numpy as np
import pytest

from ecgpipe.simulation import pacing
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.rhythm import ECTOPIC, NORMAL, SINUS, VENTRICULAR_RHYTHM


def drawn(seed, mode, **wanted):
    rng = np.random.default_rng(seed)
    findings = draw_findings(rng, "paced", pacing=mode, rate_bpm=70.0, swing_s=0.02, **wanted)
    return pacing.paced(rng, findings, 20.0)


@pytest.mark.parametrize(
    ("mode", "kind", "origin", "atrial_spikes"),
    [
        ("AAI", NORMAL, ECTOPIC, True),
        ("DDD", VENTRICULAR_RHYTHM, ECTOPIC, True),
        ("VAT", VENTRICULAR_RHYTHM, SINUS, False),
        ("CRT", VENTRICULAR_RHYTHM, SINUS, False),
    ],
)
def test_a_mode_paces_what_it_should(mode, kind, origin, atrial_spikes):
    beats = drawn(0, mode)
    assert set(beats.conducted) == {kind} and set(beats.origin) == {origin}
    assert (len(beats.spike_s) == len(beats.p_s)) == atrial_spikes
    assert len(beats.qrs_s) == len(beats.p_s)
    pr_s = beats.qrs_s - beats.p_s
    assert pr_s.min() > 0.1 and pr_s.max() < 0.4


def test_a_ventricle_on_demand_waits_its_interval_at_most():
    for mode in ("VVI", "VVI AF"):
        for seed in range(10):
            beats = drawn(seed, mode)
            rr_s = np.diff(beats.qrs_s)
            assert rr_s.max() <= 60 / 70 + 1e-9
            is_paced = beats.conducted[1:] == VENTRICULAR_RHYTHM
            np.testing.assert_allclose(rr_s[is_paced], 60 / 70)
            assert (rr_s[~is_paced] < 60 / 70).all()
            assert beats.qrs_s[-1] > 18


def test_over_fibrillation_there_is_no_p_and_both_kinds_of_beats():
    beats = [drawn(seed, "VVI AF") for seed in range(10)]
    assert all(len(one.p_s) == 0 for one in beats)
    assert {kind for one in beats for kind in one.conducted} == {NORMAL, VENTRICULAR_RHYTHM}


def test_the_hearts_own_beat_between_paced_ones_follows_its_p():
    drawn_beats = (drawn(seed, "VVI", pr_s=0.16) for seed in range(30))
    mixed = [one for one in drawn_beats if NORMAL in one.conducted]
    assert mixed
    for one in mixed:
        for qrs_s in one.qrs_s[one.conducted == NORMAL]:
            assert np.abs(one.p_s - (qrs_s - 0.16)).min() < 1e-9
