from dataclasses import replace

import numpy as np
import pytest
import scipy.interpolate
import torch

from ecgpipe.augmentation.all_augmentations import BY_NAME
from ecgpipe.augmentation.augmenter import Augmenter
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.dataset import gather
from tests.fixtures.augmented_batches import (
    CODES,
    WHOLE,
    augmenter,
    made,
    recordings,
    switched,
    untouched,
)

SWITCHES = tuple(BY_NAME)


def test_with_all_switched_off_the_batch_is_the_stored_signal():
    data = recordings()
    assert torch.equal(made(data, switched()), untouched(data))


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_changes_the_batch_and_nothing_stays_nan(name):
    data = recordings()
    window = WHOLE - 100 if name == "crop" else WHOLE
    changed = made(data, switched(name), window=window)
    assert not torch.equal(changed, untouched(data)[:, :, :window])
    assert torch.isfinite(changed).all()


@pytest.mark.parametrize("name", [name for name in SWITCHES if name not in ("crop", "jitter")])
def test_probability_is_drawn_once_per_recording_not_per_lead(name):
    data = recordings(count=400)
    changed = made(data, switched(name, **{f"{name}_probability": 0.5})) != untouched(data)
    touched = changed.any(dim=2).any(dim=1)
    assert 160 < int(touched.sum()) < 240
    if name != "lead_dropout":
        assert (
            changed.any(dim=2).all(dim=1).sum() == touched.sum()
        )  # all leads of a touched recording, or none


@pytest.mark.parametrize("name", SWITCHES)
def test_draws_do_not_depend_on_the_batch_its_order_or_the_other_switches(name):
    data = recordings(count=20)
    settings = switched(name, time_flip_probability=0.5, amplitude_flip_probability=0.5)
    whole = made(data, settings, window=900)
    order = torch.tensor([5, 3, 11, 19])
    assert torch.equal(made(data, settings, order, window=900), whole[order])
    assert torch.equal(made(data, settings, window=900), whole)
    assert not torch.equal(made(data, settings, window=900, epoch=1), whole)
    assert not torch.equal(made(data, settings, window=900, seed=8), whole)


@pytest.mark.parametrize("name", ["star", "triangle", "stretch"])
def test_a_store_in_one_tensor_gives_the_same_batch_as_one_per_source(name):
    # What a device's memory holds: the sources joined (Examples.joined).
    parts = [recordings(count=8, seed=seed) for seed in (1, 2)]
    place = torch.cat(
        [part.place + torch.tensor([number, 0, 0]) for number, part in enumerate(parts)]
    )
    first = parts[1].peak_place + torch.tensor([len(parts[0].peaks), 0])
    both = replace(
        parts[0],
        signals_uv=[part.signals_uv[0] for part in parts],
        place=place,
        peaks=torch.cat([part.peaks for part in parts]),
        peak_place=torch.cat([parts[0].peak_place, first]),
        keys=torch.cat([part.keys for part in parts]),
        labels=torch.cat([part.labels for part in parts]),
        demographics=torch.cat([part.demographics for part in parts]),
    )
    joined = both.joined(torch.device("cpu"))
    assert len(joined.signals_uv) == 1
    assert torch.equal(made(joined, switched(name)), made(both, switched(name)))


def test_a_log_uniform_triangle_amplifies_as_often_as_it_attenuates_and_the_original_does_not():
    data = recordings(count=1000)
    reference = untouched(data).square().mean(dim=(1, 2))
    louder = made(data, switched("triangle")).square().mean(dim=(1, 2)) > reference
    assert 0.45 < louder.double().mean() < 0.55
    upstream = switched("triangle", triangle_draw="uniform", triangle_per="lead")
    louder = made(data, upstream)[:, 0].square().mean(dim=1) > untouched(data)[:, 0].square().mean(
        dim=1
    )
    assert 0.75 < louder.double().mean() < 0.85  # FACTS of the original: 80 % of its draws amplify


def test_a_triangle_before_normalisation_leaves_unit_deviation_and_one_after_it_does_not():
    data = recordings()
    before = made(data, switched("triangle"), normalise="lead").square().mean(dim=2)
    assert torch.allclose(before, torch.ones_like(before), atol=1e-4)
    after = made(data, switched("triangle", triangle_when="after"), normalise="lead")
    plain = made(data, switched(), normalise="lead")
    gain = (after / plain).nanmedian(dim=1).values
    assert torch.allclose(gain[:, [0, -1]], torch.ones(len(data), 2), atol=1e-3)
    assert (after.square().mean(dim=2) - 1).abs().min() > 1e-3


def test_noise_has_the_ratio_asked_for():
    data = recordings(count=64)
    plain = untouched(data)
    added = made(data, switched("noise", noise_snr_low_db=14.0, noise_snr_high_db=14.0)) - plain
    ratio_db = 10 * torch.log10(plain.square().mean(dim=(1, 2)) / added.square().mean(dim=(1, 2)))
    assert (ratio_db - 14).abs().max() < 0.5


