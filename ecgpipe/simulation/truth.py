"""What a simulated recording measures, exactly: no delineator stands between.

Intervals run from where the Gaussians of a wave begin or end: P two widths before its first middle,
QRS where its dipole passes `dipole.EDGE` of its largest value, T at the end from which its times
count. QTc is Fridericia's (L. S. Fridericia 1920).
"""

from dataclasses import dataclass

import numpy as np

from ecgpipe.simulation import dipole, rhythm_criteria, ventricular
from ecgpipe.simulation.findings import SINUS, Findings
from ecgpipe.simulation.patients import Heart
from ecgpipe.simulation.rhythm import Beats


@dataclass(frozen=True)
class Truth:
    """Intervals in seconds, axis in degrees, rate a minute; NaN where there is none to measure.

    Where most beats are the ventricles' own or a pacemaker's, QRS, QT and axis are theirs.
    """

    rr_s: float
    rate_bpm: float
    pr_s: float
    qrs_s: float
    qt_s: float
    qtc_s: float
    axis_deg: float


def of(findings: Findings, heart: Heart, beats: Beats, begin_s: float, end_s: float) -> Truth:
    """The truth of the recording from `begin_s` to `end_s` (on the clock of `beats`)."""
    rr_s = rhythm_criteria.mean_rr_s(beats, begin_s, end_s)
    is_conducted = rhythm_criteria.is_conducted(beats, begin_s, end_s)
    if heart.own and np.mean(is_conducted) < 0.5:
        qrs, qt_s = heart.own.taken(slice(0, ventricular.QRS_WAVES)), ventricular.qt_s(heart.own)
        qrs_s = heart.own_end_s - heart.own_begin_s
        axis_deg = dipole.frontal_axis(qrs, heart.field)
    else:
        qt_s = heart.qtc_s * min(max(rr_s, 0.3), 1.8) ** (1 / 3)
        qrs_s, axis_deg = heart.qrs_s, heart.axis
    if findings.rhythm in ("AFL", "SVT"):  # T ends under other waves
        qt_s = np.nan
    return Truth(
        rr_s=rr_s,
        rate_bpm=60 / rr_s,
        pr_s=_pr_s(findings, heart, beats),
        qrs_s=qrs_s,
        qt_s=qt_s,
        qtc_s=qt_s / rr_s ** (1 / 3),
        axis_deg=axis_deg,
    )


def _pr_s(findings: Findings, heart: Heart, beats: Beats) -> float:
    """PR where each QRS follows its P at the same distance, else NaN."""
    if findings.rhythm in (*SINUS, "Mobitz", "2:1") or findings.pacing == "AAI":
        return findings.pr_s
    if findings.rhythm == "AT" or findings.pacing in ("VAT", "DDD", "CRT"):
        later_s = heart.own_begin_s - heart.begin_s if findings.pacing else 0.0
        return float(np.median(beats.qrs_s - beats.p_s)) + later_s
    return np.nan
