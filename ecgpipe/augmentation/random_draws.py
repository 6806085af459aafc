"""Random numbers of a training batch, each a function of (seed, epoch, recording, stream, position)
alone.

So they are the same whatever the batch, its order, the number of processes or the device. A stream
is one augmentation's (`Augmentation.stream`), so that switching one on leaves the draws of the
others as they were.
"""

import math
from dataclasses import dataclass

import torch

# The constants of SplitMix64, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9 and 0x94D049BB133111EB, as
# int64.
_GOLDEN, _MIX_A, _MIX_B = -7046029254386353131, -4658895280553007687, -7723592293110705685
_STREAM_BITS = 40  # a stream holds 2^40 draws of each recording in each epoch


def _shifted(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift of int64 (torch's is arithmetic)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(x: torch.Tensor) -> torch.Tensor:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) on
    int64 that wraps."""
    x = (x ^ _shifted(x, 30)) * _MIX_A
    x = (x ^ _shifted(x, 27)) * _MIX_B
    return x ^ _shifted(x, 31)


@dataclass(frozen=True)
class Stream:
    """One stream of draws of a batch. state: int64 [batch], of seed, epoch and recording."""

    state: torch.Tensor
    number: int

    def uniform(self, first: int, count: int) -> torch.Tensor:
        """float64 [batch, count] in [0, 1): draws `first` to `first + count`."""
        order = torch.arange(first, first + count, device=self.state.device)
        position = order + (self.number << _STREAM_BITS)
        bits = _mixed(self.state[:, None] + position * _GOLDEN)
        return _shifted(bits, 11).to(torch.float64) * 2.0**-53

    def normal(self, first: int, count: int) -> torch.Tensor:
        """float64 [batch, count] standard normal, by Box and Muller (1958)."""
        half = -(-count // 2)
        radius = torch.sqrt(-2.0 * torch.log1p(-self.uniform(first, half)))
        angle = 2.0 * math.pi * self.uniform(first + half, half)
        return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)[:, :count]

    def between(self, position: int, low: float, high: float, count: int = 1) -> torch.Tensor:
        """float64 [batch, count], uniform between two bounds."""
        return low + (high - low) * self.uniform(position, count)

    def sign(self, position: int) -> torch.Tensor:
        """float64 [batch, 1], -1 or 1, each as likely."""
        return 1.0 - 2.0 * (self.uniform(position, 1) < 0.5)

    def log_between(self, position: int, scale: float, count: int = 1) -> torch.Tensor:
        """float64 [batch, count], log-uniform between 1 / scale and scale: as often above 1 as
        below."""
        return torch.exp(self.between(position, -math.log(scale), math.log(scale), count))

    def chosen(self, probability: float) -> torch.Tensor:
        """bool [batch, 1]: which recordings an augmentation acts on. Draw 0, once per recording."""
        return self.uniform(0, 1) < probability


class RandomStreams:
    """The draws of one batch in one epoch."""

    def __init__(self, keys: torch.Tensor, seed: int, epoch: int) -> None:
        """keys: int64 [batch], `Examples.keys` of the batch's recordings."""
        self.state = _mixed(_mixed(_mixed(keys) + seed) + epoch)

    def stream(self, number: int) -> Stream:
        """The draws of one augmentation."""
        return Stream(self.state, number)
