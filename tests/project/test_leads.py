import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.project import leads
from ecgpipe.project.leads import LEADS, canonical


def test_there_are_twelve_in_the_challenges_order():
    assert " ".join(LEADS) == "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6"


@pytest.mark.parametrize("write", [str, str.lower, str.upper, lambda name: f" {name}\t"])
def test_any_case_and_blanks(write):
    assert tuple(canonical(write(name)) for name in LEADS) == LEADS


@settings(deadline=None)
@given(st.text())
def test_anything_else_is_no_lead(name):
    assert canonical(name) in (*LEADS, None)
    assert (canonical(name) is None) == (
        name.strip().lower() not in {lead.lower() for lead in LEADS}
    )


def test_the_algebra_is_that_of_the_textbook():
    rng = np.random.default_rng(1)
    potential = dict(zip(leads.ELECTRODES, rng.normal(size=9), strict=True))
    right, left, leg = potential["RA"], potential["LA"], potential["LL"]
    expected = {
        "I": left - right,
        "II": leg - right,
        "III": leg - left,
        "aVR": right - (left + leg) / 2,
        "aVL": left - (right + leg) / 2,
        "aVF": leg - (right + left) / 2,
    }
    for chest in LEADS[6:]:
        expected[chest] = potential[chest] - (right + left + leg) / 3
    independent = [expected[lead] for lead in leads.INDEPENDENT]
    assert list(expected) == list(LEADS)
    for lead in LEADS:
        of_electrodes = np.dot(leads.of_electrodes(lead), list(potential.values()))
        assert of_electrodes == pytest.approx(expected[lead])
        assert np.dot(leads.of_independent(lead), independent) == pytest.approx(expected[lead])
    assert {"III", "aVR", "aVL", "aVF"} == leads.DERIVED


def test_the_laws_in_words_are_those_in_numbers():
    values = {"I": 0.7, "II": 1.9}
    for law in leads.LAWS.split(", "):
        lead, formula = law.split(" = ")
        of_i, of_ii = leads.LIMBS[lead]
        assert eval(formula, values) == pytest.approx(of_i * values["I"] + of_ii * values["II"])
