"""What invented patients have: which findings go together.

Findings that no label names (hypertrophy, early repolarisation, enlarged atria ...) are drawn among
all, so that a class cannot be told by what else the simulator happens to do. How often each is
drawn stands in `simulation.populations`.
"""

from dataclasses import dataclass, replace

import numpy as np

from ecgpipe.simulation.populations import POPULATIONS, Population, Shares

SINUS = ("NSR", "SB", "STach")
BLOCKED = ("Wenckebach", "Mobitz", "2:1", "complete")  # sinus rhythm that the AV node blocks
BROAD = ("LBBB", "WPW")  # conduction after which T is no finding of its own
# Patterns of premature beats: singly, in pairs, every second or third beat, in a row ...
ATRIAL_PATTERNS = {
    "single": 0.60,
    "couplet": 0.10,
    "bigeminy": 0.08,
    "trigeminy": 0.06,
    "run": 0.10,
    "blocked": 0.06,
}
VENTRICULAR_PATTERNS = {
    "single": 0.58,
    "couplet": 0.10,
    "bigeminy": 0.12,
    "trigeminy": 0.09,
    "run": 0.06,
    "interpolated": 0.05,
}


@dataclass(frozen=True)
class Findings:
    """What one patient has; every table is one of `populations.Population` unless named."""

    age: int  # years
    sex: str  # F or M
    rhythm: str
    # Beats a minute of what leads: sinus node, pacemaker ...; flutter waves where it is AFL.
    rate_bpm: float
    swing_s: float  # change of the sinus interval with breathing, peak to peak
    pr_s: float  # from the begin of P to the begin of QRS
    premature: int  # atrial premature beats (or groups of them) in ten seconds
    atrial_pattern: str  # of ATRIAL_PATTERNS, '' where there are none
    ventricular: int  # ventricular premature beats (or groups of them) in ten seconds
    ventricular_pattern: str  # of VENTRICULAR_PATTERNS, '' where there are none
    pacing: str  # where the rhythm is paced; else ''
    conduction: str
    axis: float  # the frontal axis aimed at, degrees
    repolarisation: str
    low_voltage: str  # '', 'limb', 'chest' or 'both'
    infarct: str  # the wall, or ''
    infarct_age: str  # '', 'old', 'recent' or 'acute'
    extra: str
    atria: str
    qtc_s: float  # QT at a rate of 60 a minute where the QRS is narrow
    dextrocardia: bool


def pick(rng: np.random.Generator, shares: Shares) -> str:
    """One key, by its share."""
    left = rng.random() * sum(shares.values())
    keys = iter(shares)
    key = next(keys)
    while left > shares[key]:
        left -= shares[key]
        key = next(keys, key)
    return key


def draw_findings(
    rng: np.random.Generator,
    rhythm: str | None = None,
    *,
    population: str = "balanced",
    **wanted: object,
) -> Findings:
    """Draws a patient of a population (of `populations.POPULATIONS`); any field may be given
    instead of drawn."""
    shares = POPULATIONS[population]
    rhythm = rhythm or pick(rng, shares.rhythm)
    sex = wanted.get("sex") or ("F" if rng.random() < 0.46 else "M")
    well = rng.random() < shares.well
    age = wanted.get("age") or _age(rng, rhythm)
    conduction = wanted.get("conduction") or ("normal" if well else pick(rng, shares.conduction))
    drawn = Findings(
        age=age,
        sex=sex,
        rhythm=rhythm,
        rate_bpm=_rate(rng, rhythm),
        pacing=pick(rng, shares.pacing) if rhythm == "paced" else "",
        conduction=conduction,
        axis=_axis(rng, conduction, age, well, shares),
        atria="" if well else pick(rng, shares.atria),
        qtc_s=_qtc(rng, sex, age, not well and rng.random() < shares.long_qt),
        dextrocardia=bool(rng.random() < shares.dextrocardia),
        **_timing(rng, rhythm, age, well, conduction, shares),
        **_shape(rng, rhythm, well, conduction, shares),
    )
    return _with_details(rng, replace(drawn, **wanted), wanted)


def _timing(
    rng: np.random.Generator,
    rhythm: str,
    age: int,
    well: bool,
    conduction: str,
    shares: Population,
) -> dict[str, object]:
    """How the sinus swings, PR, and how many beats come early."""
    # A sinus node that swings is mostly a healthy and a young one's.
    likely = shares.swinging * (1.6 - age / 100) * (1.35 if well else 0.8)
    swings = rhythm in ("NSR", "SB") and rng.random() < likely
    long_pr = rhythm in SINUS and not well and rng.random() < shares.long_pr
    # Atrial premature beats are rarer where the sinus interval swings.
    atrial = rhythm in SINUS and rng.random() < shares.atrial * (0.3 if swings else 1.0)
    has_room = rhythm in (*SINUS, "AF") and not well
    ventricular = has_room and rng.random() < shares.ventricular
    return {
        "swing_s": rng.uniform(0.14, 0.4) if swings else rng.uniform(0.0, 0.07),
        "pr_s": _pr(rng, rhythm, long_pr, conduction),
        "premature": int(rng.integers(1, 5)) if atrial else 0,
        "atrial_pattern": "",
        "ventricular": int(rng.integers(1, 5)) if ventricular else 0,
        "ventricular_pattern": "",
    }


