"""A heart beating: the rhythm that suits a patient's findings, and what the leads record of all its
beats."""

from collections.abc import Iterator

import numpy as np

from ecgpipe.simulation import rhythm
from ecgpipe.simulation.dipole import Waves, activation
from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.patients import Heart
from ecgpipe.simulation.rhythm import Beats

Event = tuple[Waves, np.ndarray, np.ndarray, np.ndarray]


def beat(
    rng: np.random.Generator, has: Findings, rate_hz: float, seconds: float, margin_s: float
) -> tuple[Beats, np.ndarray]:
    """Beats over `seconds`, and the dipole of the atria between P waves [time, 3].

    Premature beats keep away from the first and last `margin_s`, so that what is counted is also
    seen.
    """
    samples = round(seconds * rate_hz)
    if has.rhythm == "AF":
        beats = rhythm.fibrillation(rng, has.rate_bpm, seconds, has.ventricular)
        return beats, rhythm.fibrillation_waves(rng, rate_hz, samples)
    if has.rhythm == "AFL":
        period_s = 60 / has.rate_bpm
        ratios = [[2], [3], [4], [2, 4], [2, 3, 4], [4, 4, 5, 6]][rng.integers(6)]
        beats = rhythm.flutter(rng, period_s, ratios, seconds)
        return beats, rhythm.flutter_waves(rng, period_s, rate_hz, samples)
    slow = rng.uniform(0.003, 0.015)
    intervals = rhythm.sinus_intervals(rng, has.rate_bpm, seconds, has.swing_s, slow)
    mean_s = 60 / has.rate_bpm
    seen = np.arange(
        int(1.2 * margin_s / mean_s) + 1, max(int((seconds - 1.5 * margin_s) / mean_s), 3)
    )
    early = round(
        has.premature * max(seconds / 10, 1)
    )  # as frequent in a long recording, or a window shows none
    odd = rng.permutation(seen)[: early + has.ventricular].tolist()
    return rhythm.sinus(rng, intervals, has.pr_s, odd[:early], odd[early:]), np.zeros((samples, 3))


def trace(
    rng: np.random.Generator, of: Heart, beats: Beats, atrial: np.ndarray, rate_hz: float
) -> np.ndarray:
    """The eight independent leads [time, 8] in mV: all beats of a heart, moved by its breathing."""
    dipole, samples = atrial.copy(), len(atrial)
    for kind, at_s, stretch, gain in _events(rng, of, beats):
        if len(at_s):
            dipole += activation(kind, at_s, stretch, gain, rate_hz, samples).T @ kind.vector_mv
    at_s = np.arange(samples) / rate_hz
    breath = np.sin(2 * np.pi * rng.uniform(0.15, 0.4) * at_s + rng.uniform(0, 2 * np.pi))[:, None]
    turn = rng.normal(0, 0.035, 3)
    dipole = (1 + rng.normal(0, 0.04) * breath) * (dipole + breath * np.cross(turn, dipole))
    return dipole @ of.field.T


def _events(rng: np.random.Generator, of: Heart, beats: Beats) -> Iterator[Event]:
    """Yields (waves, times, stretches, gains) for everything that beats."""
    lead_s = 0.055 + of.p.before_s[0]  # from the begin of P to the middle of its two waves
    for origin, kind in ((rhythm.SINUS, of.p), (rhythm.ECTOPIC, of.ectopic_p)):
        at_s = beats.p_s[beats.origin == origin] + lead_s - 0.017
        yield kind, at_s, *_jittered(rng, len(at_s), 0.02, 0.06)
    qt_s = np.clip(of.qtc_s * np.clip(beats.rr_s, 0.3, 1.8) ** (1 / 3), 0.2, None)
    shapes = {rhythm.NORMAL: of.qrs, rhythm.ABERRANT: of.aberrant, rhythm.VENTRICULAR: of.pvc}
    for how, kind in shapes.items():
        at_s = beats.qrs_s[beats.conducted == how]
        yield kind, at_s, *_jittered(rng, len(at_s), 0.01, 0.03)
    own = beats.conducted != rhythm.VENTRICULAR
    stretch, gain = _jittered(rng, int(own.sum()), 0.02, 0.05)
    yield of.st, beats.qrs_s[own], np.ones(own.sum()), gain
    yield (
        of.t,
        beats.qrs_s[own] + of.begin_s + qt_s[own] * stretch,
        stretch * (qt_s[own] / 0.4) ** 0.8,
        gain,
    )


def _jittered(
    rng: np.random.Generator, count: int, stretch: float, gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches and gains near 1, one per event."""
    return 1 + stretch * rng.uniform(-1, 1, count), 1 + gain * rng.standard_normal(count)