@pytest.mark.parametrize(("name", "low_hz", "high_hz"), [("wander", 0.05, 0.5), ("hum", 40, 49)])
def test_wander_and_hum_stand_in_their_band_at_their_size(name, low_hz, high_hz):
    data = recordings(count=64, samples=4000)
    settings = switched(name, **{f"{name}_mv": 0.3})
    both = [made(data, one, window=4000) for one in (settings, switched())]
    added = (both[0] - both[1]).double()
    power = torch.fft.rfft(added * torch.hann_window(4000), dim=2).abs().square().sum(dim=(0, 1))
    hz = torch.fft.rfftfreq(4000, 0.01)
    assert power[(hz > low_hz - 0.15) & (hz < high_hz + 0.15)].sum() > 0.99 * power.sum()
    size_mv = added.square().mean(dim=(1, 2)).sqrt()
    draws = RandomStreams(data.keys, 7, 0).stream(BY_NAME[name].stream)
    asked_mv = 0.3 * draws.uniform(7 if name == "wander" else 3, 1)[:, 0]
    assert torch.allclose(size_mv, asked_mv, rtol=0.5 if name == "wander" else 0.02)
    assert float((size_mv / asked_mv).mean()) == pytest.approx(1, abs=0.1)


def test_the_notch_takes_out_its_frequency_and_leaves_the_rest():
    data = recordings(count=8)
    time = np.arange(WHOLE)[:, None] / 100
    wave = np.rint(500 * np.sin(2 * np.pi * 20 * time) + 500 * np.sin(2 * np.pi * 5 * time)).astype(
        np.int16
    )
    data = replace(data, signals_uv=[torch.from_numpy(np.tile(wave, (8, 12)))])
    left = made(data, switched("notch", notch_low_hz=20, notch_high_hz=20, notch_quality=2.0))
    power = torch.fft.rfft(left, dim=2).abs()[0, 0]
    assert power[200] < 0.01 * power[50]
    assert float(power[50]) == pytest.approx(
        float(torch.fft.rfft(untouched(data), dim=2).abs()[0, 0, 50]), rel=0.05
    )


@pytest.mark.parametrize("how", ["leads", "sets"])
def test_dropped_leads_are_silent_whatever_is_added_and_some_leads_stay(how):
    data = recordings(count=200)
    signal = made(
        data,
        switched("lead_dropout", "noise", "wander", lead_dropout_how=how, lead_dropout_share=0.5),
    )
    silent = (signal == 0).all(dim=2)
    assert 0.3 < silent.double().mean() < 0.8
    assert not silent.all(dim=1).any()
    if how == "sets":
        assert set(silent.logical_not().sum(dim=1).tolist()) == {2, 3, 4, 6}


def test_what_lies_outside_the_recording_stays_zero_whatever_is_added():
    data = recordings(count=8, samples=600)
    signal = made(data, switched("noise", "wander", "hum", "notch", "triangle"))
    assert not signal[:, :, 600:].any()
    assert signal[:, :, :600].abs().amin(dim=(1, 2)).min() >= 0
    assert not made(data, switched("noise"), normalise="lead")[:, :, 600:].any()


def test_crops_stay_within_the_recording_and_jitter_moves_them_by_no_more_than_asked():
    data = recordings(count=600, samples=2500)
    order = np.arange(2500, dtype=np.int16)[:, None].repeat(12, axis=1)
    data = replace(data, signals_uv=[torch.from_numpy(np.tile(order, (600, 1)))])
    start = torch.round(made(data, switched("crop"))[:, 0, 0] * 1000)
    assert start.min() < 50
    assert 1450 < start.max() <= 1500
    rows = torch.arange(600)
    moving = augmenter(data, switched("crop", "jitter", jitter_s=0.2))
    moved = moving.window_start(rows, RandomStreams(data.keys, 7, 0))
    assert (moved[:, 0] - start).abs().max() == 20
    short = recordings(count=500, samples=700)
    cropping = augmenter(short, switched("crop"))
    begun = cropping.window_start(torch.arange(500), RandomStreams(short.keys, 7, 0))
    assert begun.min() < -280
    assert begun.max() > -20
    assert ((begun <= 0) & (begun >= -300)).all()


def test_linear_and_cubic_interpolation_read_what_numpy_and_scipy_read():
    data = recordings(count=4)
    smooth = np.cumsum(np.random.default_rng(3).normal(size=(4 * WHOLE, 12)) * 20, axis=0)
    smooth = np.rint(smooth - smooth.mean(axis=0)).clip(-30000, 30000).astype(np.int16)
    data = replace(data, signals_uv=[torch.from_numpy(smooth)])
    tau = torch.from_numpy(
        np.sort(np.random.default_rng(4).uniform(2, WHOLE - 3, (4, 300)), axis=1)
    )
    rows = torch.arange(4)
    linear = gather.gather(data, rows, tau)[0].numpy()
    cubic = gather.gather(data, rows, tau, cubic=True)[0].numpy()
    for row in range(4):
        stored = smooth[row * WHOLE : (row + 1) * WHOLE, 5] / 1000
        assert np.allclose(
            linear[row, :, 5], np.interp(tau[row], np.arange(WHOLE), stored), atol=1e-5
        )
        # Cubic convolution with a = -1/2 is the Hermite cubic with central differences as slopes.
        hermite = scipy.interpolate.CubicHermiteSpline(
            np.arange(WHOLE), stored, np.gradient(stored)
        )
        assert np.allclose(cubic[row, :, 5], hermite(tau[row].numpy()), atol=1e-4)


