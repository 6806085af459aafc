"""RR statistics against intervals whose statistics are known."""

import numpy as np
import pytest

from ecgpipe.features import rhythm


def test_a_steady_rhythm_has_a_rate_and_no_variation():
    values = rhythm.measure(np.arange(12) * 0.8)
    assert values["rate_bpm"] == pytest.approx(75)
    assert values["rr_mean_ms"] == pytest.approx(800)
    still = ("rr_sd_ms", "rmssd_ms", "rr_step", "pnn20", "rr_entropy_bit", "premature_share")
    assert [values[name] for name in still] == pytest.approx([0] * len(still), abs=1e-9)
    assert (values["rr_shortest"], values["rr_longest"]) == pytest.approx((1, 1))


def test_alternating_intervals_have_the_statistics_of_their_formulas():
    rr_s = np.tile([0.7, 0.9], 10)
    values = rhythm.measure(np.concatenate([[0], np.cumsum(rr_s)]))
    assert values["rr_sd_ms"] == pytest.approx(100 * np.sqrt(20 / 19))
    assert values["rmssd_ms"] == pytest.approx(200)
    assert values["pnn50"] == 1
    assert values["rr_entropy_bit"] == pytest.approx(1)
    assert values["rr_lag1"] == pytest.approx(-19 / 20)


def test_an_early_beat_and_its_pause_are_counted():
    rr_s = np.full(12, 0.8)
    rr_s[5], rr_s[6] = 0.5, 1.1
    peaks_s = np.concatenate([[0], np.cumsum(rr_s)])
    values = rhythm.measure(peaks_s)
    assert (values["premature_share"], values["pause_share"]) == pytest.approx((1 / 12, 1 / 12))
    early = rhythm.prematurity(peaks_s)
    assert early.argmax() == 6
    assert early[6] == pytest.approx(1 - 0.5 / 0.8)
    assert early[7] == pytest.approx(1 - 1.1 / 0.8)


@pytest.mark.parametrize(("beats", "known"), [(0, 0), (1, 0), (2, 2), (3, 2), (4, 14)])
def test_what_needs_more_beats_than_there_are_is_nan(beats, known):
    values = rhythm.measure(np.arange(beats) * 0.8)
    assert list(values) == list(rhythm.UNITS)
    assert np.isfinite(list(values.values())).sum() == known
    assert len(rhythm.prematurity(np.arange(beats) * 0.8)) == beats
