"""What invented patients have: which findings go together, and how often.

Findings that no label names (hypertrophy, infarct Q waves, early repolarisation, ventricular beats
...) are drawn among all, so that a class cannot be told by what else the simulator happens to do.
"""

from dataclasses import dataclass, replace

import numpy as np

# Shares of the findings. Every class comes to 7 to 20 percent of recordings, sinus rhythm to a
# third.
RHYTHMS = {"NSR": 0.47, "SB": 0.145, "STach": 0.125, "AF": 0.14, "AFL": 0.12}
WELL = 0.28  # share of patients in whom nothing but the rhythm is drawn
CONDUCTION = {
    "normal": 0.37,
    "IRBBB": 0.15,
    "RBBB": 0.13,
    "LBBB": 0.15,
    "LAnFB": 0.13,
    "RBBB+LAnFB": 0.03,
    "NSIVCD": 0.04,
}
REPOLARISATION = {
    "normal": 0.47,
    "flat": 0.20,
    "biphasic": 0.07,
    "lateral": 0.08,
    "inferior": 0.05,
    "anterior": 0.08,
    "global": 0.05,
}
EXTRA = {
    "none": 0.60,
    "LVH": 0.09,
    "Q inferior": 0.06,
    "Q anterior": 0.05,
    "ST down": 0.08,
    "early": 0.07,
    "slow R": 0.05,
}


@dataclass(frozen=True)
class Findings:
    """What one patient has."""

    age: int  # years
    sex: str  # F or M
    rhythm: str  # of RHYTHMS
    rate_bpm: float  # beats a minute; flutter waves a minute where the rhythm is AFL
    swing_s: float  # change of the sinus interval with breathing, peak to peak
    pr_s: float  # from the begin of P to the begin of QRS
    premature: int  # atrial premature beats in ten seconds
    ventricular: int  # ventricular premature beats in a recording
    conduction: str  # of CONDUCTION
    axis: float  # the frontal axis aimed at, degrees
    repolarisation: str  # of REPOLARISATION
    low_voltage: str  # '', 'limb', 'chest' or 'both'
    extra: str  # of EXTRA


def pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """One key, by its share."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(np.searchsorted(np.cumsum(weights / weights.sum()), rng.random()))]


def draw_findings(
    rng: np.random.Generator, rhythm: str | None = None, **wanted: object
) -> Findings:
    """Draws a patient; any field may be given instead of drawn."""
    rhythm = rhythm or pick(rng, RHYTHMS)
    well = rng.random() < WELL
    sinus = rhythm in ("NSR", "SB", "STach")
    age = _age(rng, rhythm)
    conduction = "normal" if well else pick(rng, CONDUCTION)
    swings = rhythm in ("NSR", "SB") and rng.random() < 0.24
    plain = well or conduction == "LBBB"  # neither T nor an extra finding is drawn
    drawn = Findings(
        age=age,
        sex="F" if rng.random() < 0.46 else "M",
        rhythm=rhythm,
        rate_bpm=_rate(rng, rhythm),
        swing_s=rng.uniform(0.2, 0.5) if swings else rng.uniform(0.0, 0.07),
        pr_s=_pr(rng, rhythm, long=sinus and not well and rng.random() < 0.23),
        premature=_premature(rng, sinus, swings),
        ventricular=int(rng.integers(1, 4)) if rhythm != "AFL" and rng.random() < 0.06 else 0,
        conduction=conduction,
        axis=_axis(rng, conduction, age, well),
        repolarisation="normal" if plain else pick(rng, REPOLARISATION),
        low_voltage=_low_voltage(rng, conduction, well),
        extra="none" if plain else pick(rng, EXTRA),
    )
    return replace(drawn, **wanted)


def _age(rng: np.random.Generator, rhythm: str) -> int:
    """Years; fibrillation and flutter come with age."""
    mean, spread = (72, 11) if rhythm in ("AF", "AFL") else (57, 19)
    return int(np.clip(rng.normal(mean, spread), 14, 95))


def _premature(rng: np.random.Generator, sinus: bool, swings: bool) -> int:
    """Atrial premature beats in ten seconds; rarer where the sinus interval swings."""
    if sinus and rng.random() < (0.05 if swings else 0.19):
        return int(rng.integers(2, 6))
    return 0


def _rate(rng: np.random.Generator, rhythm: str) -> float:
    """Beats a minute; for flutter, flutter waves a minute."""
    if rhythm == "NSR":
        return float(np.clip(rng.normal(75, 11), 61, 99))
    if rhythm == "SB":
        return float(60 - np.clip(rng.gamma(1.7, 4), 1, 22))
    if rhythm == "STach":
        return float(101 + np.clip(rng.gamma(1.5, 9), 1, 55))
    if rhythm == "AF":
        return float(np.clip(np.exp(rng.normal(np.log(90), 0.3)), 48, 175))
    return rng.uniform(240, 340)


def _pr(rng: np.random.Generator, rhythm: str, long: bool) -> float:
    """From the begin of P to the begin of QRS, seconds."""
    if long and rhythm == "STach":
        return rng.uniform(0.208, 0.27)
    if long:
        return 0.208 + min(rng.gamma(1.5, 0.03), 0.14)
    return float(np.clip(rng.normal(0.135 if rhythm == "STach" else 0.155, 0.018), 0.11, 0.192))


def _axis(rng: np.random.Generator, conduction: str, age: int, well: bool) -> float:
    """The frontal axis aimed at, degrees."""
    if "LAnFB" in conduction:
        return rng.uniform(-75, -46)
    if not well and rng.random() < (0.3 if conduction == "LBBB" else 0.07):
        return -31 - min(rng.gamma(1.5, 12), 50)
    if not well and conduction != "LBBB" and rng.random() < 0.17:
        return 92 + min(rng.gamma(1.5, 16), 80)
    return float(np.clip(rng.normal(38 - 0.5 * (age - 50), 24), -27, 86))


def _low_voltage(rng: np.random.Generator, conduction: str, well: bool) -> str:
    """Where voltages are low: nowhere (''), or 'limb', 'chest' or 'both'."""
    if well or conduction not in ("normal", "IRBBB", "RBBB", "NSIVCD") or rng.random() > 0.23:
        return ""
    return pick(rng, {"limb": 0.75, "chest": 0.1, "both": 0.15})
