"""Beats that begin in the ventricles: premature ones, escapes, and those of a pacemaker; and its
spikes.

A ventricular beat spreads from muscle to muscle: broad, directed away from where it began, with a T
against it (textbook electrocardiography; directions by site of origin after Josephson and Callans
2005, doi:10.1016/j.hrthm.2004.10.014, and for biventricular pacing Barold et al. 2006,
doi:10.1016/j.hrthm.2005.10.011). Sizes were set by us.
"""

import numpy as np

from ecgpipe.simulation import dipole
from ecgpipe.simulation.dipole import Waves

# Where the main force points from each place of origin: x left, y foot, z back.
ECTOPIC = {
    "right outflow tract": np.array([0.40, 1.0, 0.60]),
    "right ventricle": np.array([0.75, -0.55, 0.65]),
    "left outflow tract": np.array([-0.10, 1.0, -0.45]),
    "left inferior wall": np.array([-0.25, -0.85, -0.60]),
    "left lateral wall": np.array([-0.95, 0.30, -0.40]),
}
PACED = {
    "apex": np.array([0.35, -0.85, 0.95]),
    "septum": np.array([0.80, 0.25, 0.75]),
    "biventricular": np.array([-0.60, -0.45, -0.35]),
}
# Waves in seconds; shares of the main force and the size of T against it.
CENTRE_S = np.array([-0.040, -0.005, 0.042])
BEFORE_S = np.array([0.015, 0.022, 0.021])
AFTER_S = np.array([0.016, 0.023, 0.022])
SHARE = np.array([[0.30], [1.0], [0.55]])
T_CENTRE_S, T_BEFORE_S, T_AFTER_S = (
    np.array([0.300, 0.150]),
    np.array([0.070, 0.060]),
    np.array([0.050, 0.060]),
)
QRS_WAVES = len(CENTRE_S)  # of the waves of a ventricular beat; what follows is its T


def draw_ectopic(rng: np.random.Generator, gain: float, rr_s: float) -> Waves:
    """A premature beat or an escape from any place; `rr_s` is the usual interval."""
    place = list(ECTOPIC)[rng.integers(len(ECTOPIC))]
    size_mv = gain * np.exp(rng.normal(0.2, 0.3))
    return _beat(rng, ECTOPIC[place], size_mv, rng.uniform(0.68, 1.1), rr_s)


def draw_paced(rng: np.random.Generator, gain: float, biventricular: bool, rr_s: float) -> Waves:
    """A beat that a pacemaker starts in the right ventricle, or in both."""
    if biventricular:
        size_mv = gain * np.exp(rng.normal(0.3, 0.25))
        return _beat(rng, PACED["biventricular"], size_mv, rng.uniform(0.75, 1.0), rr_s)
    place = "apex" if rng.random() < 0.7 else "septum"
    size_mv = gain * np.exp(rng.normal(0.55, 0.3))
    return _beat(rng, PACED[place], size_mv, rng.uniform(0.9, 1.15), rr_s)


def _beat(
    rng: np.random.Generator, direction: np.ndarray, size_mv: float, stretch: float, rr_s: float
) -> Waves:
    """The waves of a beat whose main force has the given direction and size; QRS, then T."""
    aim = direction + 0.3 * rng.standard_normal(3)
    aim *= size_mv / np.linalg.norm(aim)
    shares = SHARE * np.exp(0.3 * rng.standard_normal((QRS_WAVES, 1)))
    vector_mv = shares * (aim + 0.35 * size_mv * rng.standard_normal((QRS_WAVES, 3)))
    t_mv = -rng.uniform(0.1, 0.27) * vector_mv.sum(axis=0)
    later = min(max(rr_s, 0.35), 1.3) ** (1 / 3) * rng.uniform(0.95, 1.1)
    return Waves(
        np.concatenate([CENTRE_S * stretch, T_CENTRE_S * later]),
        np.concatenate([BEFORE_S * stretch, T_BEFORE_S * later]),
        np.concatenate([AFTER_S * stretch, T_AFTER_S * later]),
        np.concatenate([vector_mv, t_mv * np.array([[1.0], [0.3]])]),
    )


def qrs_bounds_s(beat: Waves) -> tuple[float, float]:
    """Where the QRS of a ventricular beat begins and ends."""
    return dipole.bounds_s(beat.taken(slice(0, QRS_WAVES)))


def qt_s(beat: Waves) -> float:
    """From the begin of a ventricular beat's QRS to the end of its T, 2.5 widths after its
    middle."""
    t_end_s = beat.centre_s[QRS_WAVES] + 2.5 * beat.after_s[QRS_WAVES]
    return float(t_end_s - qrs_bounds_s(beat)[0])


def draw_spike(rng: np.random.Generator) -> Waves:
    """The spike of a pacemaker: 0.5 ms of some tenths of a mV (both poles in the heart) or of some
    mV (the can is one pole); three in ten are hardly seen, as with today's low outputs."""
    kind = rng.random()
    log_mv = (-4.5, 0.5) if kind < 0.3 else (-0.4, 0.6) if kind < 0.75 else (1.2, 0.4)
    direction = rng.standard_normal(3)
    vector_mv = direction / np.linalg.norm(direction) * np.exp(rng.normal(*log_mv))
    width_s = np.array([0.0006])
    return Waves(np.zeros(1), width_s, width_s, vector_mv[None])


def at_rate(spike: Waves, rate_hz: float) -> Waves:
    """The spike as a converter of this rate sees it: no narrower than its samples, of the same
    area."""
    widened = max(1.0, 0.6 / rate_hz / spike.before_s[0])
    return Waves(
        spike.centre_s,
        spike.before_s * widened,
        spike.after_s * widened,
        spike.vector_mv / widened,
    )
