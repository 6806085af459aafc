"""One invented patient's heart: waves and lead field drawn to suit the findings.

Shapes after textbook vectorcardiography: septum first, then the free wall, then the base; in right
bundle branch block the right ventricle late and alone; in left bundle branch block no septal force
and a slow, notched passage to the left and back; in left anterior fascicular block first down, then
up and to the left.
"""

from dataclasses import dataclass, replace

import numpy as np

from ecgpipe.simulation import dipole
from ecgpipe.simulation.dipole import Waves, waves
from ecgpipe.simulation.findings import Findings

# Waves of one beat in ms around the main QRS force; vectors x left, y foot, z back in mV.
P_WAVE = waves((-20, 17, 17, (0.045, 0.085, -0.05)), (18, 19, 20, (0.065, 0.055, 0.045)))
NORMAL_QRS = waves(
    (-24, 6.0, 6.0, (-0.14, -0.03, -0.30)),
    (-9, 6.5, 6.5, (0.45, 0.25, -0.30)),
    (0, 6.5, 7.0, (1.00, 0.72, 0.20)),
    (12, 7.0, 8.0, (0.24, 0.12, 0.60)),
    (28, 7.0, 9.0, (-0.17, -0.14, 0.20)),
    (40, 6.0, 9.0, (-0.03, -0.02, 0.05)),
)
RIGHT_TERMINAL = waves((42, 11, 13, (-0.34, 0.02, -0.52)), (62, 14, 17, (-0.24, 0.03, -0.44)))
SMALL_RIGHT_TERMINAL = waves((37, 7.5, 9, (-0.22, 0.0, -0.36)))
LBBB_QRS = waves(
    (-42, 11, 12, (0.22, 0.10, 0.12)),
    (-18, 15, 15, (0.72, 0.15, 0.95)),
    (12, 17, 17, (0.62, 0.15, 1.25)),
    (40, 16, 18, (0.68, 0.05, 0.70)),
)
LAFB_QRS = waves(
    (-22, 8, 8, (-0.16, 0.36, -0.20)),
    (-6, 8, 9, (0.45, 0.05, -0.18)),
    (8, 11, 11, (0.75, -0.55, 0.25)),
    (24, 11, 12, (0.20, -0.55, 0.45)),
)
T_WAVE = waves(
    (-92, 52, 36, (0.26, 0.20, -0.20)), (-150, 60, 50, (0.07, 0.05, -0.07))
)  # around the end of T
PVC = waves(
    (-40, 16, 16, (0.3, 0.2, 0.1)), (-5, 24, 24, (1.0, 0.6, 0.9)), (45, 22, 24, (0.4, -0.3, 0.8))
)

QRS = {
    "normal": NORMAL_QRS,
    "IRBBB": NORMAL_QRS,
    "RBBB": NORMAL_QRS,
    "LBBB": LBBB_QRS,
    "LAnFB": LAFB_QRS,
    "RBBB+LAnFB": LAFB_QRS,
    "NSIVCD": NORMAL_QRS,
}
LATE = {
    "IRBBB": SMALL_RIGHT_TERMINAL,
    "RBBB": RIGHT_TERMINAL,
    "RBBB+LAnFB": RIGHT_TERMINAL,
}  # the right ventricle, alone
# Shortest, usual, longest QRS in seconds, and the standard deviation.
DURATION = {
    "normal": (0.072, 0.089, 0.108, 0.008),
    "IRBBB": (0.096, 0.109, 0.118, 0.006),
    "RBBB": (0.122, 0.138, 0.172, 0.013),
    "LBBB": (0.123, 0.146, 0.182, 0.014),
    "LAnFB": (0.084, 0.100, 0.117, 0.008),
    "RBBB+LAnFB": (0.123, 0.142, 0.172, 0.013),
    "NSIVCD": (0.112, 0.122, 0.140, 0.008),
}
INVERTED = {
    "lateral": (-0.26, 0.08, 0.0),
    "inferior": (0.14, -0.26, -0.10),
    "anterior": (0.02, 0.10, 0.28),
    "global": (-0.20, -0.13, 0.22),
}


