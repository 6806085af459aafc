"""What augmentations promise to keep exactly, and which classes they may break.

A contract stands in the record of its augmentation (`record`); a promise is held by a property test
(tests/augmentation/test_contracts.py). `augment.respect_labels` leaves a recording alone where it
carries a class that the augmentation may break. The table in plots/augmentations is made from the
contracts.
"""

from dataclasses import dataclass

from ecgpipe.snomed import concepts

PROMISES = {
    "R-peaks": "every R-peak stays at its sample of the window",
    "RR": "the RR intervals stay, in their order",
    "algebra": "what binds the limb leads (III = II - I and the augmented leads) is disturbed by "
    "less than 1e-4 mV",
    "polarity": "no value changes its sign",
    "amplitude": "no value is scaled or disturbed: it is read from the recording, between two "
    "samples interpolated",
    "span": "a window over the whole recording still shows all of it",
}

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
# Classes that nothing here breaks: sinus rhythm, pacing.
_ROBUST = (concepts.SINUS_RHYTHM, concepts.PACING_RHYTHM)
KNOWN = frozenset(_ROBUST).union(*CODES.values())

# The width of the QRS, and what comes late in it.
CONDUCTION = ("BBB", "LBBB", "RBBB", "IRBBB", "NSIVCB")
# A second is not a second any more.
DURATION = ("SB", "STach", "Brady", "IAVB", "LPR", "LQT", *CONDUCTION)
# RR intervals change.
RHYTHM = ("AF", "SA", "PAC", "PVC")
AXIS = ("LAD", "RAD", "LAnFB")
VOLTAGE = ("LQRSV",)


@dataclass(frozen=True)
class Contract:
    """`title`: what tables call the augmentation; `keeps` are names in PROMISES, `breaks` names in
    CODES."""

    title: str
    keeps: frozenset[str]
    breaks: tuple[str, ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """The SNOMED CT codes of the classes that it may break."""
        return frozenset().union(*(CODES[name] for name in self.breaks))


def all_but(*promises: str) -> frozenset[str]:
    """All promises but these."""
    return frozenset(PROMISES) - set(promises)


DISTURBS = all_but("polarity", "amplitude")
