"""Lead fields of other chests: where electrodes lie, and what they see of the atria."""

import numpy as np
import pytest

from ecgpipe.simulation import beats, dipole, patients, torso
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


def test_a_beat_is_no_single_dipole_by_as_much_as_real_ones_are_not():
    """Of 285 real recordings of plain sinus rhythm three components leave -34.6, -31.3 and -27.9 dB
    of the power of a median QRS (10, 50 and 90 %), with their noise and filters."""
    left_db = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        heart = patients.draw_heart(rng, draw_findings(rng, rhythm="NSR", conduction="normal"))
        two = beats.Beats(np.array([0.5, 2.0]), np.zeros(2, int), np.zeros(0), np.zeros(0, int))
        leads_mv = beats.independent_leads(rng, heart, two, np.zeros((500, 3)), 500.0)
        power = np.linalg.svd(leads_mv[200:300], compute_uv=False) ** 2
        left_db.append(10 * np.log10(power[3:].sum() / power.sum()))
    assert -36 < np.median(left_db) < -28


def test_recovery_is_seen_more_in_i_and_v2_and_less_in_v4_than_the_qrs():
    rng = np.random.default_rng(3)
    fields = [torso.recovery_field(rng, dipole.DOWER) for _ in range(200)]
    share = np.linalg.norm(np.mean(fields, axis=0), axis=1) / np.linalg.norm(dipole.DOWER, axis=1)
    assert min(share[[0, 3]]) > 1.25 and share[5] < 0.8
    spread = np.std(fields, axis=0).mean(axis=1) / np.linalg.norm(dipole.DOWER, axis=1)
    assert spread[2] == spread.max()  # V1 lies nearest and differs most
