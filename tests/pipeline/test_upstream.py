"""The published transforms, by configs/upstream.yaml, against their formulas on the engine's own
draws."""

from pathlib import Path

import numpy as np
import torch

from ecgpipe.augmentation.all_augmentations import BY_NAME
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.project import params
from tests.fixtures.augmented_batches import WHOLE, made, recordings, untouched
from tests.fixtures.released_star import released_star

UPSTREAM = params.load(Path(__file__).parents[2] / "configs/upstream.yaml")["augment"]


def upstream(name, data):
    """The engine with the settings of configs/upstream.yaml and one transform on, its draws, and
    the window plainly."""
    switches = {switch: switch == name for switch in BY_NAME}
    settings = AugmentParams(**UPSTREAM | switches | {f"{name}_probability": 1.0})
    draws = RandomStreams(data.keys, 7, 0).stream(BY_NAME[name].stream)
    return settings, draws, untouched(data).double().numpy()


def test_multiply_triangle_is_its_formula_on_given_draws():
    data = recordings(count=5)
    settings, draws, plain = upstream("triangle", data)
    turn = draws.uniform(1, 12).numpy() * (WHOLE - 1)
    peak = 1 / 4 + draws.uniform(13, 12).numpy() * (4 - 1 / 4)
    found = made(data, settings).numpy()
    for row in range(5):
        for lead in range(12):
            corners = [0, turn[row, lead], WHOLE - 1]
            gain = np.interp(np.arange(WHOLE), corners, [1, peak[row, lead], 1])
            assert np.abs(found[row, lead] - plain[row, lead] * gain).max() < 1e-6


def test_sine_resampling_is_its_formula_on_given_draws():
    data = recordings(count=5)
    settings, draws, plain = upstream("sine_resample", data)
    shift_s = draws.uniform(1, 1) * 0.5
    frequency_hz = draws.uniform(2, 1) * 0.3
    found, time_s = made(data, settings).numpy(), np.arange(WHOLE) / 100
    for row in range(5):
        new_s = time_s + float(shift_s[row]) * np.sin(2 * np.pi * float(frequency_hz[row]) * time_s)
        inside = (new_s >= 0) & (new_s <= time_s[-1])
        # outside the recording the original repeats its ends; here are zeros
        for lead in range(12):
            expected = np.interp(new_s, time_s, plain[row, lead]) * inside
            assert np.abs(found[row, lead] - expected).max() < 1e-6


def test_star_reads_where_the_released_code_reads_and_multiplies_by_its_gain():
    data = recordings(count=5)
    settings, _, plain = upstream("star", data)
    found = made(data, settings).numpy()
    compared = 0
    for row, peaks in enumerate(data.peaks_of(torch.arange(5), data.most_peaks())):
        released = released_star(WHOLE, peaks[peaks < WHOLE].numpy())
        if released is None:
            assert np.array_equal(found[row], plain[row].astype(np.float32))
            continue
        compared += 1
        for lead in range(12):
            expected = np.interp(released[0], np.arange(WHOLE), plain[row, lead]) * released[1]
            assert np.abs(found[row, lead] - expected).max() < 1e-6
    assert compared > 2
