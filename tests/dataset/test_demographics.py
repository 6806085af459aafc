import numpy as np
import pytest

from ecgpipe.dataset.demographics import COLUMNS, demographics


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
