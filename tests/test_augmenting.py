import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe import augmenting, dataset

OFF = {
    "crop": False, "crop_jitter_s": 0.5,
    "triangle": False, "triangle_probability": 1.0, "triangle_scale": 4.0,
    "triangle_draw": "log-uniform", "triangle_per": "recording",
    "noise": False, "noise_probability": 1.0, "noise_snr_low_db": 10.0, "noise_snr_high_db": 10.0,
    "lead_dropout": False, "lead_dropout_probability": 1.0, "lead_dropout_share": 0.5,
    "sine": False, "sine_probability": 1.0, "sine_shift_s": 0.1, "sine_frequency_hz": 0.2,
    "star": False, "star_probability": 1.0, "star_warp": 0.2, "star_gain": 0.2,
}  # fmt: skip
KINDS = ["crop", "triangle", "noise", "lead_dropout", "sine", "star"]


def switched(*names, **values):
    return augmenting.Params(**OFF | dict.fromkeys(names, True) | values)


def recordings(count=16, samples=1000, seed=1):
    """Recordings whose limb leads obey III = II - I, with an R-peak about every 80 samples."""
    rng = np.random.default_rng(seed)
    one, two = rng.integers(-1000, 1000, (2, count, samples, 1))
    signals = np.concatenate([one, two, two - one, rng.integers(-1000, 1000, (count, samples, 9))], axis=2)
    data = dataset.of_signals(
        list(signals.astype(np.int16)), np.full(count, 50.0), np.full(count, "F"), rate_hz=100, classes=3
    )
    peaks = [row[row < samples] for row in np.cumsum(rng.integers(60, 100, (count, 10)), axis=1)]
    number = np.array([len(row) for row in peaks])
    keys = torch.from_numpy(rng.integers(0, 2**62, count))
    place = torch.from_numpy(np.stack([np.cumsum(number) - number, number], axis=1))
    return replace(data, peaks=torch.from_numpy(np.concatenate(peaks)), peak_place=place, keys=keys)


def made(data, params, rows=None, epoch=0, seed=7, window=1000):
    rows = torch.arange(len(data)) if rows is None else rows
    return augmenting.augmented(data, rows, window, params, augmenting.Draws(data.keys[rows], seed, epoch))[0]


def untouched(data):
    return dataset.gather(data, torch.arange(len(data)), torch.arange(1000, dtype=torch.float64).repeat(len(data), 1))


def test_with_all_switched_off_the_batch_is_the_stored_signal():
    data = recordings()
    assert torch.equal(made(data, switched()), untouched(data))


@pytest.mark.parametrize("name", KINDS)
def test_each_switch_changes_the_batch_and_nothing_stays_nan(name):
    data = recordings()
    changed = made(data, switched(name))
    assert not torch.equal(changed, untouched(data))
    assert torch.isfinite(changed).all()


@pytest.mark.parametrize("name", [kind for kind in KINDS if kind != "crop"])
def test_probability_is_drawn_once_per_recording_not_per_lead(name):
    data = recordings(count=400)
    changed = made(data, switched(name, **{f"{name}_probability": 0.5})) != untouched(data)
    touched = changed.any(dim=2).any(dim=1)
    assert 160 < int(touched.sum()) < 240
    if name != "lead_dropout":
        assert changed.any(dim=2).all(dim=1).sum() == touched.sum()  # all leads of a touched recording, or none


@pytest.mark.parametrize("name", KINDS)
def test_draws_do_not_depend_on_the_batch_its_order_or_the_other_switches(name):
    data = recordings()
    params = switched(name)
    whole = made(data, params)
    order = torch.tensor([5, 3, 11])
    assert torch.equal(made(data, params, order), whole[order])
    assert torch.equal(made(data, params), whole)
    assert not torch.equal(made(data, params, epoch=1), whole)
    assert not torch.equal(made(data, params, seed=8), whole)


def test_uniform_and_normal_draws_have_their_distributions_and_streams_are_independent():
    draws = augmenting.Draws(torch.arange(200), 3, 4)
    uniform = draws.uniform("noise", 0, 100).numpy()
    assert scipy.stats.kstest(uniform.ravel(), "uniform").pvalue > 0.01
    assert scipy.stats.kstest(draws.normal("noise", 0, 101).numpy().ravel(), "norm").pvalue > 0.01
    other = draws.uniform("star", 0, 100).numpy()
    assert abs(np.corrcoef(uniform.ravel(), other.ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(uniform[:-1].ravel(), uniform[1:].ravel())[0, 1]) < 0.03


def test_splitmix64_gives_its_published_sequence():
    # The first outputs for seed 1234567 (the reference sequence of Vigna's splitmix64.c).
    golden = torch.tensor(augmenting._GOLDEN)
    state = 1234567 + golden * torch.arange(1, 4)
    assert [int(value) % 2**64 for value in augmenting._mixed(state)] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
    ]  # fmt: skip


def test_triangle_gain_is_the_published_formula():
    window, turn, peak = 11, 4.0, 3.0
    gain = augmenting.triangle_gain(window, torch.tensor([turn]), torch.tensor([peak]))
    expected = np.interp(np.arange(window), [0, turn, window - 1], [1, peak, 1])
    assert np.allclose(gain.numpy(), expected)


