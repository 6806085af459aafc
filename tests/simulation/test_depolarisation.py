"""The QRS of each conduction against what vectorcardiography says of it: x left, y foot, z back."""

import numpy as np
import pytest

from ecgpipe.simulation import depolarisation, dipole
from ecgpipe.simulation.findings import draw_findings

PLAIN = {"extra": "none", "infarct": "", "axis": 40.0}
TIMES_S = np.arange(-0.15, 0.2, 0.001)


def drawn(seed, **wanted):
    rng = np.random.default_rng(seed)
    findings = draw_findings(rng, "NSR", **(PLAIN | wanted))
    return depolarisation.draw_qrs(rng, findings, dipole.DOWER, 1.0)


def mean_vector(qrs, begin_s, end_s):
    """The mean dipole between two times, mV [3]."""
    at_s = TIMES_S[(begin_s <= TIMES_S) & (end_s > TIMES_S)]
    return dipole.single_beat(qrs, at_s).mean(axis=0)


@pytest.mark.parametrize("conduction", sorted(depolarisation.QRS))
def test_the_axis_told_is_the_axis_of_the_early_forces(conduction):
    for seed in range(5):
        qrs, axis = drawn(seed, conduction=conduction, axis=-50.0)
        assert axis == pytest.approx(-50, abs=1)
        if conduction not in depolarisation.LATE:
            assert dipole.frontal_axis(qrs, dipole.DOWER) == pytest.approx(axis, abs=0.1)


def test_right_bundle_branch_block_ends_to_the_right_and_the_front():
    for seed in range(10):
        qrs, _ = drawn(seed, conduction="RBBB")
        end_s = dipole.bounds_s(qrs)[1]
        x, _, z = mean_vector(qrs, end_s - 0.04, end_s)
        assert x < 0 and z < 0


def test_left_bundle_branch_block_goes_to_the_left_and_the_back_from_the_begin():
    for seed in range(10):
        qrs, _ = drawn(seed, conduction="LBBB", axis=0.0)
        begin_s, end_s = dipole.bounds_s(qrs)
        x, _, z = mean_vector(qrs, begin_s, end_s)
        assert x > 0 and z > 0
        normal, _ = drawn(seed, conduction="normal", axis=0.0, age=50)
        assert mean_vector(normal, *dipole.bounds_s(normal))[2] < z


def test_hypertrophy_is_larger_and_an_infarct_loses_its_first_forces():
    lengths = {
        extra: [
            np.linalg.norm(drawn(seed, extra=extra, conduction="normal")[0].vector_mv, axis=1).max()
            for seed in range(30)
        ]
        for extra in ("none", "LVH")
    }
    assert np.mean(lengths["LVH"]) > 1.3 * np.mean(lengths["none"])
    for seed in range(10):
        qrs, _ = drawn(seed, infarct="inferior", conduction="normal", axis=20.0)
        begin_s = dipole.bounds_s(qrs)[0]
        plain, _ = drawn(seed, conduction="normal", axis=20.0)
        assert mean_vector(qrs, begin_s, begin_s + 0.03)[1] < mean_vector(plain, -0.05, -0.02)[1]


def test_a_left_posterior_block_ends_down_and_to_the_right():
    for seed in range(10):
        qrs, _ = drawn(seed, conduction="LPFB", axis=110.0)
        end_s = dipole.bounds_s(qrs)[1]
        x, y, _ = mean_vector(qrs, end_s - 0.05, end_s - 0.02)
        assert x < 0 < y


def test_an_accessory_path_goes_before_slowly():
    rises_s = []
    for conduction in ("normal", "WPW"):
        times_s = []
        for seed in range(10):
            qrs, _ = drawn(seed, conduction=conduction)
            at_s = np.arange(dipole.bounds_s(qrs)[0], 0.1, 0.001)
            length_mv = np.linalg.norm(dipole.single_beat(qrs, at_s), axis=1)
            times_s.append(np.argmax(length_mv > 0.6 * length_mv.max()) / 1000)
        rises_s.append(np.mean(times_s))
    assert rises_s[1] > rises_s[0] + 0.015


def test_an_aberrant_beat_differs_in_its_end_alone():
    qrs, _ = drawn(0, conduction="normal")
    aberrant = depolarisation.aberrant(qrs, "normal", 1.0)
    early, late = np.array([-0.03, 0.0]), np.array([0.06])
    np.testing.assert_allclose(
        dipole.single_beat(aberrant, early), dipole.single_beat(qrs, early), atol=5e-3
    )
    assert dipole.single_beat(aberrant, late)[0, 0] < dipole.single_beat(qrs, late)[0, 0] - 0.1
