"""One simulated recording: a patient's heart beats, electrodes disturb it, a cart records it."""

from dataclasses import dataclass, replace

import numpy as np

from ecgpipe.simulation import beats, dipole, label_criteria, shape_criteria, truth
from ecgpipe.simulation.acquisition import Surroundings, acquired
from ecgpipe.simulation.electrodes import Faults
from ecgpipe.simulation.findings import Findings, draw_findings
from ecgpipe.simulation.label_criteria import Decision
from ecgpipe.simulation.patients import Heart, draw_heart
from ecgpipe.simulation.readers import STANDARD, Reader
from ecgpipe.simulation.rhythm import Beats
from ecgpipe.simulation.truth import Truth

MARGIN_S = 1.0  # drawn before and after what is kept
ANYWHERE = Surroundings()


@dataclass(frozen=True)
class SimulatedRecording:
    """What is known of a simulated recording."""

    signal_mv: np.ndarray  # float32 [time, 12]
    rate_hz: float
    labels: tuple[str, ...]  # abbreviations, keys of label_criteria.CODES
    undecided: tuple[str, ...]  # abbreviations of labels that are neither present nor absent
    age: int
    sex: str
    peaks_s: np.ndarray  # R-peaks
    findings: Findings
    truth: Truth

    @property
    def codes(self) -> tuple[str, ...]:
        """The labels as SNOMED CT codes."""
        return tuple(label_criteria.CODES[label] for label in self.labels)


def simulate_recording(
    rng: np.random.Generator,
    *,
    rate_hz: float = 500.0,
    seconds: float = 10.0,
    findings: Findings | None = None,
    population: str = "balanced",
    patient_rng: np.random.Generator | None = None,
    clean: bool = False,
    surroundings: Surroundings = ANYWHERE,
    reader: Reader = STANDARD,
) -> SimulatedRecording:
    """One recording of a patient with `findings` (where None drawn from a `population` of
    `populations.POPULATIONS`), taken in `surroundings`, or `clean` of noise, filters and faults,
    and labelled by `reader`.

    The patient is drawn from `patient_rng`, where given: the same generator afresh gives the same
    patient again.
    """
    patient_rng = patient_rng or rng
    findings = findings or draw_findings(patient_rng, population=population)
    heart = draw_heart(patient_rng, findings)
    timing = (rate_hz, seconds + 2 * MARGIN_S, MARGIN_S)
    all_beats, atrial_mv = beats.draw_beats(rng, findings, *timing)
    leads_mv = beats.independent_leads(rng, heart, all_beats, atrial_mv, rate_hz).T  # [8, time]
    first = round(MARGIN_S * rate_hz)
    kept = slice(first, first + round(seconds * rate_hz))
    if clean:
        twelve_mv, faults = dipole.TO_TWELVE.T @ leads_mv[:, kept], Faults()
    else:
        twelve_mv, faults = acquired(rng, leads_mv, rate_hz, kept, surroundings)
    return SimulatedRecording(
        signal_mv=twelve_mv.astype(np.float32).T,  # [12, time] -> [time, 12]
        rate_hz=rate_hz,
        age=findings.age,
        sex=findings.sex,
        findings=findings,
        **_known(faults, reader, findings, heart, all_beats, seconds),
    )


def _known(
    faults: Faults,
    reader: Reader,
    findings: Findings,
    heart: Heart,
    all_beats: Beats,
    seconds: float,
) -> dict[str, object]:
    """What a recording of such beats is known to show: labels, truth and R-peaks."""
    shown = (findings, heart, all_beats, MARGIN_S, MARGIN_S + seconds)
    decision, measured = label_criteria.decide(*shown, reader), truth.of(*shown)
    if faults.exchange is not None:
        decision = _without_shape(decision)
    if faults.limbs_exchanged:
        measured = replace(measured, axis_deg=np.nan)
    peaks_s = _kept_peaks(all_beats, seconds)
    return {**vars(decision), "truth": measured, "peaks_s": peaks_s}


def _without_shape(decision: Decision) -> Decision:
    """What exchanged electrodes leave of a decision: not the shape of beats."""
    gone = shape_criteria.OF_LEADS
    labels = tuple(label for label in decision.labels if label not in gone)
    open_ = {*decision.undecided, *gone}
    return Decision(labels, tuple(label for label in label_criteria.CODES if label in open_))


def _kept_peaks(all_beats: Beats, seconds: float) -> np.ndarray:
    """The R-peaks within what is kept, in seconds of it."""
    peaks_s = all_beats.qrs_s - MARGIN_S
    return peaks_s[(peaks_s >= 0) & (peaks_s < seconds)]
