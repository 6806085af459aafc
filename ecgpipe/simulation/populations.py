"""Which findings patients have, and how often: two populations.

- `balanced`: every class of the Challenge 2021 in some 5 to 10 percent of recordings and more, and
  many recordings with nothing but a normal rhythm.
- `published`: as often as in the public data of the Challenge 2021, all eight sources together
  (positives per class among 88,253 recordings: Reyna et al. 2021,
  doi:10.23919/CinC53138.2021.9662687; counts of https://github.com/physionetchallenges/evaluation-2021,
  dx_mapping_scored.csv); what is not scored there by dx_mapping_unscored.csv.

Shares below the rhythm are those of patients who are not `well`. They were set by us so that the
labels of many drawn recordings come to the shares above.
"""

from dataclasses import dataclass

Shares = dict[str, float]


@dataclass(frozen=True)
class Population:
    """Shares of findings; of tables the keys are values of the fields of `Findings`."""

    rhythm: Shares
    pacing: Shares  # of paced rhythms
    well: float  # of all: nothing but the rhythm is drawn
    swinging: float  # of sinus rhythms without tachycardia: sinus arrhythmia
    long_pr: float  # of sinus rhythms
    atrial: float  # atrial premature beats, of sinus rhythms
    ventricular: float  # ventricular premature beats
    conduction: Shares
    left_axis: float
    right_axis: float
    repolarisation: Shares
    infarct: Shares
    extra: Shares
    atria: Shares
    low_voltage: float
    long_qt: float
    dextrocardia: float


_WALLS = {
    "inferior": 0.42,
    "anterior": 0.16,
    "septal": 0.10,
    "anterolateral": 0.10,
    "lateral": 0.08,
    "inferolateral": 0.08,
    "posterior": 0.06,
}
_PACING = {"VVI": 0.31, "VVI AF": 0.22, "VAT": 0.22, "DDD": 0.11, "AAI": 0.07, "CRT": 0.07}


def _with_walls(share: float) -> Shares:
    """The table of infarcts in which `share` have one."""
    return {"": 1 - share} | {wall: share * part for wall, part in _WALLS.items()}


BALANCED = Population(
    rhythm={
        "NSR": 0.415,
        "SB": 0.125,
        "STach": 0.11,
        "AF": 0.105,
        "AFL": 0.085,
        "paced": 0.07,
        "SVT": 0.013,
        "AT": 0.012,
        "junctional": 0.017,
        "idioventricular": 0.01,
        "Wenckebach": 0.012,
        "Mobitz": 0.005,
        "2:1": 0.008,
        "complete": 0.013,
    },
    pacing=_PACING,
    well=0.3,
    swinging=0.2,
    long_pr=0.22,
    atrial=0.2,
    ventricular=0.14,
    conduction={
        "normal": 0.295,
        "IRBBB": 0.14,
        "RBBB": 0.105,
        "LBBB": 0.135,
        "LAnFB": 0.115,
        "RBBB+LAnFB": 0.03,
        "LPFB": 0.012,
        "RBBB+LPFB": 0.006,
        "NSIVCD": 0.13,
        "ILBBB": 0.02,
        "WPW": 0.018,
    },
    left_axis=0.09,
    right_axis=0.17,
    repolarisation={
        "normal": 0.67,
        "flat": 0.14,
        "biphasic": 0.04,
        "lateral": 0.04,
        "inferior": 0.03,
        "anterior": 0.05,
        "global": 0.03,
    },
    infarct=_with_walls(0.19),
    extra={
        "none": 0.46,
        "LVH": 0.13,
        "RVH": 0.03,
        "ST down": 0.08,
        "early": 0.07,
        "ST up": 0.02,
        "slow R": 0.21,
    },
    atria={"": 0.78, "LAE": 0.14, "RAE": 0.05, "both": 0.03},
    low_voltage=0.19,
    long_qt=0.16,
    dextrocardia=0.003,
)
PUBLISHED = Population(
    rhythm={
        "NSR": 0.465,
        "SB": 0.225,
        "STach": 0.11,
        "AF": 0.075,
        "AFL": 0.08,
        "paced": 0.018,
        "SVT": 0.009,
        "AT": 0.004,
        "junctional": 0.004,
        "idioventricular": 0.001,
        "Wenckebach": 0.002,
        "Mobitz": 0.0005,
        "2:1": 0.001,
        "complete": 0.002,
    },
    pacing=_PACING,
    well=0.4,
    swinging=0.065,
    long_pr=0.09,
    atrial=0.065,
    ventricular=0.11,
    conduction={
        "normal": 0.742,
        "IRBBB": 0.028,
        "RBBB": 0.085,
        "LBBB": 0.032,
        "LAnFB": 0.045,
        "RBBB+LAnFB": 0.012,
        "LPFB": 0.003,
        "RBBB+LPFB": 0.002,
        "NSIVCD": 0.04,
        "ILBBB": 0.005,
        "WPW": 0.003,
    },
    left_axis=0.10,
    right_axis=0.03,
    repolarisation={
        "normal": 0.875,
        "flat": 0.045,
        "biphasic": 0.02,
        "lateral": 0.02,
        "inferior": 0.01,
        "anterior": 0.02,
        "global": 0.01,
    },
    infarct=_with_walls(0.05),
    extra={
        "none": 0.765,
        "LVH": 0.11,
        "RVH": 0.005,
        "ST down": 0.08,
        "early": 0.025,
        "ST up": 0.01,
        "slow R": 0.005,
    },
    atria={"": 0.9, "LAE": 0.07, "RAE": 0.02, "both": 0.01},
    low_voltage=0.03,
    long_qt=0.03,
    dextrocardia=0.0005,
)
POPULATIONS = {"balanced": BALANCED, "published": PUBLISHED}
