"""Infarcts against the leads that show them: Q over the wall, ST towards it while it is acute."""

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import dipole, infarction, shape_criteria
from ecgpipe.simulation.depolarisation import NORMAL_QRS

OVER = {
    "inferior": ["II", "III", "aVF"],
    "anterior": ["V2", "V3", "V4"],
    "septal": ["V2", "V3"],
    "anterolateral": ["V4", "V5", "I"],
    "lateral": ["I", "aVL", "V6"],
    "inferolateral": ["III", "aVF", "V6"],
}


def first_forces(qrs):
    """Mean of the first 30 ms in the twelve leads, mV [12]."""
    begin_s = dipole.bounds_s(qrs)[0]
    early_mv = dipole.single_beat(qrs, begin_s + np.arange(0, 0.03, 0.002))
    return dipole.to_twelve(early_mv @ dipole.DOWER.T).mean(axis=0)


@pytest.mark.parametrize("wall", sorted(OVER))
def test_the_leads_over_the_wall_begin_with_q(wall):
    places = [LEADS.index(lead) for lead in OVER[wall]]
    begin_s = dipole.bounds_s(NORMAL_QRS)[0]
    changes = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        qrs = infarction.with_infarct(rng, NORMAL_QRS, begin_s, wall)
        changes.append((first_forces(qrs) - first_forces(NORMAL_QRS))[places])
    assert (np.mean(changes, axis=0) < -0.03).all()


def test_a_posterior_infarct_raises_r_in_v1():
    begin_s = dipole.bounds_s(NORMAL_QRS)[0]
    qrs = infarction.with_infarct(np.random.default_rng(0), NORMAL_QRS, begin_s, "posterior")
    at_s = np.arange(begin_s, begin_s + 0.07, 0.002)
    v1, normal_v1 = (
        dipole.single_beat(waves, at_s) @ dipole.DOWER[2] for waves in (qrs, NORMAL_QRS)
    )
    assert v1.mean() > normal_v1.mean() + 0.05
    assert not shape_criteria.abnormal_q(
        dipole.to_twelve(dipole.single_beat(qrs, at_s) @ dipole.DOWER.T)
    )[LEADS.index("V2")]


@pytest.mark.parametrize("wall", sorted(infarction.AWAY))
def test_st_points_to_the_wall_while_acute_and_t_away_from_it_later(wall):
    away = infarction.AWAY[wall]
    t_mv, st_mv = np.zeros((2, 3)), np.zeros(3)
    rng = np.random.default_rng(0)
    _, acute_st = infarction.repolarised(rng, wall, "acute", t_mv, st_mv)
    recent_t, _ = infarction.repolarised(rng, wall, "recent", t_mv, st_mv)
    assert acute_st @ away < -0.05
    assert recent_t[0] @ away > 0.1
