"""The definitions that concern the shape of a conducted beat, applied to its clean waves.

- Conduction: Surawicz et al. 2009, AHA/ACCF/HRS part III, doi:10.1161/CIRCULATIONAHA.108.191095
- Axis, QT, T: Rautaharju et al. 2009, part IV, doi:10.1161/CIRCULATIONAHA.108.191096
- Q waves: Thygesen et al. 2018, Fourth Universal Definition of Myocardial Infarction, table 2,
  doi:10.1161/CIR.0000000000000617
- R progression: R of at most 0.3 mV in V3 (DePace et al. 1983, doi:10.1016/S0735-1097(83)80006-7)
- Low voltage: under 0.5 mV in all limb leads, or under 1 mV in all chest leads, peak to peak

The ranges around a limit that are left undecided are our choice.
"""

import numpy as np

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import dipole
from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.patients import Heart

# What only a beat that came through the conduction system can show.
OF_CONDUCTED_BEATS = {
    "BBB",
    "NSIVCB",
    "LAD",
    "RAD",
    "QAb",
    "PRWP",
    "TAb",
    "TInv",
    "LQT",
    "LAnFB",
    "LQRSV",
}
BROAD_S, SLOW_S = 0.12, 0.11
LOW_LIMB_MV, LOW_CHEST_MV = 0.5, 1.0
NEARLY_LOW = 1.15  # times the limit: undecided
LAD_DEG, NEARLY_LAD_DEG, NEARLY_RAD_DEG, RAD_DEG = -30.0, -15.0, 82.0, 90.0
LONG_QTC_S = {"F": 0.46, "M": 0.45}
NEARLY_LONG_QTC_S = 0.025
POOR_R_MV, NEARLY_POOR_R_MV = 0.3, 0.4
STEP_S = 0.002
# Neighbouring leads: what a wall shows, two of them show.
CONTIGUOUS = (
    ("I", "aVL"),
    ("II", "aVF"),
    ("III", "aVF"),
    ("V2", "V3"),
    ("V3", "V4"),
    ("V4", "V5"),
    ("V5", "V6"),
)


def _places(leads: tuple[str, ...]) -> np.ndarray:
    """Where leads stand in the standard order."""
    return np.array([LEADS.index(lead) for lead in leads])


FIRSTS = _places(tuple(one for one, _ in CONTIGUOUS))
SECONDS = _places(tuple(other for _, other in CONTIGUOUS))
FRONT = _places(("V2", "V3", "V4"))  # T should be upright whatever the QRS
RIGHT = _places(("V1", "V2", "V3", "V4"))  # T follows from a right bundle branch block
UPRIGHT = _places(("I", "II", "V3", "V4", "V5", "V6"))  # where T is upright in health
LIMB, INFERIOR = _places(("I", "aVL")), _places(("II", "III", "aVF"))
V2, V3 = LEADS.index("V2"), LEADS.index("V3")


def decide(findings: Findings, heart: Heart, rr_s: float) -> tuple[set[str], set[str]]:
    """Labels of shape that are present, and those undecided; `rr_s` is the mean interval."""
    at_s = np.arange(heart.begin_s, heart.end_s + 0.02, STEP_S)
    qrs_mv = dipole.to_twelve(dipole.single_beat(heart.qrs, at_s) @ heart.field.T)  # [time, 12]
    lowest_mv, highest_mv = qrs_mv.min(axis=0), qrs_mv.max(axis=0)
    parts = (
        _conduction(findings, heart),
        _axis(heart.axis),
        _voltage(highest_mv - lowest_mv),
        _q_and_r(findings, heart.axis, qrs_mv, highest_mv),
        _t_wave(findings, heart, lowest_mv, highest_mv),
        _qt(findings, heart, rr_s),
    )
    present = set().union(*(part[0] for part in parts))
    open_ = set().union(*(part[1] for part in parts))
    if findings.dextrocardia:  # readers say so in place of what it does to axis, R and T
        return present - OF_CONDUCTED_BEATS, open_ | OF_CONDUCTED_BEATS
    return present, open_


