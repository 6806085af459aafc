"""R-peaks of a conditioned recording, by a compiled detector."""

import functools
import math

import numpy as np
from scipy.signal import butter, lfilter, lfilter_zi
from sleepecg.heartbeats import _squared_moving_integration, _thresholding

from ecgpipe.project import leads


def r_peaks(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """The R-peaks of a conditioned recording [time, 12], in samples, by sleepecg's detector (a
    compiled Pan-Tompkins after Behar et al. 2014; F. Hofmann et al., doi:10.21105/joss.05411) on
    lead II, or where that is flat on the lead with the largest range. Each is moved to the lead's
    largest deflection within 60 ms. Empty where the recording has none."""
    trace = signal_mv[:, leads.LEADS.index("II")].astype(np.float64)
    if np.ptp(trace) < 0.05:
        trace = signal_mv[:, int(np.ptp(signal_mv, axis=0).argmax())].astype(np.float64)
    # The detector drops an equal start, then learns from 2 s, and writes beyond its memory where
    # these lack.
    begin = max(0, int((trace != trace[0]).argmax()) - 1)
    rest = trace[begin:]
    if len(rest) < 2 * rate_hz or np.ptp(rest[1:]) < 0.05:
        return np.zeros(0, dtype=np.int32)
    padded = np.append(rest, np.full(math.ceil(2 * rate_hz) + 1, rest[-1]))
    found = _heartbeats(padded, rate_hz)
    found = found[found < len(rest)] + begin
    reach = round(0.06 * rate_hz)
    around = (found[:, None] + np.arange(-reach, reach + 1)).clip(0, len(trace) - 1)
    moved = around[np.arange(len(found)), np.abs(trace[around]).argmax(axis=1)]
    return np.unique(moved).astype(np.int32)


def _heartbeats(trace: np.ndarray, rate_hz: float) -> np.ndarray:
    """What `sleepecg.detect_heartbeats` finds, from the same compiled steps in a third of the time:
    its filter (scipy's sosfiltfilt, here run as one difference equation) works out its state at
    rest anew for every recording."""
    numerator, denominator, state, width = _detector(rate_hz)
    edge = 3 * len(numerator)
    head, tail = 2 * trace[0] - trace[edge:0:-1], 2 * trace[-1] - trace[-2 : -edge - 2 : -1]
    once = np.concatenate([head, trace, tail])
    for _ in range(2):
        once = lfilter(numerator, denominator, once, zi=state * once[0])[0][::-1]
    filtered = np.ascontiguousarray(once[edge:-edge])
    slope = np.correlate(filtered, np.array([-1, -2, 0, 2, 1]), mode="same")
    return np.flatnonzero(
        _thresholding(filtered, _squared_moving_integration(slope, width), rate_hz)
    )


@functools.lru_cache(maxsize=8)
def _detector(rate_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Of sleepecg's detector: numerator and denominator of its 5-30 Hz filter, its state at rest,
    its window."""
    numerator, denominator = butter(2, (5, 30), "bandpass", fs=rate_hz)
    return numerator, denominator, lfilter_zi(numerator, denominator), int(0.15 * rate_hz)
