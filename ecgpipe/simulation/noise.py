"""What is not heart in a recording: breathing, muscle, mains, electrodes that move.

Noise arises at the nine electrodes and reaches the leads as voltages between them
(`ecgpipe.project.leads`), so that the algebra of the limb leads holds with noise as without.

What is steady is drawn as a spectrum, of which the device's filters then take their share before
the one inverse transform; what has its time is added to the leads.
"""

import functools
from dataclasses import dataclass

import numpy as np
import scipy.fft

from ecgpipe.project.leads import ELECTRODES
from ecgpipe.simulation.electrodes import TO_LEADS

WANDER, DRIFT, MUSCLE, SHARP, WHITE = range(5)  # the kinds of steady noise
# Of each kind: its usual root mean square at an electrode, and how much recordings differ (standard
# deviation of the logarithm).
USUAL_MV = (0.065, 0.0085, 0.003, 0.003, 0.0012)
SPREAD = (0.8, 0.5, 0.7, 0.7, 0.5)
_LOUDEST_MV = 3.0  # of a loose electrode


@dataclass(frozen=True)
class Disturbance:
    """One recording's noise: root mean squares in mV of each kind of steady noise at each electrode
    [electrode, kind], of tremor at the limbs, and of mains; frequencies of both, and the size of
    the mains' second and third harmonic beside the first; how many moments of tense muscle and of
    moving electrodes there are."""

    steady_mv: np.ndarray
    tremor_mv: float
    tremor_hz: float
    mains_mv: float
    mains_hz: float
    harmonics: tuple[float, float]
    bursts: int
    movements: int


def draw_disturbance(
    rng: np.random.Generator, mains_hz: float, noise_factor: float = 1.0
) -> Disturbance:
    """One recording's disturbance: most are quiet, some are not. `noise_factor` scales it.

    The sizes are ours, set so that noise between beats, spectra and wander of simulated recordings
    have the quantiles of real ones.
    """
    log_mv = rng.normal(np.log(USUAL_MV), SPREAD)
    each = rng.gamma(2, 1 / 2, (len(ELECTRODES), 5))  # some electrodes lie better than others
    return Disturbance(
        steady_mv=noise_factor * np.exp(log_mv) * each,
        tremor_mv=noise_factor * 0.03 * rng.exponential() if rng.random() < 0.02 else 0.0,
        tremor_hz=rng.uniform(4, 7),
        mains_mv=noise_factor * np.exp(rng.normal(np.log(0.0012), 1.3)),
        mains_hz=mains_hz + rng.normal(0, 0.03),
        harmonics=(0.2 * rng.random(), 0.4 * rng.random()),
        bursts=int(rng.random() < 0.25) + int(rng.random() < 0.05),
        movements=int(rng.random() < 0.08) + int(rng.random() < 0.02),
    )


def steady(
    rng: np.random.Generator, disturbance: Disturbance, rate_hz: float, length: int
) -> np.ndarray:
    """[8, frequency]: the half spectrum of `length` samples of noise in mV in the independent
    leads, by which scipy.fft.irfft gives it."""
    power = disturbance.steady_mv**2 @ _powers(rate_hz, length)  # [electrode, frequency]
    if disturbance.tremor_mv:
        shaken = disturbance.tremor_mv * rng.gamma(1, 1, 3)  # of the three limbs
        power[:3] += shaken[:, None] ** 2 * _tremor(disturbance.tremor_hz, rate_hz, length)
    electrodes = _draws(rng, power.shape)
    electrodes *= np.sqrt(power, out=power)
    # A real matrix takes real and imaginary parts alike: as real numbers it is a quarter of work.
    return (TO_LEADS.T @ electrodes.view(float)).view(complex)