@dataclass(frozen=True)
class Heart:
    """The waves of one patient's beats, and what the leads see of the dipole (`field`, [8, 3])."""

    field: np.ndarray
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


def make(rng: np.random.Generator, has: Findings) -> Heart:
    """Draws the heart of a patient with the given findings."""
    field = lead_field(rng)
    gain = np.exp(rng.normal(0.06 if has.sex == "M" else -0.06, 0.22))
    if has.axis > 75:  # a steep heart turns the limb leads more than the chest leads
        steep = dipole.rotation(
            np.array([0, 0, 1.0]), np.radians(min(0.9 * (has.axis - 50), 50) * rng.random() ** 0.5)
        )
        field = np.concatenate([field[:2] @ steep, field[2:]])
    qrs, axis = _qrs(rng, has, field, gain)
    begin_s, end_s = dipole.bounds_s(qrs)
    field = _with_voltage(rng, field, qrs, has.low)
    t, st = _repolarisation(rng, has, qrs, end_s, gain)
    p = _varied(rng, P_WAVE, 0.25, 0.12).stretched(np.exp(rng.normal(0, 0.1)))
    p = p.turned(np.exp(rng.normal(0, 0.25)) * _tilt(rng, 12))
    terminal = RIGHT_TERMINAL if has.conduction == "normal" else RIGHT_TERMINAL.stretched(1.15)
    return Heart(
        field=field,
        p=p,
        ectopic_p=p.turned(
            dipole.rotation(rng.standard_normal(3), rng.uniform(0.6, 2.4)) * rng.uniform(0.7, 1.2)
        ),
        qrs=qrs,
        axis=axis,
        aberrant=qrs.joined(terminal.turned(np.eye(3) * gain)),
        st=st,
        t=t,
        pvc=_ventricular(rng, gain),
        begin_s=begin_s,
        end_s=end_s,
        qtc_s=_qtc(rng, has) + 0.6 * max(end_s - begin_s - 0.1, 0),
    )


def lead_field(rng: np.random.Generator) -> np.ndarray:
    """Dower's matrix in another chest: the heart turned a little, electrodes off their place, [8,
    3]."""
    field = dipole.DOWER @ _tilt(rng, 9)
    chest = field[2:]
    size = np.linalg.norm(chest, axis=1, keepdims=True)
    shift = np.clip(
        rng.normal(0, 0.22) + rng.normal(0, 0.15, (6, 1)), -0.7, 0.7
    )  # towards the next electrode
    towards = np.where(shift > 0, np.roll(chest, -1, axis=0), np.roll(chest, 1, axis=0))
    towards[[0, -1]] = chest[[0, -1]]
    chest = (1 - np.abs(shift)) * chest + np.abs(shift) * towards
    chest = chest + 0.08 * size * rng.standard_normal((6, 3))
    chest = chest * np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.1, (6, 1)))
    chest[0] *= 0.87  # V1 over the right ventricle sees less than Dower's chest says
    limb = field[:2] + 0.05 * rng.standard_normal((2, 3))
    return np.concatenate([limb, chest])


def _tilt(rng: np.random.Generator, degrees: float) -> np.ndarray:
    """A rotation about a random axis by a random angle of the given standard deviation."""
    return dipole.rotation(rng.standard_normal(3), np.radians(rng.normal(0, degrees)))


def _varied(rng: np.random.Generator, kind: Waves, size: float, width: float) -> Waves:
    """Each wave a little larger, broader, elsewhere and otherwise directed."""
    count = len(kind.centre_s)
    grown = kind.vector_mv * np.exp(rng.normal(0, size, (count, 1)))
    grown = grown + 0.3 * size * np.linalg.norm(grown, axis=1, keepdims=True) * rng.standard_normal(
        (count, 3)
    )
    broader = np.exp(rng.normal(0, width, (2, count)))
    return Waves(
        kind.centre_s + 0.25 * width * (kind.before_s + kind.after_s) * rng.standard_normal(count),
        kind.before_s * broader[0],
        kind.after_s * broader[1],
        grown,
    )


