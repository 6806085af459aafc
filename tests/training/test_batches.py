import threading

import numpy as np
import pytest
import torch

from ecgpipe.training import batches
from ecgpipe.training.distributed import Peers

CPU = torch.device("cpu")
ALONE, TWO, THREE = Peers(0, 1, CPU), Peers(0, 2, CPU), Peers(0, 3, CPU)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_shares_of_all_processes_are_the_whole_order_which_seed_and_epoch_give(size):
    order = np.random.default_rng([7, 2, 3]).permutation(43)[:40].reshape(5, 8)
    shares = [batches.rows(43, 8, 7, 3, Peers(rank, size, CPU)) for rank in range(size)]
    assert {tuple(share.shape) for share in shares} == {(5, 8 // size)}
    for step in range(5):
        assert sorted(torch.cat([share[step] for share in shares]).tolist()) == sorted(
            order[step].tolist()
        )
    assert not torch.equal(shares[0], batches.rows(43, 8, 7, 4, Peers(0, size, CPU)))


@pytest.mark.parametrize("there", [None, CPU])
def test_batches_come_in_order_whether_made_here_or_ahead_by_a_thread(there):
    rows, threads = torch.arange(12).view(4, 3), set()

    def make(part):
        threads.add(threading.current_thread())
        return 2.0 * part

    found = list(batches.made(rows, make, CPU, there))
    assert [part.tolist() for part, _ in found] == rows.tolist()
    assert [signal.tolist() for _, signal in found] == (2.0 * rows).tolist()
    assert (threading.current_thread() in threads) == (there is None)
    assert list(batches.made(rows[:0], make, CPU, there)) == []


def test_a_batch_larger_than_the_training_part_takes_all_of_it_and_says_so(caplog):
    caplog.set_level("INFO")
    assert batches.fitting(16, 20, ALONE) == 16
    assert caplog.messages == []
    assert batches.fitting(16, 13, ALONE) == 13
    assert batches.fitting(16, 13, TWO) == 12
    assert batches.fitting(16, 13, Peers(1, 2, CPU)) == 12
    rule = "train.batch: 16 is more than the 13 training recordings of this fold"
    assert caplog.messages == [f"{rule}: each step takes 13", f"{rule}: each step takes 12"]


def test_too_few_recordings_to_train_on_and_batches_that_cannot_be_shared_are_refused():
    with pytest.raises(ValueError, match=r"^1 training recordings in this fold, .*test_fraction"):
        batches.fitting(16, 1, ALONE)
    with pytest.raises(ValueError, match=r"^train.batch: 16 cannot be shared evenly by 3 proc"):
        batches.fitting(16, 99, THREE)
