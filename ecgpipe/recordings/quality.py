"""Faults of a raw signal: what a recording is flagged for, before any filter could hide it.

- flat-lead: a lead that spans less than 10 microvolts from end to end: an electrode off, or nothing
  recorded.
- saturated: a lead that stays at its own largest or smallest value for 0.2 s or longer, 1 mV or
  more away from its median: the amplifier or the converter was at its end. An ECG at rest on its
  baseline is near its median and passes.
- out-of-range: a value beyond +-10 mV, which no heart gives at the skin. What lies farther from its
  lead's median than int16 holds of microvolts is refused (`recordings.recording.usable_signal`).
- low-amplitude: half of the leads span less than 0.1 mV from end to end. 696 real recordings span
  0.4 mV and more so; volts or microvolts taken for mV do not.
- limb-leads: lead II is not I + III (Einthoven's law), so that the leads are not of one heart, or
  exchanged: the error changes, within 0.04 s, by 0.05 mV and by a fifth of what the limb leads
  change themselves, at a hundredth of the samples or more. Or it is, and aVR, aVL and aVF are not
  what I and II make of them (Goldberger's laws), but would be, to a fifth of the error, if some of
  the six were exchanged or turned. Not asked where a limb lead is flat or saturated, which is
  flagged.
- non-finite: missing values, few enough to be bridged (see `bridged`).

The limits of limb-leads: rounding each lead to a step of the converter leaves 1.5 steps, that is
7.5 microvolts at 200 steps a mV, the coarsest in use; 696 recordings of nine data sets are within 3
microvolts. A device that filters its leads apart leaves more, in all of its recordings, and is no
fault. Of 692 of those recordings, their limb leads changed by hand, this is flagged: exchanged or
turned leads 691 to 692, a lead of another time 689 and 690; but of leads filtered apart by a high
pass of 0.5 Hz 1, by a low pass of 40 Hz 13, of 100 Hz 2; of gains 5 % apart none. The change within
0.04 s leaves out the wander of the baseline, in which filters differ most. `limb_error_mv` is the
error itself. Augmented leads exchanged or turned, and I and III exchanged, which Einthoven's law
does not see, are flagged in all 692.
"""

import numpy as np

from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

