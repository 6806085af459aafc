"""The definitions that concern the shape of a conducted beat, applied to its clean waves.

- Conduction: Surawicz et al. 2009, AHA/ACCF/HRS part III, doi:10.1161/CIRCULATIONAHA.108.191095
- Axis, QT, T: Rautaharju et al. 2009, part IV, doi:10.1161/CIRCULATIONAHA.108.191096
- Q waves: Thygesen et al. 2018, Fourth Universal Definition of Myocardial Infarction, table 2,
  doi:10.1161/CIR.0000000000000617
- R progression: R of at most 0.3 mV in V3 (DePace et al. 1983, doi:10.1016/S0735-1097(83)80006-7)
- Low voltage: under 0.5 mV in all limb leads, or under 1 mV in all chest leads, peak to peak
- Incomplete right bundle branch block: r' in V1 or V2 that is not of a complete block. On real
  recordings of LUDB, PTB-XL and CPSC 2018 it is the height of r' that readers go by (AUROC 0.91 of
  it alone, 0.69 of the QRS duration; its median 0.15 mV, else 0; measured by us)

Where a reader draws the lines stands in `simulation.readers`.
"""

import numpy as np

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation.findings import BROAD, Findings
from ecgpipe.simulation.patients import Heart
from ecgpipe.simulation.readers import STANDARD, Reader

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
# A flat T is under this and a share of R. Of recordings of PTB-XL and Ningbo whose third lowest T
# is so low, readers name two in three; of those with one 1.8 times as high, one in ten (measured
# by us; a tenth of R alone, of Rautaharju et al. 2009, tells the named ones less well).
FLAT_MV, FLAT_SHARE = 0.06, 0.05
LOW_LIMB_MV, LOW_CHEST_MV = 0.5, 1.0
# What is read from which lead shows what, so not where electrodes are exchanged.
OF_LEADS = OF_CONDUCTED_BEATS - {"LQT", "LQRSV", "NSIVCB", "BBB"} | {"IRBBB"}
LEFTWARD_DEG, RIGHTWARD_DEG = -15.0, 82.0  # the axis turns leads of the other side down
LONG_QTC_S = {"F": 0.46, "M": 0.45}
BROAD_S = 0.12
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
V1, V2, V3, V6 = _places(("V1", "V2", "V3", "V6")).tolist()


def decide(
    findings: Findings, heart: Heart, rr_s: float, reader: Reader = STANDARD
) -> tuple[set[str], set[str]]:
    """Labels of shape that are present by a reader, and those undecided; `rr_s` is the mean
    interval."""
    if findings.dextrocardia:  # readers say so in place of what it does to axis, R and T
        return set(), OF_CONDUCTED_BEATS | {"RBBB", "LBBB", "IRBBB"}
    at_s = np.arange(heart.begin_s, heart.end_s + 0.02, STEP_S)
    qrs_mv = heart.qrs_mv(at_s)
    lowest_mv, highest_mv = qrs_mv.min(axis=0), qrs_mv.max(axis=0)
    present, open_ = _q_and_r(findings, heart.axis, qrs_mv, reader)
    present |= _conduction(findings, heart, late_r_mv(qrs_mv), reader)
    if is_low(highest_mv - lowest_mv, reader):
        present.add("LQRSV")
    if findings.conduction == "WPW":  # what the accessory path does has no name here
        open_ |= {"BBB", "LBBB", "NSIVCB", "TInv", "TAb"}
    elif findings.conduction != "LBBB":
        present |= _t_wave(findings, heart, lowest_mv, highest_mv, reader)
    if heart.axis < -90:  # up and to the right: by either name
        open_ |= {"LAD", "RAD"}
    elif heart.axis < reader.left_deg:
        present.add("LAD")
    elif heart.axis > reader.right_deg:
        present.add("RAD")
    if findings.rhythm in ("AFL", "SVT"):  # where T ends cannot be seen
        open_.add("LQT")
    elif _is_long_qt(findings, heart, rr_s, reader):
        present.add("LQT")
    return present, open_


def _conduction(findings: Findings, heart: Heart, late_mv: float, reader: Reader) -> set[str]:
    """Blocks: the shape drawn, and a duration that fits it."""
    blocks = findings.conduction.split("+")
    is_broad = heart.qrs_s >= reader.broad_s
    is_late = late_mv >= reader.late_r_mv and heart.qrs_s >= reader.late_r_s
    present, is_left = set(), not {"LBBB", "ILBBB"}.isdisjoint(blocks)
    if is_broad and not {"RBBB", "IRBBB"}.isdisjoint(blocks):
        present = {"RBBB", "BBB"}
    elif is_broad and is_left:
        present = {"LBBB", "BBB"}
    elif is_late and not is_left and findings.extra != "RVH":
        present = {"IRBBB"}
    elif heart.qrs_s >= reader.slow_s and findings.conduction != "WPW":
        present = {"NSIVCB"}
    if present and reader.incomplete_is_block:
        present.add("BBB")
    by_axis = reader.left_is_fascicular and findings.conduction not in BROAD
    if -90 <= heart.axis <= reader.fascicular_deg and ("LAnFB" in blocks or by_axis):
        present.add("LAnFB")
    return present


def late_r_mv(qrs_mv: np.ndarray) -> float:
    """How high V1 or V2 of a QRS [time, 12] rises again (r') after its S, which lies near the R of
    V6."""
    middle = int(qrs_mv[:, V6].argmax())
    first = max(middle - round(0.015 / STEP_S), 0)
    front_mv = qrs_mv[first:, [V1, V2]]
    s_at = front_mv[: round(0.045 / STEP_S)].argmin(axis=0)
    return float(max(front_mv[at:, lead].max() for lead, at in enumerate(s_at.tolist())))


