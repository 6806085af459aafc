"""When the heart beats: P and QRS times of sinus rhythm, fibrillation and flutter, and the waves of
sick atria.

Times are in seconds from the first sample. Sinus rhythm varies with breathing and with slow waves
(McSharry et al. 2003, doi:10.1109/TBME.2003.808805); atrial fibrillation follows the saw-tooth
model of Stridh and Sornmo 2001 (doi:10.1109/10.966600): a fundamental whose frequency and amplitude
drift, with harmonics.
"""

from dataclasses import dataclass

import numpy as np

NORMAL, VENTRICULAR, ABERRANT = 0, 1, 2  # how a QRS was conducted
SINUS, ECTOPIC = 0, 1  # where a P wave began
SHORTEST_RR_S = 0.28


@dataclass(frozen=True)
class Beats:
    """When the ventricles and the atria beat; beats and P waves are counted apart."""

    qrs_s: np.ndarray  # [beat]
    conducted: np.ndarray  # [beat]: NORMAL, VENTRICULAR or ABERRANT
    p_s: np.ndarray  # [P wave], where it begins
    origin: np.ndarray  # [P wave]: SINUS or ECTOPIC

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
    rng: np.random.Generator,
    intervals_s: np.ndarray,
    pr_s: float,
    premature: list[int],
    ventricular: list[int],
) -> Beats:
    """Beats of sinus rhythm. The beats numbered in `premature` come early from another atrial place
    and reset the sinus node (the pause is not compensatory); those in `ventricular` come early
    without P, and the pause is.
    """
    at_s = 0.0
    beats: list[tuple[float, int]] = []  # when, how it was conducted
    p_waves: list[tuple[float, int]] = []  # when, where it began
    for number, interval_s in enumerate(intervals_s):
        if number in premature:
            early_s = at_s - interval_s * rng.uniform(0.22, 0.48)
            p_waves.append((early_s, ECTOPIC))
            fate = rng.random()
            if fate > 0.1:  # else blocked: a P wave without a QRS
                conducted = ABERRANT if fate > 0.9 else NORMAL
                beats.append((early_s + pr_s * rng.uniform(0.85, 1.25), conducted))
            at_s = early_s + interval_s * rng.uniform(1.0, 1.2)
        elif number in ventricular:
            beats.append((at_s + pr_s - interval_s * rng.uniform(0.25, 0.5), VENTRICULAR))
            at_s += interval_s
        else:
            p_waves.append((at_s, SINUS))
            beats.append((at_s + pr_s + 0.002 * rng.standard_normal(), NORMAL))
            at_s += interval_s
    return Beats(
        np.array([when for when, _ in beats]),
        np.array([conducted for _, conducted in beats], int),
        np.array([when for when, _ in p_waves]),
        np.array([origin for _, origin in p_waves], int),
    )


def fibrillation(
    rng: np.random.Generator, rate_bpm: float, seconds: float, ventricular: int = 0
) -> Beats:
    """Beats of atrial fibrillation: intervals without order (gamma distributed), no P; some beats
    ventricular."""
    mean_s = 60 / rate_bpm
    spread = rng.uniform(0.15, 0.30)  # standard deviation as a share of the mean
    count = int(seconds / mean_s * 1.5) + 6
    intervals_s = mean_s * rng.gamma(1 / spread**2, spread**2, count)
    qrs_s = np.cumsum(np.maximum(intervals_s, SHORTEST_RR_S + 0.05 * rng.random(count)))
    conducted = np.zeros(count, int)
    conducted[rng.integers(2, count, ventricular)] = VENTRICULAR
    return Beats(qrs_s, conducted, np.zeros(0), np.zeros(0, int))


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
    size_mv = np.exp(rng.normal(np.log(0.042), 0.55))
    dipole_mv = np.zeros((samples, 3))
    directions = (np.array([0.25, 0.75, -0.9]), rng.normal(0, 0.4, 3))
    for number, direction in enumerate(directions):
        own_hz = np.clip(hz * (1 + 0.06 * number * rng.standard_normal()), 4, 9)
        wave = _wavelet(rng, own_hz, size_mv, at_s)
        dipole_mv += wave[:, None] * (direction * (1 + 0.25 * rng.standard_normal(3)))
    return dipole_mv


def _wavelet(rng: np.random.Generator, hz: float, size_mv: float, at_s: np.ndarray) -> np.ndarray:
    """[time] in mV: a fundamental and two harmonics, whose frequency and amplitude drift."""
    wobble = rng.uniform(0.1, 0.5, 2) * hz / 6
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
