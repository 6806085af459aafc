"""R-peaks of a conditioned recording, by a compiled detector."""

import math

import numpy as np
import sleepecg

from ecgpipe.project.leads import LEADS

_LEAST_RANGE_MV = 0.05  # below, a lead has no beat
_LEARNING_S = 2.0
_REACH_S = 0.06


def r_peaks(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """The R-peaks of a conditioned recording [time, 12], in samples, by sleepecg's detector (a
    compiled Pan-Tompkins after Behar et al. 2014; F. Hofmann et al., doi:10.21105/joss.05411) on
    lead II, or where that is flat on the lead with the largest range. Each is moved to the lead's
    largest deflection within 60 ms. Empty where the recording has none."""
    trace = signal_mv[:, LEADS.index("II")].astype(np.float64)
    if trace.max() - trace.min() < _LEAST_RANGE_MV:
        widest = int(np.ptp(signal_mv, axis=0).argmax())
        trace = signal_mv[:, widest].astype(np.float64)
    beats = _beats(trace, rate_hz)
    reach = round(_REACH_S * rate_hz)
    around = beats[:, None] + np.arange(-reach, reach + 1)  # [beat, sample near it]
    np.minimum(np.maximum(around, 0, out=around), len(trace) - 1, out=around)
    largest = np.abs(trace[around]).argmax(axis=1)
    peaks = around[np.arange(len(beats)), largest]
    return np.array(sorted(set(peaks.tolist())), dtype=np.int32)


def _beats(trace: np.ndarray, rate_hz: float) -> np.ndarray:
    """What sleepecg finds in [time], in samples.

    Its compiled steps write beyond their memory where a trace is shorter than the time from which
    they learn, or equal in it; so such a trace has no beat here, and none is shown to them without
    as much time after its end.
    """
    first_change = int((trace != trace[0]).argmax())
    begin = max(0, first_change - 1)  # an equal start is dropped, by it or by us
    rest = trace[begin:]
    samples = len(rest)
    if samples < _LEARNING_S * rate_hz or rest[1:].max() - rest[1:].min() < _LEAST_RANGE_MV:
        return np.zeros(0, dtype=np.int64)
    shown = np.empty(samples + math.ceil(_LEARNING_S * rate_hz) + 1)
    shown[:samples] = rest
    shown[samples:] = rest[-1]
    beats = sleepecg.detect_heartbeats(shown, rate_hz)
    return beats[beats < samples] + begin
