"""Hearts drawn to suit findings, measured."""

import numpy as np
import pytest

from ecgpipe.simulation import depolarisation, dipole, patients
from ecgpipe.simulation.findings import draw_findings


def test_waves_measure_as_the_findings_say():
    rng = np.random.default_rng(0)
    for _ in range(40):
        findings = draw_findings(rng)
        heart = patients.draw_heart(rng, findings)
        shortest_s, _, longest_s, _ = depolarisation.DURATION_S[findings.conduction]
        assert shortest_s - 0.002 < heart.qrs_s < longest_s + 0.002
        if findings.conduction not in depolarisation.LATE:
            measured = dipole.frontal_axis(heart.qrs, heart.field)
            assert measured == pytest.approx(heart.axis, abs=0.1)


def test_a_chest_differs_from_dowers_but_looks_the_same_way():
    rng = np.random.default_rng(0)
    for _ in range(30):
        field = patients.lead_field(rng)
        cosine = (
            (field * dipole.DOWER).sum(axis=1)
            / np.linalg.norm(field, axis=1)
            / np.linalg.norm(dipole.DOWER, axis=1)
        )
        assert cosine.min() > 0.5 and np.median(cosine) < 0.9999


def test_the_same_generator_draws_the_same_patient_again():
    def draw():
        rng = np.random.default_rng(5)
        return patients.draw_heart(rng, draw_findings(rng))

    first, again = draw(), draw()
    np.testing.assert_array_equal(first.qrs.vector_mv, again.qrs.vector_mv)
    np.testing.assert_array_equal(first.field, again.field)
