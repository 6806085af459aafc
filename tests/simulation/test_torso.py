"""Lead fields of other chests: where electrodes lie, and what they see of the atria."""

import numpy as np
import pytest

from ecgpipe.simulation import dipole, patients, torso
from ecgpipe.simulation.findings import draw_findings

CHEST = dipole.DOWER[2:]


def test_on_its_rib_an_electrode_sees_what_it_saw():
    np.testing.assert_allclose(torso.lifted(CHEST, np.zeros(6)), CHEST, atol=1e-12)


@pytest.mark.parametrize("ribs", [1.0, 2.0, -1.0])
def test_ribs_turn_lead_vectors_about_the_heart_and_keep_their_size(ribs):
    lifted = torso.lifted(CHEST, np.full(6, ribs))
    sizes = np.linalg.norm(CHEST, axis=1)
    np.testing.assert_allclose(np.linalg.norm(lifted, axis=1), sizes)
    angle = np.degrees(np.arccos((lifted * CHEST).sum(axis=1) / sizes**2))
    np.testing.assert_allclose(angle, abs(ribs) * torso.RIB_DEG)
    assert (np.sign(CHEST[:, 1] - lifted[:, 1]) == np.sign(ribs)).all()  # up is against y


def test_v1_and_v2_too_high_show_less_of_a_wave_that_goes_down():
    down = np.array([0.1, 1.0, 0.0])
    high = torso.lifted(CHEST, np.array([1.0, 1, 0, 0, 0, 0]))
    assert (high[:2] @ down < CHEST[:2] @ down - 0.2).all()
    np.testing.assert_allclose(high[2:] @ down, CHEST[2:] @ down)


def test_chests_differ_about_dowers():
    fields = np.array([torso.lead_field(np.random.default_rng(seed)) for seed in range(400)])
    size = np.linalg.norm(fields, axis=2)  # [chest, lead]
    usual = np.median(size, axis=0) / np.linalg.norm(dipole.DOWER, axis=1)
    assert (usual > 0.7).all() and (usual < 1.1).all()
    spread = np.log(size).std(axis=0)
    assert (spread[2:] > 0.12).all() and (spread < 0.4).all()


def test_a_chest_differs_from_dowers_but_looks_the_same_way():
    rng = np.random.default_rng(0)
    for _ in range(30):
        field = torso.lead_field(rng)
        cosine = (
            (field * dipole.DOWER).sum(axis=1)
            / np.linalg.norm(field, axis=1)
            / np.linalg.norm(dipole.DOWER, axis=1)
        )
        assert cosine.min() > 0.5 and np.median(cosine) < 0.9999


def test_atria_are_seen_by_the_limbs_as_the_ventricles_are_and_less_by_the_left_chest():
    assert torso.ATRIAL.tolist()[:2] == [1, 1] and (torso.ATRIAL[3:] < 0.5).all()
    heart = patients.draw_heart(np.random.default_rng(3), draw_findings(np.random.default_rng(3)))
    np.testing.assert_allclose(heart.atrial_field[:2], heart.field[:2])
    assert np.linalg.norm(heart.atrial_field[5]) < 0.4 * np.linalg.norm(heart.field[5])
