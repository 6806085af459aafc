import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.recordings import demographics

FEMALE = ["weiblich", "W", "Frau", "femme", "f\u00e9minin", "fe\u0301minin", "mujer"]
FEMALE += ["femenino", "femmina", "vrouw", "WEIBLICH", " woman "]
MALE = ["m\u00e4nnlich", "ma\u0308nnlich", "maennlich", "M\u00c4NNLICH", "Mann", "homme"]
MALE += ["masculin", "hombre", "masculino", "maschio", "man"]


@pytest.mark.parametrize(
    "written",
    [
        "6_1",
        "\uff16\uff11",
        "0x3d",
        "61 to 62",
        "6 months",
        "6M",
        "61 i",
        "\uff16\uff11 y",
        "nan",
        "inf",
        "1e999",
        "--1",
        "1e",
        ".",
        "+",
    ],
)
def test_what_is_no_number_in_plain_digits_is_no_age(written):
    assert demographics.age(written) is None


@pytest.mark.parametrize(
    "written",
    [
        *("61", " 61 ", "+61", "61.0", "6.1e1", "061", "61.", "061Y", "61 y", "61y", "61 YEARS"),
        *("61 years", "61,0 Jahre", "61 ans", "61 an\u0303os", "61 anni", "61 jaar"),
    ],
)
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
        ("006M", 0.5),
        ("052W", pytest.approx(52 * 7 / 365.25)),
        ("010D", pytest.approx(10 / 365.25)),
        ("000D", 0.0),
        ("300Y", 90.0),
        ("150Y", None),
        ("150 years", None),
        ("-1 years", None),
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
        *((word, "F") for word in FEMALE),
        *((word, "M") for word in MALE),
        *((word, None) for word in ("H", "V", "X", "D", "2", "F/M", "divers")),
    ],
)
def test_sexes(written, sex):
    assert demographics.sex(written) == sex


@settings(deadline=None)
@given(st.text())
def test_ages_are_possible_years_or_unknown(anything):
    years = demographics.age(anything)
    assert years is None or 0 <= years <= 120
