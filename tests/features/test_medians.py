"""Medians of few and of many rows, short and long, against numpy's."""

import numpy as np
import pytest

from ecgpipe.features.medians import median


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", [(), (5,), (12, 100)])
def test_the_median_is_numpys_for_any_number_of_rows(row, dtype):
    rng = np.random.default_rng(len(row))
    for rows in (*range(1, 30), 64, 101, 256, 257):
        # Rounded, so that some numbers are equal.
        values = rng.normal(size=(rows, *row)).astype(dtype).round(1)
        kept = values.copy()
        found = median(values)
        assert found.dtype == dtype
        assert np.array_equal(found, np.median(values, axis=0)), rows
        assert np.array_equal(values, kept)


@pytest.mark.parametrize("row", [(5,), (12, 100)])
def test_rows_that_are_not_chosen_do_not_count(row):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(13, *row))
    chosen = rng.random(13) < 0.5
    assert np.array_equal(median(values, chosen), np.median(values[chosen], axis=0))
    assert not np.array_equal(median(values, chosen), median(values))
