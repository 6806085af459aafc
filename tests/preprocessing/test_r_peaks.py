"""R-peaks on simulated beats, whose places are known."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sleepecg

from ecgpipe.preprocessing import r_peaks


def test_r_peaks_are_found_where_they_are_and_none_in_flat_or_short_input():
    rate_hz = 100
    time = np.arange(10 * rate_hz) / rate_hz
    beats = np.arange(0.6, 9.8, 0.8)
    trace = sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in beats)
    signal = np.repeat(trace[:, None], 12, axis=1)
    found = r_peaks.r_peaks(signal, rate_hz) / rate_hz
    matched = [np.abs(found - beat).min() for beat in beats[1:]]
    assert max(matched) <= 0.011
    assert len(found) <= len(beats)
    assert len(r_peaks.r_peaks(np.zeros((1000, 12)), rate_hz)) == 0
    assert len(r_peaks.r_peaks(signal[:150], rate_hz)) == 0


def test_r_peaks_come_from_another_lead_where_lead_ii_is_flat():
    time = np.arange(1000) / 100
    trace = sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in np.arange(0.6, 9.8, 0.8))
    signal = np.repeat(trace[:, None], 12, axis=1)
    signal[:, 1] = 0
    assert len(r_peaks.r_peaks(signal, 100)) >= 10


@pytest.mark.parametrize("rate_hz", [100, 250, 360, 500.0])
def test_the_beats_are_those_that_sleepecg_finds_at_their_largest_deflection(rate_hz):
    rng = np.random.default_rng(7)
    time = np.arange(int(12 * rate_hz)) / rate_hz
    for pace in (0.4, 0.8, 1.3):
        beats = np.cumsum(rng.uniform(0.7, 1.3, 30) * pace)
        trace = sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in beats)
        trace += rng.normal(0, 0.05, len(time))
        expected = sleepecg.detect_heartbeats(trace, rate_hz)
        expected = expected[expected < len(time) - 2 * rate_hz]  # of its end more is known there
        assert len(expected) > 5
        found = r_peaks.r_peaks(np.repeat(trace[:, None], 12, axis=1), rate_hz)
        away = np.abs(found[:, None] - expected).min(axis=0)
        assert away.max() <= round(0.06 * rate_hz)
        for beat in expected[expected > rate_hz]:
            near = np.arange(beat - round(0.06 * rate_hz), beat + round(0.06 * rate_hz) + 1)
            assert near[np.abs(trace[near]).argmax()] in found


KINDS, LENGTHS = ["fast", "step", "late", "noise", "ramp"], [(100, 2), (250, 5)]  # Hz, s
HOSTILE = f"""
import numpy as np
from ecgpipe.preprocessing.r_peaks import r_peaks
for kind in {KINDS}:
    for rate_hz, seconds in {LENGTHS}:
        rng, samples = np.random.default_rng(1), rate_hz * seconds
        time, beats = np.arange(samples) / rate_hz, np.arange(0.05, seconds, 0.205)
        trace = {{
            "fast": sum(np.exp(-0.5 * ((time - beat) / 0.012) ** 2) for beat in beats),
            "step": np.where(np.arange(samples) > samples - 30, 1.0, 0.0),
            "late": np.where(np.arange(samples) > samples - 5, 1.0, 0.0),
            "noise": rng.normal(size=samples),
            "ramp": time,
        }}[kind]
        found = r_peaks(np.repeat(trace[:, None], 12, axis=1), rate_hz)
        if len(found) == 0 or (found.min() >= 0 and found.max() < samples):
            print(kind, rate_hz, "survived", flush=True)
"""


@pytest.fixture(scope="module")
def survived():
    """The hostile recordings in a process of their own, which a detector could take down: how it
    ended. One process for all of them: it takes a second to import the detector."""
    return subprocess.run(
        [sys.executable, "-c", HOSTILE],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_r_peak_detector_survives_recordings_without_or_with_too_many_peaks(survived, kind):
    told = survived.stdout.splitlines()
    for rate_hz, _ in LENGTHS:
        assert f"{kind} {rate_hz} survived" in told, (survived.returncode, survived.stderr[-300:])
    assert survived.returncode == 0
