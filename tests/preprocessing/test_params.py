"""Filter settings that cannot be met are refused."""

import pytest

from ecgpipe.preprocessing.params import PreprocessParams


def test_a_band_that_does_not_fit_the_rate_is_refused_with_its_values():
    with pytest.raises(
        ValueError, match=r"low_hz < high_hz < rate_hz / 2 must hold: 0.5, 60.0, 100"
    ):
        PreprocessParams(rate_hz=100, low_hz=0.5, high_hz=60, order=2, min_duration_s=2)
