"""What each augmentation promises to keep exactly, and which classes it may break.

A promise is held by a property test (tests/augmentation/test_contracts.py).
`augment.respect_labels` leaves a recording alone where it carries a class that the augmentation may
break. The table in plots/augmentations is made from here.
"""

from dataclasses import dataclass, replace
from typing import Any

from ecgpipe.snomed import concepts

PROMISES = {
    "R-peaks": "every R-peak stays at its sample of the window",
    "RR": "the RR intervals stay, in their order",
    "algebra": "what binds the limb leads (III = II - I and the augmented leads) is disturbed by less than 1e-4 mV",
    "polarity": "no value changes its sign",
    "amplitude": "no value is scaled or disturbed: it is read from the recording, between two samples interpolated",
    "span": "a window over the whole recording still shows all of it",
}
_ALL = frozenset(PROMISES)

# SNOMED CT codes by what they rest on; equivalent codes stand together (cinc2021_classes.csv).
CODES = {
    "AF": (concepts.ATRIAL_FIBRILLATION,),
    "AFL": (concepts.ATRIAL_FLUTTER,),
    "BBB": (concepts.BUNDLE_BRANCH_BLOCK,),
    "Brady": (concepts.BRADYCARDIA,),
    "LBBB": (concepts.LEFT_BUNDLE_BRANCH_BLOCK, concepts.COMPLETE_LEFT_BUNDLE_BRANCH_BLOCK),
    "RBBB": (concepts.RIGHT_BUNDLE_BRANCH_BLOCK, concepts.COMPLETE_RIGHT_BUNDLE_BRANCH_BLOCK),
    "IAVB": (concepts.FIRST_DEGREE_AV_BLOCK,),
    "IRBBB": (concepts.INCOMPLETE_RIGHT_BUNDLE_BRANCH_BLOCK,),
    "LAD": (concepts.LEFT_AXIS_DEVIATION,),
    "LAnFB": (concepts.LEFT_ANTERIOR_FASCICULAR_BLOCK,),
    "LPR": (concepts.PROLONGED_PR_INTERVAL,),
    "LQRSV": (concepts.LOW_QRS_VOLTAGES,),
    "LQT": (concepts.PROLONGED_QT_INTERVAL,),
    "NSIVCB": (concepts.NONSPECIFIC_INTRAVENTRICULAR_CONDUCTION_DISORDER,),
    "PAC": (concepts.PREMATURE_ATRIAL_CONTRACTION, concepts.SUPRAVENTRICULAR_PREMATURE_BEATS),
    "PRWP": (concepts.POOR_R_WAVE_PROGRESSION,),
    "PVC": (
        concepts.PREMATURE_VENTRICULAR_CONTRACTIONS,
        concepts.VENTRICULAR_PREMATURE_BEATS,
        concepts.VENTRICULAR_ECTOPICS,
    ),
    "QAb": (concepts.Q_WAVE_ABNORMAL,),
    "RAD": (concepts.RIGHT_AXIS_DEVIATION,),
    "SA": (concepts.SINUS_ARRHYTHMIA,),
    "SB": (concepts.SINUS_BRADYCARDIA,),
    "STach": (concepts.SINUS_TACHYCARDIA,),
    "TAb": (concepts.T_WAVE_ABNORMAL,),
    "TInv": (concepts.T_WAVE_INVERSION,),
}
# A class that nothing here breaks: sinus rhythm, pacing.
_ROBUST = (concepts.SINUS_RHYTHM, concepts.PACING_RHYTHM)
KNOWN = frozenset(code for codes in (*CODES.values(), _ROBUST) for code in codes)
CONDUCTION = (
    "BBB",
    "LBBB",
    "RBBB",
    "IRBBB",
    "NSIVCB",
)  # the width of the QRS, and what comes late in it
DURATION = (
    "SB",
    "STach",
    "Brady",
    "IAVB",
    "LPR",
    "LQT",
    *CONDUCTION,
)  # a second is not a second any more
RHYTHM = ("AF", "SA", "PAC", "PVC")  # RR intervals change
AXIS = ("LAD", "RAD", "LAnFB")
VOLTAGE = ("LQRSV",)


