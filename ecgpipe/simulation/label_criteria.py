"""The definitions of the labels, applied to what a simulated recording shows.

Axis from the net QRS area in I and aVF, QRS duration, voltages peak to peak, polarity and size of
T, P waves and the intervals between them: all measured on the clean waves (after the AHA/ACCF/HRS
recommendations of 2009, parts III and IV, doi:10.1161/CIRCULATIONAHA.108.191095 and
doi:10.1161/CIRCULATIONAHA.108.191096).
"""

import numpy as np

from ecgpipe.simulation import dipole
from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.patients import Heart
from ecgpipe.simulation.rhythm import ECTOPIC, Beats
from ecgpipe.snomed import concepts

CODES = {
    "NSR": concepts.SINUS_RHYTHM,
    "SB": concepts.SINUS_BRADYCARDIA,
    "TAb": concepts.T_WAVE_ABNORMAL,
    "SA": concepts.SINUS_ARRHYTHMIA,
    "IRBBB": concepts.INCOMPLETE_RIGHT_BUNDLE_BRANCH_BLOCK,
    "STach": concepts.SINUS_TACHYCARDIA,
    "RBBB": concepts.RIGHT_BUNDLE_BRANCH_BLOCK,
    "AF": concepts.ATRIAL_FIBRILLATION,
    "TInv": concepts.T_WAVE_INVERSION,
    "RAD": concepts.RIGHT_AXIS_DEVIATION,
    "LAnFB": concepts.LEFT_ANTERIOR_FASCICULAR_BLOCK,
    "LAD": concepts.LEFT_AXIS_DEVIATION,
    "AFL": concepts.ATRIAL_FLUTTER,
    "LBBB": concepts.LEFT_BUNDLE_BRANCH_BLOCK,
    "IAVB": concepts.FIRST_DEGREE_AV_BLOCK,
    "LQRSV": concepts.LOW_QRS_VOLTAGES,
    "PAC": concepts.PREMATURE_ATRIAL_CONTRACTION,
}
ARRHYTHMIA_S = 0.14  # sinus arrhythmia: longest less shortest sinus interval
LONG_PR_S = 0.2
BROAD_S = 0.12
LOW_LIMB_MV, LOW_CHEST_MV = 0.5, 1.0
# Pairs of neighbouring leads by their place in the standard order; T counts as inverted where both
# of a pair show it.
CONTIGUOUS = [(0, 4), (1, 5), (2, 5), (7, 8), (8, 9), (9, 10), (10, 11)]
FRONT = (7, 8, 9)  # V2-V4: T should be upright whatever the QRS
T_LEADS = (0, 1, 8, 9, 10, 11)  # I, II, V3-V6: where T is upright in health


def labels(has: Findings, of: Heart, beats: Beats, begin_s: float, end_s: float) -> tuple[str, ...]:
    """Abbreviations of all labels that the recording from `begin_s` to `end_s` (on the clock of
    `beats`) earns."""
    found = {
        *_rhythm(has, beats, begin_s, end_s),
        *_conduction(has, of),
        *_axis(of),
        *_voltage(of),
        *_t(has, of),
    }
    return tuple(label for label in CODES if label in found)


def _rhythm(has: Findings, beats: Beats, begin_s: float, end_s: float) -> list[str]:
    """The rhythm. Sinus arrhythmia takes the place of normal sinus rhythm, and stands beside
    bradycardia."""
    if has.rhythm in ("AF", "AFL"):
        return [has.rhythm]
    seen = (beats.p_s > begin_s) & (beats.p_s < end_s - 0.3)
    found = ["IAVB"] if has.pr_s > LONG_PR_S else []
    if (beats.origin[seen] == ECTOPIC).any():
        found.append("PAC")
    own = (beats.origin[seen][:-1] != ECTOPIC) & (beats.origin[seen][1:] != ECTOPIC)
    intervals_s = np.diff(beats.p_s[seen])[own]
    swinging = (
        len(intervals_s) > 2
        and np.ptp(intervals_s[intervals_s < 1.6 * 60 / has.rate_bpm]) > ARRHYTHMIA_S
    )
    if swinging:
        found.append("SA")
    if has.rate_bpm < 60:
        return [*found, "SB"]
    if has.rate_bpm > 100:
        return [*found, "STach"]
    return found if swinging else [*found, "NSR"]


def _conduction(has: Findings, of: Heart) -> list[str]:
    """Bundle branch blocks: the shape drawn, and a duration that fits it."""
    broad = of.qrs_s >= BROAD_S
    found = [block for block in ("RBBB", "LBBB") if block in has.conduction.split("+") and broad]
    if has.conduction == "IRBBB" and not broad:
        found.append("IRBBB")
    if "LAnFB" in has.conduction and -90 <= of.axis <= -45:
        found.append("LAnFB")
    return found


def _axis(of: Heart) -> list[str]:
    return ["LAD"] if -90 <= of.axis < -30 else ["RAD"] if of.axis > 90 else []


def _voltage(of: Heart) -> list[str]:
    lowest, highest = dipole.extremes(of.qrs, of.field, of.begin_s - 0.02, of.end_s + 0.02)
    span = highest - lowest
    return ["LQRSV"] if span[:6].max() < LOW_LIMB_MV or span[6:].max() < LOW_CHEST_MV else []


def _t(has: Findings, of: Heart) -> list[str]:
    """Inverted: at least 0.1 mV down in two neighbouring leads. Abnormal: flat (under a tenth of R)
    in three leads or biphasic in two. T that follows from a bundle branch block is neither.
    """
    if "LBBB" in has.conduction:
        return []
    deepest, highest = dipole.extremes(of.qrs, of.field, of.begin_s, of.end_s)
    low, high = dipole.extremes(of.t, of.field, -0.45, 0.1)
    down = (low < -0.1) & (-low > 1.5 * high)
    front = () if "RBBB" in has.conduction else FRONT
    down = down & ((highest > -deepest) | np.isin(np.arange(12), front))
    if "RBBB" in has.conduction:
        down[[6, 7, 8, 9]] = False
    found = ["TInv"] if any(down[a] and down[b] for a, b in CONTIGUOUS) else []
    tall = (highest > 0.25)[list(T_LEADS)]
    low, high, r = (values[list(T_LEADS)] for values in (low, high, highest))
    flat = tall & (np.maximum(high, -low) < np.maximum(r / 10, 0.04))
    both = (high > 0.05) & (low < -0.05) & (np.minimum(high, -low) > 0.4 * np.maximum(high, -low))
    return [*found, "TAb"] if flat.sum() >= 3 or both.sum() >= 2 else found
