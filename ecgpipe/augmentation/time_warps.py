"""Time maps: where each sample of an augmented window is read. Plain formulas on given draws.

Positions are in samples, float64 [batch, time]; a draw is [batch, 1]. All but STAR act on positions
in the window, counted from its first sample; `span` is its last position, the number of samples
less one.
"""

import math

import torch

from ecgpipe.dataset.examples import NO_PEAK

# The constants of the code released with STAR: segment coefficients from .8 to 1.3, on a sine from
# 5 to 7 rad.
_PUBLISHED_LOW, _PUBLISHED_HIGH, _PUBLISHED_FROM, _PUBLISHED_TO = 0.8, 1.3, 5.0, 7.0


def flipped(position: torch.Tensor, flips: torch.Tensor, span: int) -> torch.Tensor:
    """The window read backwards where `flips` (bool)."""
    return torch.where(flips, span - position, position)


def rolled(position: torch.Tensor, shift: torch.Tensor, span: int) -> torch.Tensor:
    """The window read from `shift` (whole samples) on, and from its start again beyond its end."""
    return torch.remainder(position + shift, span + 1)


def stretched(position: torch.Tensor, factor: torch.Tensor, span: int) -> torch.Tensor:
    """A second lasts `factor` seconds; the window's middle stays."""
    return span / 2 + (position - span / 2) / factor


def sine_resampled(
    position: torch.Tensor, shift: torch.Tensor, frequency: torch.Tensor
) -> torch.Tensor:
    """x(t + s sin(2 pi f t)), sine resampling of NaderNemati/ecg-multilabel-classifier: shift s in
    samples, frequency f per sample."""
    return position + shift * torch.sin(2.0 * math.pi * frequency * position)


def linear_resampled(position: torch.Tensor, end: torch.Tensor, span: float) -> torch.Tensor:
    """Linear resampling of NaderNemati/ecg-multilabel-classifier: t multiplied by a line from 1 to
    `end` (c > 0.5) and scaled back to the window, t (1 + (c - 1) t / span) / c: its speed runs
    along a line, both ends stay."""
    return position * (1.0 + (end - 1.0) * position / span) / end


def triangle_resampled(position: torch.Tensor, end: torch.Tensor, span: int) -> torch.Tensor:
    """Triangle resampling: linear resampling up to the window's middle and its mirror image from
    there on, so that the speed runs along a triangle. (The published code resamples the halves by
    two factors apart.)"""
    half = span / 2
    mirrored = torch.minimum(position, span - position)
    read = linear_resampled(mirrored, end, half)
    return torch.where(position <= half, read, span - read)


def star(
    time: torch.Tensor, peaks: torch.Tensor, warp: torch.Tensor, gain: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """STAR, beat by beat (after arXiv:2510.24740, in the form that keeps every R-peak): within an
    RR interval of length L, u = (t - R) / L, read at u + a sin(2 pi u) / (2 pi), times 1 + b
    sin^2(pi u); untouched before the first and after the last R-peak.

    time [batch, time] in samples of the recording; peaks int64 [batch, peak], padded with
    `dataset.examples.NO_PEAK`; warp (a, |a| < 1) and gain (b) [batch, peak], one per interval.
    Returns the map in samples and the gain, both [batch, time].
    """
    if peaks.shape[1] < 2:
        return time, torch.ones_like(time)
    position = peaks.to(torch.float64)
    interval = torch.searchsorted(position, time.contiguous(), right=True) - 1
    last = peaks.shape[1] - 2
    index = interval.clamp(0, last)
    start, end = position.gather(1, index), position.gather(1, index + 1)
    inside = ((interval >= 0) & (interval <= last) & (end > start) & (end < NO_PEAK)).to(
        torch.float64
    )
    length = (end - start).clamp(min=1.0)
    angle = 2.0 * math.pi * inside * (time - start) / length
    mapped = time + inside * length * warp.gather(1, index) / (2.0 * math.pi) * torch.sin(angle)
    return mapped, 1.0 + gain.gather(1, index) * (0.5 - 0.5 * torch.cos(angle)) * inside


def star_published(
    position: torch.Tensor, peaks: torch.Tensor, span: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """STAR as the code released with it computes it, for comparison: RR intervals are made equal,
    then the j-th is resampled to c_j times its length and multiplied by c_j, c_j on a sine; the
    tail takes what is left. No draws.

    peaks: float64 [batch, peak], R-peaks in the window, ascending, padded with infinity. Returns
    map and gain. The released code interpolates twice, and fails where nothing is left for the
    tail; here the map is composed and read once, and a window where it fails, or with fewer than
    two R-peaks, is left as it was. Source: class EqualSegmentResampler of
    NaderNemati/ecg-multilabel-classifier.
    """
    known = torch.isfinite(peaks)
    number = (known.sum(dim=1, keepdim=True) - 1).clamp(min=1).to(torch.float64)  # of intervals
    order = torch.arange(max(peaks.shape[1] - 1, 1), device=peaks.device, dtype=torch.float64)[None]
    real = order < number
    peaks = torch.nn.functional.pad(torch.where(known, peaks, 0.0), (0, max(2 - peaks.shape[1], 0)))
    first, final = peaks[:, :1], peaks.amax(dim=1, keepdim=True)
    total = final - first
    equal = torch.round((order + 1) * total / number) - torch.round(order * total / number)
    wave = torch.sin(_PUBLISHED_FROM + order * (_PUBLISHED_TO - _PUBLISHED_FROM) / number)
    wave = wave - torch.where(real, wave, torch.inf).amin(dim=1, keepdim=True)
    highest = torch.where(real, wave, 0.0).amax(dim=1, keepdim=True).clamp(min=1e-12)
    weight = torch.where(
        real, wave * ((_PUBLISHED_HIGH - _PUBLISHED_LOW) / highest) + _PUBLISHED_LOW, 0.0
    )
    weight = weight * number / weight.sum(dim=1, keepdim=True)
    length = torch.where(real, torch.floor(equal * weight + 1e-9), 0.0)
    ends = first + length.to(torch.int64).cumsum(dim=1)  # whole numbers: a sum in any order
    left = total - length.sum(dim=1, keepdim=True)
    # Sample `position` of the new window lies in interval `index`, or in the tail, or before the
    # first R-peak.
    index = torch.searchsorted(ends, position.contiguous(), right=True).clamp(
        max=order.shape[1] - 1
    )
    begin, size = (ends - length).gather(1, index), length.gather(1, index)
    old = torch.diff(peaks, dim=1).gather(1, index)
    mapped = peaks.gather(1, index) + (position - begin) * (old - 1) / (size - 1).clamp(min=1.0)
    tail = position >= ends[:, -1:]
    rest = span + 1 - final
    mapped = torch.where(
        tail,
        final + (position - ends[:, -1:]) * (rest - 1) / (rest + left - 1).clamp(min=1),
        mapped,
    )
    gain = torch.where(tail, 1.0, weight.gather(1, index))
    acts = (known.sum(dim=1, keepdim=True) >= 2) & (left >= 0) & (position >= first)
    return torch.where(acts, mapped, position), torch.where(acts, gain, 1.0)