def _conduction(findings: Findings, heart: Heart) -> tuple[set[str], set[str]]:
    """Bundle branch blocks: the shape drawn, and a duration that fits it."""
    blocks = findings.conduction.split("+")
    complete = {block for block in ("RBBB", "LBBB") if block in blocks}
    if heart.qrs_s >= BROAD_S and complete:
        present, open_ = complete | {"BBB"}, set()
    elif "IRBBB" in blocks:
        present, open_ = {"IRBBB"}, {"BBB"}
    elif findings.conduction == "NSIVCD":
        present, open_ = {"NSIVCB"}, {"BBB"}
    else:
        present, open_ = set(), {"NSIVCB"} if heart.qrs_s >= SLOW_S else set()
        if findings.conduction in ("ILBBB", "WPW"):
            open_ |= {"BBB", "LBBB", "NSIVCB"}
    if -90 <= heart.axis <= -45:
        if "LAnFB" in blocks:
            present.add("LAnFB")
        else:  # left axis of another cause, often called by this name
            open_.add("LAnFB")
    return present, open_


def _axis(axis: float) -> tuple[set[str], set[str]]:
    """The frontal axis; neither side where it points up and to the right."""
    if axis < -90:
        return set(), {"LAD", "RAD"}
    if axis < LAD_DEG:
        return {"LAD"}, set()
    if axis > RAD_DEG:
        return {"RAD"}, set()
    if axis < NEARLY_LAD_DEG:
        return set(), {"LAD"}
    return set(), {"RAD"} if axis > NEARLY_RAD_DEG else set()


def _voltage(span_mv: np.ndarray) -> tuple[set[str], set[str]]:
    """Low voltage, from what each of the twelve leads spans."""
    limb, chest = span_mv[:6].max() / LOW_LIMB_MV, span_mv[6:].max() / LOW_CHEST_MV
    if min(limb, chest) < 1:
        return {"LQRSV"}, set()
    return set(), {"LQRSV"} if min(limb, chest) < NEARLY_LOW else set()


def _q_and_r(
    findings: Findings, axis: float, qrs_mv: np.ndarray, highest_mv: np.ndarray
) -> tuple[set[str], set[str]]:
    """Abnormal Q waves and poor R progression; in left bundle branch block both mean nothing. An
    axis to the right turns I and aVL down, one to the left II, III and aVF: no Q without infarct.
    """
    if findings.conduction in ("LBBB", "WPW"):
        return set(), set() if findings.conduction == "LBBB" else {"QAb", "PRWP"}
    is_q, is_nearly_q = abnormal_q(qrs_mv)
    in_front = bool(is_q[V2] and is_q[V3])
    elsewhere = is_q.copy()
    elsewhere[V2] = False
    if not findings.infarct and axis > NEARLY_RAD_DEG:
        elsewhere[LIMB] = False
    if not findings.infarct and axis < NEARLY_LAD_DEG:
        elsewhere[INFERIOR] = False
    present, open_ = set(), set()
    if (elsewhere[FIRSTS] & elsewhere[SECONDS]).any() or (in_front and findings.infarct):
        present.add("QAb")
    elif in_front or (is_nearly_q[FIRSTS] & is_nearly_q[SECONDS]).any():
        open_.add("QAb")
    poor = highest_mv[V3] <= POOR_R_MV
    nearly = highest_mv[V3] <= NEARLY_POOR_R_MV or highest_mv[V2] > 2 * highest_mv[V3]
    is_plain = findings.conduction in ("normal", "LAnFB", "NSIVCD") and findings.extra != "RVH"
    if poor and is_plain and "QAb" not in present and highest_mv[V2] <= highest_mv[V3] + 0.1:
        present.add("PRWP")
    elif poor or nearly:
        open_.add("PRWP")
    return present, open_


