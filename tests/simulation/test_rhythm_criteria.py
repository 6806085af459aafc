"""Labels of rhythm from beats whose times are given."""

import numpy as np
import pytest

from ecgpipe.simulation import rhythm_criteria
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.readers import STANDARD, Reader
from ecgpipe.simulation.rhythm import (
    ABERRANT,
    ECTOPIC,
    NORMAL,
    VENTRICULAR,
    VENTRICULAR_RHYTHM,
    Beats,
)


def decided(rhythm, rate_bpm, *, kinds=None, origins=None, reader=STANDARD, **wanted):
    """Labels present and undecided of steady beats."""
    wanted = {"pr_s": 0.16, "premature": 0, "ventricular": 0} | wanted
    findings = draw_findings(np.random.default_rng(0), rhythm, rate_bpm=rate_bpm, **wanted)
    p_s = np.arange(0.3, 12, 60 / rate_bpm)
    beats = Beats(
        p_s + 0.16,
        np.full(len(p_s), NORMAL) if kinds is None else np.resize(kinds, len(p_s)),
        p_s,
        np.zeros(len(p_s), int) if origins is None else np.resize(origins, len(p_s)),
    )
    return rhythm_criteria.decide(findings, beats, 1.0, 11.0, reader)


@pytest.mark.parametrize(
    ("rhythm", "bpm", "present", "undecided"),
    [
        ("NSR", 75.0, {"NSR"}, set()),
        ("SB", 45.0, {"SB", "Brady"}, set()),
        ("SB", 58.0, {"SB", "Brady"}, set()),
        ("STach", 120.0, {"STach"}, set()),
        ("AF", 90.0, {"AF"}, set()),
        ("AF", 50.0, {"AF", "Brady"}, set()),
        ("junctional", 45.0, {"Brady"}, set()),
        ("SVT", 170.0, set(), {"STach"}),
        ("2:1", 50.0, {"Brady"}, {"NSR", "SB", "STach", "SA", "IAVB", "LPR"}),
    ],
)
def test_the_rhythm_and_the_rate_decide(rhythm, bpm, present, undecided):
    assert decided(rhythm, bpm) == (present, undecided)


def test_a_long_pr_is_a_first_degree_block_by_both_names():
    assert decided("NSR", 75.0, pr_s=0.24)[0] == {"NSR", "IAVB", "LPR"}


def test_premature_beats_are_named_by_where_they_come_from():
    kinds, origins = [NORMAL] * 4 + [VENTRICULAR], [0, 0, 0, ECTOPIC]
    assert "PVC" in decided("NSR", 75.0, kinds=kinds)[0]
    assert "PVC" in decided("AF", 75.0, kinds=kinds)[0]
    assert "PAC" in decided("NSR", 75.0, origins=origins)[0]
    assert not {"PVC", "PAC"} & set.union(*decided("NSR", 75.0))


def test_paced_beats_are_a_paced_rhythm_and_leave_the_sinus_open():
    present, undecided = decided("paced", 70.0, kinds=[VENTRICULAR_RHYTHM], pacing="VAT")
    assert present == {"PR"} and "NSR" in undecided


def test_readers_differ_in_their_limits_and_words():
    swinging = {"swing_s": 0.0, "reader": Reader(slow_bpm=52.0, long_pr_s=0.19)}
    assert decided("SB", 55.0, **swinging)[0] == {"NSR"}
    assert decided("NSR", 75.0, pr_s=0.195, **swinging)[0] == {"NSR", "IAVB", "LPR"}
    assert decided("NSR", 75.0, pr_s=0.195)[0] == {"NSR"}
    kinds = [NORMAL] * 4 + [ABERRANT]
    assert "PVC" not in set.union(*decided("AF", 75.0, kinds=kinds))
    ventricular = Reader(aberrant_is_ventricular=True)
    assert "PVC" in decided("AF", 75.0, kinds=kinds, reader=ventricular)[0]


def test_the_mean_interval_is_of_the_beats_that_are_seen():
    times_s = np.array([0.0, 0.5, 1.5, 2.5, 3.5, 3.8])
    beats = Beats(times_s, np.zeros(6, int), np.zeros(0), np.zeros(0, int))
    assert rhythm_criteria.mean_rr_s(beats, 0.4, 3.6) == pytest.approx(1.0)
    assert rhythm_criteria.mean_rr_s(beats, 3.6, 3.7) == pytest.approx(3.8 / 5)
    assert rhythm_criteria.is_conducted(beats, 0.4, 3.6).tolist() == [True] * 4
