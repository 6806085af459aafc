"""What is drawn for a patient goes together."""

import numpy as np

from ecgpipe.simulation import findings


def many(count=400, **wanted):
    rng = np.random.default_rng(0)
    return [findings.draw_findings(rng, **wanted) for _ in range(count)]


RATES = {"NSR": (60, 100), "SB": (35, 60), "STach": (100, 160), "AF": (45, 180), "AFL": (240, 340)}


def test_rates_suit_the_rhythm():
    for patient in many():
        low, high = RATES[patient.rhythm]
        assert low <= patient.rate_bpm <= high


def test_premature_atrial_beats_and_long_pr_need_a_sinus():
    for patient in many():
        if patient.rhythm in ("AF", "AFL"):
            assert patient.premature == 0 and patient.pr_s < 0.2


def test_left_bundle_branch_block_rules_out_other_findings_of_shape():
    blocked = [patient for patient in many() if patient.conduction == "LBBB"]
    assert blocked
    for patient in blocked:
        assert (patient.repolarisation, patient.extra) == ("normal", "none")
        assert patient.low_voltage == ""


def test_a_field_that_is_given_is_not_drawn():
    assert {patient.axis for patient in many(20, axis=12.0)} == {12.0}


def test_shares_are_kept():
    drawn = [
        findings.pick(np.random.default_rng(seed), {"a": 3.0, "b": 1.0}) for seed in range(800)
    ]
    assert 0.7 < drawn.count("a") / 800 < 0.8
