"""Flips: the window backwards, or upside down. Both are published, and of no use to an ECG; they
are here to be compared with."""

import torch

from ecgpipe.augmentation.acts import Act, Batch


def flipped(position: torch.Tensor, flips: torch.Tensor, span: int) -> torch.Tensor:
    """The window [batch, time] read backwards where `flips` (bool [batch, 1]); `span` is its last
    position."""
    return torch.where(flips, span - position, position)


def _time_flip(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    return flipped(position, batch.chosen, batch.span)


def _amplitude_flip(batch: Batch) -> torch.Tensor:
    return 1.0 - 2.0 * batch.chosen[..., None]  # [batch, 1, 1]


ACTS = {"time_flip": Act(_time_flip), "amplitude_flip": Act(_amplitude_flip)}
