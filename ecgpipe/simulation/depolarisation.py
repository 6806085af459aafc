"""How the ventricles are activated from above: the QRS of each conduction.

Shapes after textbook vectorcardiography: septum first, then the free wall, then the base; in right
bundle branch block the right ventricle late and alone; in left bundle branch block no septal force
and a slow, notched passage to the left and back; in left anterior fascicular block first down, then
up and to the left, and in left posterior fascicular block the other way round; an accessory path
goes before with a slow delta wave.
"""

from dataclasses import replace

import numpy as np

from ecgpipe.simulation import dipole, infarction
from ecgpipe.simulation.dipole import Waves, waves_of_ms
from ecgpipe.simulation.findings import Findings

# Waves of one beat in ms around the main QRS force; vectors x left, y foot, z back in mV.
NORMAL_QRS = waves_of_ms(
    (-30, 6.0, 6.5, (-0.07, -0.02, -0.20)),
    (-12, 6.5, 7.0, (0.45, 0.25, -0.42)),
    (0, 6.5, 7.0, (1.00, 0.72, 0.22)),
    (11, 7.0, 8.0, (0.38, 0.26, 0.95)),
    (24, 7.0, 9.0, (-0.03, 0.05, 0.45)),
    (36, 6.0, 8.5, (-0.02, -0.02, 0.07)),
)
RIGHT_TERMINAL = waves_of_ms((48, 9, 13, (-0.24, 0.02, -0.38)), (68, 13, 16, (-0.18, 0.03, -0.46)))
SMALL_RIGHT_TERMINAL = waves_of_ms((37, 7.5, 9, (-0.22, 0.0, -0.36)))
LBBB_QRS = waves_of_ms(
    (-42, 11, 12, (0.22, 0.10, -0.12)),
    (-18, 15, 15, (0.58, 0.15, 1.15)),
    (12, 17, 17, (0.50, 0.15, 1.65)),
    (40, 16, 18, (0.48, 0.05, 1.05)),
)
LAFB_QRS = waves_of_ms(
    (-22, 8, 8, (-0.13, 0.28, -0.13)),
    (-6, 8, 9, (0.48, 0.05, -0.14)),
    (8, 11, 11, (0.68, -0.40, 0.22)),
    (24, 11, 12, (-0.22, -0.42, 0.32)),
)
LPFB_QRS = waves_of_ms(
    (-22, 8, 8, (0.26, -0.36, -0.18)),
    (-6, 8, 9, (0.40, 0.10, -0.25)),
    (8, 11, 11, (0.05, 0.95, 0.25)),
    (24, 11, 12, (-0.40, 0.60, 0.40)),
)
# The left ventricle slow without the path of a block: between normal and left bundle branch block.
SLOW_QRS = waves_of_ms(
    (-32, 9, 9, (-0.10, 0.00, -0.22)),
    (-12, 12, 12, (0.60, 0.25, 0.10)),
    (6, 13, 13, (0.85, 0.35, 0.55)),
    (30, 13, 15, (0.30, 0.05, 0.55)),
)
# Where an accessory path enters the ventricles, the delta wave points away from it.
DELTAS_MV = (
    np.array([-0.15, 0.35, -0.35]),  # left lateral
    np.array([0.40, -0.35, -0.25]),  # by the septum, at the back
    np.array([0.45, 0.15, 0.35]),  # right free wall
)

QRS = {
    "normal": NORMAL_QRS,
    "IRBBB": NORMAL_QRS,
    "RBBB": NORMAL_QRS,
    "LBBB": LBBB_QRS,
    "LAnFB": LAFB_QRS,
    "RBBB+LAnFB": LAFB_QRS,
    "LPFB": LPFB_QRS,
    "RBBB+LPFB": LPFB_QRS,
    "NSIVCD": NORMAL_QRS,
    "ILBBB": LBBB_QRS,
    "WPW": NORMAL_QRS,
}
UP = np.array([0.0, -1.0, 0.0])
# The right ventricle, late and alone.
LATE = {
    "IRBBB": SMALL_RIGHT_TERMINAL,
    "RBBB": RIGHT_TERMINAL,
    "RBBB+LAnFB": RIGHT_TERMINAL,
    "RBBB+LPFB": RIGHT_TERMINAL,
}
# Of normal hearts, how many have a late force of the right ventricle too, mostly a small one (r' of
# 0.06 mV or more in V1 in a tenth of real recordings without a block).
SMALL_LATE = 0.22
# Shortest, usual, longest QRS, and the standard deviation, all in seconds.
DURATION_S = {
    "normal": (0.066, 0.082, 0.104, 0.008),
    "IRBBB": (0.084, 0.101, 0.118, 0.009),
    "RBBB": (0.121, 0.131, 0.172, 0.012),
    "LBBB": (0.123, 0.146, 0.182, 0.014),
    "LAnFB": (0.084, 0.100, 0.117, 0.008),
    "RBBB+LAnFB": (0.123, 0.142, 0.172, 0.013),
    "LPFB": (0.084, 0.100, 0.117, 0.008),
    "RBBB+LPFB": (0.123, 0.142, 0.172, 0.013),
    "NSIVCD": (0.096, 0.113, 0.155, 0.011),
    "ILBBB": (0.105, 0.113, 0.118, 0.004),
    "WPW": (0.112, 0.130, 0.160, 0.012),
}


