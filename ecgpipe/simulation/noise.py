"""What is not heart in a recording: breathing, muscle, mains, moving electrodes, and the filters of
the cart.

Noise arises at the nine electrodes and reaches the leads as voltages between them
(`ecgpipe.project.leads`), so that the algebra of the limb leads holds with noise as without.
"""

from dataclasses import dataclass

import numpy as np

from ecgpipe.project import leads

# [9, 8]: from electrodes to the independent leads.
TO_LEADS = np.stack([leads.of_electrodes(lead) for lead in leads.INDEPENDENT], axis=1)


@dataclass(frozen=True)
class Disturbance:
    """Root mean squares in mV of baseline wander, muscle and mains noise; mains frequency;
    electrode steps."""

    wander_mv: float
    muscle_mv: float
    mains_mv: float
    mains_hz: float
    steps: int


def draw_disturbance(
    rng: np.random.Generator, mains_hz: float, noise_factor: float = 1.0
) -> Disturbance:
    """One recording's disturbance: most are quiet, some are not. `noise_factor` scales it."""
    return Disturbance(
        wander_mv=noise_factor * np.exp(rng.normal(np.log(0.03), 0.8)),
        muscle_mv=noise_factor * np.exp(rng.normal(np.log(0.004), 0.8)),
        mains_mv=noise_factor * np.exp(rng.normal(np.log(0.0012), 1.3)),
        mains_hz=mains_hz,
        steps=int(rng.random() < 0.08) + int(rng.random() < 0.02),
    )


def sample_noise(
    rng: np.random.Generator, disturbance: Disturbance, rate_hz: float, samples: int
) -> np.ndarray:
    """[time, 8] in mV in the independent leads."""
    length = _round_length(samples)
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    muscle = _muscle(rng, disturbance.muscle_mv, hz, length)[:, :samples]
    muscle = _with_burst(rng, muscle)
    wander = _wander(rng, disturbance.wander_mv, hz, length)[:, :samples]
    electrodes = (muscle + wander).T  # [electrode, time] -> [time, electrode]
    at_s = np.arange(samples) / rate_hz
    electrodes += _mains(rng, disturbance, at_s)
    for _ in range(disturbance.steps):
        since_s = at_s - rng.uniform(0, at_s[-1])
        step_mv = rng.normal(0, 0.3) * np.exp(-np.maximum(since_s, 0) / rng.uniform(0.1, 1.0))
        electrodes[:, rng.integers(9)] += np.where(since_s > 0, step_mv, 0.0)
    return electrodes @ TO_LEADS  # [time, electrode] -> [time, lead]


def _muscle(rng: np.random.Generator, muscle_mv: float, hz: np.ndarray, length: int) -> np.ndarray:
    """Muscle noise, 10 to 150 Hz and more: [electrode, time], each electrode of its own size."""
    rolloff = rng.uniform(0.7, 1.1)
    shape = (hz / 20) / (1 + (hz / 20) ** 2) ** rolloff / (1 + (hz / 150) ** 4)
    # Pairs of single-precision draws are the real and imaginary parts: half the time and memory.
    draws = rng.standard_normal((9, 2 * len(hz)), dtype=np.float32).view(np.complex64)
    size = _unit(shape, length) * muscle_mv * rng.gamma(3, 1 / 3, (9, 1))
    return np.fft.irfft(draws * size.astype(np.float32), length)


def _with_burst(rng: np.random.Generator, muscle: np.ndarray) -> np.ndarray:
    """Muscle noise [electrode, time] with, now and then, a tense moment."""
    if rng.random() >= 0.15:
        return muscle
    share = np.arange(muscle.shape[1]) / muscle.shape[1]  # of the recording that has passed
    away = (share - rng.random()) / rng.uniform(0.03, 0.2)
    return muscle * (0.7 + 3 * np.exp(-0.5 * away**2))


def _wander(rng: np.random.Generator, wander_mv: float, hz: np.ndarray, length: int) -> np.ndarray:
    """Baseline wander, 0.05 to 0.5 Hz: [electrode, time]."""
    shape = np.where(hz > 0.03, 1 / np.maximum(hz, 0.05), 0) / (1 + (hz / 0.45) ** 4)
    few = int(np.searchsorted(hz, 3.0))  # above 3 Hz there is next to nothing
    draws = rng.standard_normal((2, 9, few))
    spectrum = np.zeros((9, len(hz)), complex)
    spectrum[:, :few] = (draws[0] + 1j * draws[1]) * (_unit(shape, length)[:few] * wander_mv)
    return np.fft.irfft(spectrum, length)


def _mains(rng: np.random.Generator, disturbance: Disturbance, at_s: np.ndarray) -> np.ndarray:
    """Mains hum: [time, electrode], at each electrode of its own size and about the same phase."""
    phase = rng.uniform(0, 0.6, 9) + rng.uniform(0, 2 * np.pi)
    angle = 2 * np.pi * disturbance.mains_hz * at_s[:, None]  # [time, 1]
    size_mv = np.sqrt(2) * disturbance.mains_mv * rng.gamma(2, 0.5, 9)  # a sine's peak to its RMS
    # sin(angle + phase), with two sines for all electrodes instead of nine
    return np.sin(angle) * (size_mv * np.cos(phase)) + np.cos(angle) * (size_mv * np.sin(phase))


def _unit(shape: np.ndarray, length: int) -> np.ndarray:
    """The shape of a half spectrum scaled so that unit Gaussian draws give a signal of root mean
    square 1."""
    return shape * length / np.sqrt(4 * np.sum(shape**2) + 1e-30)


def _round_length(samples: int) -> int:
    """The next multiple of 240: mostly it has small prime factors alone, so that its Fourier
    transform is fast."""
    return samples + -samples % 240


def cart_filter(signal: np.ndarray, rate_hz: float, low_hz: float, high_hz: float) -> np.ndarray:
    """[time, lead] through the filters of an ECG cart: one resistor and capacitor below (its phase
    too), the magnitude of a Butterworth filter of fourth order above.

    The lower edge shifts the ST segment as such carts do (Kligfield et al. 2007,
    doi:10.1161/CIRCULATIONAHA.106.180200).
    """
    samples = len(signal)
    length = _round_length(samples)
    # The Fourier transform takes a signal for periodic: a line leads from its end to its begin.
    bridge = np.linspace(signal[-1], signal[0], length - samples + 2)[1:-1]
    spectrum = np.fft.rfft(np.concatenate([signal, bridge]), axis=0)
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    response = 1j * hz / (1j * hz + low_hz) / np.sqrt(1 + (hz / high_hz) ** 8)
    return np.fft.irfft(spectrum * response[:, None], length, axis=0)[:samples]
