"""What the median beat shows: intervals, frontal axes, amplitudes lead by lead, the QRS's shape.

Amplitudes are those above or below the level just before the QRS. The frontal axis of a wave is the
direction of its net area in I and aVF, the way it is read from the paper: 0 degrees to the left
arm, 90 to the feet (AHA/ACCF/HRS 2009, doi:10.1161/CIRCULATIONAHA.108.191095). Corrected QT is
Fridericia's, QT / RR^(1/3) with RR in seconds (L. S. Fridericia 1920).
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from ecgpipe.features.atria import without_line
from ecgpipe.features.beats import Beats
from ecgpipe.features.delineation import Marks
from ecgpipe.project.leads import LEADS

SHOWN = ("I", "II", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
RATIOS = ("I", "II", "V4", "V5", "V6")  # where T is upright in health, and how large beside R
P_SHOWN = ("I", "II", "V1")
AREAS = ("I", "aVF", "V1", "V6")
TERMINAL = ("I", "V1", "V6")
PEAK_TIMES = ("V1", "V6")
# Q counts in the second deepest of a wall's leads: two of them must show it (K. Thygesen et al.,
# Fourth Universal Definition of Myocardial Infarction, 2018, doi:10.1161/CIR.0000000000000617).
WALLS = {
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "anterior": ("V1", "V2", "V3", "V4"),
}
# Leads that look at neighbouring parts of the heart: T is inverted where two of them show it.
NEIGHBOURS = (
    ("I", "aVL"), ("II", "aVF"), ("III", "aVF"), ("V2", "V3"), ("V3", "V4"), ("V4", "V5"),
    ("V5", "V6"),
)  # fmt: skip
UNITS = {
    "p_ms": "ms",
    "pr_ms": "ms",
    "qrs_ms": "ms",
    "qt_ms": "ms",
    "qtc_ms": "ms",
    "t_peak_to_end_ms": "ms",
    "p_axis_deg": "deg",
    "qrs_axis_deg": "deg",
    "t_axis_deg": "deg",
    "qrs_t_angle_deg": "deg in 0..180",
    **{f"r_{lead}_mv": "mV" for lead in SHOWN},
    **{f"s_{lead}_mv": "mV" for lead in SHOWN},
    **{f"t_{lead}_mv": "mV" for lead in SHOWN},
    **{f"st_{lead}_mv": "mV" for lead in SHOWN},
    **{f"p_{lead}_mv": "mV" for lead in P_SHOWN},
    "p_terminal_V1_mv": "mV",
    **{f"qrs_area_{lead}_mv_ms": "mV ms" for lead in AREAS},
    **{f"t_to_r_{lead}": "1" for lead in RATIOS},
    **{f"q_{wall}_mv": "mV" for wall in WALLS},
    **{f"q_{wall}_ms": "ms" for wall in WALLS},
    "t_inverted_pair_mv": "mV",
    "t_biphasic_mv": "mV",
    "limb_span_mv": "mV",
    "chest_span_mv": "mV",
    "r_rises_at": "lead V1 to V6",
    **{f"qrs_terminal_{lead}": "1" for lead in TERMINAL},
    **{f"r_peak_{lead}_ms": "ms" for lead in PEAK_TIMES},
    "r_prime_V1_mv": "mV",
    "qrs_turns": "1",
}
_ST_S = 0.06  # after the end of the QRS
_TERMINAL_S = 0.04
_LEAST_MV = 0.02  # of a wave


def measure(beats: Beats, marks: Marks) -> dict[str, float]:
    """The features of `UNITS`; what cannot be seen is NaN."""
    centred_mv = beats.median_mv - marks.level_mv  # [time, 12]
    begin, end = marks.qrs
    t_mv = _t_mv(beats, marks, centred_mv)
    r_mv = np.maximum(centred_mv[begin:end].max(axis=0), 0)
    return {
        **_intervals(beats, marks),
        **_axes(beats, marks, centred_mv),
        **_qrs(beats, centred_mv, begin, end, r_mv),
        **_q(beats, centred_mv[begin:end]),
        **_repolarisation(beats, centred_mv, end, t_mv, r_mv),
        **_p(marks, centred_mv),
    }


def _named(form: str, names: tuple[str, ...], by_lead: NDArray) -> dict[str, float]:
    """Features of some leads, of values [12]."""
    keys, places = _keys(form, names)
    return dict(zip(keys, by_lead[places].tolist(), strict=True))


@functools.cache
def _keys(form: str, names: tuple[str, ...]) -> tuple[list[str], NDArray[np.intp]]:
    """The features' names, and the leads' places."""
    return [form.format(name) for name in names], _places(names)


@functools.cache
def _places(names: tuple[str, ...]) -> NDArray[np.intp]:
    """Where leads stand among all."""
    return np.array([LEADS.index(name) for name in names])


def _intervals(beats: Beats, marks: Marks) -> dict[str, float]:
    """Durations in ms."""
    ms = 1000 / beats.rate_hz
    values = {"qrs_ms": (marks.qrs[1] - marks.qrs[0]) * ms}
    values["p_ms"] = (marks.p[2] - marks.p[0]) * ms
    values["pr_ms"] = (marks.qrs[0] - marks.p[0]) * ms
    values["qt_ms"] = (marks.t[1] - marks.qrs[0]) * ms if marks.has_t else np.nan
    values["qtc_ms"] = values["qt_ms"] / beats.rr_s ** (1 / 3)
    values["t_peak_to_end_ms"] = (marks.t[1] - marks.t[0]) * ms if marks.has_t else np.nan
    return values


def axis_deg(area_i: float, area_avf: float) -> float:
    """The frontal axis of net areas in I and aVF, in -180..180 degrees. aVF is measured at a
    smaller gain than I, by 2 / sqrt(3).

    >>> axis_deg(1.0, 0.0), round(axis_deg(0.5, 0.75), 1)
    (0.0, 60.0)
    """
    return math.degrees(math.atan2(area_avf * 2 / math.sqrt(3), area_i))


def _axes(beats: Beats, marks: Marks, centred_mv: NDArray) -> dict[str, float]:
    """Frontal axes of P, QRS and T, and the angle between those of QRS and T."""
    limbs = centred_mv[:, _places(("I", "aVF"))]
    qrs_deg = axis_deg(*limbs[slice(*marks.qrs)].sum(axis=0).tolist())
    t_deg = angle_deg = np.nan
    p_mv = without_line(limbs[marks.p[0] : marks.p[2] + 1])
    if marks.has_t:
        begin = max(marks.qrs[1], marks.t[0] - beats.samples(0.08))
        t_deg = axis_deg(*limbs[begin : marks.t[1]].sum(axis=0).tolist())
        angle_deg = abs((qrs_deg - t_deg + 180) % 360 - 180)
    return {
        "p_axis_deg": axis_deg(*p_mv.sum(axis=0).tolist()),
        "qrs_axis_deg": qrs_deg,
        "t_axis_deg": t_deg,
        "qrs_t_angle_deg": angle_deg,
    }


def _qrs(
    beats: Beats, centred_mv: NDArray, begin: int, end: int, high_mv: NDArray
) -> dict[str, float]:
    """Amplitudes and shape of the QRS."""
    qrs_mv = centred_mv[begin:end]
    largest, low_mv = qrs_mv.argmax(axis=0), np.minimum(qrs_mv.min(axis=0), 0)
    span_mv = high_mv - low_mv
    ms = 1000 / beats.rate_hz
    terminal_mv = centred_mv[max(end - beats.samples(_TERMINAL_S), begin) : end].mean(axis=0)
    above = high_mv[6:] + low_mv[6:] > 0  # in a chest lead, R is larger than S
    follows_r = np.arange(len(qrs_mv))[:, None] >= largest  # S counts where it does
    s_mv = np.where(follows_r, qrs_mv, 0).min(axis=0)
    shown_mv = qrs_mv[:: max(beats.samples(0.004), 1)]
    change = np.sign(shown_mv[1:] - shown_mv[:-1])
    turns = np.count_nonzero(change[1:] * change[:-1] < 0)
    return {
        **_named("r_{}_mv", SHOWN, high_mv),
        **_named("s_{}_mv", SHOWN, s_mv),
        **_named("qrs_area_{}_mv_ms", AREAS, qrs_mv.sum(axis=0) * ms),
        **_named("qrs_terminal_{}", TERMINAL, terminal_mv / np.maximum(span_mv, 0.05)),
        **_named("r_peak_{}_ms", PEAK_TIMES, largest * ms),
        "limb_span_mv": float(span_mv[:6].max()),
        "chest_span_mv": float(span_mv[6:].max()),
        "r_rises_at": float(above.argmax() + 1) if above.any() else 7.0,
        "r_prime_V1_mv": _r_prime_mv(qrs_mv[:, LEADS.index("V1")]),
        "qrs_turns": turns / len(LEADS),
    }


def _r_prime_mv(v1_mv: NDArray) -> float:
    """How far V1 rises again after its deepest point, above the level before the QRS."""
    return max(float(v1_mv[v1_mv.argmin() :].max()), 0.0)


def _q(beats: Beats, qrs_mv: NDArray) -> dict[str, float]:
    """Depth and duration of Q, the first wave where that points down, in the second deepest of a
    wall's leads."""
    has_risen = np.logical_or.accumulate(qrs_mv > _LEAST_MV, axis=0)
    first_mv = np.where(has_risen, 0, qrs_mv)
    depth_mv = -first_mv.min(axis=0)
    depth_mv[depth_mv <= _LEAST_MV] = 0
    lasts_ms = 1000 / beats.rate_hz * (first_mv < -_LEAST_MV).sum(axis=0)
    values = {}
    for wall, names in WALLS.items():
        places = _places(names)
        values[f"q_{wall}_mv"] = sorted(depth_mv[places].tolist())[-2]
        values[f"q_{wall}_ms"] = sorted(lasts_ms[places].tolist())[-2]
    return values