def _draws(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Complex numbers whose two parts are random of variance 1.

    One byte makes each: a sample of noise sums thousands of them, so that it is Gaussian (central
    limit theorem) although they are not.
    """
    draws = np.frombuffer(rng.bytes(2 * shape[0] * shape[1]), np.int8) + 0.5
    draws *= np.sqrt(12 / (256**2 - 1))  # the variance of 256 even steps
    return draws.view(np.complex128).reshape(shape)


@functools.lru_cache(maxsize=32)
def _powers(rate_hz: float, length: int) -> np.ndarray:
    """[kind, frequency]: the power of each kind of noise, of root mean square 1.

    Breathing's and the skin's below 0.5 Hz; electrodes' at 0.5 to 10 Hz, falling with frequency;
    muscle's from 10 to 150 Hz, most of it at 20 or at 80; the amplifier's at all frequencies.
    """
    hz = scipy.fft.rfftfreq(length, 1 / rate_hz)
    wander = np.where(hz > 0.03, 1 / np.maximum(hz, 0.05), 0) / (1 + (hz / 0.45) ** 4)
    drift = hz / (0.25 + hz**2) / (1 + (hz / 8) ** 2)
    muscle = (hz / 20) / (1 + (hz / 20) ** 2) ** 0.9 / (1 + (hz / 150) ** 4)
    sharp = (hz / 80) / (1 + (hz / 80) ** 2) / (1 + (hz / 200) ** 4)
    shapes = np.stack([wander, drift, muscle, sharp, np.ones(len(hz))])
    return np.stack([_unit(shape, length) ** 2 for shape in shapes])


def _tremor(hz: float, rate_hz: float, length: int) -> np.ndarray:
    """[frequency]: the power of tremor of root mean square 1, with two harmonics."""
    at_hz = scipy.fft.rfftfreq(length, 1 / rate_hz)
    peaks = [np.exp(-0.5 * ((at_hz - n * hz) / (0.25 * n)) ** 2) / n for n in (1, 2, 3)]
    return _unit(sum(peaks), length) ** 2


def _unit(shape: np.ndarray, length: int) -> np.ndarray:
    """The shape of a half spectrum scaled so that draws of variance 1 give a signal of root mean
    square 1."""
    return shape * length / np.sqrt(4 * np.sum(shape**2))


def add_events(
    rng: np.random.Generator, disturbance: Disturbance, leads_mv: np.ndarray, rate_hz: float
) -> None:
    """Adds to [8, time] what has its time: mains, moments of tense muscle, electrodes that move."""
    if disturbance.mains_mv > 1e-4:
        leads_mv += _mains(rng, disturbance, leads_mv.shape[1], rate_hz)
    for _ in range(disturbance.bursts):
        leads_mv += _burst(rng, disturbance, leads_mv.shape[1], rate_hz)
    for _ in range(disturbance.movements):
        electrode = rng.integers(len(ELECTRODES))
        moved_mv = _movement(rng, leads_mv.shape[1], rate_hz)
        leads_mv += TO_LEADS[electrode][:, None] * moved_mv


def _mains(
    rng: np.random.Generator, disturbance: Disturbance, samples: int, rate_hz: float
) -> np.ndarray:
    """Mains hum [8, time], at each electrode of its own size and about the same phase."""
    phase = rng.uniform(0, 0.6, len(ELECTRODES)) + rng.uniform(0, 2 * np.pi)
    size_mv = np.sqrt(2) * disturbance.mains_mv * rng.gamma(2, 0.5, len(ELECTRODES))
    of_leads = TO_LEADS.T @ np.stack([size_mv * np.cos(phase), size_mv * np.sin(phase)], axis=1)
    angle = 2 * np.pi * disturbance.mains_hz / rate_hz * np.arange(samples)
    sine, cosine = np.sin(angle), np.cos(angle)
    # The overtones follow the first sine. A converter lets nothing through above half its rate.
    second, third = (
        size if times * disturbance.mains_hz < rate_hz / 2 else 0.0
        for times, size in zip((2, 3), disturbance.harmonics, strict=True)
    )
    overtones = second * 2 * sine * cosine + third * sine * (3 - 4 * sine * sine)
    return of_leads @ np.stack([sine + overtones, cosine])  # [8, 2] @ [2, time]


def _burst(
    rng: np.random.Generator, disturbance: Disturbance, samples: int, rate_hz: float
) -> np.ndarray:
    """A tense moment [8, time]: muscle noise some times larger at some electrodes."""
    length = scipy.fft.next_fast_len(samples, real=True)
    tense = rng.permutation(len(ELECTRODES))[: rng.integers(1, 5)]
    size_mv = disturbance.steady_mv[tense, MUSCLE] * rng.uniform(1, 6)
    spectrum = _draws(rng, (len(tense), length // 2 + 1))
    spectrum *= size_mv[:, None] * np.sqrt(_powers(rate_hz, length)[MUSCLE])
    share = np.arange(samples) / samples  # of the recording that has passed
    envelope = np.exp(-0.5 * ((share - rng.random()) / rng.uniform(0.03, 0.2)) ** 2)
    muscle_mv = scipy.fft.irfft(spectrum, length)[:, :samples] * envelope
    return TO_LEADS[tense].T @ muscle_mv


def _movement(rng: np.random.Generator, samples: int, rate_hz: float) -> np.ndarray:
    """An electrode that moves [time] in mV: pushed there within a tenth of a second, and slowly or
    quickly back."""
    since_s = np.arange(samples) / rate_hz - rng.uniform(0, samples / rate_hz)
    away_mv = rng.normal(0, 0.3) * np.exp(-np.maximum(since_s, 0) / rng.uniform(0.1, 1.0))
    pushed = np.clip(since_s / rng.uniform(0.01, 0.1), 0, 1)
    return away_mv * pushed


def loosened(
    rng: np.random.Generator, electrode: int, begin: float, end: float, samples: int
) -> np.ndarray:
    """What a loose electrode adds [8, time] from one share of the length to another: a random walk
    of up to 3 mV."""
    first, last = int(begin * samples), min(int(end * samples), samples)
    walk_mv = np.zeros(samples)
    walk_mv[first:last] = np.cumsum(rng.normal(0, rng.uniform(0.003, 0.03), last - first))
    np.clip(walk_mv, -_LOUDEST_MV, _LOUDEST_MV, out=walk_mv)
    return TO_LEADS[electrode][:, None] * walk_mv
