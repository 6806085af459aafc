import numpy as np
import pytest
import scipy.stats
import torch

from ecgpipe.augmentation import random_draws


def test_uniform_and_normal_draws_have_their_distributions_and_streams_are_independent():
    streams = random_draws.RandomStreams(torch.arange(200), 3, 4)
    made = streams.stream(2)
    uniform = made.uniform(0, 100).numpy()
    assert scipy.stats.kstest(uniform.ravel(), "uniform").pvalue > 0.01
    assert scipy.stats.kstest(made.normal(0, 101).numpy().ravel(), "norm").pvalue > 0.01
    other = streams.stream(5).uniform(0, 100).numpy()
    assert abs(np.corrcoef(uniform.ravel(), other.ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(uniform[:-1].ravel(), uniform[1:].ravel())[0, 1]) < 0.03


def test_bounds_signs_and_probabilities_are_kept():
    streams = random_draws.RandomStreams(torch.arange(4000), 1, 1)
    between = streams.stream(14).between(0, -2, 5)[:, 0].numpy()
    assert scipy.stats.kstest(between, "uniform", (-2, 7)).pvalue > 0.01
    logarithm = torch.log(streams.stream(1).log_between(0, 4.0))[:, 0].numpy() / np.log(4)
    assert scipy.stats.kstest(logarithm, "uniform", (-1, 2)).pvalue > 0.01
    assert set(streams.stream(2).sign(0)[:, 0].tolist()) == {-1.0, 1.0}
    assert streams.stream(2).sign(0).mean().abs() < 0.05
    assert streams.stream(5).chosen(0.25).double().mean() == pytest.approx(0.25, abs=0.03)


def test_splitmix64_gives_its_published_sequence():
    # The first outputs for seed 1234567 (the reference sequence of Vigna's splitmix64.c).
    golden = torch.tensor(random_draws._GOLDEN)
    state = 1234567 + golden * torch.arange(1, 4)
    assert [int(value) % 2**64 for value in random_draws._mixed(state)] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
    ]  # fmt: skip
