"""What the R-peaks alone tell: the rate, how the RR intervals vary, which beats come early.

RMSSD, SDNN and pNNx are those of the Task Force of the ESC and NASPE 1996
(doi:10.1161/01.CIR.93.5.1043). The limits of an early beat and of a pause are choices of ours, as
are the bins of the entropy.
"""

import collections
import itertools
import math
import statistics

import numpy as np
from numpy.typing import NDArray

UNITS = {
    "rate_bpm": "1/min",
    "rr_mean_ms": "ms",
    "rr_sd_ms": "ms",
    "rr_cv": "1",
    "rmssd_ms": "ms",
    "rr_step": "1",
    "pnn20": "1",
    "pnn50": "1",
    "rr_entropy_bit": "bit",
    "rr_shortest": "1",
    "rr_longest": "1",
    "rr_lag1": "1",
    "premature_share": "1",
    "pause_share": "1",
}
EARLY, LATE = 0.85, 1.2  # of the local RR interval
_NEIGHBOURS = 5  # intervals that the local one is the median of
_BIN = 0.06  # of the median RR interval
_LEAST = 3  # intervals for anything but the rate


def measure(peaks_s: NDArray[np.float64]) -> dict[str, float]:
    """The features of `UNITS` of R-peaks in seconds; those that need more beats than there are
    are NaN.

    rr_cv, rr_step (the median absolute change from one interval to the next), rr_shortest and
    rr_longest are shares of the mean or median interval. rr_lag1 is the correlation of successive
    intervals: below 0 where short and long ones alternate, above 0 where they swing slowly.
    """
    values = dict.fromkeys(UNITS, np.nan)
    rr_s = np.diff(peaks_s).tolist()
    if not rr_s:
        return values
    intervals, median_s, mean_s = len(rr_s), statistics.median(rr_s), sum(rr_s) / len(rr_s)
    values["rate_bpm"] = 60 / median_s
    values["rr_mean_ms"] = 1000 * mean_s
    if intervals < _LEAST:
        return values
    steps_s = [abs(later - earlier) for earlier, later in itertools.pairwise(rr_s)]
    away_s = [each_s - mean_s for each_s in rr_s]
    squares = sum(each_s * each_s for each_s in away_s)
    lagged = sum(earlier * later for earlier, later in itertools.pairwise(away_s))
    deviation_s = math.sqrt(squares / (intervals - 1))
    early = prematurity(peaks_s).tolist()[1:]
    return values | {
        "rr_sd_ms": 1000 * deviation_s,
        "rr_cv": deviation_s / mean_s,
        "rmssd_ms": 1000 * math.sqrt(sum(step_s * step_s for step_s in steps_s) / len(steps_s)),
        "rr_step": statistics.median(steps_s) / median_s,
        "pnn20": sum(step_s > 0.02 for step_s in steps_s) / len(steps_s),
        "pnn50": sum(step_s > 0.05 for step_s in steps_s) / len(steps_s),
        "rr_entropy_bit": _entropy_bit([each_s / median_s for each_s in rr_s]),
        "rr_shortest": min(rr_s) / median_s,
        "rr_longest": max(rr_s) / median_s,
        "rr_lag1": lagged / squares if squares > 0 else 0.0,
        "premature_share": sum(each > 1 - EARLY for each in early) / intervals,
        "pause_share": sum(each < 1 - LATE for each in early) / intervals,
    }


def prematurity(peaks_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """[beat]: by which share of the local RR interval (the median of five) a beat comes early;
    negative where late, 0 for the first beat."""
    rr_s = np.diff(peaks_s).tolist()
    if not rr_s:
        return np.zeros(len(peaks_s))
    half = _NEIGHBOURS // 2
    if len(rr_s) > half:  # mirrored at both ends
        padded_s = [*rr_s[half:0:-1], *rr_s, *rr_s[-2 : -half - 2 : -1]]
    else:
        padded_s = [rr_s[0]] * half + rr_s + [rr_s[-1]] * half
    early = [0.0]
    for place, interval_s in enumerate(rr_s):
        local_s = sorted(padded_s[place : place + _NEIGHBOURS])[half]
        early.append(1 - interval_s / local_s)
    return np.array(early)


def _entropy_bit(relative: list[float]) -> float:
    """Shannon entropy of the intervals, as shares of their median, in bins of `_BIN`."""
    counts = collections.Counter(math.floor(each / _BIN + 0.5) for each in relative).values()
    total = len(relative)
    return sum(count / total * math.log2(total / count) for count in counts)