def _qrs(
    rng: np.random.Generator, has: Findings, field: np.ndarray, gain: float
) -> tuple[Waves, float]:
    """The QRS: its conduction's shape, varied, with the patient's axis and a fitting duration; the
    axis reached.

    In right bundle branch block the axis is that of the forces before the late right ventricle, as
    it is read.
    """
    qrs = _varied(rng, QRS[has.conduction], 0.2, 0.1)
    vector = qrs.vector_mv * gain
    if has.extra == "LVH":
        vector = vector * rng.uniform(1.3, 1.9)
    elif has.extra == "slow R":
        vector = vector + np.array([0, 0, 0.25]) * np.linalg.norm(vector, axis=1, keepdims=True)
        vector[0] *= rng.uniform(0, 0.4)
    elif has.extra == "Q inferior":
        vector[0] += [0.05, -rng.uniform(0.25, 0.6), 0.0]
    elif has.extra == "Q anterior":
        vector[:2] += np.array([[0.0, 0.0, 0.55], [-0.2, 0.0, 0.35]]) * rng.uniform(0.5, 1.3)
    qrs = _splintered(rng, replace(qrs, vector_mv=vector))
    early = len(qrs.centre_s)
    if has.conduction in LATE:
        late = _varied(rng, LATE[has.conduction], 0.3, 0.12)
        qrs = qrs.joined(late.turned(np.eye(3) * gain * np.exp(rng.normal(0, 0.2))))
    shortest, usual, longest, spread = DURATION[has.conduction]
    qrs = dipole.with_duration(qrs, float(np.clip(rng.normal(usual, spread), shortest, longest)))
    first = dipole.with_axis(qrs.taken(slice(0, early)), field, has.axis)
    return first.joined(qrs.taken(slice(early, None))), dipole.frontal_axis(first, field)


def _splintered(rng: np.random.Generator, qrs: Waves) -> Waves:
    """Adds a few short forces: notches and slurs, as any real QRS has."""
    count = int(rng.integers(1, 5))
    size = 0.1 * np.linalg.norm(qrs.vector_mv, axis=1).max() * rng.gamma(2, 0.5)
    width = rng.uniform(0.002, 0.005, (2, count))
    within = rng.uniform(qrs.centre_s.min(), qrs.centre_s.max(), count)
    return qrs.joined(Waves(within, *width, size * rng.standard_normal((count, 3))))


def _with_voltage(rng: np.random.Generator, field: np.ndarray, qrs: Waves, low: str) -> np.ndarray:
    """The field with limb and chest rows scaled so that low voltage is plainly there or plainly
    not."""
    lowest, highest = dipole.extremes(qrs, field, -0.12, 0.16)
    limb, chest = (highest - lowest)[:6].max(), (highest - lowest)[6:].max()
    scale = np.ones((8, 1))
    scale[:2] = (rng.uniform(0.8, 1.3) / limb) ** 0.6
    scale[2:] = (rng.uniform(1.5, 2.4) / chest) ** 0.5
    limb, chest = limb * scale[0, 0], chest * scale[2, 0]
    if low in ("limb", "both"):
        scale[:2] *= rng.uniform(0.28, 0.48) / limb
    elif limb < 0.6:
        scale[:2] *= rng.uniform(0.6, 0.9) / limb
    if low in ("chest", "both"):
        scale[2:] *= rng.uniform(0.55, 0.95) / chest
    elif low == "limb":
        scale[2:] *= min(1.0, rng.uniform(1.1, 2.0) / chest)
    elif chest < 1.15:
        scale[2:] *= rng.uniform(1.2, 1.6) / chest
    return field * scale


