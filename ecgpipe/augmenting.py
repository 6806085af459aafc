"""Augmentations of training batches: each adds to a time map tau, a gain g or an addition n, and the batch is made
once as y = g * x(tau) + n.

Random draws are keyed by (seed, epoch, recording): the same whatever the batch or its order. Augmentations act on
millivolts, before normalisation. Evaluation uses `inference`, which knows none of them.

What each keeps and may break:

- crop: moves the window; keeps everything inside it.
- sine, star: warp time. star keeps every R-peak, RR interval, the head and the tail; sine does not.
- triangle, star: change amplitude over time; drawn per recording they keep the lead algebra (III = II - I).
- noise: keeps R-peaks; breaks the lead algebra at the noise's level, as real noise does.
- lead_dropout: whole leads become zero.
"""

import math
from typing import Literal

import torch
from pydantic import Field, model_validator

from ecgpipe.dataset import NO_PEAK, Examples, gather, inside
from ecgpipe.leads import LEADS
from ecgpipe.params import Section

# One stream of draws per use, so that switching one augmentation on leaves the draws of the others as they were.
_STREAMS = {name: number for number, name in enumerate(("crop", "triangle", "noise", "lead_dropout", "sine", "star"))}
_GOLDEN, _MIX_A, _MIX_B = -7046029254386353131, -4658895280553007687, -7723592293110705685


class Params(Section):
    """`augment` in params.yaml: a switch per augmentation, its settings beside it."""

    crop: bool
    crop_jitter_s: float = Field(ge=0)
    triangle: bool
    triangle_probability: float = Field(ge=0, le=1)
    triangle_scale: float = Field(gt=1)
    triangle_draw: Literal["log-uniform", "uniform"]
    triangle_per: Literal["recording", "lead"]
    noise: bool
    noise_probability: float = Field(ge=0, le=1)
    noise_snr_low_db: float
    noise_snr_high_db: float
    lead_dropout: bool
    lead_dropout_probability: float = Field(ge=0, le=1)
    lead_dropout_share: float = Field(ge=0, lt=1)
    sine: bool
    sine_probability: float = Field(ge=0, le=1)
    sine_shift_s: float = Field(ge=0)
    sine_frequency_hz: float = Field(gt=0)
    star: bool
    star_probability: float = Field(ge=0, le=1)
    star_warp: float = Field(ge=0, lt=1)
    star_gain: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _noise_range(self) -> "Params":
        if self.noise_snr_low_db > self.noise_snr_high_db:
            raise ValueError(
                f"noise_snr_low_db {self.noise_snr_low_db} is above noise_snr_high_db {self.noise_snr_high_db}"
            )
        return self


