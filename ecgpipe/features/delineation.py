"""Where the waves of the median beat begin and end, in all leads together.

- QRS: from its steepest part outwards to where the slope, the root mean square over the leads,
  stays below a share of its largest value (a share of the slope lead by lead: P. Laguna, R. Jane,
  P. Caminal 1994, doi:10.1006/cbmr.1994.1006; all leads together: P. Kligfield et al. 2007,
  doi:10.1161/CIRCULATIONAHA.106.180200).
- T: its end is where the tangent of its steepest descent meets the level before the QRS
  (E. Lepeschkin and B. Surawicz 1952, doi:10.1161/01.CIR.6.3.378), as seen along the direction in
  which T is largest.
- P: the largest hump before the QRS, from and to where its slope is below a share of its largest.

The shares and times below were chosen by us on simulated hearts, on neurokit2's marks and on the
QRS and PR of real recordings with and without blocks; tests/features/test_delineation.py holds how
far the marks are from the truth of simulated hearts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgpipe.features.beats import SLOPE_S, Beats, slope
from ecgpipe.features.medians import median

_NEAR_S = 0.06  # from the R-peak to the steepest part of the QRS, at most
_QRS_HALF_S = 0.13  # from there to its begin or end, at most
_QRS_SHARE = 0.055  # of the largest slope
_STILL_S = 0.008, 0.024  # how long the slope stays below it, before and after the QRS
_HIGH_SHARE = 0.5  # of the QRS's height: so far from the level is no begin or end, but a plateau
_T_LEAST_MV = 0.04
_P_BEFORE_S = 0.4  # the QRS, and at most so much of the RR interval:
_P_BEFORE_RR = 0.6
_P_HALF_S = 0.04  # of the hump that is looked for
_P_LONGEST_HALF_S = 0.09
_P_SHARE = 0.1


@dataclass(frozen=True)
class Marks:
    """Samples of the median beat. P and T have marks whether or not they are there: `has_t` says
    whether T stands out; whether P does is seen in the single beats (`atria`)."""

    qrs: tuple[int, int]
    p: tuple[int, int, int]  # begin, peak, end
    t: tuple[int, int]  # peak, end
    p_window: tuple[int, int]  # where P was looked for
    has_t: bool
    level_mv: NDArray[np.float64]  # [lead], just before the QRS


def delineate(beats: Beats) -> Marks:
    """The marks of the median beat."""
    median_mv = beats.median_mv.astype(np.float64)
    qrs = _qrs(beats, median_mv)
    level_mv = median_mv[qrs[0] - beats.samples(0.012) : qrs[0] + 1].mean(axis=0)
    centred_mv = median_mv - level_mv
    t, has_t = _t(beats, centred_mv, qrs)
    p_window = _before_qrs(beats, qrs, t[1] if has_t else None)
    p = _p(beats, centred_mv, p_window)
    return Marks(qrs, p, t, p_window, has_t, level_mv)


def _qrs(beats: Beats, median_mv: NDArray) -> tuple[int, int]:
    """Begin and end of the QRS."""
    speed = slope(median_mv, beats.samples(SLOPE_S))
    near, reach = beats.samples(_NEAR_S), beats.samples(_QRS_HALF_S)
    first = beats.centre - near
    steepest = first + int(speed[first : beats.centre + near].argmax())
    away_mv = median_mv - median(median_mv[steepest - 2 * reach : steepest - reach // 2])
    size = np.sqrt((away_mv * away_mv).sum(axis=1) / away_mv.shape[1])
    is_high = size > _HIGH_SHARE * size[steepest - near : steepest + near].max()
    before = slice(steepest, steepest - reach - 1, -1)
    after = slice(steepest, steepest + reach + 1)
    still = [beats.samples(each_s) for each_s in _STILL_S]
    begin = steepest - _first_still(speed[before], is_high[before], still[0])
    return begin, steepest + _first_still(speed[after], is_high[after], still[1])


def _first_still(speed: NDArray, is_high: NDArray, samples: int) -> int:
    """How far from the steepest part of a QRS, the first of `speed`, outwards it is and stays
    still, other than high up on a plateau; at least 1. ST and T have a slope of their own, so that
    the least one around counts as none."""
    outside = np.where(is_high, np.inf, speed)
    least = min(float(outside.min()), float(speed[0]))
    is_still = outside <= least + _QRS_SHARE * (float(speed[0]) - least)
    stays = is_still.tobytes().find(b"\x01" * samples)  # a byte each: so many in a row
    return max(stays if stays >= 0 else int(outside.argmin()), 1)


def _t(beats: Beats, centred_mv: NDArray, qrs: tuple[int, int]) -> tuple[tuple[int, int], bool]:
    """Peak and end of T, and whether it stands out."""
    first, last = qrs[1] + beats.samples(0.04), len(centred_mv)
    if np.isfinite(beats.rr_s):
        # The next P lies before the next QRS, at a fast rate nearer to it.
        last = min(last, qrs[0] + beats.samples(beats.rr_s - min(0.2, 0.3 * beats.rr_s)))
    last = min(max(last, first + beats.samples(0.1)), len(centred_mv))
    part_mv = centred_mv[first:last]
    direction = np.linalg.eigh(part_mv.T @ part_mv)[1][:, -1]
    seen = part_mv @ direction
    seen = seen if seen[np.abs(seen).argmax()] > 0 else -seen
    peak = int(seen[: len(seen) - beats.samples(0.04)].argmax())
    fall = -np.diff(seen[peak : peak + beats.samples(0.2)])
    steepest = int(fall.argmax())
    if fall[steepest] <= 0:
        return (first + peak, last), False
    halfway = float(seen[peak + steepest] + seen[peak + steepest + 1]) / 2
    ahead = min(max(halfway / float(fall[steepest]), 0), beats.samples(0.12))
    end = first + round(peak + steepest + 0.5 + ahead)
    has_t = float(seen[peak]) > _T_LEAST_MV and end < last + beats.samples(0.06)
    return (first + peak, end), has_t


def _before_qrs(beats: Beats, qrs: tuple[int, int], t_end: int | None) -> tuple[int, int]:
    """Where P is looked for: after the T of the beat before."""
    first = qrs[0] - beats.samples(_P_BEFORE_S)
    if np.isfinite(beats.rr_s):
        ahead = beats.samples(beats.rr_s)
        first = max(first, qrs[0] - round(_P_BEFORE_RR * ahead))
        if t_end is not None:
            first = max(first, t_end - ahead + beats.samples(0.02))
    last = qrs[0] - beats.samples(0.004)
    return max(min(first, last - beats.samples(0.1)), 0), last


def _p(beats: Beats, centred_mv: NDArray, window: tuple[int, int]) -> tuple[int, int, int]:
    """Begin, peak and end of P."""
    part_mv = centred_mv[slice(*window)]
    hump_mv = humps(part_mv, beats.samples(_P_HALF_S))
    # A hump away from the usual level, as the tail of T is none.
    strength = (hump_mv * (part_mv - median(part_mv))).sum(axis=1)
    edge = beats.samples(0.02)
    peak = edge + int(strength[edge : len(strength) - edge].argmax())
    rise, longest = _rise(part_mv @ hump_mv[peak]), beats.samples(_P_LONGEST_HALF_S)
    begin = _edge(rise[max(peak - longest, 0) : peak + 1][::-1])
    end = _edge(-rise[peak : peak + longest])
    return window[0] + peak - begin, window[0] + peak, window[0] + peak + end


def humps(part_mv: NDArray, half: int) -> NDArray[np.float64]:
    """[time, lead]: by how much the mean of the `2 * half` samples about each is above that of the
    `2 * half` samples beside them. Beyond its ends the part goes on as it was there.

    >>> humps(np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [0.0], [0.0], [0.0]]), 1)[4].item()
    1.0
    """
    samples = len(part_mv)
    places = np.arange(-2 * half - 1, samples + 2 * half)
    total = part_mv.T.take(places, axis=1, mode="clip").cumsum(axis=1).T
    inner = total[3 * half : 3 * half + samples] - total[half : half + samples]
    whole = total[4 * half : 4 * half + samples] - total[:samples]
    return (2 * inner - whole) / (2 * half)


def _rise(seen: NDArray) -> NDArray[np.float64]:
    """The change of [time] from sample to sample, about each of them."""
    change = seen[1:] - seen[:-1]
    rise = np.empty_like(seen)
    rise[0], rise[-1] = change[0], change[-1]
    rise[1:-1] = (change[1:] + change[:-1]) / 2
    return rise


def _edge(rise: NDArray) -> int:
    """Steps from a peak outwards to where the `rise` to it, after its steepest, is below a share
    of that."""
    steepest = int(rise.argmax())
    is_below = rise[steepest:] < _P_SHARE * rise[steepest]
    return steepest + int(is_below.argmax()) if is_below.any() else len(rise) - 1