def _qtc(rng: np.random.Generator, has: Findings) -> float:
    """Corrected QT in seconds (Fridericia); a few are long."""
    if rng.random() < 0.05:
        return rng.uniform(0.47, 0.53)
    return float(np.clip(rng.normal(0.412 if has.sex == "F" else 0.402, 0.02), 0.35, 0.46))


def _repolarisation(rng: np.random.Generator, has: Findings, qrs: Waves, end_s: float, gain: float):
    """T and ST waves: T times count from its end, ST times from the QRS."""
    t = _varied(rng, T_WAVE, 0.15, 0.12)
    size = gain**0.5 * np.exp(rng.normal(0.05 if has.sex == "M" else -0.15, 0.35))
    turn = np.radians(np.clip(0.35 * (has.axis - 45), -25, 25) + rng.normal(0, 8))
    vector = size * t.turned(dipole.rotation(np.array([0, 0, 1.0]), turn) @ _tilt(rng, 8)).vector_mv
    st = np.array([0.01, 0.01, -0.03]) * rng.normal(1, 1) + 0.012 * rng.standard_normal(3)
    net = (qrs.before_s + qrs.after_s) @ qrs.vector_mv / 0.02  # net QRS force
    if has.conduction == "LBBB":
        t = t.stretched(rng.uniform(0.75, 1.0))
        vector = -np.array([[0.10], [0.025]]) * rng.uniform(
            0.5, 1.4
        ) * net + 0.04 * rng.standard_normal(3)
        st = -0.010 * rng.uniform(0.2, 1.4) * net
    elif "RBBB" in has.conduction and has.conduction != "IRBBB":
        vector = vector + np.array([0.0, 0.0, rng.uniform(0.2, 0.48)]) * np.array([[1.0], [0.3]])
        st = st + np.array([0, 0, 0.03])
    vector, st = _altered(rng, has, vector, st)
    if has.extra == "ST down" or (has.extra == "LVH" and rng.random() < 0.5):
        st = st - rng.uniform(0.05, 0.16) * np.array([0.8, 0.5, -0.1])
        vector = vector * rng.uniform(0.4, 1.0)
    elif has.extra == "early":
        st = st + rng.uniform(0.05, 0.13) * np.array([0.6, 0.4, -0.7])
        vector = vector * rng.uniform(1.2, 1.7)
    return replace(t, vector_mv=vector), waves((1000 * end_s + 45, 30, 55, tuple(st)))


def _altered(rng: np.random.Generator, has: Findings, vector: np.ndarray, st: np.ndarray):
    """T vectors [2, 3] and the ST vector under the finding of repolarisation."""
    kind = has.repolarisation
    if kind == "flat":
        return vector * rng.uniform(0.02, 0.28) + 0.015 * rng.standard_normal((2, 3)), st * 0.7
    if kind == "biphasic":
        return vector * np.array([[rng.uniform(-0.8, -0.4)], [rng.uniform(1.5, 2.4)]]), st
    if kind in INVERTED:
        aim = np.array(INVERTED[kind]) * np.exp(rng.normal(0.05, 0.3)) + 0.03 * rng.standard_normal(
            3
        )
        return np.array([[1.0], [rng.uniform(-0.1, 0.25)]]) * aim, st + rng.uniform(0, 0.15) * aim
    return vector, st


def _ventricular(rng: np.random.Generator, gain: float) -> Waves:
    """A premature ventricular beat: broad, of any direction, with T against it."""
    shape = _varied(rng, PVC, 0.2, 0.12).stretched(rng.uniform(0.9, 1.25))
    shape = shape.turned(
        gain
        * rng.uniform(0.8, 1.5)
        * dipole.rotation(rng.standard_normal(3), rng.uniform(0, np.pi))
    )
    against = -0.28 * shape.vector_mv.sum(axis=0)
    return shape.joined(waves((300, 70, 50, tuple(against)), (150, 60, 60, tuple(0.3 * against))))
