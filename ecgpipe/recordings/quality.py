"""Faults of a raw signal: what a recording is flagged for, before any filter could hide it.

- flat-lead: a lead that spans less than 10 microvolts from end to end: an electrode off, or nothing
  recorded.
- saturated: a lead that stays at its own largest or smallest value for 0.2 s or longer, 1 mV or
  more away from its median: the amplifier or the converter was at its end. An ECG at rest on its
  baseline is near its median and passes.
- out-of-range: a value beyond +-10 mV, which no heart gives at the skin.
- limb-leads: lead II is not I + III (Einthoven's law) within 0.05 mV at a hundredth of the samples
  or more, so that the leads are not of one heart, or exchanged. Rounding each lead to a step of the
  converter leaves 1.5 steps: 7.5 microvolts at 200 steps a mV, the coarsest in use; float16 adds
  1.5 microvolts below 4 mV. 345 recordings of nine data sets were found within 3 microvolts. Not
  asked where a limb lead is flat or saturated, which is flagged.
- non-finite: missing values, few enough to be bridged (see `bridged`).
"""

import numpy as np

from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

FLAT_MV = 0.01
SATURATED_S = 0.2
SATURATED_MV = 1.0
RANGE_MV = 10.0
MOST_MISSING = 0.1
LIMB_MV = 0.05
LIMB_SHARE = 0.01
_I, _II, _III = (LEADS.index(lead) for lead in ("I", "II", "III"))
SENTENCES = {
    "flat-lead": "a lead spans less than 10 microvolts",
    "saturated": "a lead stays at its extreme value for 0.2 s or longer",
    "out-of-range": "a value lies beyond 10 mV",
    "limb-leads": "lead II is not I + III",
    "non-finite": "missing values were bridged",
    "odd-age": "the age is none, or stated twice",
    "odd-sex": "the sex is none, or stated twice",
    "odd-labels": "the labels are no codes of SNOMED CT separated by commas, or stated twice",
    "unknown-label": (
        "a label is not understood, so that only classes which the others state are known"
    ),
    "derived-leads": "leads that the file leaves out were derived from I and II",
    "parser-warning": "the library that parses the format warned of something in the file",
}


def flags(signal_mv: np.ndarray, rate_hz: float) -> tuple[str, ...]:
    """The faults of a raw signal [time, lead] in mV, missing values as NaN; in the order of this
    module's list."""
    extremes = _extremes(signal_mv)  # [smallest or largest, lead]
    missing = not np.isfinite(extremes).all()
    if missing:
        known_mv = _with_known_values(signal_mv)
        extremes = _extremes(known_mv)
    else:
        known_mv = signal_mv
    is_flat = extremes[1] - extremes[0] < FLAT_MV
    is_saturated = saturated(known_mv, rate_hz, extremes)
    limbs_are_sound = len(is_flat) > 2 and not (is_flat | is_saturated)[:3].any()
    holds = {
        "flat-lead": is_flat.any(),
        "saturated": is_saturated.any(),
        "out-of-range": np.abs(extremes).max() > RANGE_MV,
        "limb-leads": limbs_are_sound and unlawful(signal_mv),
        "non-finite": missing,
    }
    return tuple(flag for flag, is_so in holds.items() if is_so)


def _extremes(signal_mv: np.ndarray) -> np.ndarray:
    """[2, lead]: the smallest and the largest value."""
    return np.stack([signal_mv.min(axis=0), signal_mv.max(axis=0)])


def _with_known_values(signal_mv: np.ndarray) -> np.ndarray:
    """[time, lead] with each missing value replaced by one that its lead has anyway, 0 where it has
    none."""
    finite = np.isfinite(signal_mv)
    first = signal_mv[finite.argmax(axis=0), np.arange(signal_mv.shape[1])]
    return np.where(finite, signal_mv, np.where(np.isfinite(first), first, 0))


def unlawful(signal_mv: np.ndarray) -> bool:
    """[time, lead], leads I, II and III first -> is I + III not II? (W. Einthoven, Pflugers Arch
    150:275, 1913)"""
    with np.errstate(invalid="ignore"):  # what is missing breaks no law
        law = signal_mv[:, _I] + signal_mv[:, _III]
        law -= signal_mv[:, _II]
    return np.count_nonzero(np.abs(law, out=law) > LIMB_MV) >= LIMB_SHARE * len(law)


def flat(signal_mv: np.ndarray) -> np.ndarray:
    """[time, lead] -> per lead: does it span less than 10 microvolts?"""
    return np.ptp(signal_mv, axis=0) < FLAT_MV


def saturated(signal_mv: np.ndarray, rate_hz: float, extremes: np.ndarray) -> np.ndarray:
    """[time, lead] -> per lead: does it stay at its smallest or largest value (`extremes` [2,
    lead]), far from its median, for 0.2 s?"""
    needed = max(2, round(SATURATED_S * rate_hz))
    result = np.zeros(signal_mv.shape[1], dtype=bool)
    # A run of `needed` samples or more holds one of every `needed`-th: most leads are done with
    # these few.
    for side, lead in np.argwhere((signal_mv[::needed, None] == extremes).any(axis=0)):
        trace, extreme = signal_mv[:, lead], float(extremes[side, lead])
        if longest_run(trace == extremes[side, lead]) >= needed:
            result[lead] |= abs(extreme - float(np.median(trace))) >= SATURATED_MV
    return result


def bridged(signal_mv: np.ndarray) -> np.ndarray:
    """[time, lead] with each lead's missing values put on the line between their neighbours; the
    ends are continued.

    UserError where a lead misses a tenth of its values or more.
    """
    # Lead by lead to save memory.
    missing = np.array([(~np.isfinite(trace)).mean() for trace in signal_mv.T])
    if not missing.any():
        return signal_mv
    if missing.max() >= MOST_MISSING:
        raise UserError(
            f"a lead may miss less than {MOST_MISSING:.0%} of its values, found {missing.max():.1%}"
        )
    whole = signal_mv.copy(order="K")
    for lead in np.flatnonzero(missing):
        known = np.isfinite(signal_mv[:, lead])
        whole[~known, lead] = np.interp(
            np.flatnonzero(~known), np.flatnonzero(known), signal_mv[known, lead]
        )
    return whole


def longest_run(mask: np.ndarray) -> int:
    """The length of the longest run of True in [time].

    >>> longest_run(np.array([True, False, True, True, False]))
    2
    """
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max(initial=0))
