"""Rhythms whose beats do not follow the sinus node one by one: blocks between atria and ventricles,
rhythms of the AV junction and of the ventricles, and tachycardias that run in circles.

Definitions after Surawicz et al. and the 2018 ACC/AHA/HRS guideline on bradycardia
(doi:10.1161/CIR.0000000000000628): Wenckebach lengthens PR until a beat drops; Mobitz II drops one
without warning; in complete block atria and ventricles beat each at their own rate.
"""

import numpy as np

from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.rhythm import (
    ECTOPIC,
    NORMAL,
    SINUS,
    VENTRICULAR_RHYTHM,
    Beats,
    sinus_intervals,
)


def _sinus_times(rng: np.random.Generator, findings: Findings, seconds: float) -> np.ndarray:
    """When the P waves of a calm sinus node begin."""
    intervals_s = sinus_intervals(rng, findings.rate_bpm, seconds, findings.swing_s, 0.008)
    return np.cumsum(intervals_s) - intervals_s[0] * (1 + rng.random())


def _beats(qrs_s: np.ndarray, p_s: np.ndarray, kind: int = NORMAL, origin: int = SINUS) -> Beats:
    """Beats and P waves each of one kind."""
    return Beats(qrs_s, np.full(len(qrs_s), kind), p_s, np.full(len(p_s), origin))


def wenckebach(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """PR grows from beat to beat, by less each time, until one P is blocked."""
    p_s = _sinus_times(rng, findings, seconds)
    length = int(rng.integers(3, 7))  # P waves from one pause to the next
    place = (np.arange(len(p_s)) + rng.integers(length)) % length
    grown = np.concatenate([[0.0], np.cumsum(rng.uniform(0.05, 0.11) * 0.6 ** np.arange(length))])
    pr_s = findings.pr_s + grown[place] + 0.003 * rng.standard_normal(len(p_s))
    return _beats((p_s + pr_s)[place < length - 1], p_s)


def mobitz(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """Every second P is blocked (2:1), or now and then one without warning (Mobitz II)."""
    p_s = _sinus_times(rng, findings, seconds)
    length = 2 if findings.rhythm == "2:1" else int(rng.integers(3, 6))
    place = (np.arange(len(p_s)) + rng.integers(length)) % length
    pr_s = findings.pr_s + 0.002 * rng.standard_normal(len(p_s))
    return _beats((p_s + pr_s)[place < length - 1], p_s)


def complete(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """Atria and ventricles apart: the escape comes from the junction or, slower and broad, from a
    ventricle."""
    p_s = _sinus_times(rng, findings, seconds)
    junction = rng.random() < 0.45
    escape_bpm = rng.uniform(40, 56) if junction else rng.uniform(26, 44)
    qrs_s = _steady(rng, escape_bpm, seconds, 0.012)
    return _beats(qrs_s, p_s, NORMAL if junction else VENTRICULAR_RHYTHM)


def _steady(rng: np.random.Generator, rate_bpm: float, seconds: float, spread: float) -> np.ndarray:
    """Times of a pacemaker that hardly varies; `spread` is a share of the interval."""
    count = int(seconds * rate_bpm / 60 * 1.1) + 4
    intervals_s = 60 / rate_bpm * (1 + spread * rng.standard_normal(count))
    return np.cumsum(intervals_s) - intervals_s[0] * (0.5 + rng.random())


def junctional(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """Beats of the AV junction or of a circle through it; P goes backwards through the atria,
    shortly before QRS, hidden in it, or shortly after."""
    qrs_s = _steady(rng, findings.rate_bpm, seconds, 0.02 if findings.rate_bpm < 120 else 0.004)
    hidden = rng.random() < 0.5
    before = findings.rhythm == "junctional" and rng.random() < 0.5
    offset_s = -rng.uniform(0.06, 0.11) if before else rng.uniform(0.10, 0.16)
    p_s = np.zeros(0) if hidden else qrs_s + offset_s
    return _beats(qrs_s, p_s, origin=ECTOPIC)


def atrial_tachycardia(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """A place in an atrium fires fast and evenly."""
    p_s = _steady(rng, findings.rate_bpm, seconds, 0.006)
    return _beats(p_s + min(findings.pr_s, 0.16), p_s, origin=ECTOPIC)


def idioventricular(rng: np.random.Generator, findings: Findings, seconds: float) -> Beats:
    """Beats of a ventricle; in half of them the sinus node goes on beside, at about the same
    rate."""
    qrs_s = _steady(rng, findings.rate_bpm, seconds, 0.02)
    beside_bpm = findings.rate_bpm * rng.uniform(0.95, 1.2)
    p_s = _steady(rng, beside_bpm, seconds, 0.01) if rng.random() < 0.5 else np.zeros(0)
    return _beats(qrs_s, p_s, VENTRICULAR_RHYTHM)


RHYTHMS = {
    "Wenckebach": wenckebach,
    "Mobitz": mobitz,
    "2:1": mobitz,
    "complete": complete,
    "junctional": junctional,
    "SVT": junctional,
    "AT": atrial_tachycardia,
    "idioventricular": idioventricular,
}