@given(turn=st.floats(0, 999), peak=st.floats(0.1, 10))
def test_triangle_gain_stays_between_one_and_its_peak_and_starts_and_ends_at_one(turn, peak):
    gain = augmenting.triangle_gain(
        1000, torch.tensor([turn], dtype=torch.float64), torch.tensor([peak], dtype=torch.float64)
    )
    assert gain.min() >= min(1, peak) - 1e-9
    assert gain.max() <= max(1, peak) + 1e-9
    if 1 <= turn <= 998:
        assert float(gain[0]) == pytest.approx(1)
        assert float(gain[-1]) == pytest.approx(1)


def test_a_log_uniform_triangle_amplifies_as_often_as_it_attenuates_and_the_original_does_not():
    data = recordings(count=1000)
    reference = untouched(data).square().mean(dim=(1, 2))
    louder = made(data, switched("triangle")).square().mean(dim=(1, 2)) > reference
    assert 0.45 < louder.double().mean() < 0.55
    upstream = switched("triangle", triangle_draw="uniform", triangle_per="lead")
    louder = made(data, upstream)[:, 0].square().mean(dim=1) > untouched(data)[:, 0].square().mean(dim=1)
    assert 0.75 < louder.double().mean() < 0.85  # FACTS: 80 % of the published draws amplify


@pytest.mark.parametrize("name", ["crop", "triangle", "sine", "star"])
def test_the_lead_algebra_holds_to_a_tenth_of_a_microvolt(name):
    signal = made(recordings(), switched(name))
    assert (signal[:, 2] - (signal[:, 1] - signal[:, 0])).abs().max() < 1e-4


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), warp=st.floats(0, 0.95))
def test_star_keeps_r_peaks_head_and_tail_and_never_runs_backwards(seed, warp):
    rng = np.random.default_rng(seed)
    peaks = np.sort(rng.choice(np.arange(5, 990), size=rng.integers(0, 14), replace=False))
    padded = torch.from_numpy(np.append(peaks, [dataset.NO_PEAK] * 3))[None]
    draw = torch.from_numpy(rng.uniform(-1, 1, (2, 1, padded.shape[1])))
    time = torch.arange(1000, dtype=torch.float64)[None]
    mapped, gain = augmenting.star_map(time, padded, draw[0] * warp, draw[1] * 0.3)
    assert torch.allclose(mapped[0, peaks], time[0, peaks])
    assert torch.allclose(gain[0, peaks], torch.ones(len(peaks), dtype=torch.float64))
    outside = np.ones(1000, bool)
    if len(peaks) > 1:
        outside[peaks[0] : peaks[-1]] = False
    assert torch.equal(mapped[0, outside], time[0, outside])
    assert (gain[0, outside] == 1).all()
    assert (mapped.diff() > 0).all()


def test_star_is_its_formula_within_an_interval():
    peaks = torch.tensor([[100, 180]])
    time = torch.arange(200, dtype=torch.float64)[None]
    mapped, gain = augmenting.star_map(
        time, peaks, torch.tensor([[0.3, 0.0]]).double(), torch.tensor([[0.2, 0.0]]).double()
    )
    u = np.arange(80) / 80
    assert np.allclose(mapped[0, 100:180], 100 + 80 * (u + 0.3 * np.sin(2 * math.pi * u) / (2 * math.pi)))
    assert np.allclose(gain[0, 100:180], 1 + 0.2 * np.sin(math.pi * u) ** 2)


def test_sine_resampling_is_its_formula():
    time = torch.arange(100, dtype=torch.float64)[None]
    mapped = augmenting.sine_map(time, torch.tensor([3.0]).double(), 0.01)
    assert np.allclose(mapped[0], np.arange(100) + 3 * np.sin(2 * np.pi * 0.01 * np.arange(100)))


def test_noise_has_the_ratio_asked_for():
    data = recordings(count=64)
    plain = untouched(data)
    added = made(data, switched("noise", noise_snr_low_db=14.0, noise_snr_high_db=14.0)) - plain
    ratio_db = 10 * torch.log10(plain.square().mean(dim=(1, 2)) / added.square().mean(dim=(1, 2)))
    assert (ratio_db - 14).abs().max() < 0.5


@given(share=st.floats(0, 0.99), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_lead_dropout_never_drops_all_leads(share, seed):
    data = recordings(count=4, samples=60)
    signal = made(data, switched("lead_dropout", lead_dropout_share=share), seed=seed, window=60)
    assert signal.abs().amax(dim=(1, 2)).min() > 0


def test_crops_stay_within_the_recording_but_for_the_jitter():
    samples, window, jitter = torch.tensor([2500, 1000, 700]).repeat(500), 1000, 20.0
    draws = augmenting.Draws(torch.arange(1500), 1, 1)
    start = augmenting.crop_start(samples, window, jitter, draws)
    spare = (samples - window).double()
    assert (start >= spare.clamp(max=0) - jitter).all()
    assert (start <= spare.clamp(min=0) + jitter).all()
    assert start[samples == 2500].std() > 400
    assert torch.equal(
        augmenting.crop_start(samples[:3], window, 0.0, augmenting.Draws(torch.arange(3), 1, 1))[1],
        torch.tensor(0.0).double(),
    )


def test_a_noise_range_upside_down_is_refused():
    with pytest.raises(ValueError, match=r"noise_snr_low_db 30.0 is above noise_snr_high_db 10.0"):
        switched(noise_snr_low_db=30.0)
