"""The batches of an epoch: which recordings each process takes at which step, and their signals,
made a step ahead where they must be moved to the device that trains.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from ecgpipe.project.errors import UserError
from ecgpipe.training.distributed import Peers

_LOG = logging.getLogger(__name__)


def fitting(batch: int, recordings: int, peers: Peers) -> int:
    """The batch of a training on so many `recordings`: `batch`, or all of them where they are
    fewer, which is logged. UserError where there are too few to train on, or a batch cannot be
    shared evenly."""
    size = peers.size
    if batch % size:
        raise UserError(f"train.batch: {batch} cannot be shared evenly by {size} processes")
    if recordings < 2 * size:
        rule = "a training takes 2 for each process"
        step = "lower split.test_fraction, take split.folds fewer, or add recordings"
        raise UserError(f"{recordings} training recordings in this fold, {rule}; {step}")
    if batch <= recordings:
        return batch
    whole = recordings - recordings % size
    if not peers.rank:
        rule = f"is more than the {recordings} training recordings of this fold"
        _LOG.info("train.batch: %d %s: each step takes %d", batch, rule, whole)
    return whole


def rows(recordings: int, batch: int, seed: int, epoch: int, peers: Peers) -> torch.Tensor:
    """int64 [step, batch / processes]: this process's share of the epoch's batches, whose order
    (seed, epoch) gives. Recordings beyond the last whole batch wait for the next epoch."""
    order = np.random.default_rng([seed, 2, epoch]).permutation(recordings)
    steps = recordings // batch
    whole = order[: steps * batch].reshape(steps, batch)
    return torch.from_numpy(np.ascontiguousarray(whole[:, peers.rank :: peers.size]))


def made(
    order: torch.Tensor,
    make: Callable[[torch.Tensor], torch.Tensor],
    device: torch.device,
    home: torch.device | None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Of each step of `order` [step, batch] the rows, and what `make` gives for them, on `device`.
    Where signals lie on another one, `home`, a thread makes the next batch meanwhile."""
    order = order.to(device)
    if home is None or not len(order):
        for rows_of_step in order:
            yield rows_of_step, make(rows_of_step)
        return

    def make_pinned(rows_of_step: torch.Tensor) -> torch.Tensor:
        signal = make(rows_of_step)
        # Pinned, so that the copy to a GPU need not wait.
        return signal.pin_memory() if device.type == "cuda" else signal

    with ThreadPoolExecutor(1) as thread:
        at_home = [*order.to(home), None]
        ahead = thread.submit(make_pinned, at_home[0])
        for rows_of_step, following in zip(order, at_home[1:], strict=True):
            signal = ahead.result()
            if following is not None:
                ahead = thread.submit(make_pinned, following)
            yield rows_of_step, signal.to(device, non_blocking=True)
