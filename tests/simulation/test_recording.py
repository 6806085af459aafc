"""Simulated recordings: their limb leads against the laws, their labels counted."""

from collections import Counter

import numpy as np

from ecgpipe.project.leads import LEADS
from ecgpipe.simulation import label_criteria
from ecgpipe.simulation.recording import simulate_recording


def test_a_recording_has_the_length_rate_and_limb_algebra_it_should():
    for seed in range(6):
        recording = simulate_recording(np.random.default_rng(seed), rate_hz=257, seconds=11)
        assert (
            recording.signal_mv.shape == (11 * 257, len(LEADS))
            and recording.signal_mv.dtype == np.float32
        )
        i, ii, iii, avr, avl, avf = recording.signal_mv[:, :6].T
        np.testing.assert_allclose(iii, ii - i, atol=1e-5)
        np.testing.assert_allclose(avr + avl + avf, 0, atol=1e-5)
        assert np.abs(recording.signal_mv).max() < 10


def test_every_class_is_a_fair_share_of_many_patients():
    counts = Counter()
    for seed in range(600):
        counts.update(
            simulate_recording(np.random.default_rng([7, seed]), rate_hz=100, clean=True).labels
        )
    assert set(counts) == set(label_criteria.CODES)
    shares = {label: count / 600 for label, count in counts.items()}
    assert 0.28 < shares.pop("NSR") < 0.45
    assert min(shares.values()) > 0.05 and max(shares.values()) < 0.26, shares
