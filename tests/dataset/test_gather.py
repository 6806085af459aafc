"""Windows gathered against slices by numpy, and their normalisation."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.dataset import gather


def test_taking_some_recordings_shares_the_signals_and_keeps_each_recordings_own(loaded):
    _, _, data = loaded
    some = data.take(np.array([70, 2]))
    assert some.signals_uv[0] is data.signals_uv[0]
    time = torch.arange(100, dtype=torch.float64).repeat(2, 1)
    assert torch.equal(
        gather.gather(some, torch.tensor([0, 1]), time)[0],
        gather.gather(data, torch.tensor([70, 2]), time)[0],
    )
    assert torch.equal(some.peaks_of(torch.tensor([1]), 9), data.peaks_of(torch.tensor([2]), 9))
    assert torch.equal(some.keys, data.keys[[70, 2]])


def test_whole_steps_read_the_stored_samples_and_zeros_outside(loaded):
    _, stores, data = loaded
    index = stores["b"].index.iloc[2]
    stored = stores["b"].signals_uv[
        index["first"] : index["first"] + index["samples"]
    ] * np.float32(1e-3)
    for dtype in (torch.int64, torch.float64):
        time = torch.arange(-3, len(stored) + 5, dtype=dtype)[None]
        signal, inside = gather.gather(data, torch.tensor([66]), time)
        assert np.allclose(signal[0, 3:-5], stored)
        assert not signal[0, :3].any()
        assert not signal[0, -5:].any()
        assert torch.equal(inside[0, :, 0].bool(), (time[0] >= 0) & (time[0] < len(stored)))
        assert gather.gather(data, torch.tensor([66]), time[:, 3:-5])[1] is None


def test_fractions_are_linear_as_numpy_interpolates(loaded):
    _, stores, data = loaded
    stored = stores["a"].signals_uv[: stores["a"].index["samples"][0]].astype(float) / 1000
    time = np.random.default_rng(1).uniform(0, len(stored) - 1.001, 50)
    signal = gather.gather(data, torch.tensor([0]), torch.from_numpy(time)[None])[0][0].numpy()
    for lead in range(12):
        assert np.allclose(
            signal[:, lead], np.interp(time, np.arange(len(stored)), stored[:, lead]), atol=1e-5
        )


@given(samples=st.integers(1, 5000), window=st.integers(2, 1500))
def test_windows_cover_every_sample_and_stay_inside(samples, window):
    starts = gather.window_starts(samples, window)
    covered = np.zeros(max(samples, window), bool)
    for start in starts:
        covered[start : start + window] = True
        assert start >= 0
        assert start == 0 or start + window <= samples
    assert covered[:samples].all()
    assert len(set(starts)) == len(starts)


def test_lead_normalisation_does_not_skip_a_lead_that_holds_a_zero_and_leaves_flat_leads_at_zero():
    torch.manual_seed(2)
    signal = torch.randn(4, 300, 12) * 3 + 1
    signal[0, 17, 3] = 0.0
    signal[1, :, 5] = 0.7
    whole = torch.ones(4, 300, 1)
    made = gather.normalise(signal.clone(), whole, "lead")
    assert torch.allclose(made, gather.normalise(signal.clone(), None, "lead"))
    moving = torch.ones(4, 12, dtype=torch.bool)
    moving[1, 5] = False
    assert made.mean(dim=1).abs().max() < 1e-5
    assert (made.std(dim=1, correction=0)[moving] - 1).abs().max() < 1e-4
    assert made[1, :, 5].abs().max() < 1e-6
    assert torch.equal(gather.normalise(signal.clone(), whole, "none"), signal)


def test_what_lies_outside_a_short_recording_changes_no_normalised_sample_within_it():
    torch.manual_seed(3)
    short = torch.randn(2, 200, 12) + 1
    padded = torch.cat([short, torch.zeros(2, 100, 12)], dim=1)
    inside = (torch.arange(300).repeat(2, 1) < 200).float()[..., None]
    made = gather.normalise(padded, inside, "lead")
    assert torch.allclose(
        made[:, :200], gather.normalise(short, inside[:, :200], "lead"), atol=1e-6
    )
    assert not made[:, 200:].any()