def draw_qrs(
    rng: np.random.Generator, findings: Findings, field: np.ndarray, gain: float
) -> tuple[Waves, float]:
    """The QRS: its conduction's shape, varied, with the patient's axis and a fitting duration; the
    axis reached.

    In right bundle branch block the axis is that of the forces before the late right ventricle, as
    it is read.
    """
    shape = QRS[findings.conduction]
    if findings.conduction == "NSIVCD" and rng.random() < 0.5:
        shape = SLOW_QRS
    qrs = dipole.varied(rng, shape, 0.2, 0.1)
    if shape is NORMAL_QRS:
        qrs.vector_mv[0] *= rng.uniform(0, 1.6)  # septal forces are there or not
        # The base, last, goes anywhere from the right to the left.
        qrs.vector_mv[-2:] += rng.normal(0, 0.12, 3) * np.array([[1.0], [0.3]])
    qrs = qrs.turned(_clockwise(rng, findings))
    vector_mv = _with_extra(rng, findings.extra, qrs.vector_mv * gain)
    qrs = _splintered(rng, replace(qrs, vector_mv=vector_mv))
    if findings.conduction == "WPW":
        qrs = _with_delta(rng, qrs)
    if shape is NORMAL_QRS and findings.conduction not in LATE and rng.random() < SMALL_LATE:
        qrs = qrs.joined(_late(rng, findings.conduction, gain))
    early = len(qrs.centre_s)
    if findings.conduction in LATE:
        qrs = qrs.joined(_late(rng, findings.conduction, gain))
    shortest_s, usual_s, longest_s, spread_s = DURATION_S[findings.conduction]
    duration_s = float(np.clip(rng.normal(usual_s, spread_s), shortest_s, longest_s))
    qrs = dipole.with_duration(qrs, duration_s)
    first = dipole.with_axis(qrs.taken(slice(0, early)), field, findings.axis)
    if findings.infarct:
        begin_s = dipole.bounds_s(first)[0]
        first = infarction.with_infarct(rng, first, begin_s, findings.infarct)
    axis = dipole.frontal_axis(first, field)
    qrs = first.joined(qrs.taken(slice(early, None)))
    return (dipole.with_duration(qrs, duration_s) if findings.infarct else qrs), axis


def _late(rng: np.random.Generator, conduction: str, gain: float) -> Waves:
    """The right ventricle, late: small in normal hearts, from hardly seen to plain in an incomplete
    block."""
    late = dipole.varied(rng, LATE.get(conduction, SMALL_RIGHT_TERMINAL), 0.3, 0.12)
    if conduction not in LATE:
        size = rng.uniform(0.1, 0.6)
    else:
        size = np.exp(rng.normal(-0.35, 0.5) if conduction == "IRBBB" else rng.normal(0, 0.35))
    return late.turned(np.eye(3) * gain * size)


def _clockwise(rng: np.random.Generator, findings: Findings) -> np.ndarray:
    """How the heart lies turned about its long way up: forces from the left to the back, more so
    with age, a left axis and where the atria fibrillate or a ventricle beats early; S reaches V4 to
    V6 then."""
    is_burdened = findings.rhythm == "AF" or findings.ventricular > 0
    usual_deg = 0.35 * (findings.age - 55) + (8 if findings.axis < -20 else 0)
    degrees = np.clip(rng.normal(usual_deg + (14 if is_burdened else 0), 11), -18, 26)
    if "LBBB" in findings.conduction:  # to the back already
        degrees = min(degrees, 0)
    return dipole.rotation(UP, np.radians(degrees))


def _with_extra(rng: np.random.Generator, extra: str, vector_mv: np.ndarray) -> np.ndarray:
    """The vectors [wave, 3] of a QRS under a finding that no label names."""
    if extra == "LVH":
        return vector_mv * rng.uniform(1.3, 1.9)
    vector_mv = vector_mv.copy()
    if extra == "slow R":  # fewer forces to the front
        magnitude_mv = np.linalg.norm(vector_mv, axis=1, keepdims=True)
        vector_mv += rng.uniform(0.3, 0.9) * np.array([0, 0, 1]) * magnitude_mv
        vector_mv[0] *= rng.uniform(0, 0.6)
    elif extra == "RVH":  # the right ventricle: to the right and the front
        magnitude_mv = np.linalg.norm(vector_mv, axis=1, keepdims=True)
        vector_mv += rng.uniform(0.4, 1.0) * np.array([-0.4, 0.1, -0.8]) * magnitude_mv
    return vector_mv


def _with_delta(rng: np.random.Generator, qrs: Waves) -> Waves:
    """The QRS with a slow wave before it."""
    delta_mv = DELTAS_MV[rng.integers(len(DELTAS_MV))] * rng.uniform(0.7, 1.6)
    early_s = qrs.centre_s.min() - np.array([0.024, 0.006])
    width_s = np.full(2, 0.013)
    vector_mv = delta_mv * np.array([[0.6], [1.0]]) + 0.05 * rng.standard_normal((2, 3))
    return qrs.joined(Waves(early_s, width_s, width_s, vector_mv))


def _splintered(rng: np.random.Generator, qrs: Waves) -> Waves:
    """Adds a few short forces: notches and slurs, as any real QRS has."""
    count = int(rng.integers(1, 5))
    size_mv = 0.16 * np.linalg.norm(qrs.vector_mv, axis=1).max() * rng.gamma(2, 0.5)
    before_s, after_s = rng.uniform(0.003, 0.007, (2, count))
    centre_s = rng.uniform(qrs.centre_s.min(), qrs.centre_s.max(), count)
    vector_mv = size_mv * rng.standard_normal((count, 3))
    return qrs.joined(Waves(centre_s, before_s, after_s, vector_mv))


def aberrant(qrs: Waves, conduction: str, gain: float) -> Waves:
    """The QRS of a beat that finds the right bundle branch still refractory."""
    terminal = RIGHT_TERMINAL if conduction == "normal" else RIGHT_TERMINAL.stretched(1.15)
    return qrs.joined(terminal.turned(np.eye(3) * gain))
