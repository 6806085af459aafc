"""Simulated recordings: their limb leads against the laws, their labels counted."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from joblib import Parallel, delayed

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import devices, electrodes, label_criteria
from ecgpipe.simulation.acquisition import Surroundings
from ecgpipe.simulation.recording import simulate_recording

SOUND = Surroundings(faulty=False)


@pytest.mark.parametrize("rate_hz", [200.0, 257.0, 1000.0])
def test_a_recording_has_the_length_rate_and_limb_algebra_it_should(rate_hz):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        recording = simulate_recording(rng, rate_hz=rate_hz, seconds=11, surroundings=SOUND)
        signal_mv = recording.signal_mv
        assert signal_mv.shape == (round(11 * rate_hz), len(LEADS))
        assert signal_mv.dtype == np.float32 and np.isfinite(signal_mv).all()
        i, ii, iii, avr, avl, avf = signal_mv[:, :6].T
        most_mv = 3 * max(devices.QUANTA_MV)  # each lead is rounded
        np.testing.assert_allclose(iii, ii - i, atol=most_mv)
        np.testing.assert_allclose(avr + avl + avf, 0, atol=most_mv)
        assert np.abs(signal_mv).max() < 10


def test_a_clean_recording_has_the_limb_algebra_exactly():
    recording = simulate_recording(np.random.default_rng(0), clean=True)
    i, ii, iii, avr, avl, avf = recording.signal_mv[:, :6].T
    np.testing.assert_allclose(iii, ii - i, atol=1e-6)
    np.testing.assert_allclose(avr + avl + avf, 0, atol=1e-6)


def test_a_recording_is_the_same_whichever_process_draws_it_and_whenever():
    numbers = [0, 7, 3]
    here = {number: digest(number) for number in (3, 0, 7, 5)}
    there = Parallel(n_jobs=2)(delayed(digest)(number) for number in numbers)
    assert there == [here[number] for number in numbers]
    assert len(set(here.values())) == 4


def digest(number: int) -> str:
    """Of the recording `number` of a stream, signal and labels."""
    recording = simulate_recording(np.random.default_rng([1, number]), rate_hz=250)
    made = hashlib.sha256(np.ascontiguousarray(recording.signal_mv))
    made.update(repr((recording.labels, recording.age, recording.sex)).encode())
    return made.hexdigest()


def test_exchanged_limbs_leave_shape_undecided_and_the_axis_unknown(monkeypatch):
    seeds = [[3, seed] for seed in range(6)]
    monkeypatch.setattr(electrodes, "EXCHANGED", 0.0)
    right = [simulate_recording(np.random.default_rng(seed)) for seed in seeds]
    monkeypatch.setattr(electrodes, "EXCHANGED", 1.0)
    axes_deg = []
    for seed, before in zip(seeds, right, strict=True):
        recording = simulate_recording(np.random.default_rng(seed))
        assert {"LAD", "QAb", "TInv"} <= set(recording.undecided)
        assert set(recording.labels) < set(before.labels) | set(recording.undecided)
        assert not set(recording.labels) & set(recording.undecided)
        assert np.isfinite(before.truth.axis_deg)
        axes_deg.append(recording.truth.axis_deg)
    # Where only electrodes of the chest are exchanged, the axis stays what it is.
    assert 0 < np.isnan(axes_deg).sum() < len(seeds)


def test_every_class_is_seen_among_many_patients():
    counts = Counter()
    for seed in range(250):
        counts.update(
            simulate_recording(np.random.default_rng([7, seed]), rate_hz=100, clean=True).labels
        )
    assert set(counts) == set(label_criteria.CODES)
