"""How far a training is, and how long it will take: what is to be done, an estimate as soon as a
second of steps was measured, and then a bar on a terminal (tqdm), else a line now and then in the
log, which DVC passes on.

Nothing is done to measure: the steps that are timed are those of the training itself.
"""

import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tqdm import tqdm

from ecgpipe.dataset.gather import window_starts

MEASURED_S = 1.0
EVERY_S = 30.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """What one fold has to do: `epochs` of `steps` on `batch` recordings, of which `done` steps
    were done before; the validation of an epoch takes as long as `validation` steps, by the
    products that the network takes. `may_end_early`: by patience."""

    epochs: int
    steps: int
    batch: int
    done: int = 0
    validation: float = 0.0
    may_end_early: bool = False

    def __str__(self) -> str:
        most = "at most " if self.may_end_early else ""
        text = f"{most}{self.epochs} epochs of {self.steps} steps on {self.batch} recordings"
        if not self.done:
            return text
        epoch, step = divmod(self.done, self.steps)
        within = f" at step {step} of {self.steps}" if step else ""
        return f"{text}; goes on after epoch {epoch} of {self.epochs}{within}"


class Progress:
    """Counts the steps and epochs of one fold and tells of them. `after` is the number of folds
    that come after it, `every_s` the time between two lines."""

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        after: int = 0,
        mute: bool = False,
        every_s: float = EVERY_S,
        bar: tqdm | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._work, self._after, self._mute = name, work, after, mute
        self._every_s, self._bar, self._clock = every_s, bar, clock
        self._done, self._epochs_here = work.done, 0
        self._begun_s = self._epoch_s = self._told_s = clock()
        # The first step, which compiles and makes room, is not measured.
        self._measured_from: tuple[float, int] | None = None
        self._is_estimated = False

    def step(self) -> None:
        """Counts one more step."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        now_s = self._clock()
        if self._measured_from is None:
            self._measured_from = now_s, self._done
        elif not self._is_estimated:
            if now_s - self._measured_from[0] >= MEASURED_S:
                self._is_estimated = True
                self._say(f"{self._step_s(now_s):.3g} s a step, {self._left(now_s)}")
        elif now_s - max(self._told_s, self._epoch_s) >= self._every_s:
            epoch, step = divmod(self._done - 1, self._work.steps)
            place = f"epoch {epoch + 1} of {self._work.epochs}, step {step + 1} of"
            self._say(f"{place} {self._work.steps}, {self._left(now_s)}")

    def epoch(self, **figures: str) -> None:
        """Tells of a finished epoch with its `figures`, where nothing was told for long, or where
        all is done."""
        now_s = self._clock()
        self._epoch_s, self._epochs_here = now_s, self._epochs_here + 1
        if self._bar is not None:
            self._bar.set_postfix(epoch=self._epoch, **figures)
        is_last = self._epoch == self._work.epochs
        if now_s - self._told_s >= self._every_s or is_last:
            named = "".join(f", {name} {figure}" for name, figure in figures.items())
            end = "done" if is_last else self._left(now_s)
            self._say(f"epoch {self._epoch} of {self._work.epochs}{named}, {end}")

    def close(self) -> None:
        """Ends the bar, and tells of an end by patience."""
        if self._bar is not None:
            self._bar.close()
        if self._epoch < self._work.epochs:
            self._say(f"ends after epoch {self._epoch} of {self._work.epochs}, out of patience")

    @property
    def _epoch(self) -> int:
        """The last epoch that is finished."""
        return self._done // self._work.steps

    def _step_s(self, now_s: float) -> float:
        """How long one step takes: once epochs were finished here, with its share of what comes
        between them."""
        if self._epochs_here:
            return (now_s - self._begun_s) / (self._done - self._work.done)
        since_s, since = self._measured_from or (self._begun_s, self._work.done)
        return (now_s - since_s) / max(1, self._done - since)

    def _left(self, now_s: float) -> str:
        """How long this fold will take, and it with those after it."""
        work = self._work
        of_epoch = work.steps + (0.0 if self._epochs_here else work.validation)
        fold_s = work.epochs * of_epoch * self._step_s(now_s)
        left_s = fold_s * (1 - self._done / (work.epochs * work.steps))
        if not self._after:
            return f"about {duration(left_s)} left"
        folds = "the fold" if self._after == 1 else f"the {self._after} folds"
        whole_s = left_s + self._after * fold_s
        return f"about {duration(left_s)} left, {duration(whole_s)} with {folds} after it"

    def _say(self, text: str) -> None:
        self._told_s = self._clock()
        if not self._mute:
            # A bar on the terminal makes room for the line.
            with tqdm.external_write_mode(file=sys.stderr):
                _LOG.info("%s: %s", self._name, text)


def validation_steps(samples: Sequence[int], window: int, batch: int) -> float:
    """As many steps take as long as the validation of recordings of so many `samples`: its windows
    go through the network forwards alone, which is a third of a step's products."""
    windows = sum(len(window_starts(length, window)) for length in samples)
    return windows / (3 * batch)


def duration(seconds: float) -> str:
    """A time of two digits or so.

    >>> duration(0.4), duration(89), duration(90), duration(5400), duration(259200)
    ('0 s', '89 s', '2 min', '1.5 h', '72 h')
    """
    if seconds < 89.5:
        return f"{seconds:.0f} s"
    if seconds < 5370:
        return f"{seconds / 60:.0f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 10 else f"{hours:.0f} h"


def of_fold(
    fold: str, folds: Sequence[int], recordings: Mapping[str, Sequence], rank: int
) -> Callable[[Work], Progress]:
    """What begins the `Progress` of one of `folds`, which come one after another; `recordings` by
    part. Of several processes the first (rank 0) tells."""
    place = [str(number) for number in folds].index(fold) + 1
    name = f"train fold {fold} ({place} of {len(folds)})"
    counts = {part: len(rows) for part, rows in recordings.items()}
    return partial(begin, name, counts, after=len(folds) - place, mute=rank > 0)


def begin(name: str, counts: Mapping[str, int], work: Work, *, after: int, mute: bool) -> Progress:
    """Tells what is to be done, with the `counts` of recordings by part; its `Progress`."""
    on_terminal = sys.stderr.isatty() and not mute
    if not mute:
        parts = ", ".join(f"{part} {count:,}" for part, count in counts.items())
        _LOG.info("%s: recordings: %s; %s", name, parts, work)
    bar = None
    if on_terminal:
        total = work.epochs * work.steps
        bar = tqdm(desc=name, unit="step", total=total, initial=work.done, file=sys.stderr)
    # The bar itself tells how far it is; the estimate of all folds stands above it.
    every_s = float("inf") if on_terminal else EVERY_S
    return Progress(name, work, after=after, mute=mute, every_s=every_s, bar=bar)
