"""What an infarct takes from the heart: early forces towards its wall, and a repolarisation that
goes through stages.

A dead wall leaves the forces of the opposite one: the dipole of the first 30 to 50 ms points away
from it, which is a Q wave in the leads over the wall (Thygesen et al. 2018, Fourth Universal
Definition of Myocardial Infarction, doi:10.1161/CIR.0000000000000617, table 2 and the text on
evolution). ST points to the wall while it is acute; T away from it for weeks after.
Sizes were set by us so that about three infarcts in four reach the definition of a Q wave.
"""

from dataclasses import replace

import numpy as np

from ecgpipe.simulation.dipole import Waves

# Where the forces point that are left, away from the wall: x left, y foot, z back.
AWAY = {
    "inferior": np.array([0.10, -1.0, 0.0]),
    "anterior": np.array([-0.15, 0.0, 1.0]),
    "septal": np.array([0.30, 0.0, 0.95]),
    "anterolateral": np.array([-0.70, 0.0, 0.70]),
    "lateral": np.array([-1.0, 0.15, 0.10]),
    "inferolateral": np.array([-0.55, -0.80, 0.15]),
    "posterior": np.array([0.0, -0.15, -1.0]),
}
POSTERIOR_LATER_S = 0.025  # the posterior wall is activated late: a tall R in V1, no Q


def with_infarct(rng: np.random.Generator, qrs: Waves, begin_s: float, wall: str) -> Waves:
    """The QRS without the forces of the wall; `begin_s` is where it begins."""
    away = AWAY[wall] + 0.12 * rng.standard_normal(3)
    towards_mv = np.maximum(-(qrs.vector_mv @ away), 0)  # [wave]
    early = np.exp(-0.5 * ((qrs.centre_s - begin_s) / 0.035) ** 2)
    lost = rng.uniform(0.3, 0.9) * early * towards_mv
    vector_mv = qrs.vector_mv + lost[:, None] * away
    largest_mv = np.linalg.norm(qrs.vector_mv, axis=1).max()
    size_mv = largest_mv * rng.uniform(0.12, 0.5) * np.array([[0.8], [1.0]])
    late_s = 0.0
    if wall == "posterior":
        late_s, size_mv = POSTERIOR_LATER_S, 1.5 * size_mv
    apart_s = rng.uniform(0.010, 0.018)
    q_waves = Waves(
        begin_s + late_s + np.array([0.015, 0.015 + apart_s]),
        np.array([0.0065, 0.008]),
        np.array([0.008, 0.008]),
        size_mv * away,
    )
    return replace(qrs, vector_mv=vector_mv).joined(q_waves)


def repolarised(
    rng: np.random.Generator, wall: str, age: str, t_mv: np.ndarray, st_mv: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """T vectors [2, 3] and the ST vector after an infarct of the given age."""
    away = AWAY[wall]
    if age == "acute":
        st_mv = st_mv - rng.uniform(0.10, 0.35) * away
        return t_mv * rng.uniform(0.4, 1.3) - rng.uniform(0, 0.2) * away, st_mv
    if age == "recent":
        st_mv = st_mv - rng.uniform(0.02, 0.12) * away
        return 0.5 * t_mv + np.array([[1.0], [0.2]]) * rng.uniform(0.15, 0.42) * away, st_mv
    st_mv = st_mv - rng.uniform(0.0, 0.05) * away
    return t_mv + np.array([[1.0], [0.2]]) * rng.uniform(-0.02, 0.25) * away, st_mv
