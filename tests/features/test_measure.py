"""All features of a recording: their names, what cannot be measured, and any rate."""

import numpy as np
import pytest

from ecgpipe.features import measure
from tests.fixtures.made_beats import WAVES, leads_mv

PEAKS_S = np.arange(0.8, 9.5, 0.9)


def measured(signal_mv: np.ndarray, rate_hz: float, peaks_s: np.ndarray) -> dict[str, float]:
    peaks = np.round(peaks_s * rate_hz).astype(np.int32)
    values = measure.measure(signal_mv, rate_hz, peaks)
    assert values.dtype == np.float32
    return dict(zip(measure.UNITS, values.tolist(), strict=True))


def test_all_is_measured_on_plain_beats_and_every_feature_has_a_unit():
    values = measured(leads_mv(PEAKS_S, 250, 10), 250, PEAKS_S)
    assert len(values) > 80
    assert np.isfinite(list(values.values())).all()
    assert all(measure.UNITS.values())


def test_intervals_do_not_depend_on_the_rate_of_the_store():
    slow, fast = (measured(leads_mv(PEAKS_S, rate, 10), rate, PEAKS_S) for rate in (100, 1000))
    for name in ("rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg"):
        assert slow[name] == pytest.approx(fast[name], abs=8), name


@pytest.mark.parametrize("beats", [0, 1, 2])
def test_with_few_beats_or_none_the_rest_is_nan_and_nothing_fails(beats):
    values = measured(leads_mv(PEAKS_S[:beats], 100, 3), 100, PEAKS_S[:beats])
    assert np.isnan(values["rr_sd_ms"])
    assert np.isnan(values["rate_bpm"]) == (beats < 2)
    assert np.isnan(values["qrs_ms"]) == (beats == 0)


def test_what_a_flat_lead_would_show_is_nan():
    values = measured(leads_mv(PEAKS_S, 250, 10, by_lead={"V1": 0.0}), 250, PEAKS_S)
    of_lead = {name for name in values if "V1" in name.split("_")}
    assert len(of_lead) > 5
    assert {name for name, value in values.items() if np.isnan(value)} == of_lead


def test_without_p_there_is_no_pr():
    waves = {name: wave for name, wave in WAVES.items() if name != "P"}
    rng = np.random.default_rng(2)
    signal_mv = leads_mv(PEAKS_S, 250, 10, waves=waves)
    signal_mv = signal_mv + rng.normal(0, 0.01, signal_mv.shape).astype(np.float32)
    values = measured(signal_mv, 250, PEAKS_S)
    assert np.isnan([values[name] for name in ("pr_ms", "p_ms", "p_axis_deg")]).all()
    assert np.isfinite(values["qrs_ms"])


def test_a_recording_shorter_or_longer_than_usual_is_measured():
    short = measured(leads_mv(PEAKS_S[:2], 100, 2), 100, PEAKS_S[:2])
    assert np.isfinite(short["qrs_ms"])
    many_s = np.arange(0.5, 180, 0.9)
    long = measured(leads_mv(many_s, 100, 181), 100, many_s)
    assert long["rate_bpm"] == pytest.approx(60 / 0.9, rel=0.01)


@pytest.mark.parametrize("kind", ["noise", "level", "steps", "sines", "spikes"])
def test_nothing_that_a_store_may_hold_makes_it_fail(kind):
    rng = np.random.default_rng(len(kind))
    for _ in range(8):
        rate_hz, samples = float(rng.choice([100, 250, 257, 1000])), int(rng.integers(150, 2000))
        at_s = np.arange(samples)[:, None] / rate_hz
        signal_mv = {
            "noise": rng.normal(size=(samples, 12)) * rng.choice([0.001, 1, 8]),
            "level": np.zeros((samples, 12)),
            "steps": np.cumsum(rng.normal(size=(samples, 12)), axis=0) / 50,
            "sines": np.sin(2 * np.pi * rng.uniform(0.5, 30) * at_s) * np.ones(12),
            "spikes": 32.0 * (rng.random((samples, 12)) < 0.002),
        }[kind]
        peaks = np.sort(rng.choice(samples, rng.integers(0, 40), replace=False)).astype(np.int32)
        values = measure.measure(signal_mv.astype(np.float32), rate_hz, peaks)
        assert not np.isinf(values).any()
