import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
