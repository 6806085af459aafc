"""STAR, which works beat by beat: what lies between two R-peaks moves, and grows or shrinks.

In two forms, each with its formula: one that keeps every R-peak, and the one of the code that was
released with the paper (arXiv:2510.24740).
"""

import math

import torch

from ecgpipe.augmentation.acts import Act, Batch
from ecgpipe.dataset.examples import NO_PEAK, Examples

# The constants of the code released with STAR: segment coefficients from .8 to 1.3, on a sine from
# 5 to 7 rad.
_PUBLISHED_LOW, _PUBLISHED_HIGH = 0.8, 1.3
_PUBLISHED_FROM, _PUBLISHED_TO = 5.0, 7.0
_GAINS = 1 << 20  # the draws of gains begin here in the stream, behind those of warps


def beatwise(
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
    between = (interval >= 0) & (interval <= last) & (end > start) & (end < NO_PEAK)
    inside = between.to(torch.float64)
    length = (end - start).clamp(min=1.0)
    angle = 2.0 * math.pi * inside * (time - start) / length
    mapped = time + inside * length * warp.gather(1, index) / (2.0 * math.pi) * torch.sin(angle)
    return mapped, 1.0 + gain.gather(1, index) * (0.5 - 0.5 * torch.cos(angle)) * inside


def _coefficients(order: torch.Tensor, intervals: torch.Tensor) -> torch.Tensor:
    """The published c_j of the `intervals` [batch, 1] first of the numbers `order` [1, interval],
    of mean 1; zero of the others."""
    real = order < intervals
    wave = torch.sin(_PUBLISHED_FROM + order * (_PUBLISHED_TO - _PUBLISHED_FROM) / intervals)
    wave = wave - torch.where(real, wave, torch.inf).amin(dim=1, keepdim=True)
    highest = torch.where(real, wave, 0.0).amax(dim=1, keepdim=True).clamp(min=1e-12)
    scaled = wave * ((_PUBLISHED_HIGH - _PUBLISHED_LOW) / highest) + _PUBLISHED_LOW
    weight = torch.where(real, scaled, 0.0)
    return weight * intervals / weight.sum(dim=1, keepdim=True)


def published(
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
    intervals = (known.sum(dim=1, keepdim=True) - 1).clamp(min=1).to(torch.float64)
    order = torch.arange(max(peaks.shape[1] - 1, 1), device=peaks.device, dtype=torch.float64)[None]
    peaks = torch.nn.functional.pad(torch.where(known, peaks, 0.0), (0, max(2 - peaks.shape[1], 0)))
    first, final = peaks[:, :1], peaks.amax(dim=1, keepdim=True)
    total = final - first
    equal = torch.round((order + 1) * total / intervals) - torch.round(order * total / intervals)
    weight = _coefficients(order, intervals)
    length = torch.where(order < intervals, torch.floor(equal * weight + 1e-9), 0.0)
    ends = first + length.to(torch.int64).cumsum(dim=1)  # whole numbers: a sum in any order
    left = total - length.sum(dim=1, keepdim=True)
    # Sample `position` of the new window lies in interval `index`, or in the tail, or before the
    # first R-peak.
    index = torch.searchsorted(ends, position.contiguous(), right=True)
    index = index.clamp(max=order.shape[1] - 1)
    begin, size = (ends - length).gather(1, index), length.gather(1, index)
    old = torch.diff(peaks, dim=1).gather(1, index)
    mapped = peaks.gather(1, index) + (position - begin) * (old - 1) / (size - 1).clamp(min=1.0)
    tail = position >= ends[:, -1:]
    rest = span + 1 - final
    speed = (position - ends[:, -1:]) * (rest - 1) / (rest + left - 1).clamp(min=1)
    mapped = torch.where(tail, final + speed, mapped)
    gain = torch.where(tail, 1.0, weight.gather(1, index))
    acts = (known.sum(dim=1, keepdim=True) >= 2) & (left >= 0) & (position >= first)
    return torch.where(acts, mapped, position), torch.where(acts, gain, 1.0)


def peaks_within(peaks: torch.Tensor, start: torch.Tensor, window: int) -> torch.Tensor:
    """The R-peaks [batch, peak] that lie in the window, in samples of it: float64, padded with
    infinity."""
    within = peaks - start
    before = (within < 0).sum(dim=1, keepdim=True)
    order = torch.arange(peaks.shape[1], device=peaks.device) + before
    within = within.gather(1, order.clamp(max=max(peaks.shape[1] - 1, 0)))
    there = (order < peaks.shape[1]) & (within < window) & (within < NO_PEAK - start)
    return torch.where(there, within.double(), torch.inf)


def _star(
    batch: Batch, position: torch.Tensor, start: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    peaks, settings = batch.data.peaks_of(batch.rows, batch.prepared), batch.settings
    if settings["how"] == "published":
        within = peaks_within(peaks, start, batch.window)
        within = torch.where(batch.chosen, within, torch.inf)
        mapped, gain = published(position.expand(len(peaks), -1), within, batch.span)
        return start + mapped, gain
    count = peaks.shape[1]
    warp = batch.draws.between(1, -settings["warp"], settings["warp"], count)
    gain = batch.draws.between(_GAINS, -settings["gain"], settings["gain"], count)
    return beatwise(start + position, peaks, warp * batch.chosen, gain * batch.chosen)


def _most_peaks(data: Examples, *_: object) -> int:
    return data.most_peaks()


ACTS = {"star": Act(_star, prepare=_most_peaks)}
