import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.augmentation import gains


def test_triangle_gain_is_the_published_formula():
    window, turn, peak = 11, 4.0, 3.0
    gain = gains.triangle(window, torch.tensor([turn]), torch.tensor([peak]))
    expected = np.interp(np.arange(window), [0, turn, window - 1], [1, peak, 1])
    assert np.allclose(gain.numpy(), expected)


@given(turn=st.floats(0, 999), peak=st.floats(0.1, 10))
def test_triangle_gain_stays_between_one_and_its_peak_and_starts_and_ends_at_one(turn, peak):
    gain = gains.triangle(
        1000, torch.tensor([turn], dtype=torch.float64), torch.tensor([peak], dtype=torch.float64)
    )
    assert gain.min() >= min(1, peak) - 1e-9
    assert gain.max() <= max(1, peak) + 1e-9
    if 1 <= turn <= 998:
        assert float(gain[0]) == pytest.approx(1)
        assert float(gain[-1]) == pytest.approx(1)


def test_sine_and_linear_gains_are_their_formulas():
    time = np.arange(500)
    sine = gains.sine(500, *torch.tensor([[[0.3]], [[0.004]]], dtype=torch.float64))
    assert np.allclose(sine[0], 1 + 0.3 * np.sin(2 * np.pi * 0.004 * time))
    linear = gains.linear(500, torch.tensor([[2.5]]).double())
    assert np.allclose(linear[0], np.linspace(1, 2.5, 500))
    assert gains.linear(1, torch.tensor([[2.5]])).tolist() == [[1.0]]
