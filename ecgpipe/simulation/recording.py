"""One simulated recording: a patient's heart beats, electrodes disturb it, a cart records it."""

from dataclasses import dataclass

import numpy as np

from ecgpipe.simulation import beats, dipole, label_criteria, noise
from ecgpipe.simulation.findings import Findings, draw_findings
from ecgpipe.simulation.patients import draw_heart

MARGIN_S = 1.0  # drawn before and after what is kept
QUANTA_MV = (0.001, 0.0025, 0.00488)  # steps of converters


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
    mains_hz: float = 50.0,
    noise_factor: float = 1.0,
) -> SimulatedRecording:
    """One recording of a patient with `findings` (drawn where None); `clean` leaves noise and
    filters out.

    The patient is drawn from `patient_rng`, where given: the same generator afresh gives the same
    patient again.
    """
    patient_rng = patient_rng or rng
    findings = findings or draw_findings(patient_rng)
    heart = draw_heart(patient_rng, findings)
    drawn_s = seconds + 2 * MARGIN_S
    all_beats, atrial_mv = beats.draw_beats(rng, findings, rate_hz, drawn_s, MARGIN_S)
    leads_mv = beats.independent_leads(rng, heart, all_beats, atrial_mv, rate_hz)  # [time, 8]
    if not clean:
        disturbance = noise.draw_disturbance(rng, mains_hz, noise_factor)
        leads_mv = leads_mv + noise.sample_noise(rng, disturbance, rate_hz, len(leads_mv))
        leads_mv = _recorded(rng, leads_mv, rate_hz)
    first = round(MARGIN_S * rate_hz)
    kept_mv = leads_mv[first : first + round(seconds * rate_hz)]
    peaks_s = all_beats.qrs_s - MARGIN_S
    return SimulatedRecording(
        signal_mv=dipole.to_twelve(kept_mv).astype(np.float32),  # [time, 8] -> [time, 12]
        rate_hz=rate_hz,
        labels=label_criteria.labels(findings, heart, all_beats, MARGIN_S, MARGIN_S + seconds),
        age=findings.age,
        sex=findings.sex,
        peaks_s=peaks_s[(peaks_s >= 0) & (peaks_s < seconds)],
        findings=findings,
    )


def _recorded(rng: np.random.Generator, leads_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """[time, lead] as a cart keeps it: often filtered, always in steps of its converter."""
    if rng.random() < 0.6:
        low_hz, high_hz = rng.choice([0.05, 0.15, 0.5]), rng.choice([40, 100, 150])
        leads_mv = noise.cart_filter(leads_mv, rate_hz, low_hz, min(high_hz, rate_hz / 2.2))
    quantum_mv = rng.choice(QUANTA_MV)
    return np.rint(leads_mv / quantum_mv) * quantum_mv
