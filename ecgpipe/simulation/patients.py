"""One invented patient's heart: waves and lead field drawn to suit the findings."""

from dataclasses import dataclass

import numpy as np

from ecgpipe.simulation import depolarisation, dipole, repolarisation
from ecgpipe.simulation.dipole import Waves, waves_of_ms
from ecgpipe.simulation.findings import Findings

# Waves in ms; vectors x left, y foot, z back in mV.
P_WAVE = waves_of_ms((-20, 17, 17, (0.045, 0.085, -0.05)), (18, 19, 20, (0.065, 0.055, 0.045)))


@dataclass(frozen=True)
class Heart:
    """The waves of one patient's beats, and what the leads see of the dipole."""

    field: np.ndarray  # [independent lead, xyz]
    p: Waves
    ectopic_p: Waves
    qrs: Waves
    axis: float  # frontal, degrees
    aberrant: Waves
    st: Waves
    t: Waves
    pvc: Waves
    begin_s: float  # of the QRS
    end_s: float
    qtc_s: float

    @property
    def qrs_s(self) -> float:
        """How long the QRS lasts."""
        return self.end_s - self.begin_s


def draw_heart(rng: np.random.Generator, findings: Findings) -> Heart:
    """Draws the heart of a patient with the given findings."""
    field = lead_field(rng)
    gain = np.exp(rng.normal(0.06 if findings.sex == "M" else -0.06, 0.22))
    if findings.axis > 75:  # a steep heart turns the limb leads more than the chest leads
        steep_deg = min(0.9 * (findings.axis - 50), 50) * rng.random() ** 0.5
        steep = dipole.rotation(dipole.Z, np.radians(steep_deg))
        field = np.concatenate([field[:2] @ steep, field[2:]])
    qrs, axis = depolarisation.draw_qrs(rng, findings, field, gain)
    begin_s, end_s = dipole.bounds_s(qrs)
    field = _with_voltage(rng, field, qrs, findings.low_voltage)
    t_wave, st_wave = repolarisation.draw_repolarisation(rng, findings, qrs, end_s, gain)
    p_wave = dipole.varied(rng, P_WAVE, 0.25, 0.12).stretched(np.exp(rng.normal(0, 0.1)))
    p_wave = p_wave.turned(np.exp(rng.normal(0, 0.25)) * dipole.random_tilt(rng, 12))
    elsewhere = dipole.rotation(rng.standard_normal(3), rng.uniform(0.6, 2.4))
    elsewhere = elsewhere * rng.uniform(0.7, 1.2)
    return Heart(
        field=field,
        p=p_wave,
        ectopic_p=p_wave.turned(elsewhere),
        qrs=qrs,
        axis=axis,
        aberrant=depolarisation.aberrant(qrs, findings.conduction, gain),
        st=st_wave,
        t=t_wave,
        pvc=depolarisation.draw_ventricular(rng, gain),
        begin_s=begin_s,
        end_s=end_s,
        qtc_s=repolarisation.draw_qtc(rng, findings.sex) + 0.6 * max(end_s - begin_s - 0.1, 0),
    )


def lead_field(rng: np.random.Generator) -> np.ndarray:
    """Dower's matrix in another chest, [8, 3]: the heart turned a little, electrodes off their
    place."""
    field = dipole.DOWER @ dipole.random_tilt(rng, 9)
    chest = field[2:]  # [6, 3]
    size = np.linalg.norm(chest, axis=1, keepdims=True)
    # Electrodes moved towards the next one, all together and each by itself, as a share of the way.
    shift = np.clip(rng.normal(0, 0.22) + rng.normal(0, 0.15, (6, 1)), -0.7, 0.7)
    towards = np.where(shift > 0, np.roll(chest, -1, axis=0), np.roll(chest, 1, axis=0))
    towards[[0, -1]] = chest[[0, -1]]
    chest = (1 - np.abs(shift)) * chest + np.abs(shift) * towards
    chest = chest + 0.08 * size * rng.standard_normal((6, 3))
    chest = chest * np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.1, (6, 1)))
    chest[0] *= 0.87  # V1 over the right ventricle sees less than Dower's chest says
    limb = field[:2] + 0.05 * rng.standard_normal((2, 3))
    return np.concatenate([limb, chest])


def _with_voltage(
    rng: np.random.Generator, field: np.ndarray, qrs: Waves, low_voltage: str
) -> np.ndarray:
    """The field with limb and chest rows scaled so that low voltage is plainly there or plainly
    not."""
    lowest, highest = dipole.extremes(qrs, field, -0.12, 0.16)
    span_mv = highest - lowest  # [12]
    limb_mv, chest_mv = span_mv[:6].max(), span_mv[6:].max()
    scale = np.ones((8, 1))
    # Partly towards usual voltages, so that hearts still differ.
    scale[:2] = (rng.uniform(0.8, 1.3) / limb_mv) ** 0.6
    scale[2:] = (rng.uniform(1.5, 2.4) / chest_mv) ** 0.5
    limb_mv, chest_mv = limb_mv * scale[0, 0], chest_mv * scale[2, 0]
    if low_voltage in ("limb", "both"):
        scale[:2] *= rng.uniform(0.28, 0.48) / limb_mv
    elif limb_mv < 0.6:
        scale[:2] *= rng.uniform(0.6, 0.9) / limb_mv
    if low_voltage in ("chest", "both"):
        scale[2:] *= rng.uniform(0.55, 0.95) / chest_mv
    elif low_voltage == "limb":
        scale[2:] *= min(1.0, rng.uniform(1.1, 2.0) / chest_mv)
    elif chest_mv < 1.15:
        scale[2:] *= rng.uniform(1.2, 1.6) / chest_mv
    return field * scale
