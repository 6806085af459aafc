import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.augmentation import gains
from ecgpipe.project.leads import LEADS


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


@given(share=st.floats(0, 0.99), seed=st.integers(0, 1000))
@settings(max_examples=50)
def test_dropping_leads_never_drops_all_and_drops_the_share_asked_for(share, seed):
    draw = torch.rand(400, 12, generator=torch.Generator().manual_seed(seed))
    kept = gains.kept_leads(draw, share)
    assert kept.any(dim=1).all()
    if share < 0.7:  # above, the lead that always stays counts
        assert (~kept).double().mean() == pytest.approx(share, abs=0.05)


def test_reduced_sets_are_those_of_the_challenge_each_as_often():
    kept = gains.reduced_leads(
        gains.reduced_sets(torch.device("cpu")),
        torch.rand(4000, 1, generator=torch.Generator().manual_seed(1)),
    )
    found = {
        tuple(lead for lead, on in zip(LEADS, row, strict=True) if on) for row in kept.tolist()
    }
    assert found == set(gains.REDUCED)
    assert [len(leads) for leads in gains.REDUCED] == [6, 4, 3, 2]
    counts = torch.bincount(kept.sum(dim=1))[[6, 4, 3, 2]]
    assert (counts - 1000).abs().max() < 120
