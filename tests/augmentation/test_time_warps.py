import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.augmentation import time_warps
from tests.fixtures.augmented_batches import POSITION, SPAN


def column(value):
    return torch.tensor([[value]], dtype=torch.float64)


def test_rolls_read_every_sample_once():
    for shift in (17, -30):
        assert (
            time_warps.rolled(POSITION, column(shift), SPAN)[0].tolist()
            == np.roll(np.arange(SPAN + 1), -shift).tolist()
        )


def test_sine_resampling_is_its_published_formula():
    # x(t + s sin(2 pi f t)): s in seconds and f in Hz at 250 Hz.
    shift_s, frequency_hz, rate_hz = 0.31, 0.23, 250
    time_s = np.arange(SPAN + 1) / rate_hz
    expected = (time_s + shift_s * np.sin(2 * np.pi * frequency_hz * time_s)) * rate_hz
    made = time_warps.sine_resampled(
        POSITION, column(shift_s * rate_hz), column(frequency_hz / rate_hz)
    )
    assert np.abs(made[0].numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("end", [0.7, 1.0, 1.4, 2.0])
def test_linear_resampling_is_its_published_formula(end):
    time = np.arange(SPAN + 1)
    new = time * np.linspace(1, end, SPAN + 1)
    made = time_warps.linear_resampled(POSITION, column(end), SPAN)[0].numpy()
    assert np.abs(made - new * (time[-1] / new[-1])).max() < 1e-6


@given(end=st.floats(0.51, 3), factor=st.floats(0.5, 2))
def test_resampling_never_runs_backwards_and_keeps_what_it_promises(end, factor):
    for warp in (time_warps.linear_resampled, time_warps.triangle_resampled):
        made = warp(POSITION, column(end), SPAN)[0]
        assert (made.diff() > 0).all()
        assert made[0] == 0
        assert float(made[-1]) == pytest.approx(SPAN)
    triangle = time_warps.triangle_resampled(POSITION, column(end), SPAN)[0]
    assert torch.allclose(
        triangle + triangle.flip(0), torch.tensor(float(SPAN)).double()
    )  # the same backwards
    stretched = time_warps.stretched(POSITION, column(factor), SPAN)[0]
    assert torch.allclose(stretched.diff(), torch.tensor(1 / factor).double())
    assert float(stretched.mean()) == pytest.approx(SPAN / 2)
