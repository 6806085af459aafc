"""Augmentation of training batches. Every augmentation contributes to a time map tau, a gain g or
an addition n, and the batch is made once: y = g * x(tau) + n, straight from the int16 stores, on
the device where they lie.

The formulas stand in `warps`, `gains` and `additions`, the settings in `switches`, what each keeps
and may break in `contracts`, and the random draws, keyed by (seed, epoch, recording), in `draws`.
Time maps apply in the order of `_time`, from the window to the recording, so STAR, which knows
where the R-peaks are, comes last. Leads that are dropped are silent whatever is added, and so is
what lies outside the recording. Evaluation uses `inference`, which knows none of this.
"""

import torch

from ecgpipe.augmentation import additions, contracts, gains, time_warps
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.augmentation.random_draws import RandomStreams
from ecgpipe.dataset.examples import NO_PEAK, Examples
from ecgpipe.dataset.gather import gather, normalise
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

SWITCHES = tuple(contracts.CONTRACTS)
_HIGHEST = {
    "wander": "wander_high_hz", "hum": "hum_high_hz", "notch": "notch_high_hz",
    "multiply_sine": "multiply_sine_frequency_hz",
}  # fmt: skip
_FRACTIONAL = ("stretch", "sine_resample", "linear_resample", "triangle_resample", "star")
_FAR = 1 << 20  # draws of a second kind begin here in their stream
_PART = 16  # recordings made at once on a processor: their intermediate results stay in its cache


