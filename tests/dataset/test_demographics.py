import numpy as np
import pytest

from ecgpipe.dataset.demographics import COLUMNS, OLDEST, demographics
from ecgpipe.recordings import demographics as recorded


def test_an_unknown_age_is_not_a_newborn():
    made = demographics(np.array([np.nan, 0.0, 50.0]), np.array(["", "F", "M"]))
    assert made.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0.5, 1, 0, 1]]
    assert made.dtype == np.float32


@pytest.mark.parametrize("unknown", [None, np.nan])
def test_an_age_may_be_unknown_in_a_list_and_in_a_table(unknown):
    assert demographics([unknown, 61], [None, "F"]).tolist() == [
        [0, 0, 0, 0],
        [np.float32(0.61), 1, 1, 0],
    ]
    assert demographics([], []).shape == (0, len(COLUMNS))


@pytest.mark.parametrize(
    ("sex", "column"),
    [("Female", 2), ("f", 2), (" F ", 2), ("MALE", 3), ("m", 3), (np.str_("M"), 3)],
)
def test_a_sex_may_be_written_out(sex, column):
    """`Female` counted as unknown, without a word."""
    (row,) = demographics([50], [sex])
    assert row[column] == row[2:].sum() == 1


@pytest.mark.parametrize("sex", [None, np.nan, "", "unknown", float("nan")])
def test_a_sex_may_be_unknown(sex):
    assert demographics([50], [sex])[0, 2:].tolist() == [0, 0]


@pytest.mark.parametrize("sex", ["woman", 1, 0, "1", "FM", True, b"F"])
def test_what_is_no_sex_is_refused(sex):
    with pytest.raises(ValueError, match=r"sex: F or M .* found "):
        demographics([50], [sex])


@pytest.mark.parametrize("age", [-1, 120.5, 300, 22000, np.inf])
def test_what_is_no_age_in_years_is_refused(age):
    with pytest.raises(ValueError, match="age: years from 0 to 120, None where unknown, found "):
        demographics([40, age], ["F", "F"])
    assert demographics([40, 120], ["F", "F"])[1, 0] == np.float32(1.2)


def test_the_oldest_is_the_readers():
    assert recorded.age(f"{OLDEST:g}") == OLDEST
    assert recorded.age(f"{OLDEST + 1:g}") is None
