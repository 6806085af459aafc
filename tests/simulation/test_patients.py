"""Hearts drawn to suit findings, measured."""

from dataclasses import replace

import numpy as np
import pytest

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import depolarisation, dipole, patients
from ecgpipe.simulation.findings import draw_findings


def test_waves_measure_as_the_findings_say():
    rng = np.random.default_rng(0)
    for _ in range(40):
        findings = draw_findings(rng)
        heart = patients.draw_heart(rng, findings)
        shortest_s, _, longest_s, _ = depolarisation.DURATION_S[findings.conduction]
        assert shortest_s - 0.002 < heart.qrs_s < longest_s + 0.002
        if findings.conduction not in depolarisation.LATE and not findings.dextrocardia:
            measured = dipole.frontal_axis(heart.qrs, heart.field)
            assert measured == pytest.approx(heart.axis, abs=0.1)


def test_a_heart_has_the_beats_that_its_rhythm_needs():
    def heart(rhythm, **wanted):
        rng = np.random.default_rng(3)
        return patients.draw_heart(rng, draw_findings(rng, rhythm, **wanted))

    paced, plain = heart("paced", pacing="VVI"), heart("NSR", ventricular=0)
    assert paced.spike and paced.own_end_s - paced.own_begin_s > 0.11
    assert plain.spike is None and plain.own is None and plain.premature == ()
    assert len(heart("NSR", ventricular=2).premature) == 2


def test_enlarged_atria_have_larger_p_waves():
    def p_mv(atria, lead):
        sizes = []
        for seed in range(30):
            rng = np.random.default_rng(seed)
            heart = patients.draw_heart(rng, draw_findings(rng, "NSR", atria=atria))
            lowest, highest = dipole.extremes(heart.p, dipole.DOWER, -0.1, 0.12)
            sizes.append((lowest[LEADS.index(lead)], highest[LEADS.index(lead)]))
        return np.mean(sizes, axis=0)

    assert p_mv("RAE", "II")[1] > 1.3 * p_mv("", "II")[1]
    assert p_mv("LAE", "V1")[0] < 1.3 * p_mv("", "V1")[0] < 0


def test_in_dextrocardia_lead_i_is_turned_over():
    def lead_i(dextrocardia):
        rng = np.random.default_rng(4)
        findings = draw_findings(rng, "NSR", axis=40.0, conduction="normal", infarct="")
        heart = patients.draw_heart(rng, replace(findings, dextrocardia=dextrocardia))
        return dipole.lead_areas(heart.qrs, heart.field)[0], heart.axis

    (area, axis), (turned_area, turned_axis) = lead_i(False), lead_i(True)
    assert turned_area * area < 0 and turned_axis == pytest.approx(180 - axis)


def test_the_same_generator_draws_the_same_patient_again():
    def draw():
        rng = np.random.default_rng(5)
        return patients.draw_heart(rng, draw_findings(rng))

    first, again = draw(), draw()
    np.testing.assert_array_equal(first.qrs.vector_mv, again.qrs.vector_mv)
    np.testing.assert_array_equal(first.field, again.field)
