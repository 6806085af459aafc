"""What an augmentation does: the function that acts on a batch, and what it is given.

The modules of the formulas (`time_warps`, `star`, `gains`, `additions`, `lead_dropout`, `flips`)
name theirs in `ACTS`, and `all_acts` joins them. What else is known of an augmentation is its
`record`, which needs no torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ecgpipe.augmentation.random_draws import Stream
from ecgpipe.dataset.examples import Examples


@dataclass(frozen=True)
class Act:
    """The deed of one augmentation.

    on: what it takes and gives says the `Kind` of its record. prepare: makes once what `on` needs
    of (recordings, window in samples, settings).
    """

    on: Callable[..., Any]
    prepare: Callable[[Examples, int, Mapping[str, Any]], Any] | None = None


@dataclass(frozen=True)
class Batch:
    """A batch as one augmentation sees it: the recordings `rows` [batch] of `data`, the `window` in
    samples, its own settings, draws and prepared things, and which recordings it is to act on:
    `chosen`, bool [batch, 1], None where on all."""

    data: Examples
    rows: torch.Tensor
    window: int
    settings: Mapping[str, Any]
    prepared: Any
    draws: Stream
    chosen: torch.Tensor | None

    @property
    def span(self) -> int:
        """The last position in the window."""
        return self.window - 1
