"""One invented patient's heart: waves and lead field drawn to suit the findings."""

from dataclasses import dataclass, replace

import numpy as np

from ecgpipe.simulation import depolarisation, dipole, repolarisation, torso, ventricular
from ecgpipe.simulation.dipole import Waves, waves_of_ms
from ecgpipe.simulation.findings import Findings

# Waves in ms; vectors x left, y foot, z back in mV.
P_WAVE = waves_of_ms((-18, 18, 18, (0.090, 0.068, -0.12)), (17, 19, 20, (0.135, 0.040, 0.0)))


@dataclass(frozen=True)
class Heart:
    """The waves of one patient's beats, and what the leads see of the dipole."""

    field: np.ndarray  # of the ventricles [independent lead, xyz]
    near_field: np.ndarray  # of ventricular sources away from the middle [independent lead, xyz]
    # How far from the middle the sources of QRS and T lie [wave each], 1 being usual.
    qrs_away: np.ndarray
    t_away: np.ndarray
    atrial_field: np.ndarray
    recovery_field: np.ndarray  # of ST and T
    p: Waves
    ectopic_p: Waves
    qrs: Waves
    axis: float  # frontal, degrees
    aberrant: Waves
    st: Waves
    t: Waves
    premature: tuple[Waves, ...]  # ventricular premature beats of two shapes, where there are any
    own: Waves | None  # beats of the ventricles' own or a pacemaker's rhythm, where there are any
    spike: Waves | None  # of a pacemaker
    begin_s: float  # of the QRS
    end_s: float
    own_begin_s: float  # of the QRS of `own`; NaN where there is none
    own_end_s: float
    qtc_s: float

    @property
    def qrs_s(self) -> float:
        """How long the QRS lasts."""
        return self.end_s - self.begin_s

    def qrs_mv(self, at_s: np.ndarray) -> np.ndarray:
        """A conducted QRS in the twelve leads, [time, 12], at times [time] from its R-peak."""
        return self._seen_mv(self.qrs, self.qrs_away, self.field, at_s)

    def t_mv(self, at_s: np.ndarray) -> np.ndarray:
        """Its T in the twelve leads, [time, 12], at times [time] from the end of T."""
        return self._seen_mv(self.t, self.t_away, self.recovery_field, at_s)

    def _seen_mv(
        self, waves: Waves, away: np.ndarray, field: np.ndarray, at_s: np.ndarray
    ) -> np.ndarray:
        """[time, 12] of waves whose sources lie so far `away` [wave] from the middle."""
        near = replace(waves, vector_mv=away[:, None] * waves.vector_mv)
        middle_mv = dipole.single_beat(waves, at_s) @ field.T  # [time, 3] -> [time, 8]
        return dipole.to_twelve(middle_mv + dipole.single_beat(near, at_s) @ self.near_field.T)


def draw_heart(rng: np.random.Generator, findings: Findings) -> Heart:
    """Draws the heart of a patient with the given findings."""
    field = torso.lead_field(rng)
    gain = np.exp(rng.normal(0.06 if findings.sex == "M" else -0.06, 0.22))
    if findings.axis > 75:  # a steep heart turns the limb leads more than the chest leads
        steep_deg = min(0.9 * (findings.axis - 50), 50) * rng.random() ** 0.5
        steep = dipole.rotation(dipole.Z, np.radians(steep_deg))
        field = np.concatenate([field[:2] @ steep, field[2:]])
    qrs, axis = depolarisation.draw_qrs(rng, findings, field, gain)
    begin_s, end_s = dipole.bounds_s(qrs)
    field = _with_voltage(rng, field, qrs, findings)
    if findings.dextrocardia:
        field = field * np.array([-1.0, 1.0, 1.0])
        axis = (360 - axis) % 360 - 180
    t_wave, st_wave = repolarisation.draw_repolarisation(rng, findings, qrs, end_s, gain)
    p_wave, ectopic_p = _draw_p(rng, findings)
    premature, own = _draw_ventricular(rng, findings, gain)
    own_begin_s, own_end_s = ventricular.qrs_bounds_s(own) if own else (np.nan, np.nan)
    return Heart(
        field=field,
        **_other_fields(rng, field),
        qrs_away=rng.standard_normal(len(qrs.centre_s)),
        t_away=rng.standard_normal(len(t_wave.centre_s)),
        p=p_wave,
        ectopic_p=ectopic_p,
        qrs=qrs,
        axis=axis,
        aberrant=depolarisation.aberrant(qrs, findings.conduction, gain),
        st=st_wave,
        t=t_wave,
        premature=premature,
        own=own,
        spike=ventricular.draw_spike(rng) if findings.pacing else None,
        begin_s=begin_s,
        end_s=end_s,
        own_begin_s=own_begin_s,
        own_end_s=own_end_s,
        qtc_s=findings.qtc_s + 0.6 * max(end_s - begin_s - 0.1, 0) + _later_t_s(rng, findings),
    )


