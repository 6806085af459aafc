"""Hearts drawn to suit findings, measured."""

import numpy as np
import pytest

from ecgpipe.simulation import dipole, findings, patients


def test_waves_measure_as_the_findings_say():
    rng = np.random.default_rng(0)
    for _ in range(40):
        has = findings.draw_findings(rng)
        of = patients.make(rng, has)
        shortest, _, longest, _ = patients.DURATION[has.conduction]
        assert shortest - 0.002 < of.qrs_s < longest + 0.002
        if has.conduction not in patients.LATE:
            assert dipole.frontal_axis(of.qrs, of.field) == pytest.approx(of.axis, abs=0.1)


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
    def one():
        rng = np.random.default_rng(5)
        return patients.make(rng, findings.draw_findings(rng))

    np.testing.assert_array_equal(one().qrs.vector_mv, one().qrs.vector_mv)
    np.testing.assert_array_equal(one().field, one().field)
