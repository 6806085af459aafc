"""When the heart beats: P and QRS times of sinus rhythm, fibrillation and flutter, and the waves of
sick atria. Other rhythms stand in `simulation.conducted` and `simulation.pacing`.

Times are in seconds from the first sample. Sinus rhythm varies with breathing and with slow waves
(McSharry et al. 2003, doi:10.1109/TBME.2003.808805); atrial fibrillation follows the saw-tooth
model of Stridh and Sornmo 2001 (doi:10.1109/10.966600): a fundamental whose frequency and amplitude
drift, with harmonics.
"""

from dataclasses import dataclass, field

import numpy as np

# How a QRS came about: conducted, premature from a ventricle (of a first and a second shape), with
# a tired right bundle branch, or as the ventricles' own or a pacemaker's rhythm.
NORMAL, VENTRICULAR, ABERRANT, VENTRICULAR_2, VENTRICULAR_RHYTHM = range(5)
SINUS, ECTOPIC = 0, 1  # where a P wave began
SHORTEST_RR_S = 0.28


@dataclass(frozen=True)
class Beats:
    """When the ventricles and the atria beat; beats and P waves are counted apart."""

    qrs_s: np.ndarray  # [beat]
    conducted: np.ndarray  # [beat]: NORMAL, VENTRICULAR ...
    # [P wave]: from it PR runs to `qrs_s` as P does to QRS, each from its begin
    p_s: np.ndarray
    origin: np.ndarray  # [P wave]: SINUS or ECTOPIC
    spike_s: np.ndarray = field(default_factory=lambda: np.zeros(0))  # of atrial pacing

    @property
    def rr_s(self) -> np.ndarray:
        """The interval that a QRS's repolarisation has adapted to [beat]: the last one counts for a
        third."""
        last = np.diff(self.qrs_s, prepend=2 * self.qrs_s[0] - self.qrs_s[1])
        return (last + 2 * np.median(last)) / 3


def sinus_intervals(
    rng: np.random.Generator, rate_bpm: float, seconds: float, swing_s: float, slow: float
) -> np.ndarray:
    """Intervals between sinus beats covering `seconds`, with mean 60 / rate [beat].

    `swing_s` is the peak-to-peak change with breathing, `slow` the standard deviation of slow
    changes as a share.
    """
    count = int(seconds * rate_bpm / 60 * 1.3) + 4
    mean_s = 60 / rate_bpm
    at_s = np.arange(count) * mean_s
    breath_hz = rng.uniform(0.13, 0.35) if swing_s < 0.1 else rng.uniform(0.1, 0.22)
    breathing = np.sin(2 * np.pi * breath_hz * at_s + rng.uniform(0, 2 * np.pi))
    drift = np.sin(2 * np.pi * rng.uniform(0.03, 0.1) * at_s + rng.uniform(0, 2 * np.pi))
    change = 0.5 * swing_s * breathing + mean_s * slow * (drift + 0.5 * rng.standard_normal(count))
    return np.maximum(mean_s + change - change.mean(), SHORTEST_RR_S)


def sinus(
    rng: np.random.Generator, intervals_s: np.ndarray, pr_s: float, marks: list[str]
) -> Beats:
    """Beats of sinus rhythm with the premature ones that `marks` (of `simulation.ectopy`) say.

    An atrial premature beat resets the sinus node (the pause is not compensatory); a ventricular
    one meets the next sinus beat, which is lost (the pause is).
    """
    timeline = _Timeline(rng, pr_s)
    before = ""
    for interval_s, mark in zip(intervals_s.tolist(), marks, strict=True):
        if mark in ("A", "B"):
            timeline.atrial(interval_s, mark == "B", before == "A")
        elif mark in ("V", "W"):
            timeline.ventricular(interval_s, mark, before in ("V", "W"))
        else:
            if mark == "I":
                timeline.interpolated(interval_s)
            timeline.own(interval_s, slower=mark == "I")
        before = mark
    return timeline.beats()


