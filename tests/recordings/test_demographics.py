import pytest

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
