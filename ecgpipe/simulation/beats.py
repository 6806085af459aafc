"""A heart beating: the rhythm that suits a patient's findings, and what the leads record of all its
beats."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ecgpipe.simulation import conducted, ectopy, pacing, rhythm, ventricular
from ecgpipe.simulation.dipole import Events, moving_dipole
from ecgpipe.simulation.findings import Findings
from ecgpipe.simulation.patients import Heart
from ecgpipe.simulation.rhythm import Beats

# How many flutter waves pass from one QRS to the next.
FLUTTER_RATIOS = [[2], [3], [4], [2, 4], [2, 3, 4], [4, 4, 5, 6]]


def draw_beats(
    rng: np.random.Generator, findings: Findings, rate_hz: float, seconds: float, margin_s: float
) -> tuple[Beats, np.ndarray]:
    """Beats over `seconds`, and the dipole in mV of the atria between P waves [time, 3].

    Premature beats keep away from the first and last `margin_s`, so that what is counted is also
    seen.
    """
    samples = round(seconds * rate_hz)
    if findings.rhythm == "AF":
        beats = _fibrillation(rng, findings, seconds, margin_s)
        return beats, rhythm.fibrillation_waves(rng, rate_hz, samples)
    if findings.rhythm == "AFL":
        period_s = 60 / findings.rate_bpm
        ratios = FLUTTER_RATIOS[rng.integers(len(FLUTTER_RATIOS))]
        beats = rhythm.flutter(rng, period_s, ratios, seconds)
        return beats, rhythm.flutter_waves(rng, period_s, rate_hz, samples)
    if findings.pacing == "VVI AF":
        return pacing.paced(rng, findings, seconds), rhythm.fibrillation_waves(
            rng, rate_hz, samples
        )
    if findings.pacing:
        beats = pacing.paced(rng, findings, seconds)
    elif findings.rhythm in conducted.RHYTHMS:
        beats = conducted.RHYTHMS[findings.rhythm](rng, findings, seconds)
    else:
        beats = _sinus(rng, findings, seconds, margin_s)
    return beats, np.zeros((samples, 3))


def _fibrillation(
    rng: np.random.Generator, findings: Findings, seconds: float, margin_s: float
) -> Beats:
    """Atrial fibrillation with the ventricular premature beats of the findings."""
    count = rhythm.beats_of_fibrillation(findings.rate_bpm, seconds)
    mean_s = 60 / findings.rate_bpm
    first, last = int(1.5 * margin_s / mean_s) + 1, max(int((seconds - 2 * margin_s) / mean_s), 3)
    marks = ectopy.marks(rng, findings, count, first, last, max(seconds / 10, 1))
    return rhythm.fibrillation(rng, findings.rate_bpm, seconds, marks)


def _sinus(rng: np.random.Generator, findings: Findings, seconds: float, margin_s: float) -> Beats:
    """Sinus rhythm with the premature beats of the findings, at random places among the beats."""
    slow = min(float(np.exp(rng.normal(np.log(0.018), 0.7))), 0.05)
    intervals_s = rhythm.sinus_intervals(rng, findings.rate_bpm, seconds, findings.swing_s, slow)
    mean_s = 60 / findings.rate_bpm
    first = int(1.2 * margin_s / mean_s) + 1
    last = max(int((seconds - 1.5 * margin_s) / mean_s), 3)
    marks = ectopy.marks(rng, findings, len(intervals_s), first, last, max(seconds / 10, 1))
    return rhythm.sinus(rng, intervals_s, findings.pr_s, marks)


def independent_leads(
    rng: np.random.Generator, heart: Heart, beats: Beats, atrial_mv: np.ndarray, rate_hz: float
) -> np.ndarray:
    """The eight independent leads [time, 8] in mV: all beats of a heart, moved by its breathing."""
    samples = len(atrial_mv)
    atria_mv = atrial_mv.T + moving_dipole(_atrial(rng, heart, beats), rate_hz, samples)
    by = _beat_to_beat(rng, beats)
    beating = _off_centre(rng, heart, _ventricular(rng, heart, beats, rate_hz, by))
    recovering = _off_centre(rng, heart, _recovery(rng, heart, beats, by))
    ventricles_mv = moving_dipole(beating, rate_hz, samples)  # [6, time]
    recovery_mv = moving_dipole(recovering, rate_hz, samples)
    phase = 2 * np.pi * rng.uniform(0.15, 0.4) / rate_hz * np.arange(samples)
    breath = np.sin(phase + rng.uniform(0, 2 * np.pi))
    # Breathing turns the heart (by a small angle, so a cross product does) and scales all leads.
    x, y, z = rng.normal(0, 0.035, 3)
    turn = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    size = 1 + rng.normal(0, 0.03) * breath
    leads_mv = np.zeros((len(heart.field), samples))
    seen = (
        (heart.atrial_field, atria_mv),
        (heart.field, ventricles_mv[:3]),
        (heart.recovery_field, recovery_mv[:3]),
        (heart.near_field, ventricles_mv[3:] + recovery_mv[3:]),
    )
    for field, dipole_mv in seen:
        leads_mv += field @ (size * (dipole_mv + breath * (turn @ dipole_mv)))  # [8, 3] @ [3, time]
    return leads_mv.T


def _atrial(rng: np.random.Generator, heart: Heart, beats: Beats) -> Iterator[Events]:
    """Yields P waves by origin."""
    # PR runs from begin to begin; a Gaussian begins two widths before its middle.
    onset_s = heart.begin_s + 2 * heart.p.before_s[0] - heart.p.centre_s[0]
    for origin, waves in ((rhythm.SINUS, heart.p), (rhythm.ECTOPIC, heart.ectopic_p)):
        event_s = beats.p_s[beats.origin == origin] + onset_s
        yield waves, event_s, *_jittered(rng, len(event_s), 0.05, 0.12)


def _beat_to_beat(rng: np.random.Generator, beats: Beats) -> float:
    """By how much beats differ in size, as a share: more in some people than in others, and where
    the ventricles fill for longer and shorter times. Set to what real recordings show."""
    steady = min(float(np.exp(rng.normal(np.log(0.012), 0.8))), 0.08)
    rr_s = np.diff(beats.qrs_s)
    return steady + 0.12 * min(float(rr_s.std() / rr_s.mean()), 0.3)


def _ventricular(
    rng: np.random.Generator, heart: Heart, beats: Beats, rate_hz: float, size: float
) -> Iterator[Events]:
    """Yields QRS by conduction, and spikes; a ventricular beat brings its own T."""
    shapes = dict.fromkeys(range(5))
    shapes |= {rhythm.NORMAL: heart.qrs, rhythm.ABERRANT: heart.aberrant}
    shapes |= dict(zip((rhythm.VENTRICULAR, rhythm.VENTRICULAR_2), heart.premature, strict=False))
    shapes[rhythm.VENTRICULAR_RHYTHM] = heart.own
    for kind, waves in shapes.items():
        if waves:
            event_s = beats.qrs_s[beats.conducted == kind]
            yield waves, event_s, *_jittered(rng, len(event_s), 0.01, size)
    if heart.spike:
        yield _spikes(heart, beats, rate_hz)


def _recovery(
    rng: np.random.Generator, heart: Heart, beats: Beats, size: float
) -> Iterator[Events]:
    """Yields ST and T of the beats that came from above."""
    # Fridericia: QT = QTc (RR / 1 s)^(1/3).
    own = np.isin(beats.conducted, (rhythm.NORMAL, rhythm.ABERRANT))
    qt_s = np.clip(heart.qtc_s * np.clip(beats.rr_s[own], 0.3, 1.8) ** (1 / 3), 0.2, None)
    stretch, gain = _jittered(rng, int(own.sum()), 0.02, 0.02 + size)
    yield heart.st, beats.qrs_s[own], np.ones(own.sum()), gain
    t_end_s = beats.qrs_s[own] + heart.begin_s + qt_s * stretch
    yield heart.t, t_end_s, stretch * (qt_s / 0.4) ** 0.8, gain


def _off_centre(
    rng: np.random.Generator, heart: Heart, events: Iterator[Events]
) -> Iterator[Events]:
    """The same events, each wave with its vector and, as three more columns, that vector times how
    far from the middle of the heart its source lies, 1 being usual."""
    for waves, *when in events:
        if waves is heart.qrs:
            away = heart.qrs_away
        elif waves is heart.t:
            away = heart.t_away
        else:
            away = rng.standard_normal(len(waves.vector_mv))
        both_mv = np.concatenate([waves.vector_mv, away[:, None] * waves.vector_mv], axis=1)
        yield replace(waves, vector_mv=both_mv), *when


def _spikes(heart: Heart, beats: Beats, rate_hz: float) -> Events:
    """The pacemaker's spikes: before P waves where the atria are paced, before QRS where the
    ventricles are."""
    is_paced = beats.conducted == rhythm.VENTRICULAR_RHYTHM
    before_qrs_s = beats.qrs_s[is_paced] + heart.own_begin_s - 0.004
    spike_s = np.concatenate([beats.spike_s + heart.begin_s, before_qrs_s])
    ones = np.ones(len(spike_s))
    return ventricular.at_rate(heart.spike, rate_hz), spike_s, ones, ones


def _jittered(
    rng: np.random.Generator, count: int, stretch: float, gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches and gains near 1, one per event."""
    return 1 + stretch * rng.uniform(-1, 1, count), 1 + gain * rng.standard_normal(count)
