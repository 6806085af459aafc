"""The definitions of the labels, applied to what a simulated recording shows.

Axis from the net QRS area in I and aVF, QRS duration, voltages peak to peak, polarity and size of
T, P waves and the intervals between them: all measured on the clean waves (after the AHA/ACCF/HRS
recommendations of 2009, parts III and IV, doi:10.1161/CIRCULATIONAHA.108.191095 and
doi:10.1161/CIRCULATIONAHA.108.191096).
"""

import numpy as np

from ecgpipe.project.leads import LEADS
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
# T counts as inverted where both of a pair of neighbouring leads show it.
CONTIGUOUS = (
    ("I", "aVL"),
    ("II", "aVF"),
    ("III", "aVF"),
    ("V2", "V3"),
    ("V3", "V4"),
    ("V4", "V5"),
    ("V5", "V6"),
)
FRONT = ("V2", "V3", "V4")  # T should be upright whatever the QRS
RIGHT = ("V1", "V2", "V3", "V4")  # T follows from a right bundle branch block
UPRIGHT = ("I", "II", "V3", "V4", "V5", "V6")  # where T is upright in health


def labels(
    findings: Findings, heart: Heart, beats: Beats, begin_s: float, end_s: float
) -> tuple[str, ...]:
    """Abbreviations of all labels that the recording from `begin_s` to `end_s` (on the clock of
    `beats`) earns."""
    earned = {
        *_rhythm(findings, beats, begin_s, end_s),
        *_conduction(findings, heart),
        *_axis(heart),
        *_voltage(heart),
        *_t_wave(findings, heart),
    }
    return tuple(label for label in CODES if label in earned)


def _rhythm(findings: Findings, beats: Beats, begin_s: float, end_s: float) -> list[str]:
    """The rhythm. Sinus arrhythmia takes the place of normal sinus rhythm, and stands beside
    bradycardia."""
    if findings.rhythm in ("AF", "AFL"):
        return [findings.rhythm]
    seen = (beats.p_s > begin_s) & (beats.p_s < end_s - 0.3)
    p_s, ectopic = beats.p_s[seen], beats.origin[seen] == ECTOPIC
    earned = ["IAVB"] if findings.pr_s > LONG_PR_S else []
    if ectopic.any():
        earned.append("PAC")
    sinus_s = np.diff(p_s)[~ectopic[:-1] & ~ectopic[1:]]
    # A ventricular beat leaves a pause of two intervals, which is no arrhythmia of the sinus node.
    single_s = sinus_s[sinus_s < 1.6 * 60 / findings.rate_bpm]
    swinging = len(sinus_s) > 2 and np.ptp(single_s) > ARRHYTHMIA_S
    if swinging:
        earned.append("SA")
    if findings.rate_bpm < 60:
        return [*earned, "SB"]
    if findings.rate_bpm > 100:
        return [*earned, "STach"]
    return earned if swinging else [*earned, "NSR"]


def _conduction(findings: Findings, heart: Heart) -> list[str]:
    """Bundle branch blocks: the shape drawn, and a duration that fits it."""
    broad = heart.qrs_s >= BROAD_S
    blocks = findings.conduction.split("+")
    earned = [block for block in ("RBBB", "LBBB") if block in blocks and broad]
    if findings.conduction == "IRBBB" and not broad:
        earned.append("IRBBB")
    if "LAnFB" in blocks and -90 <= heart.axis <= -45:
        earned.append("LAnFB")
    return earned


def _axis(heart: Heart) -> list[str]:
    if -90 <= heart.axis < -30:
        return ["LAD"]
    return ["RAD"] if heart.axis > 90 else []


def _voltage(heart: Heart) -> list[str]:
    """Low: no limb lead reaches 0.5 mV from peak to peak, or no chest lead 1 mV."""
    begin_s, end_s = heart.begin_s - 0.02, heart.end_s + 0.02
    lowest_mv, highest_mv = dipole.extremes(heart.qrs, heart.field, begin_s, end_s)
    span_mv = highest_mv - lowest_mv  # [12], of which the first six are the limb leads
    low = span_mv[:6].max() < LOW_LIMB_MV or span_mv[6:].max() < LOW_CHEST_MV
    return ["LQRSV"] if low else []


def _t_wave(findings: Findings, heart: Heart) -> list[str]:
    """Inverted: at least 0.1 mV down in two neighbouring leads. Abnormal: flat (under a tenth of R)
    in three leads or biphasic in two. T that follows from a bundle branch block is neither.
    """
    if "LBBB" in findings.conduction:
        return []
    deepest_mv, highest_mv = dipole.extremes(heart.qrs, heart.field, heart.begin_s, heart.end_s)
    low_mv, high_mv = dipole.extremes(heart.t, heart.field, -0.45, 0.1)
    block = "RBBB" in findings.conduction
    down = (low_mv < -0.1) & (-low_mv > 1.5 * high_mv)
    expected_upright = highest_mv > -deepest_mv  # where the QRS points up
    if block:
        down[_places(RIGHT)] = False
    else:
        expected_upright[_places(FRONT)] = True
    inverted = dict(zip(LEADS, down & expected_upright, strict=True))
    earned = []
    if any(inverted[lead] and inverted[neighbour] for lead, neighbour in CONTIGUOUS):
        earned.append("TInv")
    places = _places(UPRIGHT)
    low_mv, high_mv, r_mv = low_mv[places], high_mv[places], highest_mv[places]
    larger_mv, smaller_mv = np.maximum(high_mv, -low_mv), np.minimum(high_mv, -low_mv)
    flat = (r_mv > 0.25) & (larger_mv < np.maximum(r_mv / 10, 0.04))
    biphasic = (high_mv > 0.05) & (low_mv < -0.05) & (smaller_mv > 0.4 * larger_mv)
    if flat.sum() >= 3 or biphasic.sum() >= 2:
        earned.append("TAb")
    return earned


def _places(leads: tuple[str, ...]) -> list[int]:
    """Where leads stand in the standard order."""
    return [LEADS.index(lead) for lead in leads]
