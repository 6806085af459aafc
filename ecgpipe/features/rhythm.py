"""What the R-peaks alone tell: the rate, how the RR intervals vary, which beats come early.

RMSSD, SDNN and pNNx are those of the Task Force of the ESC and NASPE 1996
(doi:10.1161/01.CIR.93.5.1043). The limits of an early beat and of a pause are choices of ours, as
are the bins of the entropy.
"""

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
    rr_s = np.diff(peaks_s)
    if not len(rr_s):
        return values
    median_s = float(np.median(rr_s))
    values["rate_bpm"] = 60 / median_s
    values["rr_mean_ms"] = 1000 * float(rr_s.mean())
    if len(rr_s) < _LEAST:
        return values
    steps_s = np.abs(np.diff(rr_s))
    early = prematurity(peaks_s)[1:]
    return values | {
        "rr_sd_ms": 1000 * float(rr_s.std(ddof=1)),
        "rr_cv": float(rr_s.std(ddof=1) / rr_s.mean()),
        "rmssd_ms": 1000 * float(np.sqrt((steps_s**2).mean())),
        "rr_step": float(np.median(steps_s)) / median_s,
        "pnn20": float((steps_s > 0.02).mean()),
        "pnn50": float((steps_s > 0.05).mean()),
        "rr_entropy_bit": _entropy_bit(rr_s / median_s),
        "rr_shortest": float(rr_s.min()) / median_s,
        "rr_longest": float(rr_s.max()) / median_s,
        "rr_lag1": _lag1(rr_s),
        "premature_share": float((early > 1 - EARLY).mean()),
        "pause_share": float((early < 1 - LATE).mean()),
    }


def prematurity(peaks_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """[beat]: by which share of the local RR interval (the median of five) a beat comes early;
    negative where late, 0 for the first beat."""
    rr_s = np.diff(peaks_s)
    if not len(rr_s):
        return np.zeros(len(peaks_s))
    half = _NEIGHBOURS // 2
    padded = np.pad(rr_s, half, "reflect" if len(rr_s) > half else "edge")
    local_s = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    return np.concatenate([[0.0], 1 - rr_s / local_s])


def _entropy_bit(relative: NDArray[np.float64]) -> float:
    """Shannon entropy of the intervals, as shares of their median, in bins of `_BIN`."""
    _, counts = np.unique(np.floor(relative / _BIN + 0.5), return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _lag1(rr_s: NDArray[np.float64]) -> float:
    """The correlation of each interval with the next; 0 where they do not vary."""
    away = rr_s - rr_s.mean()
    power = float((away**2).sum())
    return float((away[1:] * away[:-1]).sum()) / power if power > 0 else 0.0