FLAT_MV = 0.01
SATURATED_S = 0.2
SATURATED_MV = 1.0
RANGE_MV = 10.0
MOST_MISSING = 0.1
# What int16 holds in microvolts.
HOLDS_MV = 32.767
LOW_MV = 0.1
LIMB_MV = 0.05
LIMB_SHARE = 0.01
LIMB_OF_SIZE = 0.2
LIMB_LAG_S = 0.04
ROUNDING_MV = 0.0075
_I, _II, _III = (LEADS.index(lead) for lead in ("I", "II", "III"))
# What makes leads I, II, III, aVR, aVL and aVF lawful again where Einthoven's law holds, as the
# factors of each.
AUGMENTED = {
    "I and III exchanged": np.eye(6)[[2, 1, 0, 3, 4, 5]],
    "aVR and aVL exchanged": np.eye(6)[[0, 1, 2, 4, 3, 5]],
    "aVR and aVF exchanged": np.eye(6)[[0, 1, 2, 5, 4, 3]],
    "aVL and aVF exchanged": np.eye(6)[[0, 1, 2, 3, 5, 4]],
    "aVL, aVF, aVR in this order": np.eye(6)[[0, 1, 2, 5, 3, 4]],
    "aVF, aVR, aVL in this order": np.eye(6)[[0, 1, 2, 4, 5, 3]],
    "aVR turned": np.diag([1, 1, 1, -1, 1, 1]),
    "aVL turned": np.diag([1, 1, 1, 1, -1, 1]),
    "aVF turned": np.diag([1, 1, 1, 1, 1, -1]),
    "I, II and III turned, or aVR, aVL and aVF": np.diag([1, 1, 1, -1, -1, -1]),
}
# [law, limb lead]: aVR + (I + II) / 2, aVL - (I - III) / 2 and aVF - (II + III) / 2 are 0.
_GOLDBERGER = np.array(
    [[0.5, 0.5, 0, 1, 0, 0], [-0.5, 0, 0.5, 0, 1, 0], [0, -0.5, -0.5, 0, 0, 1]], dtype=np.float32
)
# [limb lead]: the three laws in one, which no exchange and no turn leaves at 0.
_ALL_THREE = np.array([1, 2, 4], dtype=np.float32) @ _GOLDBERGER
_EVERY = 8  # samples, of which one tells enough of the augmented leads
SENTENCES = {
    "flat-lead": "a lead spans less than 10 microvolts",
    "saturated": "a lead stays at its extreme value for 0.2 s or longer",
    "out-of-range": "a value lies beyond 10 mV",
    "low-amplitude": "half of the leads span less than 0.1 mV: the unit or the gain may be wrong",
    "limb-leads": "the limb leads break their laws, II = I + III or those of aVR, aVL and aVF",
    "non-finite": "missing values were bridged",
    "no-rate": "the header states no rate: 250 Hz are taken, as the format says",
    "odd-age": "the age is no number of years and no word for unknown, or two ages are stated",
    "odd-sex": "the sex is neither male nor female nor a word for unknown, or two are stated",
    "odd-labels": "two `Dx` lines differ, or a label holds a code of SNOMED CT and more",
    "no-patient": "the patient's id is a word or number for none",
    "odd-patient": (
        "this patient's recordings have ages or sexes of several, or its number is written with "
        "and without zeros in front"
    ),
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
    spans = extremes[1] - extremes[0]
    is_flat = spans < FLAT_MV
    is_saturated = saturated(known_mv, rate_hz, extremes)
    is_unsound = is_flat | is_saturated
    limbs_are_sound = len(is_flat) > 2 and not is_unsound[:3].any()
    holds = {
        "flat-lead": is_flat.any(),
        "saturated": is_saturated.any(),
        "out-of-range": np.abs(extremes).max() > RANGE_MV,
        "low-amplitude": typical(spans) < LOW_MV,
        "limb-leads": limbs_are_sound
        and (
            unlawful(signal_mv, rate_hz)
            or (not is_unsound[3:6].any() and exchanged(signal_mv, rate_hz) != "")
        ),
        "non-finite": missing,
    }
    return tuple(flag for flag, is_so in holds.items() if is_so)


def typical(spans: np.ndarray) -> float:
    """[lead] -> what half of the leads are below."""
    return float(np.sort(spans)[len(spans) // 2])


def _extremes(signal_mv: np.ndarray) -> np.ndarray:
    """[2, lead]: the smallest and the largest value."""
    return np.array([signal_mv.min(axis=0), signal_mv.max(axis=0)])


def _with_known_values(signal_mv: np.ndarray) -> np.ndarray:
    """[time, lead] with each missing value replaced by one that its lead has anyway, 0 where it has
    none."""
    finite = np.isfinite(signal_mv)
    first = signal_mv[finite.argmax(axis=0), np.arange(signal_mv.shape[1])]
    return np.where(finite, signal_mv, np.where(np.isfinite(first), first, 0))


def unlawful(signal_mv: np.ndarray, rate_hz: float) -> bool:
    """[time, lead], leads I, II and III first -> is I + III not II? (W. Einthoven, Pflugers Arch
    150:275, 1913)"""
    error = _limb_error(signal_mv)
    if np.abs(error).max() * 2 <= LIMB_MV:  # false where a value is missing
        return False
    changes = _changes(error, rate_hz)
    if np.count_nonzero(changes > LIMB_MV) < max(1, LIMB_SHARE * len(changes)):
        return False
    sizes = [_reached(_changes(signal_mv[:, lead], rate_hz)) for lead in (_I, _II, _III)]
    return _reached(changes) > LIMB_OF_SIZE * max(sizes)


def limb_error_mv(signal_mv: np.ndarray) -> float:
    """How far I + III is from II in [time, lead]: what a hundredth of the samples reach, in mV; the
    largest, where that is no more than rounding leaves."""
    error = np.abs(_limb_error(signal_mv))
    largest = error.max(initial=0)
    return float(largest) if largest <= ROUNDING_MV else _reached(error)


def other_law(signal_mv: np.ndarray, rate_hz: float) -> str:
    """What makes the limb leads lawful where they are not: which of them are exchanged or turned;
    '' where nothing does."""
    if not unlawful(signal_mv, rate_hz):
        return exchanged(signal_mv, rate_hz)
    i, ii, iii = (signal_mv[:, lead] for lead in (_I, _II, _III))
    ways = {
        "I and II exchanged, or III turned": (ii, i, iii),
        "II and III exchanged, or I turned": (i, iii, ii),
        "II turned": (i, -ii, iii),
    }
    for name, limbs in ways.items():
        if not unlawful(np.stack(limbs, axis=1), rate_hz):
            return name
    return ""


def exchanged(signal_mv: np.ndarray, rate_hz: float) -> str:
    """[time, lead], of which I + III is II -> which leads are exchanged or turned, so that aVR, aVL
    and aVF are not what the others make of them; '' where they are, or nothing mends them. (E.
    Goldberger, Am Heart J 23:483, 1942)"""
    limbs = signal_mv[::_EVERY, :6]
    with np.errstate(invalid="ignore"):
        error = limbs @ _ALL_THREE
        if not error.max() - error.min() > LIMB_MV:  # true where a value is missing
            return ""
        lag = max(1, round(LIMB_LAG_S * rate_hz / _EVERY))
        changes = limbs[lag:] - limbs[:-lag]  # [time, limb lead]
        error_mv = _goldberger_mv(changes, _GOLDBERGER)
        if not error_mv > LIMB_MV:
            return ""
        left = {name: _goldberger_mv(changes, _GOLDBERGER @ AUGMENTED[name]) for name in AUGMENTED}
    name = min(left, key=lambda name: left[name])
    return name if left[name] < LIMB_OF_SIZE * error_mv else ""


def _goldberger_mv(changes: np.ndarray, laws: np.ndarray) -> float:
    """By how much changes [time, limb lead] break `laws` [law, limb lead], at a hundredth of the
    samples."""
    return _reached(np.abs(changes @ laws.T.astype(changes.dtype)).max(axis=1, initial=0))


def _limb_error(signal_mv: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # what is missing breaks no law
        error = signal_mv[:, _I] + signal_mv[:, _III]
        error -= signal_mv[:, _II]
    return error


def _changes(trace: np.ndarray, rate_hz: float) -> np.ndarray:
    """[time] -> by how much each value differs from the one 0.04 s later."""
    lag = max(1, round(LIMB_LAG_S * rate_hz))
    with np.errstate(invalid="ignore"):
        return np.abs(trace[lag:] - trace[:-lag])


def _reached(sizes: np.ndarray) -> float:
    """What a hundredth of the values reach, missing ones left out."""
    known = sizes[np.isfinite(sizes)]
    return float(np.quantile(known, 1 - LIMB_SHARE)) if known.size else 0.0


def reach_mv(signal_mv: np.ndarray) -> float:
    """How far a typical lead of [time, lead] goes: what a hundredth of its samples reach beyond its
    median; the median of the leads."""
    away = np.abs(signal_mv - np.median(signal_mv, axis=0))
    return float(np.median(np.quantile(away, 1 - LIMB_SHARE, axis=0)))


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
    probes = signal_mv[::needed].T  # [lead, time]
    meets = (probes == extremes[:, :, None]).any(axis=2)  # [smallest or largest, lead]
    for side, lead in zip(*np.nonzero(meets), strict=True):
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