def _other_fields(rng: np.random.Generator, field: np.ndarray) -> dict[str, np.ndarray]:
    """What the leads [8, 3] see of the atria, of sources away from the middle and of recovery."""
    return {
        "near_field": torso.near_field(rng, field),
        "atrial_field": field * torso.ATRIAL[:, None],
        "recovery_field": torso.recovery_field(rng, field),
    }


def _later_t_s(rng: np.random.Generator, findings: Findings) -> float:
    """By how much QT is longer where T is low, inverted or biphasic: in real recordings with an
    abnormal T, QTc is 20 ms longer, of which we
    give part to T."""
    return 0.0 if findings.repolarisation == "normal" else rng.uniform(0.0, 0.015)


def _draw_p(rng: np.random.Generator, findings: Findings) -> tuple[Waves, Waves]:
    """P of the sinus node and from elsewhere. The right atrium is the first of the two waves, the
    left one the second: enlarged, they are higher, and later and to the back (Hancock et al. 2009,
    doi:10.1161/CIRCULATIONAHA.108.191097)."""
    p_wave = dipole.varied(rng, P_WAVE, 0.25, 0.12).stretched(np.exp(rng.normal(0, 0.1)))
    vector_mv, centre_s = p_wave.vector_mv.copy(), p_wave.centre_s.copy()
    if findings.atria in ("LAE", "both"):
        vector_mv[1] = vector_mv[1] * rng.uniform(1.1, 1.7) + [0, 0, rng.uniform(0.02, 0.08)]
        centre_s[1] += rng.uniform(0.008, 0.028)
    if findings.atria in ("RAE", "both"):
        vector_mv[0] = vector_mv[0] * rng.uniform(1.5, 2.3) + [0, 0.04, -0.02]
    p_wave = replace(p_wave, vector_mv=vector_mv, centre_s=centre_s)
    p_wave = p_wave.turned(np.exp(rng.normal(0, 0.25)) * dipole.random_tilt(rng, 12))
    if findings.rhythm in ("junctional", "SVT"):
        elsewhere = np.diag([0.5, -1.0, 0.8]) @ dipole.random_tilt(rng, 15)
    else:
        elsewhere = dipole.rotation(rng.standard_normal(3), rng.uniform(0.6, 2.4))
    return p_wave, p_wave.turned(elsewhere * rng.uniform(0.7, 1.2))


def _draw_ventricular(
    rng: np.random.Generator, findings: Findings, gain: float
) -> tuple[tuple[Waves, ...], Waves | None]:
    """Premature beats of the ventricles (of two shapes), and those of their own rhythm."""
    rr_s = 60 / findings.rate_bpm
    premature, own = (), None
    if findings.ventricular:
        premature = tuple(ventricular.draw_ectopic(rng, gain, rr_s) for _ in range(2))
    if findings.rhythm in ("idioventricular", "complete"):
        own = ventricular.draw_ectopic(rng, gain, max(rr_s, 0.9))
    elif findings.pacing not in ("", "AAI"):
        own = ventricular.draw_paced(rng, gain, findings.pacing == "CRT", rr_s)
    return premature, own


def _with_voltage(
    rng: np.random.Generator, field: np.ndarray, qrs: Waves, findings: Findings
) -> np.ndarray:
    """The field with limb and chest rows scaled so that low voltage is plainly there or plainly
    not."""
    low_voltage = findings.low_voltage
    # Voltages over the chest are larger in left bundle branch block and hypertrophy.
    large, broad = 1.5 if findings.extra == "LVH" else 1.0, 1.0
    if findings.conduction == "LBBB":
        large, broad = 1.8, 1.3
    lowest, highest = dipole.extremes(qrs, field, -0.12, 0.16)
    span_mv = highest - lowest  # [12]
    limb_mv, chest_mv = span_mv[:6].max(), span_mv[6:].max()
    scale = np.ones((8, 1))
    # Partly towards usual voltages, so that hearts still differ.
    scale[:2] = broad * (rng.uniform(0.8, 1.5) / limb_mv) ** 0.45
    scale[2:] = (large * rng.uniform(1.5, 3.2) / chest_mv) ** 0.4
    limb_mv, chest_mv = limb_mv * scale[0, 0], chest_mv * scale[2, 0]
    if low_voltage in ("limb", "both"):
        scale[:2] *= rng.uniform(0.28, 0.48) / limb_mv
    elif limb_mv < 0.6:
        scale[:2] *= rng.uniform(0.6, 0.9) / limb_mv
    if low_voltage in ("chest", "both"):
        scale[2:] *= rng.uniform(0.5, 0.85) / chest_mv
    elif low_voltage == "limb":
        scale[2:] *= min(1.0, rng.uniform(1.1, 2.0) / chest_mv)
    elif chest_mv < 1.15:
        scale[2:] *= rng.uniform(1.2, 1.6) / chest_mv
    return field * scale
