import torch

from ecgpipe.training.determinism import make_deterministic


def test_draws_and_threads_are_those_asked_for_and_kernels_are_deterministic():
    drawn = []
    for seed in (1, 1, 2):
        make_deterministic(1, seed, torch.device("cpu"))
        drawn.append(torch.rand(3))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()