class _Timeline:
    """Sinus rhythm as it goes on: `at_s` is when the sinus node is due next."""

    def __init__(self, rng: np.random.Generator, pr_s: float):
        self.rng, self.pr_s, self.at_s = rng, pr_s, 0.0
        self.qrs: list[tuple[float, int]] = []  # when, how it came about
        self.p: list[tuple[float, int]] = []  # when, where it began
        self.apart_s = 0.0  # from beat to beat within a run

    def own(self, interval_s: float, slower: bool = False) -> None:
        """The sinus beat that is due."""
        late_s = self.rng.uniform(0.02, 0.07) if slower else 0.002 * self.rng.standard_normal()
        self.p.append((self.at_s, SINUS))
        self.qrs.append((self.at_s + self.pr_s + late_s, NORMAL))
        self.at_s += interval_s

    def atrial(self, interval_s: float, is_blocked: bool, in_row: bool) -> None:
        """An atrial premature beat, alone or after another."""
        early = self.rng.uniform(0.22, 0.48)
        if in_row:
            early = self.rng.uniform(0.38, 0.46)
        early_s = self.at_s - interval_s * (early + (0.06 if is_blocked else 0.0))
        self.p.append((early_s, ECTOPIC))
        fate = self.rng.random()
        if not is_blocked and fate > 0.06:  # else a P wave without a QRS
            pr_s = self.pr_s * self.rng.uniform(0.85, 1.25)
            self.qrs.append((early_s + pr_s, ABERRANT if fate > 0.9 else NORMAL))
        self.at_s = early_s + interval_s * self.rng.uniform(1.0, 1.2)

    def ventricular(self, interval_s: float, mark: str, in_row: bool) -> None:
        """A ventricular premature beat, alone or after another; the sinus node goes on unseen."""
        if in_row:
            beat_s = self.qrs[-1][0] + self.apart_s * self.rng.uniform(0.95, 1.05)
        else:
            self.apart_s = self.rng.uniform(0.3, 0.55)
            beat_s = self.at_s + self.pr_s - interval_s * self.rng.uniform(0.22, 0.5)
            if self.rng.random() < 0.4:
                self.p.append((self.at_s, SINUS))
            self.at_s += interval_s
        self.qrs.append((beat_s, VENTRICULAR if mark == "V" else VENTRICULAR_2))
        while self.at_s + self.pr_s < beat_s + SHORTEST_RR_S:
            self.at_s += interval_s

    def interpolated(self, interval_s: float) -> None:
        """A ventricular beat in the middle between two sinus beats."""
        middle_s = self.at_s + self.pr_s - interval_s * self.rng.uniform(0.5, 0.6)
        self.qrs.append((middle_s, VENTRICULAR))

    def beats(self) -> Beats:
        """All so far."""
        qrs_s, conducted = zip(*self.qrs, strict=True)
        p_s, origin = zip(*self.p, strict=True)
        return Beats(np.array(qrs_s), np.array(conducted), np.array(p_s), np.array(origin))


def fibrillation(
    rng: np.random.Generator, rate_bpm: float, seconds: float, marks: list[str] | None = None
) -> Beats:
    """Beats of atrial fibrillation: intervals without order (gamma distributed), no P; those that
    `marks` (of `simulation.ectopy`) say are ventricular, and early where there is time for it. Now
    and then a beat after a short interval that follows a long one is aberrant (Ashman)."""
    mean_s = 60 / rate_bpm
    spread = rng.uniform(0.15, 0.30)  # standard deviation as a share of the mean
    count = beats_of_fibrillation(rate_bpm, seconds)
    intervals_s = mean_s * rng.gamma(1 / spread**2, spread**2, count)
    intervals_s = np.maximum(intervals_s, SHORTEST_RR_S + 0.05 * rng.random(count))
    conducted = np.zeros(count, int)
    if rng.random() < 0.2:
        ratio = intervals_s[1:] / intervals_s[:-1]
        conducted[1:][(ratio < 0.7) & (rng.random(count - 1) < 0.5)] = ABERRANT
    marked = np.array(marks or [""] * count)
    is_odd = np.isin(marked, ("V", "W", "I"))
    if is_odd.any():
        conducted[is_odd] = np.where(marked[is_odd] == "W", VENTRICULAR_2, VENTRICULAR)
        coupling_s = rng.uniform(0.36, 0.55) * rng.uniform(0.95, 1.05, count)
        intervals_s[is_odd] = np.minimum(intervals_s, coupling_s)[is_odd]
        after = np.flatnonzero(is_odd[:-1] & ~is_odd[1:]) + 1
        intervals_s[after] = np.maximum(intervals_s[after], 0.9 * mean_s)
    return Beats(np.cumsum(intervals_s), conducted, np.zeros(0), np.zeros(0, int))


