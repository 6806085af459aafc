"""Flips: the window backwards, or upside down. Both are published, and of no use to an ECG; they
are here to be compared with."""

import torch

from ecgpipe.augmentation.contracts import AXIS, CONDUCTION, RHYTHM, Contract, all_but
from ecgpipe.augmentation.record import Augmentation, Batch, Kind


def flipped(position: torch.Tensor, flips: torch.Tensor, span: int) -> torch.Tensor:
    """The window [batch, time] read backwards where `flips` (bool [batch, 1]); `span` is its last
    position."""
    return torch.where(flips, span - position, position)


def _time_flip(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    return flipped(position, batch.chosen, batch.span)


TIME_FLIP = Augmentation(
    name="time_flip",
    stream=16,
    kind=Kind.WINDOW,
    contract=Contract(
        "time flip",
        keeps=all_but("R-peaks", "RR"),
        breaks=(*RHYTHM, *CONDUCTION, "AFL", "IAVB", "LPR", "LQT", "QAb", "TAb"),
    ),
    caption="backwards. Published, and of no use to an ECG.",
    act=_time_flip,
)


def _amplitude_flip(batch: Batch) -> torch.Tensor:
    return 1.0 - 2.0 * batch.chosen[..., None]  # [batch, 1, 1]


AMPLITUDE_FLIP = Augmentation(
    name="amplitude_flip",
    stream=17,
    kind=Kind.GAIN,
    contract=Contract(
        "amplitude flip",
        keeps=all_but("polarity"),
        breaks=(*AXIS, *CONDUCTION, "TInv", "TAb", "QAb", "PRWP"),
    ),
    caption="upside down. Likewise.",
    act=_amplitude_flip,
)

AUGMENTATIONS = (TIME_FLIP, AMPLITUDE_FLIP)
