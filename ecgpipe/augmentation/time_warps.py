"""Time maps: where each sample of an augmented window is read.

Each stands here with its formula, on given draws [batch, 1]; its record is in `time_records`.
Positions are in samples [batch, time], float64, or int64 where nothing reads between samples; but
for `crop` and `jitter` they are counted from the first sample of the window, and `span` is its last
position, the number of samples less one.
"""

import math

import torch

from ecgpipe.augmentation.acts import Act, Batch


def _crop(batch: Batch) -> torch.Tensor:
    """Somewhere in the recording; a shorter recording lies somewhere in its window."""
    spare = (batch.data.place[batch.rows, 2:] - batch.window).to(torch.float64)
    return torch.floor(batch.draws.uniform(0, 1) * (spare.abs() + 1.0)) * torch.sign(spare)


def _jitter(batch: Batch) -> torch.Tensor:
    most = batch.settings["s"] * batch.data.rate_hz
    return torch.round(batch.draws.between(0, -most, most))


def rolled(position: torch.Tensor, shift: torch.Tensor, span: int) -> torch.Tensor:
    """The window read from `shift` (whole samples) on, and from its start again beyond its end."""
    return torch.remainder(position + shift, span + 1)


def _roll(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    most = batch.settings["s"] * batch.data.rate_hz
    shift = torch.round(batch.draws.between(1, -most, most))
    return rolled(position, (shift * batch.chosen).to(position.dtype), batch.span)


def stretched(position: torch.Tensor, factor: torch.Tensor, span: int) -> torch.Tensor:
    """A second lasts `factor` seconds; the window's middle stays."""
    return span / 2 + (position - span / 2) / factor


def _stretch(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    factor = batch.draws.log_between(1, batch.settings["scale"])
    return stretched(position, factor**batch.chosen, batch.span)


def sine_resampled(
    position: torch.Tensor, shift: torch.Tensor, frequency: torch.Tensor
) -> torch.Tensor:
    """x(t + s sin(2 pi f t)), sine resampling of NaderNemati/ecg-multilabel-classifier: shift s in
    samples, frequency f per sample."""
    return position + shift * torch.sin(2.0 * math.pi * frequency * position)


def _sine_resample(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    settings, rate_hz = batch.settings, batch.data.rate_hz
    shift_s = batch.draws.between(1, settings["shift_low_s"], settings["shift_high_s"])
    low_hz, high_hz = settings["frequency_low_hz"], settings["frequency_high_hz"]
    frequency = batch.draws.between(2, low_hz, high_hz) / rate_hz
    return sine_resampled(position, shift_s * rate_hz * batch.chosen, frequency)


def linear_resampled(position: torch.Tensor, end: torch.Tensor, span: float) -> torch.Tensor:
    """Linear resampling of NaderNemati/ecg-multilabel-classifier: t multiplied by a line from 1 to
    `end` (c > 0.5) and scaled back to the window, t (1 + (c - 1) t / span) / c: its speed runs
    along a line, both ends stay."""
    return position * (1.0 + (end - 1.0) * position / span) / end


def _end(batch: Batch) -> torch.Tensor:
    """The drawn end of the line, 1 where the recording is left alone."""
    end = batch.draws.between(1, batch.settings["low"], batch.settings["high"])
    return end**batch.chosen


def _linear_resample(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    return linear_resampled(position, _end(batch), batch.span)


def triangle_resampled(position: torch.Tensor, end: torch.Tensor, span: int) -> torch.Tensor:
    """Triangle resampling: linear resampling up to the window's middle and its mirror image from
    there on, so that the speed runs along a triangle. (The published code resamples the halves by
    two factors apart.)"""
    half = span / 2
    mirrored = torch.minimum(position, span - position)
    read = linear_resampled(mirrored, end, half)
    return torch.where(position <= half, read, span - read)


def _triangle_resample(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    return triangle_resampled(position, _end(batch), batch.span)


ACTS = {
    "crop": Act(_crop),
    "jitter": Act(_jitter),
    "roll": Act(_roll),
    "stretch": Act(_stretch),
    "sine_resample": Act(_sine_resample),
    "linear_resample": Act(_linear_resample),
    "triangle_resample": Act(_triangle_resample),
}
