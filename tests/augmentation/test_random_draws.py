import numpy as np
import pytest
import scipy.stats
import torch

from ecgpipe.augmentation import contracts, random_draws


def test_every_augmentation_has_a_stream_of_its_own():
    assert set(random_draws.STREAMS) == set(contracts.CONTRACTS)
    assert len(set(random_draws.STREAMS)) == len(random_draws.STREAMS)


def test_uniform_and_normal_draws_have_their_distributions_and_streams_are_independent():
    made = random_draws.RandomStreams(torch.arange(200), 3, 4)
    uniform = made.uniform("noise", 0, 100).numpy()
    assert scipy.stats.kstest(uniform.ravel(), "uniform").pvalue > 0.01
    assert scipy.stats.kstest(made.normal("noise", 0, 101).numpy().ravel(), "norm").pvalue > 0.01
    other = made.uniform("star", 0, 100).numpy()
    assert abs(np.corrcoef(uniform.ravel(), other.ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(uniform[:-1].ravel(), uniform[1:].ravel())[0, 1]) < 0.03


def test_bounds_signs_and_probabilities_are_kept():
    made = random_draws.RandomStreams(torch.arange(4000), 1, 1)
    assert (
        scipy.stats.kstest(made.between("hum", 0, -2, 5)[:, 0].numpy(), "uniform", (-2, 7)).pvalue
        > 0.01
    )
    logarithm = torch.log(made.log_between("triangle", 0, 4.0))[:, 0].numpy() / np.log(4)
    assert scipy.stats.kstest(logarithm, "uniform", (-1, 2)).pvalue > 0.01
    assert set(made.sign("noise", 0)[:, 0].tolist()) == {-1.0, 1.0}
    assert made.sign("noise", 0).mean().abs() < 0.05
    assert made.chosen("star", 0.25).double().mean() == pytest.approx(0.25, abs=0.03)


def test_splitmix64_gives_its_published_sequence():
    # The first outputs for seed 1234567 (the reference sequence of Vigna's splitmix64.c).
    golden = torch.tensor(random_draws._GOLDEN)
    state = 1234567 + golden * torch.arange(1, 4)
    assert [int(value) % 2**64 for value in random_draws._mixed(state)] == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
    ]  # fmt: skip