def _shape(
    rng: np.random.Generator, rhythm: str, well: bool, conduction: str, shares: Population
) -> dict[str, object]:
    """Findings of the shape of a beat; T and what goes with it are none where conduction is
    BROAD. With atrial fibrillation and flutter ST and T are seldom normal: high rates, old age,
    digitalis."""
    plain = well or conduction in BROAD
    repolarisation = "normal" if plain else pick(rng, shares.repolarisation)
    extra = "none" if plain else pick(rng, shares.extra)
    if rhythm in ("AF", "AFL") and conduction not in BROAD and rng.random() < 0.55:
        repolarisation = pick(rng, {"flat": 0.45, "biphasic": 0.2, "lateral": 0.25, "global": 0.1})
        extra = "ST down" if rng.random() < 0.6 else extra
    infarct = "" if plain else pick(rng, shares.infarct)
    low = not well and rhythm != "paced" and rng.random() < shares.low_voltage
    return {
        "repolarisation": repolarisation,
        "low_voltage": _low_voltage(rng, conduction, low),
        "infarct": infarct,
        "infarct_age": "",
        "extra": "none" if infarct else extra,
    }


def _with_details(
    rng: np.random.Generator, findings: Findings, wanted: dict[str, object]
) -> Findings:
    """Patterns of the premature beats and the age of the infarct, where there are any."""
    details = {}
    if findings.premature and "atrial_pattern" not in wanted:
        details["atrial_pattern"] = pick(rng, ATRIAL_PATTERNS)
    if findings.ventricular and "ventricular_pattern" not in wanted:
        details["ventricular_pattern"] = pick(rng, VENTRICULAR_PATTERNS)
    if findings.infarct and "infarct_age" not in wanted:
        details["infarct_age"] = pick(rng, {"old": 0.6, "recent": 0.25, "acute": 0.15})
    if findings.extra == "RVH" and "axis" not in wanted:
        details["axis"] = rng.uniform(85, 165)
    return replace(findings, **details)


def _age(rng: np.random.Generator, rhythm: str) -> int:
    """Years; disorders of rhythm and pacemakers come with age, paroxysmal tachycardia does not."""
    mean, spread = (57, 19) if rhythm in (*SINUS, "SVT") else (71, 12)
    return int(min(max(rng.normal(mean, spread), 14), 95))


def _clipped(
    rng: np.random.Generator, mean: float, spread: float, low: float, high: float
) -> float:
    """A normal draw within limits."""
    return float(min(max(rng.normal(mean, spread), low), high))


# Mean, standard deviation and limits in beats a minute: textbook ranges of each rhythm.
_RATES = {
    "NSR": (72, 11, 60.5, 99),
    "SVT": (172, 24, 130, 230),
    "AT": (135, 25, 102, 200),
    "junctional": (58, 18, 36, 110),
    "idioventricular": (55, 22, 28, 105),
    "Wenckebach": (78, 14, 50, 110),
    "Mobitz": (76, 13, 50, 105),
    "2:1": (82, 14, 60, 120),
    "complete": (84, 15, 60, 125),  # of the atria
    "paced": (66, 9, 50, 100),
}


def _rate(rng: np.random.Generator, rhythm: str) -> float:
    """Beats a minute; for flutter, flutter waves a minute."""
    if rhythm in _RATES:
        return _clipped(rng, *_RATES[rhythm])
    if rhythm == "SB":
        return float(60 - min(max(rng.gamma(1.7, 4), 1), 22))
    if rhythm == "STach":
        return float(101 + min(max(rng.gamma(1.5, 9), 1), 55))
    if rhythm == "AF":
        return float(min(max(np.exp(rng.normal(np.log(90), 0.3)), 45), 175))
    return rng.uniform(230, 340)


def _pr(rng: np.random.Generator, rhythm: str, long: bool, conduction: str) -> float:
    """From the begin of P to the begin of QRS, seconds; short where an accessory path leads."""
    if conduction == "WPW":
        return rng.uniform(0.08, 0.119)
    if long and rhythm == "STach":
        return rng.uniform(0.208, 0.27)
    if long:
        return 0.208 + min(rng.gamma(1.5, 0.03), 0.14)
    return _clipped(rng, 0.14 if rhythm == "STach" else 0.157, 0.019, 0.11, 0.192)


def _axis(
    rng: np.random.Generator, conduction: str, age: int, well: bool, shares: Population
) -> float:
    """The frontal axis aimed at, degrees."""
    if "LAnFB" in conduction:
        return rng.uniform(-80, -36)
    if "LPFB" in conduction:
        return rng.uniform(95, 140)
    if not well and rng.random() < (0.4 if conduction == "LBBB" else shares.left_axis):
        return -29 - min(rng.gamma(1.4, 10), 50)
    if not well and conduction != "LBBB" and rng.random() < shares.right_axis:
        return 92 + min(rng.gamma(1.5, 16), 80)
    left = 35 if conduction == "LBBB" else 0
    return _clipped(rng, 40 - left - 0.5 * (age - 50), 27, -27, 86)


def _low_voltage(rng: np.random.Generator, conduction: str, low: bool) -> str:
    """Where voltages are low: nowhere (''), or 'limb', 'chest' or 'both'."""
    if not low or conduction not in ("normal", "IRBBB", "RBBB", "NSIVCD"):
        return ""
    return pick(rng, {"limb": 0.72, "chest": 0.1, "both": 0.18})


def _qtc(rng: np.random.Generator, sex: str, age: int, long: bool) -> float:
    """QT in seconds at a rate of 60 a minute (L. S. Fridericia 1920); longer in women until the
    menopause, and a little with age (Rautaharju et al. 2009,
    doi:10.1161/CIRCULATIONAHA.108.191096)."""
    if long:
        return 0.466 + min(rng.gamma(1.6, 0.016), 0.11)
    middle = 0.402 + (0.012 if sex == "F" and age < 55 else 0.006 if sex == "F" else 0.0)
    return _clipped(rng, middle + 0.0001 * (age - 50), 0.019, 0.345, 0.445)
