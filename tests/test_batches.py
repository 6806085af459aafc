import numpy as np
import pytest
import torch

from ecgpipe import batches
from ecgpipe.peers import Peers

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_shares_of_all_processes_are_the_whole_order_which_seed_and_epoch_give(size):
    order = np.random.default_rng([7, 2, 3]).permutation(43)[:40].reshape(5, 8)
    shares = [batches.rows(43, 8, 7, 3, Peers(rank, size, CPU)) for rank in range(size)]
    assert {tuple(share.shape) for share in shares} == {(5, 8 // size)}
    for step in range(5):
        assert sorted(torch.cat([share[step] for share in shares]).tolist()) == sorted(order[step].tolist())
    assert not torch.equal(shares[0], batches.rows(43, 8, 7, 4, Peers(0, size, CPU)))


@pytest.mark.parametrize("there", [CPU, torch.device("meta")])
def test_batches_come_in_order_whether_made_here_or_ahead_by_a_thread(there):
    rows = torch.arange(12).view(4, 3)
    if there.type == "meta":  # stands for another device: only its kind is compared, and indices are asked for there
        found = list(batches.made(rows, lambda part: torch.ones(part.shape), there, CPU))
        assert [part.tolist() for part, _ in found] == rows.tolist()
    else:
        found = list(batches.made(rows, lambda part: 2.0 * part, there, CPU))
        assert [signal.tolist() for _, signal in found] == (2.0 * rows).tolist()
    assert list(batches.made(rows[:0], lambda part: part, there, CPU)) == []
