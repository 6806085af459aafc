"""Beats that differ: early ones, ones of another shape, ones that the detector missed, spikes."""

import numpy as np
import pytest

from ecgpipe.features import beats, delineation, variation
from tests.fixtures.made_beats import WAVES, leads_mv

STEADY_S = np.arange(0.8, 9.5, 0.8)
BROAD = {"R": (0.0, 0.04, -1.5), "T": (0.3, 0.05, 0.4)}


def measured(signal_mv: np.ndarray, peaks_s: np.ndarray) -> dict[str, float]:
    found = beats.find(signal_mv, 500, np.round(peaks_s * 500).astype(np.int32))
    return variation.measure(found, delineation.delineate(found))


def test_equal_beats_do_not_differ():
    values = measured(leads_mv(STEADY_S, 500, 10), STEADY_S)
    assert set(values) == set(variation.UNITS)
    assert values["beats"] == len(STEADY_S)
    assert values["likeness_least"] > 0.999
    assert values["other_shape_share"] == values["early_usual_shape"] == 0
    assert values["broadest_beat"] == pytest.approx(1, abs=0.02)
    assert values["between_beats"] < 0.1


@pytest.mark.parametrize(("shape", "is_other"), [(WAVES, False), (BROAD, True)])
def test_an_early_beat_is_of_the_usual_or_of_another_shape(shape, is_other):
    early_s = STEADY_S.copy()
    early_s[5] -= 0.3
    usual_s = np.delete(early_s, 5)
    signal_mv = leads_mv(usual_s, 500, 10) + leads_mv(early_s[5:6], 500, 10, waves=shape)
    values = measured(signal_mv, early_s)
    early, other = ("early_other_shape", "early_usual_shape")[:: 1 if is_other else -1]
    assert values[early] == pytest.approx(0.3 / 0.8, abs=0.01)
    assert values[other] < 0.05
    assert values["other_shape_share"] == pytest.approx(is_other / len(early_s))
    assert (values["broadest_beat"] > 1.3) == is_other


def test_a_beat_that_nobody_found_lies_between_beats():
    kept_s = np.delete(STEADY_S, 5)
    signal_mv = leads_mv(kept_s, 500, 10) + leads_mv(STEADY_S[5:6], 500, 10, waves=BROAD)
    assert measured(signal_mv, kept_s)["between_beats"] > 1


def test_a_spike_before_the_qrs_is_sharper_than_a_heart():
    plain = measured(leads_mv(STEADY_S, 500, 10), STEADY_S)
    spike = WAVES | {"spike": (-0.07, 0.003, 0.4)}
    assert measured(leads_mv(STEADY_S, 500, 10, waves=spike), STEADY_S)["spike"] > 0.8
    assert plain["spike"] < 0.2
