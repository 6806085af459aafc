import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.augmentation import star
from ecgpipe.dataset import examples
from tests.fixtures.augmented_batches import POSITION, SPAN
from tests.fixtures.released_star import released_star


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), warp=st.floats(0, 0.95))
def test_star_keeps_r_peaks_head_and_tail_and_never_runs_backwards(seed, warp):
    rng = np.random.default_rng(seed)
    peaks = np.sort(rng.choice(np.arange(5, 990), size=rng.integers(0, 14), replace=False))
    padded = torch.from_numpy(np.append(peaks, [examples.NO_PEAK] * 3))[None]
    draw = torch.from_numpy(rng.uniform(-1, 1, (2, 1, padded.shape[1])))
    mapped, gain = star.beatwise(POSITION, padded, draw[0] * warp, draw[1] * 0.3)
    assert torch.allclose(mapped[0, peaks], POSITION[0, peaks])
    assert torch.allclose(gain[0, peaks], torch.ones(len(peaks), dtype=torch.float64))
    outside = np.ones(1000, bool)
    if len(peaks) > 1:
        outside[peaks[0] : peaks[-1]] = False
    assert torch.equal(mapped[0, outside], POSITION[0, outside])
    assert (gain[0, outside] == 1).all()
    assert (mapped.diff() > 0).all()


def test_star_is_its_formula_within_an_interval():
    peaks = torch.tensor([[100, 180]])
    warp, gain = torch.tensor([[[0.3, 0.0]], [[0.2, 0.0]]], dtype=torch.float64)
    mapped, gain = star.beatwise(POSITION, peaks, warp, gain)
    u = np.arange(80) / 80
    expected = 100 + 80 * (u + 0.3 * np.sin(2 * np.pi * u) / (2 * np.pi))
    assert np.abs(mapped[0, 100:180].numpy() - expected).max() < 1e-6
    assert np.abs(gain[0, 100:180].numpy() - (1 + 0.2 * np.sin(np.pi * u) ** 2)).max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(3, 14))
def test_published_star_is_what_the_released_code_computes(seed, count):
    rng = np.random.default_rng(seed)
    peaks = np.cumsum(rng.integers(40, 65, count)) + int(rng.integers(0, 60))
    expected = released_star(1000, peaks)
    padded = torch.from_numpy(np.append(peaks.astype(float), [np.inf] * 2))[None]
    mapped, gain = star.published(POSITION, padded, SPAN)
    if expected is None:
        assert torch.equal(mapped, POSITION)
        return
    assert np.abs(mapped[0].numpy() - expected[0]).max() < 1e-6
    assert np.abs(gain[0].numpy() - expected[1]).max() < 1e-6


def test_published_star_changes_rr_intervals_and_leaves_windows_without_two_r_peaks_alone():
    peaks = torch.tensor(
        [[100.0, 180, 270, 350, 440, 520, 610], [500.0, *[torch.inf] * 6]]
    ).double()
    mapped, gain = star.published(POSITION.repeat(2, 1), peaks, SPAN)
    assert torch.equal(mapped[1], POSITION[0])
    assert (gain[1] == 1).all()
    moved = np.interp(peaks[0].numpy(), mapped[0].numpy(), np.arange(SPAN + 1))
    variation = [np.std(np.diff(at)) / np.mean(np.diff(at)) for at in (peaks[0].numpy(), moved)]
    assert variation[1] > 2 * variation[0]
    none = torch.zeros((1, 0), dtype=torch.float64)
    assert torch.equal(star.published(POSITION, none, SPAN)[0], POSITION)
