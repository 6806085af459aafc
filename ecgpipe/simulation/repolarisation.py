"""How the ventricles recover: T and ST of one patient."""

from dataclasses import replace

import numpy as np

from ecgpipe.simulation import dipole, infarction
from ecgpipe.simulation.dipole import Waves, waves_of_ms
from ecgpipe.simulation.findings import BROAD, Findings

# In ms around the end of T; vectors x left, y foot, z back in mV.
T_WAVE = waves_of_ms((-84, 50, 34, (0.33, 0.15, -0.25)), (-144, 58, 48, (0.10, 0.04, -0.08)))
BACK_AND_FORTH = np.array([0.0, 1.0, 0.0])  # turning about it changes the chest leads most
# Where an inverted T points to, mV.
INVERTED_MV = {
    "lateral": (-0.26, 0.08, 0.0),
    "inferior": (0.14, -0.26, -0.10),
    "anterior": (0.02, 0.10, 0.28),
    "global": (-0.20, -0.13, 0.22),
}
# Where ST points to that is down in I, II and V4 to V6.
DOWN_MV = np.array([0.8, 0.5, -0.1])


def draw_repolarisation(
    rng: np.random.Generator, findings: Findings, qrs: Waves, qrs_end_s: float, gain: float
) -> tuple[Waves, Waves]:
    """T and ST waves: T times count from its end, ST times from the QRS."""
    t_wave = dipole.varied(rng, T_WAVE, 0.2, 0.14)
    size = gain**0.5 * np.exp(rng.normal(0.08 if findings.sex == "M" else -0.13, 0.34))
    turn_rad = np.radians(np.clip(0.2 * (findings.axis - 40), -10, 10) + rng.normal(0, 3))
    turn = dipole.rotation(dipole.Z, turn_rad) @ dipole.random_tilt(rng, 5)
    turn = turn @ dipole.rotation(BACK_AND_FORTH, np.radians(rng.normal(0, 14)))
    t_mv = size * t_wave.turned(turn).vector_mv  # [2, 3]
    t_mv[1] = dipole.rotation(BACK_AND_FORTH, np.radians(rng.normal(0, 38))) @ t_mv[1]
    st_mv = np.array([0.013, -0.001, -0.058]) * rng.normal(1, 0.8) + 0.014 * rng.standard_normal(3)
    if findings.rhythm in ("AF", "AFL"):  # high rates, digitalis
        st_mv = st_mv - rng.uniform(0, 0.1) * DOWN_MV
    if findings.conduction in BROAD:
        t_wave = t_wave.stretched(rng.uniform(0.75, 1.0))
        t_mv, st_mv = _against(rng, qrs)
    elif "RBBB" in findings.conduction.split("+"):
        away_mv = np.array([rng.uniform(0.05, 0.35), 0.07, rng.uniform(0.15, 0.5)])
        t_mv = t_mv + away_mv * np.array([[1.0], [0.3]])
        st_mv = st_mv + np.array([0, 0, 0.03])
    if findings.repolarisation != "normal":
        t_wave = t_wave.stretched(rng.uniform(1.1, 1.6))
    t_mv, st_mv = _altered(rng, findings.repolarisation, t_mv, st_mv)
    t_mv, st_mv = _with_extra(rng, findings.extra, t_mv, st_mv)
    if findings.rhythm == "STach":  # ST falls where the sinus node is fast
        st_mv = st_mv - rng.uniform(0.0, 0.1) * DOWN_MV
    if findings.infarct:
        infarct = (findings.infarct, findings.infarct_age)
        t_mv, st_mv = infarction.repolarised(rng, *infarct, t_mv, st_mv)
    st_wave = waves_of_ms((1000 * qrs_end_s + 45, 30, 55, tuple(st_mv)))
    return replace(t_wave, vector_mv=t_mv), st_wave


def _against(rng: np.random.Generator, qrs: Waves) -> tuple[np.ndarray, np.ndarray]:
    """T vectors [2, 3] and the ST vector in left bundle branch block and preexcitation: against the
    net force of the QRS."""
    net = (qrs.before_s + qrs.after_s) @ qrs.vector_mv / 0.02
    t_mv = -np.array([[0.11], [0.03]]) * rng.uniform(0.5, 1.4) * net
    t_mv = t_mv + 0.04 * rng.standard_normal(3)
    return t_mv, -0.016 * rng.uniform(0.3, 1.4) * net


def _altered(
    rng: np.random.Generator, repolarisation: str, t_mv: np.ndarray, st_mv: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T vectors [2, 3] and the ST vector under the finding of repolarisation."""
    if repolarisation == "flat":
        # Low rather than flat in most; T in V2 and V3 stays the highest.
        shares = rng.uniform(0.1, 0.58) * np.array([1.0, 1.0, rng.uniform(0.9, 1.7)])
        return t_mv * shares + 0.02 * rng.standard_normal((2, 3)), st_mv * 0.7
    if repolarisation == "biphasic":
        return t_mv * np.array([[rng.uniform(-0.8, -0.4)], [rng.uniform(1.5, 2.4)]]), st_mv
    if repolarisation in INVERTED_MV:
        aim_mv = np.array(INVERTED_MV[repolarisation]) * np.exp(rng.normal(0.05, 0.3))
        aim_mv = aim_mv + 0.03 * rng.standard_normal(3)
        t_mv = np.array([[1.0], [rng.uniform(-0.1, 0.25)]]) * aim_mv
        return t_mv, st_mv + rng.uniform(0, 0.15) * aim_mv
    return t_mv, st_mv


def _with_extra(
    rng: np.random.Generator, extra: str, t_mv: np.ndarray, st_mv: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T vectors [2, 3] and the ST vector under a finding that no label names."""
    if extra == "ST down" or (extra == "LVH" and rng.random() < 0.5):
        st_mv = st_mv - rng.uniform(0.05, 0.16) * DOWN_MV
        return t_mv * rng.uniform(0.4, 1.0), st_mv
    if extra == "RVH" and rng.random() < 0.6:  # strain over the right ventricle
        strain_mv = rng.uniform(0.1, 0.35) * np.array([0.3, -0.2, 0.9])
        return t_mv * 0.6 + strain_mv * np.array([[1.0], [0.2]]), st_mv + 0.15 * strain_mv
    if extra == "ST up":  # as over an inflamed pericardium: everywhere
        st_mv = st_mv + rng.uniform(0.06, 0.16) * np.array([0.7, 0.7, -0.3])
        return t_mv * rng.uniform(0.6, 1.1), st_mv
    if extra == "early":
        st_mv = st_mv + rng.uniform(0.05, 0.13) * np.array([0.6, 0.4, -0.7])
        return t_mv * rng.uniform(1.2, 1.7), st_mv
    return t_mv, st_mv
