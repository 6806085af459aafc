"""Rate, PR, QRS, QT and axis of recordings, and in words."""

import numpy as np
import pytest

from ecgpipe.features import measure
from ecgpipe.prediction import intervals
from ecgpipe.preprocessing.r_peaks import r_peaks
from tests.fixtures.made_beats import WAVES, leads_mv

PEAKS_S = np.arange(0.8, 9.5, 0.8)


def test_the_numbers_are_those_of_the_features():
    signal_mv = leads_mv(PEAKS_S, 250, 10)
    told = intervals.measured(signal_mv, 250)
    features = measure.measure(signal_mv, 250, r_peaks(signal_mv, 250))
    by_name = dict(zip(measure.UNITS, features.tolist(), strict=True))
    assert told == tuple(by_name[name] for name in told._fields)
    assert told.rate_bpm == pytest.approx(75, abs=0.5)


def test_what_cannot_be_measured_is_said_in_plain_words():
    none = intervals.measured(np.zeros((1000, 12), np.float32), 100)
    assert none.words == "not measured (no beat is seen whole)"
    assert none.cells == [""] * 6
    waves = {name: wave for name, wave in WAVES.items() if name not in ("P", "T")}
    signal_mv = leads_mv(PEAKS_S, 250, 10, waves=waves)
    noise = np.random.default_rng(1).normal(0, 0.01, signal_mv.shape)
    told = intervals.measured((signal_mv + noise).astype(np.float32), 250)
    assert np.isnan([told.pr_ms, told.qt_ms, told.qtc_ms]).all()
    first, *unknown = told.words.split("; ")
    assert first.startswith("rate 75/min, QRS ")
    assert unknown == [
        "PR not measured (no P that stays the same)",
        "QT not measured (no T that stands out)",
        "QTc not measured (no QT or no rate)",
    ]


def test_a_single_beat_has_no_rate_and_an_axis():
    told = intervals.Intervals(np.nan, 160, 92, 380, np.nan, 60)
    known, no_rate, no_qtc = told.words.split("; ")
    assert known == "PR 160 ms, QRS 92 ms, QT 380 ms, axis 60\N{DEGREE SIGN}"
    assert no_rate == "rate not measured (fewer than two beats)"
    assert no_qtc == "QTc not measured (no QT or no rate)"
    assert told.cells == ["", "160", "92", "380", "", "60"]