@dataclass(frozen=True)
class Contract:
    """`acts` on the time map, the gain or as an addition; `keeps` are names in PROMISES, `breaks`
    names in CODES."""

    title: str
    acts: str
    keeps: frozenset[str]
    breaks: tuple[str, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """The SNOMED CT codes of the classes that it may break."""
        return frozenset(code for name in self.breaks for code in CODES[name])


def _keeps_all_but(*promises: str) -> frozenset[str]:
    return _ALL - set(promises)


_TIME, _GAIN, _ADDITION = "time", "gain", "addition"
_DISTURBS = _keeps_all_but("polarity", "amplitude")
# A crop moves R-peaks with the window, and a finding that comes once may lie outside it: no choice
# of a window helps.
CONTRACTS = {
    "crop": Contract("random crop", _TIME, _keeps_all_but("R-peaks")),
    "jitter": Contract("jitter of the crop", _TIME, _keeps_all_but("R-peaks", "span")),
    "roll": Contract("roll", _TIME, _keeps_all_but("R-peaks", "RR"), RHYTHM),
    "stretch": Contract("random stretch", _TIME, _keeps_all_but("R-peaks", "RR", "span"), DURATION),
    "sine_resample": Contract(
        "sine resampling", _TIME, _keeps_all_but("R-peaks", "RR", "span"), DURATION + RHYTHM
    ),
    "linear_resample": Contract(
        "linear resampling", _TIME, _keeps_all_but("R-peaks", "RR"), DURATION + RHYTHM
    ),
    "triangle_resample": Contract(
        "triangle resampling", _TIME, _keeps_all_but("R-peaks", "RR"), DURATION + RHYTHM
    ),
    "star": Contract(
        "STAR, beat-wise", _TIME + ", " + _GAIN, _keeps_all_but("amplitude"), ("IAVB", "LPR", "LQT", *CONDUCTION)
    ),
    "triangle": Contract("Multiply-Triangle", _GAIN, _keeps_all_but("amplitude"), VOLTAGE),
    "multiply_sine": Contract("Multiply-Sine", _GAIN, _keeps_all_but("amplitude"), VOLTAGE),
    "multiply_linear": Contract("Multiply-Linear", _GAIN, _keeps_all_but("amplitude"), VOLTAGE),
    "noise": Contract("Gaussian noise", _ADDITION, _DISTURBS),
    "wander": Contract("baseline wander", _ADDITION, _DISTURBS),
    "hum": Contract("mains hum", _ADDITION, _DISTURBS),
    "notch": Contract("notch", _ADDITION, _DISTURBS, (*VOLTAGE, "QAb")),
    "lead_dropout": Contract(
        "lead dropout", _GAIN, _keeps_all_but("algebra", "amplitude"), (*AXIS, "PRWP")
    ),
    "time_flip": Contract(
        "time flip", _TIME, _keeps_all_but("R-peaks", "RR"),
        (*RHYTHM, *CONDUCTION, "AFL", "IAVB", "LPR", "LQT", "QAb", "TAb"),
    ),
    "amplitude_flip": Contract(
        "amplitude flip", _GAIN, _keeps_all_but("polarity"), (*AXIS, *CONDUCTION, "TInv", "TAb", "QAb", "PRWP")
    ),
}  # fmt: skip
_VARIANTS = {
    ("star", "star_how", "published"): Contract(
        "STAR, as published", _TIME + ", " + _GAIN, frozenset({"algebra", "polarity", "span"}),
        DURATION + RHYTHM + VOLTAGE,
    ),
    ("triangle", "triangle_per", "lead"): replace(
        CONTRACTS["triangle"],
        title="Multiply-Triangle, per lead", keeps=_keeps_all_but("amplitude", "algebra"),
        breaks=(*VOLTAGE, *AXIS, "PRWP"),
    ),
}  # fmt: skip


def contract(name: str, settings: Any = None) -> Contract:
    """The contract of an augmentation, by its switch in `augment`, or of the variant that
    `settings` (augmenting.Params) choose."""
    for (which, key, value), variant in _VARIANTS.items():
        if which == name and getattr(settings, key, None) == value:
            return variant
    return CONTRACTS[name]


def every() -> list[Contract]:
    """All contracts, variants too, in the order of the engine."""
    found = []
    for name, one in CONTRACTS.items():
        found += [one, *(variant for (which, *_), variant in _VARIANTS.items() if which == name)]
    return found
