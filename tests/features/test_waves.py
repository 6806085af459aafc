"""Amplitudes, intervals and axes of beats whose waves are known."""

import numpy as np
import pytest

from ecgpipe.features import beats, delineation, waves
from ecgpipe.project.leads import LEADS
from tests.fixtures.made_beats import WAVES, leads_mv

PEAKS_S = np.arange(0.8, 9.5, 0.9)


def measured(**made: object) -> dict[str, float]:
    signal_mv = leads_mv(PEAKS_S, 500, 10, **made)
    found = beats.find(signal_mv, 500, (PEAKS_S * 500).astype(np.int32))
    return waves.measure(found, delineation.delineate(found))


def test_every_feature_has_a_unit_and_is_measured():
    values = measured()
    assert set(values) == set(waves.UNITS)
    assert np.isfinite(list(values.values())).all()


def test_amplitudes_are_those_of_the_waves_in_each_lead():
    values = measured(by_lead={"II": 0.5, "V1": -1.0, "V6": 2.0})
    r, s, t = (WAVES[name][2] for name in ("R", "S", "T"))
    assert values["r_I_mv"] == pytest.approx(r, abs=0.03)
    assert values["r_II_mv"] == pytest.approx(r / 2, abs=0.03)
    assert values["s_I_mv"] == pytest.approx(s, abs=0.04)
    assert values["t_V6_mv"] == pytest.approx(2 * t, abs=0.03)
    assert values["t_V1_mv"] == pytest.approx(-t, abs=0.03)
    assert values["p_II_mv"] == pytest.approx(WAVES["P"][2] / 2, abs=0.01)
    assert values["t_to_r_V5"] == pytest.approx(t / r, abs=0.02)
    assert values["q_inferior_mv"] == pytest.approx(-WAVES["Q"][2], abs=0.03)
    assert values["st_I_mv"] == pytest.approx(0, abs=0.05)
    assert values["limb_span_mv"] == pytest.approx(r - s, abs=0.05)
    assert values["r_prime_V1_mv"] == pytest.approx(-s, abs=0.04)


@pytest.mark.parametrize("turned_deg", [-150, -60, 0, 45, 90, 170])
def test_the_axis_is_the_direction_of_a_turned_dipole(turned_deg):
    """Lead I sees a frontal dipole by its cosine, II by that of 60 degrees less (W. Einthoven)."""
    i, ii = np.cos(np.radians([turned_deg, turned_deg - 60]))
    limbs = {"I": i, "II": ii, "III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2}
    limbs["aVF"] = ii - i / 2
    values = measured(by_lead=limbs)
    for wave in ("p", "qrs", "t"):
        away = (values[f"{wave}_axis_deg"] - turned_deg + 180) % 360 - 180
        assert away == pytest.approx(0, abs=1.5), wave
    assert values["qrs_t_angle_deg"] < 2


def test_corrected_qt_is_fridericias():
    values = measured()
    assert values["qtc_ms"] == pytest.approx(values["qt_ms"] / 0.9 ** (1 / 3), rel=1e-3)


def test_r_rises_at_the_first_chest_lead_in_which_r_is_larger_than_s():
    down = dict.fromkeys(LEADS[6:9], -1.0)
    assert measured(by_lead=down)["r_rises_at"] == 4
    assert measured(by_lead=dict.fromkeys(LEADS[6:], -1.0))["r_rises_at"] == 7


def test_t_counts_as_inverted_where_two_neighbouring_leads_show_it():
    inverted = WAVES | {"T": (0.26, 0.04, -0.3)}
    assert measured(waves=inverted)["t_inverted_pair_mv"] == pytest.approx(0.3, abs=0.03)
    assert measured(by_lead={"V2": -1.0})["t_inverted_pair_mv"] < 0