def beats_of_fibrillation(rate_bpm: float, seconds: float) -> int:
    """How many beats `fibrillation` draws: enough whatever the draws."""
    return int(seconds * rate_bpm / 60 * 1.5) + 6


def flutter(rng: np.random.Generator, period_s: float, ratios: list[int], seconds: float) -> Beats:
    """Beats of atrial flutter: one QRS every so many flutter waves, the number drawn from `ratios`
    at each beat."""
    count = int(seconds / (period_s * min(ratios))) + 4
    passed = np.cumsum(rng.choice(ratios, count))
    qrs_s = period_s * (passed + rng.uniform(0, 1)) + 0.004 * rng.standard_normal(count)
    return Beats(qrs_s, np.zeros(count, int), np.zeros(0), np.zeros(0, int))


def fibrillation_waves(rng: np.random.Generator, rate_hz: float, samples: int) -> np.ndarray:
    """The dipole of fibrillating atria, [time, 3] in mV: 4 to 9 Hz, from nearly flat to coarse,
    largest to the front.

    Two wavelets of different direction; frequency and amplitude of each drift.
    """
    at_s = np.arange(samples) / rate_hz
    hz = rng.uniform(4.5, 8.5)
    size_mv = np.exp(rng.normal(np.log(0.030), 0.5))
    dipole_mv = np.zeros((samples, 3))
    directions = (np.array([0.2, 0.32, -1.45]), *rng.normal(0, 0.33, (2, 3)))
    for number, direction in enumerate(directions):
        own_hz = np.clip(hz * (1 + 0.1 * number * rng.standard_normal()), 4, 9)
        wave = _wavelet(rng, own_hz, size_mv, at_s)
        dipole_mv += wave[:, None] * (direction * (1 + 0.25 * rng.standard_normal(3)))
    return dipole_mv


def _wavelet(rng: np.random.Generator, hz: float, size_mv: float, at_s: np.ndarray) -> np.ndarray:
    """[time] in mV: a fundamental and two harmonics, whose frequency and amplitude drift."""
    wobble = rng.uniform(0.3, 1.2, 2) * hz / 6
    # Three slow sines' phases [3, time]: two move the frequency, one the amplitude.
    turns = 2 * np.pi * rng.uniform(0.15, 0.9, 3)[:, None] * at_s
    slow = turns + rng.uniform(0, 2 * np.pi, 3)[:, None]
    drift = wobble[0] * np.sin(slow[0]) + 2 * wobble[1] * np.sin(slow[1])
    phase = 2 * np.pi * hz * at_s + drift
    wave = np.sin(phase)
    wave = wave + rng.uniform(0.2, 0.5) * np.sin(2 * phase)
    wave = wave + rng.uniform(0, 0.2) * np.sin(3 * phase)
    return size_mv * (1 + 0.45 * np.sin(slow[2])) * wave


def flutter_waves(
    rng: np.random.Generator, period_s: float, rate_hz: float, samples: int
) -> np.ndarray:
    """The dipole of fluttering atria, [time, 3] in mV: a saw-tooth, slow down and steep up again.

    Typical flutter: negative in the inferior leads (the dipole points away from the feet); one in
    five is reversed.
    """
    phase = 2 * np.pi * np.arange(samples) / (rate_hz * period_s) + rng.uniform(0, 2 * np.pi)
    tooth = np.zeros(samples)
    sharp = rng.uniform(0.3, 0.85)
    for harmonic in range(1, 6):
        tooth += sharp ** (harmonic - 1) / harmonic * np.sin(harmonic * phase)
    hump = np.cos(phase + rng.normal(0.9, 0.4)) + 0.3 * np.cos(2 * phase)
    size_mv = np.clip(np.exp(rng.normal(np.log(0.11), 0.4)), 0.04, 0.3)
    sign = -1.0 if rng.random() < 0.2 else 1.0
    main = np.array([0.05, 0.85, -0.1]) + 0.12 * rng.standard_normal(3)
    front = np.array([0.05, 0.05, -0.5]) * rng.uniform(0.3, 1.3)
    drift = 1 + 0.08 * np.sin(2 * np.pi * 0.25 * np.arange(samples) / rate_hz + rng.uniform(0, 6))
    # [time, 1] times [3]: the tooth along one direction, the hump along another.
    waves = sign * tooth[:, None] * main + hump[:, None] * front
    return size_mv * drift[:, None] * waves
