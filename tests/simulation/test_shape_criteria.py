"""Criteria of shape against leads and intervals that are made up for them."""

from dataclasses import replace

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import shape_criteria
from ecgpipe.simulation.findings import draw_findings
from ecgpipe.simulation.patients import draw_heart
from ecgpipe.simulation.readers import STANDARD, Reader

CALM = {
    "conduction": "normal",
    "repolarisation": "normal",
    "extra": "none",
    "infarct": "",
    "low_voltage": "",
    "axis": 40.0,
    "sex": "M",
    "qtc_s": 0.40,
    "dextrocardia": False,
}


def drawn(seed, rr_s=0.8, reader=STANDARD, **wanted):
    rng = np.random.default_rng(seed)
    findings = draw_findings(rng, "NSR", **(CALM | wanted))
    heart = draw_heart(rng, findings)
    return findings, heart, shape_criteria.decide(findings, heart, rr_s, reader)


def leads_with(**shapes):
    """A QRS of 80 ms in steps of 2 ms [time, 12]: upright everywhere but in the leads given."""
    qrs_mv = np.tile(np.hanning(40)[:, None], (1, 12))
    for lead, shape in shapes.items():
        qrs_mv[:, LEADS.index(lead)] = shape
    return qrs_mv


def q_of(lasts_ms, deep_mv):
    """A Q wave of so long and so deep, then R."""
    steps = lasts_ms // 2
    q_mv = -deep_mv * np.sin(np.pi * (np.arange(steps) + 0.5) / steps)
    return np.concatenate([q_mv, np.hanning(40 - steps) + 0.05])


@pytest.mark.parametrize(
    ("lead", "lasts_ms", "deep_mv", "abnormal"),
    [
        ("II", 36, 0.3, True),
        ("II", 20, 0.3, False),
        ("II", 36, 0.06, False),
        ("V3", 22, 0.2, True),
        ("V3", 14, 0.2, False),
    ],
)
def test_a_q_wave_is_abnormal_by_length_and_depth(lead, lasts_ms, deep_mv, abnormal):
    is_q = shape_criteria.abnormal_q(leads_with(**{lead: q_of(lasts_ms, deep_mv)}))
    assert is_q[LEADS.index(lead)] == abnormal
    assert is_q.sum() == abnormal


def test_a_lead_without_r_counts_and_r_before_s_does_not():
    down = -np.hanning(40)
    r_then_s = np.concatenate([0.2 * np.hanning(10), -np.hanning(30)])
    is_q = shape_criteria.abnormal_q(leads_with(V4=down, aVF=r_then_s))
    assert is_q[LEADS.index("V4")] and not is_q[LEADS.index("aVF")]


def test_an_inferior_infarct_mostly_earns_its_q():
    labels = [drawn(seed, infarct="inferior", infarct_age="old")[2] for seed in range(40)]
    assert sum("QAb" in present for present, _ in labels) > 20
    assert sum("QAb" in drawn(seed)[2][0] for seed in range(40)) < 3


def test_qt_is_long_only_where_both_formulas_say_so():
    assert "LQT" in drawn(0, qtc_s=0.50)[2][0]
    assert "LQT" not in set.union(*drawn(0, qtc_s=0.40)[2])
    fast = {"qtc_s": 0.43, "rr_s": 0.45}
    assert "LQT" not in set.union(*drawn(0, **fast)[2])
    assert "LQT" in drawn(0, reader=Reader(by_bazett=True), **fast)[2][0]


def test_slow_r_growth_is_poor_progression():
    slow = [drawn(seed, extra="slow R")[2] for seed in range(40)]
    plain = [drawn(seed)[2] for seed in range(40)]
    assert sum("PRWP" in present for present, _ in slow) > 15
    assert sum("PRWP" in present for present, _ in plain) < 6


def test_a_slow_qrs_without_a_block_is_a_disorder_of_its_own():
    for seed in range(10):
        _, heart, (present, _) = drawn(seed, conduction="NSIVCD", axis=40.0)
        assert heart.qrs_s > 0.095 and "BBB" not in present
        assert ("NSIVCB" in present) == (heart.qrs_s >= 0.11 and "IRBBB" not in present)
        strict = drawn(seed, conduction="NSIVCD", reader=Reader(slow_s=heart.qrs_s + 0.001))
        assert "NSIVCB" not in strict[2][0]


@pytest.mark.parametrize("block", ["RBBB", "LBBB"])
def test_a_complete_block_is_a_bundle_branch_block(block):
    assert {block, "BBB"} <= drawn(0, conduction=block)[2][0]


@pytest.mark.parametrize(
    ("axis", "present", "undecided"),
    [
        (-60, {"LAD"}, set()),
        (-20, set(), set()),
        (40, set(), set()),
        (87, set(), set()),
        (120, {"RAD"}, set()),
        (-120, set(), {"LAD", "RAD"}),
    ],
)
def test_the_axis_decides_its_sides(axis, present, undecided):
    findings, heart, _ = drawn(0)
    decided = shape_criteria.decide(findings, replace(heart, axis=float(axis)), 0.8)
    assert [found & {"LAD", "RAD"} for found in decided] == [present, undecided]


def test_readers_differ_in_where_the_left_axis_begins():
    findings, heart, _ = drawn(0)
    early, late = Reader(left_deg=28.0), Reader(left_deg=-40.0)
    for axis, expected in ((20.0, [True, False]), (-35.0, [True, False]), (-60.0, [True, True])):
        turned = replace(heart, axis=axis)
        named = [shape_criteria.decide(findings, turned, 0.8, one)[0] for one in (early, late)]
        assert ["LAD" in present for present in named] == expected


def test_an_r_prime_is_found_after_s_and_not_where_there_is_none():
    up, s_wave, r_prime = np.hanning(12), -np.hanning(20), 0.3 * np.hanning(14)
    r_s = np.concatenate([0.2 * up, s_wave, np.zeros(14)])
    r_s_r = np.concatenate([0.2 * up, s_wave, r_prime])
    left = np.concatenate([np.zeros(4), np.hanning(30), np.zeros(12)])
    for v2_mv, height_mv in ((r_s, 0.0), (r_s_r, 0.3)):
        qrs_mv = np.tile(left[:, None], (1, 12))
        qrs_mv[:, LEADS.index("V1")], qrs_mv[:, LEADS.index("V2")] = r_s, v2_mv
        assert shape_criteria.late_r_mv(qrs_mv) == pytest.approx(height_mv, abs=0.01)


def test_an_incomplete_right_block_is_named_by_how_high_r_prime_is():
    hearts = [drawn(seed, conduction="IRBBB") for seed in range(30)]
    named = {}
    for limit_mv in (0.03, 0.13, 0.4):
        reader = Reader(late_r_mv=limit_mv, late_r_s=0.08, broad_s=0.13)
        of_shape = [shape_criteria.decide(*one[:2], 0.8, reader)[0] for one in hearts]
        named[limit_mv] = sum("IRBBB" in present for present in of_shape)
    assert 30 > named[0.03] > named[0.13] > named[0.4] > 0


def test_in_dextrocardia_axis_and_shape_stay_open():
    present, undecided = drawn(0, dextrocardia=True)[2]
    assert not present & shape_criteria.OF_CONDUCTED_BEATS
    assert undecided >= shape_criteria.OF_CONDUCTED_BEATS
