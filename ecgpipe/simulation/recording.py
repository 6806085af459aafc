"""One simulated recording: a patient's heart beats, electrodes disturb it, a cart records it."""

from dataclasses import dataclass

import numpy as np

from ecgpipe.simulation import beats, dipole, label_criteria
from ecgpipe.simulation.acquisition import Surroundings, acquired
from ecgpipe.simulation.findings import Findings, draw_findings
from ecgpipe.simulation.patients import draw_heart

MARGIN_S = 1.0  # drawn before and after what is kept
ANYWHERE = Surroundings()


@dataclass(frozen=True)
class SimulatedRecording:
    """What is known of a simulated recording."""

    signal_mv: np.ndarray  # float32 [time, 12]
    rate_hz: float
    labels: tuple[str, ...]  # abbreviations, keys of label_criteria.CODES
    age: int
    sex: str
    peaks_s: np.ndarray  # R-peaks
    findings: Findings

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
    patient_rng: np.random.Generator | None = None,
    clean: bool = False,
    surroundings: Surroundings = ANYWHERE,
) -> SimulatedRecording:
    """One recording of a patient with `findings` (drawn where None), taken in `surroundings`, or
    `clean` of noise, filters and faults.

    The patient is drawn from `patient_rng`, where given: the same generator afresh gives the same
    patient again.
    """
    patient_rng = patient_rng or rng
    findings = findings or draw_findings(patient_rng)
    heart = draw_heart(patient_rng, findings)
    drawn_s = seconds + 2 * MARGIN_S
    all_beats, atrial_mv = beats.draw_beats(rng, findings, rate_hz, drawn_s, MARGIN_S)
    leads_mv = beats.independent_leads(rng, heart, all_beats, atrial_mv, rate_hz).T  # [8, time]
    first = round(MARGIN_S * rate_hz)
    kept = slice(first, first + round(seconds * rate_hz))
    if clean:
        twelve_mv = dipole.TO_TWELVE.T @ leads_mv[:, kept]
    else:
        twelve_mv = acquired(rng, leads_mv, rate_hz, kept, surroundings)
    peaks_s = all_beats.qrs_s - MARGIN_S
    return SimulatedRecording(
        signal_mv=twelve_mv.astype(np.float32).T,  # [12, time] -> [time, 12]
        rate_hz=rate_hz,
        labels=label_criteria.labels(findings, heart, all_beats, MARGIN_S, MARGIN_S + seconds),
        age=findings.age,
        sex=findings.sex,
        peaks_s=peaks_s[(peaks_s >= 0) & (peaks_s < seconds)],
        findings=findings,
    )