def test_labels_are_respected_where_asked_for():
    data = recordings(count=60)
    labels = torch.zeros(60, 3)
    labels[:20, 1], labels[20:40, 2], labels[50:, 1] = 1, 1, torch.nan
    data = replace(data, labels=labels)

    def changed(settings):
        return (made(data, settings) != untouched(data)).flatten(1).any(dim=1)

    for name, spared in (
        ("roll", slice(0, 20)),
        ("triangle", slice(20, 40)),
        ("noise", slice(0, 0)),
    ):
        expected = torch.ones(60, dtype=torch.bool)
        expected[spared] = False
        assert torch.equal(changed(switched(name, respect_labels=True)), expected)
        assert changed(switched(name)).all()
    published = switched("star", star_how="published")
    assert BY_NAME["star"].contract_of(published).codes >= {"164889003"}


def test_published_star_sees_the_r_peaks_of_its_window_alone():
    data = recordings(count=6)
    settings = switched("star", star_how="published")
    window, rows = 500, torch.arange(6)
    engine = augmenter(data, settings, window=window)
    tau, gain = engine.time_map(rows, RandomStreams(data.keys, 7, 0))
    peaks = data.peaks_of(rows, data.most_peaks())
    for row in range(6):
        within = peaks[row][peaks[row] < window]
        assert torch.equal(tau[row, : within[0]], torch.arange(within[0]).double())
        assert (gain[row, : within[0]] == 1).all()
        assert (gain[row, within[0] + 5 : within[-1] - 40] != 1).any()
        assert float(tau[row, -1]) == pytest.approx(window - 1)


def test_frequencies_beyond_the_rate_and_windows_beyond_the_bank_are_refused():
    with pytest.raises(
        ValueError,
        match=r"augment.hum_high_hz: 60.0 must lie below half the stores' rate of 100 Hz",
    ):
        augmenter(recordings(count=2), switched("hum", hum_high_hz=60.0))
    with pytest.raises(
        ValueError, match=r"augment.wander_high_hz: 80.0 must lie below half the stores' rate"
    ):
        augmenter(recordings(count=2), switched("wander", wander_high_hz=80.0))
    with pytest.raises(
        ValueError, match=r"augment.noise: a window of 500000 samples is longer than the bank"
    ):
        augmenter(recordings(count=2), switched("noise"), window=500_000)


def test_respecting_labels_needs_classes_that_the_contracts_know():
    data = recordings(count=2)
    settings = switched("roll", respect_labels=True)
    options = {"window": WHOLE, "normalise": "none", "seed": 1}
    with pytest.raises(
        ValueError, match="class 195080001 is headed by a code that no contract knows"
    ):
        Augmenter(data, ["195080001", *CODES[1:]], settings, **options)
    Augmenter(data, ["195080001", *CODES[1:]], switched("roll"), **options)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize("normalise", ["none", "lead"])
@pytest.mark.parametrize("samples", [60, WHOLE, 2500])
def test_all_augmentations_together_on_any_length_give_finite_batches(
    interpolation, normalise, samples
):
    data = recordings(count=20, samples=samples)
    settings = switched(*SWITCHES, interpolation=interpolation)
    signal = made(data, settings, window=1001, normalise=normalise)
    assert signal.shape == (20, 12, 1001)
    assert torch.isfinite(signal).all()
    assert signal.abs().amax() > 0
    again = made(data, settings, torch.tensor([7, 3]), window=1001, normalise=normalise)
    assert torch.allclose(again, signal[[7, 3]], atol=1e-6)


def test_noise_has_its_ratio_to_what_is_recorded_however_much_is_padding():
    data = recordings(count=32, samples=400)
    settings = [switched("noise", noise_snr_low_db=14.0, noise_snr_high_db=14.0), switched()]
    noisy, plain = (made(data, one)[:, :, :400] for one in settings)
    ratio_db = 10 * torch.log10(
        plain.square().mean(dim=(1, 2)) / (noisy - plain).square().mean(dim=(1, 2))
    )
    assert (ratio_db - 14).abs().max() < 0.7


def test_a_map_that_hits_the_recordings_end_reads_its_last_sample():
    data = recordings(count=400)
    for name in ("linear_resample", "triangle_resample"):
        signal = made(data, switched(name))
        assert torch.allclose(signal[:, :, -1], untouched(data)[:, :, -1], atol=1e-5)
