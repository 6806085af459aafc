"""The batches of an epoch: which recordings each process takes at which step, and their signals,
made a step ahead where they must be moved to the device that trains.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from ecgpipe.training.distributed import Peers


def rows(recordings: int, batch: int, seed: int, epoch: int, peers: Peers) -> torch.Tensor:
    """int64 [step, batch / processes]: this process's share of the epoch's batches, whose order
    (seed, epoch) gives. Recordings beyond the last whole batch wait for the next epoch."""
    order, steps = (
        np.random.default_rng([seed, 2, epoch]).permutation(recordings),
        recordings // batch,
    )
    return torch.from_numpy(
        np.ascontiguousarray(
            order[: steps * batch].reshape(steps, batch)[:, peers.rank :: peers.size]
        )
    )


def made(
    order: torch.Tensor,
    make: Callable[[torch.Tensor], torch.Tensor],
    device: torch.device,
    there: torch.device | None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Of each step of `order` [step, batch] the rows, and what `make` gives for them, on `device`.
    Where signals lie elsewhere, `there`, a thread makes the next batch meanwhile."""
    order = order.to(device)
    if there is None or not len(order):
        for part in order:
            yield part, make(part)
        return

    def pinned(part: torch.Tensor) -> torch.Tensor:
        signal = make(part)
        return (
            signal.pin_memory() if device.type == "cuda" else signal
        )  # pinned, so that the copy need not wait

    with ThreadPoolExecutor(1) as thread:
        parts = [*order.to(there), None]
        ahead = thread.submit(pinned, parts[0])
        for part, later in zip(order, parts[1:], strict=True):
            signal = ahead.result()
            if later is not None:
                ahead = thread.submit(pinned, later)
            yield part, signal.to(device, non_blocking=True)
