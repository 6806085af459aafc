"""What is drawn for a patient goes together."""

import numpy as np
import pytest

from ecgpipe.simulation import findings


def many(count=400, **wanted):
    rng = np.random.default_rng(0)
    return [findings.draw_findings(rng, **wanted) for _ in range(count)]


RATES = {
    "NSR": (60, 100),
    "SB": (35, 60),
    "STach": (100, 160),
    "AF": (45, 180),
    "AFL": (230, 340),
    "SVT": (130, 230),
    "paced": (50, 100),
}


def test_rates_suit_the_rhythm():
    for patient in many():
        low, high = RATES.get(patient.rhythm, (25, 200))
        assert low <= patient.rate_bpm <= high


def test_premature_atrial_beats_and_long_pr_need_a_sinus():
    for patient in many():
        if patient.rhythm not in findings.SINUS:
            assert patient.premature == 0 and patient.pr_s < 0.2
        assert bool(patient.premature) == bool(patient.atrial_pattern)
        assert bool(patient.ventricular) == bool(patient.ventricular_pattern)
        assert bool(patient.infarct) == bool(patient.infarct_age)


def test_left_bundle_branch_block_rules_out_other_findings_of_shape():
    blocked = [patient for patient in many() if patient.conduction == "LBBB"]
    assert blocked
    for patient in blocked:
        assert (patient.repolarisation, patient.extra) == ("normal", "none")
        assert (patient.low_voltage, patient.infarct) == ("", "")


def test_the_published_population_is_healthier_than_the_balanced_one():
    share = {
        name: np.mean([patient.conduction == "normal" for patient in many(300, population=name)])
        for name in ("balanced", "published")
    }
    assert share["published"] > share["balanced"] + 0.15


def test_qtc_is_longer_in_younger_women_and_seldom_long():
    def qtc_s(**wanted):
        return np.array([patient.qtc_s for patient in many(1500, population="published", **wanted)])

    women, men = qtc_s(sex="F", age=30), qtc_s(sex="M", age=30)
    assert np.median(women) - np.median(men) == pytest.approx(0.012, abs=0.004)
    assert 0.005 < np.mean(women >= 0.46) < 0.06


def test_a_right_ventricle_that_is_too_thick_turns_the_axis_to_the_right():
    axes = [patient.axis for patient in many(20, extra="RVH")]
    assert min(axes) >= 85


def test_a_field_that_is_given_is_not_drawn():
    assert {patient.axis for patient in many(20, axis=12.0)} == {12.0}


def test_shares_are_kept():
    drawn = [
        findings.pick(np.random.default_rng(seed), {"a": 3.0, "b": 1.0}) for seed in range(800)
    ]
    assert 0.7 < drawn.count("a") / 800 < 0.8
