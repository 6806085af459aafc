"""Which labels a simulated recording earns, and which cannot be decided: the 26 classes of the
CinC Challenge 2021.

Every criterion is measured on the clean waves: rhythm and beats in `simulation.rhythm_criteria`,
conduction, axis, voltage, Q, R, T and QT in `simulation.shape_criteria`.

Archives use some words loosely; there we follow SNOMED CT: a general word holds wherever a narrower
one does (https://browser.ihtsdotools.org: sinus bradycardia is a bradycardia, a complete bundle
branch block is a bundle branch block), and a long PR interval is what first degree AV block is read
from. Where readers disagree by convention rather than by what they see, one of `simulation.readers`
decides. What cannot be seen (the shape of conducted beats where pacemaker or ventricles lead, say)
is undecided: neither present nor absent, and nothing is to be learned from it.
"""

from dataclasses import dataclass

from ecgpipe.simulation import rhythm_criteria, shape_criteria
from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.patients import Heart
from ecgpipe.simulation.readers import STANDARD, Reader
from ecgpipe.simulation.rhythm import Beats
from ecgpipe.snomed import concepts

CODES = {
    "NSR": concepts.SINUS_RHYTHM,
    "SB": concepts.SINUS_BRADYCARDIA,
    "TAb": concepts.T_WAVE_ABNORMAL,
    "SA": concepts.SINUS_ARRHYTHMIA,
    "IRBBB": concepts.INCOMPLETE_RIGHT_BUNDLE_BRANCH_BLOCK,
    "STach": concepts.SINUS_TACHYCARDIA,
    "RBBB": concepts.RIGHT_BUNDLE_BRANCH_BLOCK,
    "AF": concepts.ATRIAL_FIBRILLATION,
    "TInv": concepts.T_WAVE_INVERSION,
    "RAD": concepts.RIGHT_AXIS_DEVIATION,
    "LAnFB": concepts.LEFT_ANTERIOR_FASCICULAR_BLOCK,
    "LAD": concepts.LEFT_AXIS_DEVIATION,
    "AFL": concepts.ATRIAL_FLUTTER,
    "LBBB": concepts.LEFT_BUNDLE_BRANCH_BLOCK,
    "IAVB": concepts.FIRST_DEGREE_AV_BLOCK,
    "LQRSV": concepts.LOW_QRS_VOLTAGES,
    "PAC": concepts.PREMATURE_ATRIAL_CONTRACTION,
    "BBB": concepts.BUNDLE_BRANCH_BLOCK,
    "Brady": concepts.BRADYCARDIA,
    "LPR": concepts.PROLONGED_PR_INTERVAL,
    "LQT": concepts.PROLONGED_QT_INTERVAL,
    "NSIVCB": concepts.NONSPECIFIC_INTRAVENTRICULAR_CONDUCTION_DISORDER,
    "PR": concepts.PACING_RHYTHM,
    "PRWP": concepts.POOR_R_WAVE_PROGRESSION,
    "PVC": concepts.PREMATURE_VENTRICULAR_CONTRACTIONS,
    "QAb": concepts.Q_WAVE_ABNORMAL,
}


@dataclass(frozen=True)
class Decision:
    """Abbreviations of the labels that are present, and of those that cannot be decided; all
    others are absent."""

    labels: tuple[str, ...]
    undecided: tuple[str, ...]


def decide(
    findings: Findings,
    heart: Heart,
    beats: Beats,
    begin_s: float,
    end_s: float,
    reader: Reader = STANDARD,
) -> Decision:
    """The labels of the recording from `begin_s` to `end_s` (on the clock of `beats`), by a
    reader."""
    present, open_ = rhythm_criteria.decide(findings, beats, begin_s, end_s, reader)
    rr_s = rhythm_criteria.mean_rr_s(beats, begin_s, end_s)
    seen = rhythm_criteria.is_conducted(beats, begin_s, end_s)
    if seen.all():
        of_shape = shape_criteria.decide(findings, heart, rr_s, reader)
        present |= of_shape[0]
        open_ |= of_shape[1]
    else:  # the ventricles' own beats or paced ones: their shape is no finding of its own
        open_ |= shape_criteria.OF_CONDUCTED_BEATS
    if reader.normal_alone and present != {"NSR"}:
        present.discard("NSR")
    return Decision(
        tuple(label for label in CODES if label in present),
        tuple(label for label in CODES if label in open_ - present),
    )