class Augmenter:
    """Makes the training batches of a fold."""

    def __init__(
        self,
        data: Examples,
        codes: list[str],
        params: AugmentParams,
        *,
        window: int,
        normalise: str,
        seed: int,
    ) -> None:
        """codes: what heads the columns of `data.labels` (SNOMED CT); window: in samples;
        normalise: `model.normalise`.

        UserError where a frequency is beyond what the stores' rate can hold.
        """
        self.data, self.params = data, params
        self.window, self.normalise, self.seed = window, normalise, seed
        for name, key in _HIGHEST.items():
            high_hz = getattr(params, key)
            if getattr(params, name) and high_hz >= data.rate_hz / 2:
                rule = f"must lie below half the stores' rate of {data.rate_hz:g} Hz; lower it or switch {name} off"
                raise UserError(f"augment.{key}: {high_hz} {rule}")
        if params.noise and window * additions.ELECTRODES > additions.BANK:
            raise UserError(
                f"augment.noise: a window of {window} samples is longer than the bank of noise; shorten it"
            )
        self.whole = not any(getattr(params, name) for name in _FRACTIONAL)
        self.most_peaks = data.most_peaks() if params.star else 0
        self.weights = additions.lead_weights(data.place.device)
        self.bank = additions.noise_bank(data.place.device) if params.noise else None
        self.sets = gains.reduced_sets(data.place.device)
        self.allowed = {
            name: self._allowed(name, codes) for name in SWITCHES if params.respect_labels
        }

    def batch(self, rows: torch.Tensor, epoch: int) -> torch.Tensor:
        """The recordings `rows` [batch] as the network takes them: float32 [batch, lead, time] in
        mV, or normalised, in the memory order of [batch, time, lead]."""
        made = torch.empty((len(rows), self.window, len(LEADS)), device=rows.device)
        size = _PART if rows.device.type == "cpu" else len(rows)
        for part, out in zip(rows.split(size), made.split(size), strict=True):
            self._part(part, epoch, out)
        return made.transpose(1, 2)

    def compile(self) -> None:
        """Compiles the making of batches (torch.compile): worth it on a GPU, whose many small steps
        it joins."""
        self._part = torch.compile(self._part)

    def _part(self, rows: torch.Tensor, epoch: int, out: torch.Tensor) -> None:
        """A batch, or a part of it, made in `out` [batch, time, lead]."""
        draws = RandomStreams(self.data.keys[rows], self.seed, epoch)
        tau, gain = self._time(rows, draws)
        signal, known = gather(
            self.data, rows, tau, cubic=self.params.interpolation == "cubic", out=out
        )
        before, after = self._gains(rows, gain, draws)
        if before is not None:
            signal.mul_(before)
        added = self._added(rows, signal, known, draws)
        if added is not None:
            signal.add_(added if known is None else added.mul_(known))
        if self.params.lead_dropout:
            signal.mul_(self._kept(rows, draws))
        normalise(signal, known, self.normalise)
        if after is not None:
            signal.mul_(after)

    def chosen(self, name: str, rows: torch.Tensor, draws: RandomStreams) -> torch.Tensor:
        """Which recordings an augmentation acts on: bool [batch, 1]."""
        found = draws.chosen(name, getattr(self.params, f"{name}_probability"))
        return found & self.allowed[name][rows] if self.allowed else found

    def _allowed(self, name: str, codes: list[str]) -> torch.Tensor:
        """bool [recording, 1]: which recordings carry no class that the augmentation may break.
        UserError where the contracts do not know a class."""
        strange = sorted(set(codes) - contracts.KNOWN)
        if strange:
            rule = "is headed by a code that no contract knows: put the class's best known code first, or switch it off"
            raise UserError(f"augment.respect_labels: class {strange[0]} {rule}")
        broken = contracts.contract(name, self.params).codes
        columns = [column for column, code in enumerate(codes) if code in broken]
        return ~(self.data.labels[:, columns] == 1).any(dim=1, keepdim=True)

    def _time(
        self, rows: torch.Tensor, draws: RandomStreams
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The time map [batch, time] in samples of the recording, and STAR's gain."""
        on, rate, span = self.params, self.data.rate_hz, self.window - 1
        kind = torch.int64 if self.whole else torch.float64
        position = torch.arange(self.window, device=rows.device, dtype=kind)[None]
        if on.time_flip:
            position = time_warps.flipped(position, self.chosen("time_flip", rows, draws), span)
        if on.roll:
            shift = torch.round(draws.between("roll", 1, -on.roll_s * rate, on.roll_s * rate))
            position = time_warps.rolled(
                position, (shift * self.chosen("roll", rows, draws)).to(kind), span
            )
        for name, warp in (
            ("linear_resample", time_warps.linear_resampled),
            ("triangle_resample", time_warps.triangle_resampled),
        ):
            if getattr(on, name):
                end = draws.between(
                    name, 1, getattr(on, f"{name}_low"), getattr(on, f"{name}_high")
                )
                position = warp(position, end ** self.chosen(name, rows, draws), span)
        if on.stretch:
            factor = draws.log_between("stretch", 1, on.stretch_scale)
            position = time_warps.stretched(
                position, factor ** self.chosen("stretch", rows, draws), span
            )
        if on.sine_resample:
            shift = draws.between(
                "sine_resample", 1, on.sine_resample_shift_low_s, on.sine_resample_shift_high_s
            )
            low_hz, high_hz = on.sine_resample_frequency_low_hz, on.sine_resample_frequency_high_hz
            frequency = draws.between("sine_resample", 2, low_hz, high_hz) / rate
            shift = shift * rate * self.chosen("sine_resample", rows, draws)
            position = time_warps.sine_resampled(position, shift, frequency)
        start = self._start(rows, draws).to(kind)
        return self._star(rows, position, start, draws) if on.star else (start + position, None)

    def _start(self, rows: torch.Tensor, draws: RandomStreams) -> torch.Tensor:
        """Where the window begins, whole samples [batch, 1]: somewhere in the recording, a shorter
        recording somewhere in its window ('crop'); then up to `jitter_s` to either side, beyond the
        ends too ('jitter')."""
        start = torch.zeros((len(rows), 1), dtype=torch.float64, device=rows.device)
        if self.params.crop:
            spare = (self.data.place[rows, 2:] - self.window).to(torch.float64)
            start = torch.floor(draws.uniform("crop", 0, 1) * (spare.abs() + 1.0)) * torch.sign(
                spare
            )
        if self.params.jitter:
            most = self.params.jitter_s * self.data.rate_hz
            start = start + torch.round(draws.between("jitter", 0, -most, most))
        return start

    def _star(
        self, rows: torch.Tensor, position: torch.Tensor, start: torch.Tensor, draws: RandomStreams
    ) -> tuple[torch.Tensor, torch.Tensor]:
        on, peaks = self.params, self.data.peaks_of(rows, self.most_peaks)
        chosen = self.chosen("star", rows, draws)
        if on.star_how == "beatwise":
            count = peaks.shape[1]
            warp = draws.between("star", 1, -on.star_warp, on.star_warp, count) * chosen
            raise_by = draws.between("star", _FAR, -on.star_gain, on.star_gain, count) * chosen
            return time_warps.star(start + position, peaks, warp, raise_by)
        within = peaks - start
        before = (within < 0).sum(dim=1, keepdim=True)
        order = torch.arange(peaks.shape[1], device=rows.device) + before
        within = within.gather(1, order.clamp(max=max(peaks.shape[1] - 1, 0)))
        there = (
            (order < peaks.shape[1]) & (within < self.window) & (within < NO_PEAK - start) & chosen
        )
        position = position.expand(len(rows), -1)
        mapped, gain = time_warps.star_published(
            position, torch.where(there, within.double(), torch.inf), self.window - 1
        )
        return start + mapped, gain

    def _gains(
        self, rows: torch.Tensor, gain: torch.Tensor | None, draws: RandomStreams
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """The gains before and after normalisation, float32 [batch, time, lead or 1], None where
        there is none."""
        on, factors = self.params, [] if gain is None else [gain[..., None]]
        if on.multiply_sine:
            depth = draws.between("multiply_sine", 1, 0.0, on.multiply_sine_depth)
            frequency = (
                draws.between("multiply_sine", 2, 0.0, on.multiply_sine_frequency_hz)
                / self.data.rate_hz
            )
            factors.append(
                gains.sine(
                    self.window, depth * self.chosen("multiply_sine", rows, draws), frequency
                )[..., None]
            )
        if on.multiply_linear:
            end = draws.log_between("multiply_linear", 1, on.multiply_linear_scale)
            factors.append(
                gains.linear(self.window, end ** self.chosen("multiply_linear", rows, draws))[
                    ..., None
                ]
            )
        if on.amplitude_flip:
            factors.append(1.0 - 2.0 * self.chosen("amplitude_flip", rows, draws)[..., None])
        after = [self._triangle(rows, draws)] if on.triangle else []
        if on.triangle_when == "before":
            factors, after = factors + after, []
        found = [
            torch.stack(torch.broadcast_tensors(*part)).prod(dim=0).float() if part else None
            for part in (factors, after)
        ]
        return found[0], found[1]

    def _triangle(self, rows: torch.Tensor, draws: RandomStreams) -> torch.Tensor:
        on, count = self.params, len(LEADS) if self.params.triangle_per == "lead" else 1
        turn = draws.between("triangle", 1, 0.0, self.window - 1.0, count)[..., None]
        at, scale = 1 + len(LEADS), on.triangle_scale
        uniform = on.triangle_draw == "uniform"
        peak = (
            draws.between("triangle", at, 1 / scale, scale, count)
            if uniform
            else draws.log_between("triangle", at, scale, count)
        )
        peak = peak ** self.chosen("triangle", rows, draws)
        return gains.triangle(self.window, turn, peak[..., None]).transpose(1, 2)

    def _added(
        self,
        rows: torch.Tensor,
        signal: torch.Tensor,
        known: torch.Tensor | None,
        draws: RandomStreams,
    ) -> torch.Tensor | None:
        """The sum of what is added, float32 [batch, time, lead], or None."""
        on, parts = self.params, []
        if on.notch:
            frequency = (
                draws.between("notch", 1, on.notch_low_hz, on.notch_high_hz) / self.data.rate_hz
            )
            taken = additions.band_stop(signal, frequency, on.notch_quality)
            parts.append(taken * self.chosen("notch", rows, draws)[..., None])
        if on.noise:
            snr_db = draws.between("noise", 1, on.noise_snr_low_db, on.noise_snr_high_db)
            power = signal.square().mean(dim=(1, 2))[:, None]
            power = (
                power if known is None else power / known.mean(dim=1).clamp(min=1e-9)
            )  # of what is recorded
            size = (power * 10.0 ** (-snr_db / 10.0)).sqrt()
            size = (size * self.chosen("noise", rows, draws) * draws.sign("noise", 3)).float()[
                ..., None
            ]
            parts.append(
                additions.noise(self.bank, draws.uniform("noise", 2, 1), self.window)
                @ (self.weights * size)
            )
        for name, count in (("wander", 3), ("hum", 1)):
            if getattr(on, name):
                parts.append(self._waves(name, count, rows, draws))
        return torch.stack(parts).sum(dim=0) if len(parts) > 1 else parts[0] if parts else None

    def _waves(
        self, name: str, count: int, rows: torch.Tensor, draws: RandomStreams
    ) -> torch.Tensor:
        """Sines at drawn frequencies; their root mean square over the leads is drawn from 0 to
        `<name>_mv`."""
        on, nodes = self.params, additions.ELECTRODES
        frequency = draws.between(
            name, 1, getattr(on, f"{name}_low_hz"), getattr(on, f"{name}_high_hz"), count
        )
        waves = additions.sines(
            self.window, frequency / self.data.rate_hz, draws.uniform(name, 1 + count, count)
        )
        size_mv = draws.between(name, 1 + 2 * count, 0.0, getattr(on, f"{name}_mv")) * self.chosen(
            name, rows, draws
        )
        normal = draws.normal(name, 2 + 2 * count, count * nodes).view(-1, count, nodes)
        return waves @ additions.shares(normal, size_mv, self.weights)

    def _kept(self, rows: torch.Tensor, draws: RandomStreams) -> torch.Tensor:
        """Which leads stay, float32 [batch, 1, lead]."""
        if self.params.lead_dropout_how == "sets":
            kept = gains.reduced_leads(self.sets, draws.uniform("lead_dropout", 1, 1))
        else:
            kept = gains.kept_leads(
                draws.uniform("lead_dropout", 1, len(LEADS)), self.params.lead_dropout_share
            )
        return (kept | ~self.chosen("lead_dropout", rows, draws))[:, None].to(torch.float32)
