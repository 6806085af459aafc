"""Blocks, junctional and ventricular rhythms against their definitions."""

import numpy as np
import pytest

from ecgpipe.simulation import conducted
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.rhythm import ECTOPIC, NORMAL, VENTRICULAR_RHYTHM


def drawn(seed, rhythm, **wanted):
    rng = np.random.default_rng(seed)
    findings = draw_findings(rng, rhythm, **({"swing_s": 0.0, "pr_s": 0.16} | wanted))
    return conducted.RHYTHMS[rhythm](rng, findings, 20.0)


def pr_s(beats):
    """The PR interval before each QRS: from the last P that is at least 0.1 s before it."""
    return np.array(
        [qrs_s - beats.p_s[beats.p_s < qrs_s - 0.1].max(initial=-9) for qrs_s in beats.qrs_s]
    )


def test_wenckebach_lengthens_pr_until_a_beat_drops():
    for seed in range(5):
        beats = drawn(seed, "Wenckebach")
        assert len(beats.qrs_s) < len(beats.p_s)
        change = np.diff(pr_s(beats)[1:])
        assert change.max() > 0.03 and change.min() < -0.04
        assert (change > 0).sum() > (change < 0).sum() - 1


def test_mobitz_drops_beats_at_a_constant_pr():
    for rhythm in ("Mobitz", "2:1"):
        beats = drawn(1, rhythm)
        assert np.ptp(pr_s(beats)[1:]) < 0.02
    assert len(beats.p_s) == pytest.approx(2 * len(beats.qrs_s), abs=1)


def test_in_complete_block_atria_and_ventricles_go_apart():
    kinds = set()
    for seed in range(12):
        beats = drawn(seed, "complete")
        kinds |= set(beats.conducted)
        assert 60 / np.diff(beats.qrs_s).mean() < 58 < 60 / np.diff(beats.p_s).mean()
        phase = pr_s(beats)[1:] / np.diff(beats.p_s).mean()
        assert np.ptp(phase) > 0.3
    assert kinds == {NORMAL, VENTRICULAR_RHYTHM}


def test_junctional_beats_have_a_p_close_by_or_none():
    for seed in range(12):
        beats = drawn(seed, "junctional", rate_bpm=50.0)
        assert 60 / np.diff(beats.qrs_s).mean() == pytest.approx(50, rel=0.05)
        if len(beats.p_s):
            assert np.abs(beats.p_s - beats.qrs_s).max() < 0.17
            assert set(beats.origin) == {ECTOPIC}


def test_tachycardias_are_fast_and_even():
    for rhythm in ("SVT", "AT"):
        rr_s = np.diff(drawn(2, rhythm, rate_bpm=170.0).qrs_s)
        assert 60 / rr_s.mean() == pytest.approx(170, rel=0.02)
        assert rr_s.std() / rr_s.mean() < 0.02


def test_an_idioventricular_rhythm_is_all_ventricular():
    assert set(drawn(3, "idioventricular").conducted) == {VENTRICULAR_RHYTHM}


@pytest.mark.parametrize("rhythm", sorted(conducted.RHYTHMS))
def test_a_rhythm_fills_its_time_in_order(rhythm):
    for seed in range(4):
        beats = drawn(seed, rhythm)
        assert beats.qrs_s[0] < 3 and beats.qrs_s[-1] > 18
        assert (np.diff(beats.qrs_s) > 0.2).all()
        assert len(beats.conducted) == len(beats.qrs_s) and len(beats.origin) == len(beats.p_s)
