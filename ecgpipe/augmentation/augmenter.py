"""Augmentation of training batches. Every augmentation contributes to a time map tau, a gain g or
an addition n, and the batch is made once: y = g * x(tau) + n, straight from the int16 stores, on
the device where they lie.

The engine knows no augmentation by its name: it asks those that are switched on, kind by kind, for
their records (`all_augmentations`) and acts (`all_acts`). Time maps apply from the window to the
recording, so STAR, which knows where the R-peaks are, comes last. Leads that are dropped are silent
whatever is added, and so is what lies outside the recording. Evaluation uses `model.inference`,
which knows none of this.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ecgpipe.augmentation import contracts
from ecgpipe.augmentation.acts import Act, Batch
from ecgpipe.augmentation.all_acts import ACTS
from ecgpipe.augmentation.all_augmentations import AUGMENTATIONS
from ecgpipe.augmentation.params import General
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.augmentation.record import Augmentation, Kind
from ecgpipe.dataset.examples import Examples
from ecgpipe.dataset.gather import gather, normalise
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

_PART = 16  # recordings made at once on a processor: their intermediate results stay in its cache


@dataclass(frozen=True)
class _Active:
    """An augmentation that is switched on. allowed: bool [recording, 1], on which it may act, None
    where on all."""

    record: Augmentation
    act: Act
    settings: dict[str, Any]
    probability: float | None
    prepared: Any
    allowed: torch.Tensor | None


class Augmenter:
    """Makes the training batches of a fold."""

    def __init__(
        self,
        data: Examples,
        codes: list[str],
        params: General,
        *,
        window: int,
        normalise: str,
        seed: int,
        augmentations: Sequence[Augmentation] = AUGMENTATIONS,
        acts: Mapping[str, Act] = ACTS,
    ) -> None:
        """codes: what heads the columns of `data.labels` (SNOMED CT); params: of the schema of
        `augmentations`; window: in samples; normalise: `train.normalise`; acts: by the names of
        `augmentations`.

        UserError where a frequency is beyond what the stores' rate can hold, or where labels are
        to be respected that the contracts do not know.
        """
        self.data, self.window, self.normalise, self.seed = data, window, normalise, seed
        self.cubic = params.interpolation == "cubic"
        active = [record for record in augmentations if getattr(params, record.name)]
        for record in active:
            _check_highest(record, params, data.rate_hz)
        if params.respect_labels:
            _check_known(codes)
        self.whole = not any(record.fractional for record in active)
        self.active: dict[Kind, list[_Active]] = {kind: [] for kind in Kind}
        for record in sorted(active, key=lambda record: record.turn):
            activated = self._activated(record, acts[record.name], codes, params)
            self.active[record.kind].append(activated)

    def batch(self, rows: torch.Tensor, epoch: int) -> torch.Tensor:
        """The recordings `rows` [batch] as the network takes them: float32 [batch, lead, time] in
        mV, or normalised, in the memory order of [batch, time, lead]."""
        made = torch.empty((len(rows), self.window, len(LEADS)), device=rows.device)
        size = _PART if rows.device.type == "cpu" else len(rows)
        for part, out in zip(rows.split(size), made.split(size), strict=True):
            self._make(part, epoch, out)
        return made.transpose(1, 2)

    def compile(self) -> None:
        """Compiles the making of batches (torch.compile): worth it on a GPU, whose many small steps
        it joins."""
        self._make = torch.compile(self._make)

    def time_map(
        self, rows: torch.Tensor, streams: RandomStreams
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Where each sample of the window is read, [batch, time] in samples of the recording, int64
        where all are whole; and the gain [batch, time] that goes with it, None where there is
        none."""
        kind = torch.int64 if self.whole else torch.float64
        position = torch.arange(self.window, device=rows.device, dtype=kind)[None]
        for act, batch in self._acting(Kind.WINDOW, rows, streams):
            position = act(batch, position)
        start = self.window_start(rows, streams).to(kind)
        tau, gain = start + position, None
        for act, batch in self._acting(Kind.BEATS, rows, streams):
            tau, more = act(batch, position, start)
            gain = more if gain is None else gain * more
            position = tau - start  # for the next
        return tau, gain

    def window_start(self, rows: torch.Tensor, streams: RandomStreams) -> torch.Tensor:
        """Where the window begins, whole samples of the recording, float64 [batch, 1]."""
        start = torch.zeros((len(rows), 1), dtype=torch.float64, device=rows.device)
        for act, batch in self._acting(Kind.START, rows, streams):
            start = start + act(batch)
        return start

    def _activated(
        self, record: Augmentation, act: Act, codes: list[str], params: General
    ) -> _Active:
        settings = record.chosen_settings(params)
        probability, prepared, allowed = None, None, None
        if record.probability is not None:
            probability = getattr(params, f"{record.name}_probability")
        if act.prepare is not None:
            prepared = act.prepare(self.data, self.window, settings)
        if params.respect_labels:
            broken = record.contract_of(params).codes
            columns = [column for column, code in enumerate(codes) if code in broken]
            allowed = ~(self.data.labels[:, columns] == 1).any(dim=1, keepdim=True)
        return _Active(record, act, settings, probability, prepared, allowed)

    def _acting(
        self, kind: Kind, rows: torch.Tensor, streams: RandomStreams
    ) -> Iterator[tuple[Any, Batch]]:
        """The augmentations of a kind in their turn, each with the batch as it sees it."""
        for active in self.active[kind]:
            draws = streams.stream(active.record.stream)
            chosen = None
            if active.probability is not None:
                chosen = draws.chosen(active.probability)
                if active.allowed is not None:
                    chosen = chosen & active.allowed[rows]
            settings, prepared = active.settings, active.prepared
            batch = Batch(self.data, rows, self.window, settings, prepared, draws, chosen)
            yield active.act.on, batch

    def _make(self, rows: torch.Tensor, epoch: int, out: torch.Tensor) -> None:
        """A batch, or a part of it, made in `out` [batch, time, lead]."""
        streams = RandomStreams(self.data.keys[rows], self.seed, epoch)
        tau, gain = self.time_map(rows, streams)
        signal, inside = gather(self.data, rows, tau, cubic=self.cubic, out=out)
        before, after = self._gains(rows, gain, streams)
        if before is not None:
            signal.mul_(before)
        added = [
            act(batch, signal, inside) for act, batch in self._acting(Kind.ADDITION, rows, streams)
        ]
        if added:
            total = torch.stack(added).sum(dim=0) if len(added) > 1 else added[0]
            signal.add_(total if inside is None else total.mul_(inside))
        for act, batch in self._acting(Kind.LEADS, rows, streams):
            signal.mul_(act(batch)[:, None].to(torch.float32))  # [batch, lead] -> [batch, 1, lead]
        normalise(signal, inside, self.normalise)
        if after is not None:
            signal.mul_(after)

    def _gains(
        self, rows: torch.Tensor, gain: torch.Tensor | None, streams: RandomStreams
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """The gains before and after normalisation, float32 [batch, time, lead or 1], None where
        there is none. A gain with a setting `when` chooses between them."""
        before, after = [] if gain is None else [gain[..., None]], []
        for act, batch in self._acting(Kind.GAIN, rows, streams):
            gains = after if batch.settings.get("when") == "after" else before
            gains.append(act(batch))
        return _product(before), _product(after)


def _product(gains: list[torch.Tensor]) -> torch.Tensor | None:
    if not gains:
        return None
    return torch.stack(torch.broadcast_tensors(*gains)).prod(dim=0).float()


def _check_highest(record: Augmentation, params: General, rate_hz: float) -> None:
    """UserError where the stores cannot hold the highest frequency of an augmentation."""
    if record.highest is None:
        return
    key = f"{record.name}_{record.highest}"
    high_hz = getattr(params, key)
    if high_hz >= rate_hz / 2:
        rule = f"must lie below half the stores' rate of {rate_hz:g} Hz"
        step = f"lower it or switch {record.name} off"
        raise UserError(f"augment.{key}: {high_hz} {rule}; {step}")


def _check_known(codes: list[str]) -> None:
    """UserError where the contracts do not know a class."""
    unknown = sorted(set(codes) - contracts.KNOWN)
    if unknown:
        rule = "is headed by a code that no contract knows"
        step = "put the class's best known code first, or switch it off"
        raise UserError(f"augment.respect_labels: class {unknown[0]} {rule}: {step}")
