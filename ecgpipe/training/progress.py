"""How far a long job is: a bar on a terminal (tqdm), else a line now and then in the log, which DVC
passes on."""

import logging
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tqdm import tqdm

EVERY_S = 30.0
_LOG = logging.getLogger(__name__)


class Lines:
    """The face of a bar that logs: 'train fold 0: epoch 3 of 32, val_loss 0.412, 5 min left', at
    most every EVERY_S."""

    def __init__(
        self,
        desc: str,
        unit: str,
        total: int,
        initial: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desc, self._unit, self._total, self._initial = desc, unit, total, initial
        self._clock, self._begun = clock, clock()
        self._done, self._logged = initial, self._begun - EVERY_S

    def update(self) -> None:
        """Counts one more that is done."""
        self._done += 1

    def set_postfix(self, **figures: str) -> None:
        """Logs how far it is, with `figures`, where nothing was logged for EVERY_S seconds, or
        where all is done."""
        now = self._clock()
        if now - self._logged < EVERY_S and self._done < self._total:
            return
        self._logged = now
        each_s = (now - self._begun) / max(1, self._done - self._initial)
        left_s = each_s * (self._total - self._done)
        left = f"{left_s / 60:.0f} min" if left_s >= 90 else f"{left_s:.0f} s"
        named = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        place = f"{self._unit} {self._done} of {self._total}"
        _LOG.info("%s: %s, %s, %s left", self._desc, place, named, left)

    def close(self) -> None:
        """Nothing: the last line is logged with the last figures."""


def of_fold(fold: str, rank: int) -> Callable[..., Any]:
    """The `bar` of one fold's epochs; of several processes the first (rank 0) tells."""
    return partial(bar, f"train fold {fold}", "epoch", mute=rank > 0)


def bar(desc: str, unit: str, total: int, initial: int = 0, mute: bool = False) -> Any:
    """A bar of `total` steps, `initial` of them done: tqdm on a terminal, else `Lines`; of either
    nothing if `mute`.

    Where it is not a terminal, a line says whether the job begins or goes on."""
    if mute or sys.stderr.isatty():
        return tqdm(desc=desc, unit=unit, total=total, initial=initial, disable=mute)
    beginning = f"begins, {total} {unit}s"
    if initial:
        beginning = f"goes on after {unit} {initial} of {total}"
    _LOG.info("%s: %s", desc, beginning)
    return Lines(desc, unit, total, initial)