def abnormal_q(qrs_mv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each lead of a QRS [time, 12] begins with an abnormal Q wave, or nearly [12].

    In V2 and V3: 0.02 s, or no R at all; elsewhere 0.03 s and 0.1 mV deep, or no R at all.
    """
    up = qrs_mv > 0.04
    # Before the first R; all of it where there is none.
    before_r = np.cumsum(up, axis=0) == 0
    below = (qrs_mv < -0.01) & before_r
    lasts_s = STEP_S * below.sum(axis=0)
    deep_mv = -np.where(before_r, qrs_mv, 0).min(axis=0)
    without_r = ~up.any(axis=0) & (deep_mv > 0.1)
    least_s = np.full(12, 0.03)
    least_s[[V2, V3]] = 0.02
    is_q = without_r | ((lasts_s >= least_s) & (deep_mv >= 0.1))
    is_nearly = is_q | ((lasts_s >= 0.8 * least_s) & (deep_mv >= 0.07))
    return is_q, is_nearly


def _t_wave(
    findings: Findings, heart: Heart, deepest_mv: np.ndarray, highest_mv: np.ndarray
) -> tuple[set[str], set[str]]:
    """Inverted: at least 0.1 mV down in two neighbouring leads. Abnormal: flat (under a tenth of R)
    in three leads or biphasic in two. T that follows from a bundle branch block is neither; one
    that is inverted is often, and often not, called abnormal too.
    """
    if findings.conduction == "LBBB":
        return set(), set()
    if findings.conduction == "WPW":
        return set(), {"TInv", "TAb"}
    low_mv, high_mv = dipole.extremes(heart.t, heart.field, -0.45, 0.1)
    present, open_ = set(), set()
    for limit_mv, of_label in ((0.1, present), (0.06, open_)):
        down = (low_mv < -limit_mv) & (-low_mv > 1.5 * high_mv)
        upright = highest_mv > -deepest_mv  # where the QRS points up
        if "RBBB" in findings.conduction.split("+"):
            down[RIGHT] = False
        else:
            upright[FRONT] = True
        inverted = down & upright
        if (inverted[FIRSTS] & inverted[SECONDS]).any():
            of_label.add("TInv")
    low_mv, high_mv, r_mv = low_mv[UPRIGHT], high_mv[UPRIGHT], highest_mv[UPRIGHT]
    larger_mv, smaller_mv = np.maximum(high_mv, -low_mv), np.minimum(high_mv, -low_mv)
    flat = (r_mv > 0.25) & (larger_mv < np.maximum(r_mv / 10, 0.04))
    biphasic = (high_mv > 0.05) & (low_mv < -0.05) & (smaller_mv > 0.4 * larger_mv)
    if flat.sum() >= 3 or biphasic.sum() >= 2:
        present.add("TAb")
    elif present or open_ or flat.sum() == 2 or biphasic.any():
        open_.add("TAb")
    return present, open_


def _qt(findings: Findings, heart: Heart, rr_s: float) -> tuple[set[str], set[str]]:
    """Long where the formulas of Bazett and Fridericia agree; a broad QRS may explain it. Bazett's
    alone is too long in tachycardia, so that a little more than the limit is no finding."""
    if findings.rhythm in ("AFL", "SVT"):  # where T ends cannot be seen
        return set(), {"LQT"}
    qt_s = heart.qtc_s * min(max(rr_s, 0.3), 1.8) ** (1 / 3)
    fridericia_s, bazett_s = qt_s / rr_s ** (1 / 3), qt_s / rr_s ** (1 / 2)
    limit_s = LONG_QTC_S[findings.sex]
    if fridericia_s < limit_s and bazett_s < limit_s + NEARLY_LONG_QTC_S:
        return set(), set()
    # Half of what a broad QRS adds is taken off (Bogossian et al. 2014,
    # doi:10.1016/j.hrthm.2014.09.020, there 48.5 percent of it).
    own_s = max(heart.qrs_s - BROAD_S, 0.0)
    if min(fridericia_s, bazett_s) - own_s / 2 >= limit_s:
        return {"LQT"}, set()
    return set(), {"LQT"}
