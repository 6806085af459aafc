import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.recordings import demographics


@pytest.mark.parametrize(
    "written",
    ["6_1", "\uff16\uff11", "0x3d", "61 years", "nan", "inf", "1e999", "--1", "1e", ".", "+"],
)
def test_what_is_no_number_in_plain_digits_is_no_age(written):
    assert demographics.age(written) is None


@pytest.mark.parametrize("written", ["61", " 61 ", "+61", "61.0", "6.1e1", "061", "61."])
def test_ages_in_every_spelling_of_a_number(written):
    assert demographics.age(written) == 61


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("NaN", None),
        ("nan", None),
        ("-1", None),
        ("300", 90.0),
        ("0", 0.0),
        ("121", None),
        ("", None),
        ("Unknown", None),
        ("inf", None),
        ("89.5", 89.5),
    ],
)
def test_ages_that_are_none(written, years):
    assert demographics.age(written) == years


@pytest.mark.parametrize(
    ("written", "sex"),
    [
        ("Male", "M"),
        ("Female", "F"),
        ("M", "M"),
        ("F", "F"),
        ("NaN", None),
        ("Unknown", None),
        ("0", None),
        ("1", None),
    ],
)
def test_sexes(written, sex):
    assert demographics.sex(written) == sex


@settings(deadline=None)
@given(st.text())
def test_ages_are_possible_years_or_unknown(anything):
    years = demographics.age(anything)
    assert years is None or 0 <= years <= 120