def _shifted(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift of int64 (torch's is arithmetic)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(x: torch.Tensor) -> torch.Tensor:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) on int64 that wraps."""
    x = (x ^ _shifted(x, 30)) * _MIX_A
    x = (x ^ _shifted(x, 27)) * _MIX_B
    return x ^ _shifted(x, 31)


class Draws:
    """Random numbers of a batch, each a function of (seed, epoch, recording, stream, position) alone."""

    def __init__(self, keys: torch.Tensor, seed: int, epoch: int) -> None:
        """keys: int64 [batch], `Examples.keys` of the batch's recordings."""
        self.state = _mixed(_mixed(_mixed(keys) + seed) + epoch)

    def uniform(self, stream: str, first: int, count: int) -> torch.Tensor:
        """float64 [batch, count] in [0, 1): draws `first` to `first + count` of a stream."""
        position = torch.arange(first, first + count, device=self.state.device) + (_STREAMS[stream] << 40)
        bits = _mixed(self.state[:, None] + position * _GOLDEN)
        return _shifted(bits, 11).to(torch.float64) * 2.0**-53

    def normal(self, stream: str, first: int, count: int) -> torch.Tensor:
        """float32 [batch, count] standard normal, by Box and Muller (1958)."""
        half = -(-count // 2)
        radius = torch.sqrt(-2.0 * torch.log1p(-self.uniform(stream, first, half))).float()
        angle = (2.0 * math.pi * self.uniform(stream, first + half, half)).float()
        return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)[:, :count]

    def between(self, stream: str, position: int, low: float, high: float) -> torch.Tensor:
        """float64 [batch], uniform between two bounds."""
        return low + (high - low) * self.uniform(stream, position, 1)[:, 0]

    def chosen(self, stream: str, probability: float) -> torch.Tensor:
        """bool [batch]: which recordings an augmentation acts on. Draw 0 of its stream, once per recording."""
        return self.uniform(stream, 0, 1)[:, 0] < probability


def crop_start(samples: torch.Tensor, window: int, jitter: float, draws: Draws) -> torch.Tensor:
    """A random window: float64 [batch] start in samples. A shorter recording lies anywhere in its window; `jitter`
    (samples) then moves the window beyond the recording's ends by up to that much."""
    spare = (samples - window).to(torch.float64)
    start = torch.floor(draws.uniform("crop", 0, 1)[:, 0] * (spare.abs() + 1.0)) * torch.sign(spare)
    return start + torch.round(draws.between("crop", 1, -jitter, jitter))


def sine_map(time: torch.Tensor, shift: torch.Tensor, frequency: float) -> torch.Tensor:
    """Sine resampling x(t + s sin(2 pi f t)): time [batch, time] and shift [batch] in samples, frequency per sample."""
    return time + shift[:, None] * torch.sin(2.0 * math.pi * frequency * time)


def star_map(
    time: torch.Tensor, peaks: torch.Tensor, warp: torch.Tensor, gain: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """STAR, beat by beat (after arXiv:2510.24740, in the form that keeps every R-peak): within an RR interval of
    length L, u = (t - R) / L, read at u + a sin(2 pi u) / (2 pi), times 1 + b sin^2(pi u); untouched before the
    first and after the last R-peak.

    time [batch, time] in samples; peaks int64 [batch, peak], padded with `dataset.NO_PEAK`;
    warp (a, |a| < 1) and gain (b) [batch, peak], one per interval. Returns the map in samples and the gain,
    both [batch, time].
    """
    if peaks.shape[1] < 2:
        return time, torch.ones_like(time)
    position = peaks.to(torch.float64)
    interval = torch.searchsorted(position, time.contiguous(), right=True) - 1
    last = peaks.shape[1] - 2
    index = interval.clamp(0, last)
    start, end = position.gather(1, index), position.gather(1, index + 1)
    inside = (interval >= 0) & (interval <= last) & (end > start) & (end < NO_PEAK)
    length = torch.where(inside, end - start, torch.ones_like(start))
    u = torch.where(inside, (time - start) / length, torch.zeros_like(time))
    mapped = start + length * (u + warp.gather(1, index) * torch.sin(2.0 * math.pi * u) / (2.0 * math.pi))
    raised = 1.0 + gain.gather(1, index) * torch.sin(math.pi * u).square()
    return torch.where(inside, mapped, time), torch.where(inside, raised, torch.ones_like(raised))


def triangle_gain(window: int, turn: torch.Tensor, peak: torch.Tensor) -> torch.Tensor:
    """Multiply-Triangle (NaderNemati/ecg-multilabel-classifier): a gain that runs linearly from 1 at the start to
    `peak` at the sample `turn` and back to 1 at the end. turn and peak: [..., 1]; returns [..., window]."""
    time = torch.arange(window, device=turn.device, dtype=turn.dtype)
    rising = time / turn.clamp(min=1e-9)
    falling = (window - 1 - time) / (window - 1 - turn).clamp(min=1e-9)
    return 1.0 + (peak - 1.0) * torch.minimum(rising, falling).clamp(0.0, 1.0)


def _warped(
    data: Examples, rows: torch.Tensor, time: torch.Tensor, params: Params, draws: Draws
) -> tuple[torch.Tensor, torch.Tensor]:
    """The time map of the switched-on warps and the gain that comes with them, [batch, time] each."""
    gain = torch.ones_like(time)
    if params.sine:
        most = params.sine_shift_s * data.rate_hz
        shift = draws.between("sine", 1, -most, most) * draws.chosen("sine", params.sine_probability)
        time = sine_map(time, shift, params.sine_frequency_hz / data.rate_hz)
    if params.star:
        peaks = data.peaks_of(rows)
        count = peaks.shape[1]
        chosen = draws.chosen("star", params.star_probability)[:, None]
        warp = (2.0 * draws.uniform("star", 1, count) - 1.0) * params.star_warp * chosen
        raise_by = (2.0 * draws.uniform("star", 1 << 20, count) - 1.0) * params.star_gain * chosen
        time, gain = star_map(time, peaks, warp, raise_by)
    return time, gain


def _triangle(gain: torch.Tensor, params: Params, draws: Draws) -> torch.Tensor:
    window, count = gain.shape[2], len(LEADS) if params.triangle_per == "lead" else 1
    turn = draws.uniform("triangle", 1, count)[:, :, None] * (window - 1)
    share, scale = draws.uniform("triangle", 1 + len(LEADS), count)[:, :, None], params.triangle_scale
    if params.triangle_draw == "uniform":
        peak = 1.0 / scale + share * (scale - 1.0 / scale)
    else:
        peak = torch.exp((2.0 * share - 1.0) * math.log(scale))
    chosen = draws.chosen("triangle", params.triangle_probability)[:, None, None]
    return gain * torch.where(chosen, triangle_gain(window, turn, peak), torch.ones_like(gain))


def _dropped(gain: torch.Tensor, params: Params, draws: Draws) -> torch.Tensor:
    """Whole leads set to zero, never all twelve: the lead with the highest draw always stays."""
    draw = draws.uniform("lead_dropout", 1, len(LEADS))
    kept = (draw >= params.lead_dropout_share) | (draw == draw.max(dim=1, keepdim=True).values)
    kept = kept | ~draws.chosen("lead_dropout", params.lead_dropout_probability)[:, None]
    return gain * kept[:, :, None]


def _noise(signal: torch.Tensor, params: Params, draws: Draws) -> torch.Tensor:
    """White Gaussian noise at a drawn ratio to the mean power of the recording's window, the same in every lead."""
    snr_db = draws.between("noise", 1, params.noise_snr_low_db, params.noise_snr_high_db)
    power = signal.square().mean(dim=(1, 2)) * 10.0 ** (-snr_db / 10.0)
    power = power * draws.chosen("noise", params.noise_probability)
    noise = draws.normal("noise", 2, signal.shape[1] * signal.shape[2]).reshape(signal.shape)
    return noise * power.sqrt().to(signal.dtype)[:, None, None]


def augmented(
    data: Examples, rows: torch.Tensor, window: int, params: Params, draws: Draws
) -> tuple[torch.Tensor, torch.Tensor]:
    """A training batch: the recordings `rows` [batch] with every switched-on augmentation, float32
    [batch, lead, time] in mV, and which samples lie inside the recording, [batch, time]. window is in samples."""
    start = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
    if params.crop:
        start = crop_start(data.place[rows, 2], window, params.crop_jitter_s * data.rate_hz, draws)
    time = start[:, None] + torch.arange(window, device=rows.device)
    tau, gain = _warped(data, rows, time, params, draws)
    gain = gain[:, None, :]  # [batch, time] -> [batch, lead or 1, time]
    if params.triangle:
        gain = _triangle(gain, params, draws)
    if params.lead_dropout:
        gain = _dropped(gain, params, draws)
    signal = gather(data, rows, tau) * gain.to(torch.float32)
    if params.noise:
        signal = signal + _noise(signal, params, draws)
    return signal, inside(data, rows, tau)