def is_low(span_mv: np.ndarray, reader: Reader) -> bool:
    """Low voltage, from what each of the twelve leads spans."""
    limb, chest = span_mv[:6].max() / LOW_LIMB_MV, span_mv[6:].max() / LOW_CHEST_MV
    return min(limb, chest) < reader.low


def _q_and_r(
    findings: Findings, axis: float, qrs_mv: np.ndarray, reader: Reader
) -> tuple[set[str], set[str]]:
    """Abnormal Q waves and poor R progression; in left bundle branch block both mean nothing. An
    axis to the right turns I and aVL down, one to the left II, III and aVF: no Q without infarct.
    """
    if findings.conduction in BROAD:
        return set(), set() if findings.conduction == "LBBB" else {"QAb", "PRWP"}
    is_q = abnormal_q(qrs_mv, reader.q)
    in_front = is_q[V2] and is_q[V3] and (bool(findings.infarct) or reader.q_of_poor_r)
    is_q[V2] = False
    if not findings.infarct and axis > RIGHTWARD_DEG:
        is_q[LIMB] = False
    if not findings.infarct and axis < LEFTWARD_DEG:
        is_q[INFERIOR] = False
    if in_front or (is_q[FIRSTS] & is_q[SECONDS]).any():
        return {"QAb"}, set()
    r_mv = qrs_mv.max(axis=0)
    is_plain = findings.conduction in ("normal", "LAnFB", "NSIVCD") and findings.extra != "RVH"
    if is_plain and r_mv[V2] <= r_mv[V3] + 0.1 and r_mv[V3] <= reader.poor_r_mv:
        return {"PRWP"}, set()
    return set(), set()


def abnormal_q(qrs_mv: np.ndarray, limit: float = 1.0) -> np.ndarray:
    """Whether each lead of a QRS [time, 12] begins with an abnormal Q wave [12].

    In V2 and V3: 0.02 s, or no R at all; elsewhere 0.03 s and 0.1 mV deep, or no R at all; each
    times `limit`.
    """
    up = qrs_mv > 0.04
    # Before the first R; all of it where there is none.
    before_r = np.cumsum(up, axis=0) == 0
    below = (qrs_mv < -0.01) & before_r
    lasts_s = STEP_S * below.sum(axis=0)
    deep_mv = -np.where(before_r, qrs_mv, 0).min(axis=0)
    without_r = ~up.any(axis=0) & (deep_mv > 0.1 * limit)
    least_s = np.full(12, 0.03 * limit)
    least_s[[V2, V3]] = 0.02 * limit
    return without_r | ((lasts_s >= least_s) & (deep_mv >= 0.1 * limit))


def _t_wave(
    findings: Findings,
    heart: Heart,
    deepest_mv: np.ndarray,
    highest_mv: np.ndarray,
    reader: Reader,
) -> set[str]:
    """Inverted: at least 0.1 mV down in two neighbouring leads. Abnormal: low or flat
    in three leads or biphasic in two. T that follows from a bundle branch block is neither; one
    that is inverted is often, and often not, called abnormal too.
    """
    t_mv = heart.t_mv(np.arange(-0.45, 0.1, STEP_S))
    low_mv, high_mv = t_mv.min(axis=0), t_mv.max(axis=0)
    down = (low_mv < -0.1 * reader.inverted) & (-low_mv > 1.5 * high_mv)
    upright = highest_mv > -deepest_mv  # where the QRS points up
    if "RBBB" in findings.conduction.split("+"):
        down[RIGHT] = False
    else:
        upright[FRONT] = True
    inverted = down & upright
    is_inverted = bool((inverted[FIRSTS] & inverted[SECONDS]).any())
    low_mv, high_mv, r_mv = low_mv[UPRIGHT], high_mv[UPRIGHT], highest_mv[UPRIGHT]
    larger_mv, smaller_mv = np.maximum(high_mv, -low_mv), np.minimum(high_mv, -low_mv)
    flat = (r_mv > 0.25) & (larger_mv < reader.flat * (FLAT_MV + FLAT_SHARE * r_mv))
    biphasic = (high_mv > 0.05) & (low_mv < -0.05) & (smaller_mv > 0.4 * larger_mv)
    is_abnormal = flat.sum() >= 3 or biphasic.sum() >= 2
    present = {"TInv"} if is_inverted else set()
    if is_abnormal or (is_inverted and reader.inverted_is_abnormal):
        present.add("TAb")
    return present


def _is_long_qt(findings: Findings, heart: Heart, rr_s: float, reader: Reader) -> bool:
    """Long where the formulas of Bazett and Fridericia agree, or by Bazett's alone where the reader
    takes no other; a broad QRS may explain it."""
    qt_s = heart.qtc_s * min(max(rr_s, 0.3), 1.8) ** (1 / 3)
    fridericia_s, bazett_s = qt_s / rr_s ** (1 / 3), qt_s / rr_s ** (1 / 2)
    corrected_s = bazett_s if reader.by_bazett else min(fridericia_s, bazett_s)
    # Half of what a broad QRS adds is taken off (Bogossian et al. 2014,
    # doi:10.1016/j.hrthm.2014.09.020, there 48.5 percent of it).
    own_s = max(heart.qrs_s - BROAD_S, 0.0)
    return corrected_s - own_s / 2 >= LONG_QTC_S[findings.sex] + reader.later_qtc_s
