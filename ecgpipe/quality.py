"""Faults of a raw signal: what a recording is flagged for, before any filter could hide it.

- flat-lead: a lead that spans less than 10 microvolts from end to end: an electrode off, or nothing recorded.
- saturated: a lead that stays at its own largest or smallest value for 0.2 s or longer, 1 mV or more away from its
  median: the amplifier or the converter was at its end. An ECG at rest on its baseline is near its median and passes.
- out-of-range: a value beyond +-10 mV, which no heart gives at the skin.
- non-finite: missing values, few enough to be bridged (see `bridged`).
"""

import numpy as np

FLAT_MV = 0.01
SATURATED_S = 0.2
SATURATED_MV = 1.0
RANGE_MV = 10.0
MOST_MISSING = 0.1


def flags(signal_mv: np.ndarray, rate_hz: float) -> tuple[str, ...]:
    """The faults of a raw signal [time, lead] in mV, missing values as NaN; in the order of this module's list."""
    extremes = np.stack([signal_mv.min(axis=0), signal_mv.max(axis=0)])
    missing = not np.isfinite(extremes).all()
    if missing:
        finite = np.isfinite(signal_mv)
        known = signal_mv[finite.argmax(axis=0), np.arange(signal_mv.shape[1])]  # a value that each lead has anyway
        signal_mv = np.where(finite, signal_mv, np.where(np.isfinite(known), known, 0))
        extremes = np.stack([signal_mv.min(axis=0), signal_mv.max(axis=0)])
    found = {
        "flat-lead": (extremes[1] - extremes[0] < FLAT_MV).any(),
        "saturated": saturated(signal_mv, rate_hz, extremes).any(),
        "out-of-range": np.abs(extremes).max() > RANGE_MV,
        "non-finite": missing,
    }
    return tuple(name for name, holds in found.items() if holds)


def flat(signal_mv: np.ndarray) -> np.ndarray:
    """[time, lead] -> per lead: does it span less than 10 microvolts?"""
    return np.ptp(signal_mv, axis=0) < FLAT_MV


def saturated(signal_mv: np.ndarray, rate_hz: float, extremes: np.ndarray) -> np.ndarray:
    """[time, lead] -> per lead: does it stay at its smallest or largest value (`extremes` [2, lead]), far from its
    median, for 0.2 s?"""
    needed = max(2, round(SATURATED_S * rate_hz))
    result = np.zeros(signal_mv.shape[1], dtype=bool)
    # A run of `needed` samples or more holds one of every `needed`-th: most leads are done with these few.
    for side, lead in np.argwhere((signal_mv[::needed, None] == extremes).any(axis=0)):
        trace, extreme = signal_mv[:, lead], float(extremes[side, lead])
        if _longest_run(trace == extremes[side, lead]) >= needed:
            result[lead] |= abs(extreme - float(np.median(trace))) >= SATURATED_MV
    return result


def bridged(signal_mv: np.ndarray) -> np.ndarray:
    """[time, lead] with each lead's missing values put on the line between their neighbours; the ends are continued.

    ValueError where a lead misses a tenth of its values or more.
    """
    finite = np.isfinite(signal_mv)
    if finite.all():
        return signal_mv
    missing = (~finite).mean(axis=0)
    if missing.max() >= MOST_MISSING:
        raise ValueError(f"a lead may miss less than {MOST_MISSING:.0%} of its values, found {missing.max():.1%}")
    whole, time = signal_mv.copy(), np.arange(len(signal_mv))
    for lead in np.flatnonzero(missing):
        known = finite[:, lead]
        whole[~known, lead] = np.interp(time[~known], time[known], signal_mv[known, lead])
    return whole


def _longest_run(mask: np.ndarray) -> int:
    """The length of the longest run of True in [time].

    >>> _longest_run(np.array([True, False, True, True, False]))
    2
    """
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max(initial=0))
