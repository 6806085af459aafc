"""Exchanged cables against what textbooks say of them; leads that drop out."""

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import dipole, electrodes

TWELVE = dipole.TO_TWELVE.T  # [12, 8]


def exchanged(placed):
    """[12, time] before and after."""
    leads_mv = np.random.default_rng(0).standard_normal((8, 40))
    after_mv = TWELVE @ electrodes.exchange(placed) @ leads_mv
    return dict(zip(LEADS, TWELVE @ leads_mv, strict=True)), dict(zip(LEADS, after_mv, strict=True))


def equal(one, other):
    np.testing.assert_allclose(one, other, atol=1e-12)


def test_arms_exchanged_turn_lead_i_over_and_leave_the_chest():
    was, now = exchanged({"LA": "RA", "RA": "LA"})
    equal(now["I"], -was["I"])
    equal(now["II"], was["III"])
    equal(now["aVR"], was["aVL"])
    equal(now["aVF"], was["aVF"])
    equal(now["V3"], was["V3"])


def test_left_arm_and_leg_exchanged_turn_lead_iii_over():
    was, now = exchanged({"LA": "LL", "LL": "LA"})
    equal(now["III"], -was["III"])
    equal(now["I"], was["II"])
    equal(now["aVL"], was["aVF"])
    equal(now["V6"], was["V6"])


def test_an_arm_read_at_the_leg_leaves_a_limb_lead_flat_and_moves_the_chest():
    was, now = exchanged({"RA": "LL"})
    equal(now["II"], 0)
    equal(now["I"], -was["III"])
    assert np.abs(now["V1"] - was["V1"]).max() > 0.1
    _, now = exchanged({"LA": "LL"})
    equal(now["III"], 0)


def test_chest_cables_exchanged_change_their_leads_alone():
    was, now = exchanged({"V1": "V2", "V2": "V1"})
    equal(now["V1"], was["V2"])
    equal(now["V2"], was["V1"])
    for lead in ("I", "II", "aVL", "V3"):
        equal(now[lead], was[lead])


def test_exchanges_are_a_whole_and_faults_are_rare():
    assert sum(share for share, _ in electrodes.EXCHANGES) == pytest.approx(1)
    faults = [electrodes.draw_faults(np.random.default_rng(seed)) for seed in range(3000)]
    shares = [
        np.mean([one.exchange is not None for one in faults]),
        np.mean([bool(one.flat) for one in faults]),
        np.mean([one.loose is not None for one in faults]),
    ]
    wanted = [electrodes.EXCHANGED, electrodes.FLAT, electrodes.LOOSE]
    np.testing.assert_allclose(shares, wanted, atol=0.01)
    assert all(set(one.flat) <= set(range(12)) for one in faults)


def test_a_lead_that_drops_out_is_zero_for_as_long():
    faults = electrodes.Faults(flat=(7, 9), flat_from=0.5, flat_to=0.75)
    leads_mv = electrodes.dropped(faults, np.ones((12, 100)))
    gone = leads_mv == 0
    assert gone[[7, 9], 50:75].all() and gone.sum() == 50
