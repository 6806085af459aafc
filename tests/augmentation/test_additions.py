import numpy as np
import pytest
import scipy.signal
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.augmentation import additions
from ecgpipe.project.leads import LEADS

CPU = torch.device("cpu")


def test_leads_are_the_textbook_differences_of_electrodes_and_obey_their_algebra():
    weights = additions.lead_weights(CPU)
    assert weights.square().sum(dim=0).mean() == pytest.approx(1, abs=1e-6)
    one, two, three, right, left, foot = (weights[:, LEADS.index(lead)] for lead in LEADS[:6])
    assert torch.allclose(three, two - one, atol=1e-6)
    assert torch.allclose(right, -(one + two) / 2, atol=1e-6)
    assert torch.allclose(left, one - two / 2, atol=1e-6)
    assert torch.allclose(foot, two - one / 2, atol=1e-6)
    assert (
        weights.sum(dim=0).abs().max() < 1e-6
    )  # a potential that all electrodes share is no lead's


def test_noise_is_white_normal_of_unit_power_and_another_place_is_other_noise():
    bank = additions.noise_bank(CPU)
    made = additions.noise(
        bank, torch.tensor([[0.1], [0.6], [1.0 - 1e-12]], dtype=torch.float64), 3000
    ).numpy()
    assert made.shape == (3, 3000, additions.ELECTRODES)
    assert scipy.stats.kstest(made[0].ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(made[0].ravel(), made[1].ravel())[0, 1]) < 0.02
    assert np.abs(np.corrcoef(made[0].T) - np.eye(additions.ELECTRODES)).max() < 0.08
    power = np.abs(np.fft.rfft(made[0], axis=0)[1:-1]) ** 2 / 3000
    assert power[: len(power) // 2].mean() == pytest.approx(
        power[len(power) // 2 :].mean(), rel=0.06
    )
    assert torch.equal(bank, additions.noise_bank(CPU))


def test_sines_are_their_formula():
    made = additions.sines(100, *torch.tensor([[[0.01, 0.2]], [[0.25, 0.0]]], dtype=torch.float64))
    time = np.arange(100)
    assert np.allclose(made[0, :, 0], np.sin(2 * np.pi * (0.01 * time + 0.25)), atol=1e-6)
    assert np.allclose(made[0, :, 1], np.sin(2 * np.pi * 0.2 * time), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(steps=st.integers(1, 249), notch=st.floats(0.02, 0.45), quality=st.floats(0.5, 30))
def test_the_notch_takes_from_a_sine_what_scipys_filter_takes_forwards_and_backwards(
    steps, notch, quality
):
    frequency = steps / 500
    wave = np.sin(2 * np.pi * frequency * np.arange(500))
    _, response = scipy.signal.freqz(
        *scipy.signal.iirnotch(notch, quality, fs=1.0), worN=[frequency], fs=1.0
    )
    signal = torch.from_numpy(wave).float()[None, :, None].repeat(1, 1, 12)
    left = signal + additions.band_stop(
        signal, torch.tensor([[notch]], dtype=torch.float64), quality
    )
    assert np.allclose(left[0, :, 3], wave * np.abs(response[0]) ** 2, atol=2e-5)