def _t_mv(beats: Beats, marks: Marks, centred_mv: NDArray) -> tuple[NDArray, NDArray]:
    """Lowest and highest [12] of each lead about the peak of T."""
    first = max(marks.t[0] - beats.samples(0.1), marks.qrs[1] + beats.samples(0.04))
    last = max(marks.t[0] + beats.samples(0.06), first + 1)
    near = centred_mv[first:last]
    return near.min(axis=0), near.max(axis=0)


def _repolarisation(
    beats: Beats, centred_mv: NDArray, end: int, t_mv: tuple[NDArray, NDArray], r_mv: NDArray
) -> dict[str, float]:
    """ST 60 ms after the QRS, and T."""
    st_at = min(end + beats.samples(_ST_S), len(centred_mv) - 1)
    low_mv, high_mv = t_mv
    signed_mv = np.where(-low_mv > high_mv, low_mv, high_mv)
    inverted_mv = dict(zip(LEADS, (-signed_mv).tolist(), strict=True))
    pairs = [min(inverted_mv[first], inverted_mv[second]) for first, second in NEIGHBOURS]
    smaller_mv = np.minimum(np.maximum(high_mv, 0), np.maximum(-low_mv, 0))
    return {
        **_named("t_{}_mv", SHOWN, signed_mv),
        **_named("st_{}_mv", SHOWN, centred_mv[st_at]),
        **_named("t_to_r_{}", RATIOS, signed_mv / np.maximum(r_mv, 0.1)),
        "t_inverted_pair_mv": max(pairs),
        "t_biphasic_mv": sorted(smaller_mv[_places(SHOWN)].tolist())[-2],
    }


def _p(marks: Marks, centred_mv: NDArray) -> dict[str, float]:
    """Amplitudes of P above the line from its begin to its end, and of its second half in V1."""
    p_mv = without_line(centred_mv[marks.p[0] : marks.p[2] + 1])
    high_mv, low_mv = p_mv.max(axis=0), p_mv.min(axis=0)
    later_mv = p_mv[len(p_mv) // 2 :, LEADS.index("V1")]
    return {
        **_named("p_{}_mv", P_SHOWN, np.where(-low_mv > high_mv, low_mv, high_mv)),
        "p_terminal_V1_mv": float(later_mv.min()),
    }
