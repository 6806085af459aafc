"""Mixing recordings of a batch in pairs (mixup): Zhang et al. 2018, arXiv:1710.09412.

Each recording counts by a share of its own, drawn from Beta(alpha, alpha), and the one that stands
half a batch further by the rest. The loss is the mean of both recordings' losses by these shares,
so a class that is annotated in one of the two alone counts by that one's share.
"""

import numpy as np
import torch

from ecgpipe.project.errors import UserError
from ecgpipe.training.distributed import Peers


def check(batch: int, processes: int) -> None:
    """UserError where the two of a pair would not be in the same process."""
    if processes > 1 and (batch // 2) % processes:
        step = f"make it a multiple of {2 * processes}, or set train.mixup to 0"
        raise UserError(f"train.batch: pairs of {batch} cannot be shared by the processes; {step}")


def shares(alpha: float, batch: int, *, draw: tuple[int, int, int], peers: Peers) -> torch.Tensor:
    """float32 [batch / processes, 1]: the share of each recording of this process, from a whole
    batch's. draw: seed, epoch and step."""
    seed, epoch, step = draw
    drawn = np.random.default_rng([seed, 3, epoch, step]).beta(alpha, alpha, batch)
    mine = torch.from_numpy(drawn[peers.rank :: peers.size].astype(np.float32))
    return mine[:, None].to(peers.device)


def mixed(values: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """Each of `values` [batch, ...] by its `share` [batch, 1], its partner by the rest."""
    share = share.view(-1, *[1] * (values.ndim - 1))
    return torch.lerp(_partner(values), values, share)


def mixed_labels(labels: torch.Tensor, share: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels [batch, class] (NaN where not annotated in either) whose cross-entropy, times the
    weights [batch, class] that are given with them, is that of both recordings by their shares."""
    known = torch.isfinite(labels).float()
    weights = mixed(known, share)
    positive = mixed(labels.nan_to_num(nan=0.0), share)
    return torch.where(weights > 0, positive / weights, torch.nan), weights


def _partner(values: torch.Tensor) -> torch.Tensor:
    return values.roll(-(len(values) // 2), dims=0)
