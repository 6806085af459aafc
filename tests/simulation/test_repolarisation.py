"""T, ST and QT against what textbooks say of them: x left, y foot, z back."""

import numpy as np
import pytest

from ecgpipe.simulation import depolarisation, dipole, repolarisation
from ecgpipe.simulation.findings import draw_findings

BASE = {
    "conduction": "normal",
    "extra": "none",
    "infarct": "",
    "repolarisation": "normal",
    "axis": 40.0,
    "sex": "F",
}


def drawn(seed, **wanted):
    """QRS, T and ST of one heart."""
    rng = np.random.default_rng(seed)
    findings = draw_findings(rng, "NSR", **(BASE | wanted))
    qrs, _ = depolarisation.draw_qrs(rng, findings, dipole.DOWER, 1.0)
    end_s = dipole.bounds_s(qrs)[1]
    t_wave, st_wave = repolarisation.draw_repolarisation(rng, findings, qrs, end_s, 1.0)
    return qrs, t_wave, st_wave


def size(t_wave):
    return np.linalg.norm(t_wave.vector_mv[0])


def test_a_healthy_t_is_upright_in_i_ii_and_v4_to_v6():
    areas = np.array([dipole.lead_areas(drawn(seed)[1], dipole.DOWER) for seed in range(60)])
    assert (areas[:, [0, 1, 9, 10, 11]] > 0).mean() > 0.95


def test_in_left_bundle_branch_block_t_and_st_point_against_the_qrs():
    for seed in range(10):
        qrs, t_wave, st_wave = drawn(seed, conduction="LBBB")
        net = (qrs.before_s + qrs.after_s) @ qrs.vector_mv
        assert net @ t_wave.vector_mv[0] < 0
        assert net @ st_wave.vector_mv[0] < 0


def test_a_flat_t_is_smaller_and_a_biphasic_one_goes_both_ways():
    flat = np.mean([size(drawn(seed, repolarisation="flat")[1]) for seed in range(20)])
    normal = np.mean([size(drawn(seed)[1]) for seed in range(20)])
    assert flat < 0.7 * normal
    for seed in range(5):
        first, second = drawn(seed, repolarisation="biphasic")[1].vector_mv
        assert first @ second < 0


@pytest.mark.parametrize(
    ("region", "leads"), [("lateral", [0, 11]), ("inferior", [1, 5]), ("anterior", [7, 8])]
)
def test_an_inverted_t_is_negative_over_its_region(region, leads):
    areas = [
        dipole.lead_areas(drawn(seed, repolarisation=region)[1], dipole.DOWER)[leads]
        for seed in range(20)
    ]
    assert np.mean(np.array(areas) < 0) > 0.9


def test_st_is_down_or_up_in_v5_where_the_finding_says_so():
    def v5(extra):
        waves = [drawn(seed, extra=extra)[2] for seed in range(20)]
        return np.median([dipole.lead_areas(wave, dipole.DOWER)[10] for wave in waves])

    assert v5("ST down") < min(0, v5("none"))
    assert v5("early") > max(0, v5("none"))
