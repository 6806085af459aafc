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


def sample_noise(rng: np.random.Generator, mains_hz: float, loud: float = 1.0) -> Disturbance:
    """One recording's disturbance: most are quiet, some are not. `loud` scales all of it."""
    return Disturbance(
        wander_mv=loud * np.exp(rng.normal(np.log(0.03), 0.8)),
        muscle_mv=loud * np.exp(rng.normal(np.log(0.004), 0.8)),
        mains_mv=loud * np.exp(rng.normal(np.log(0.0012), 1.3)),
        mains_hz=mains_hz,
        steps=int(rng.random() < 0.08) + int(rng.random() < 0.02),
    )


def noise(rng: np.random.Generator, how: Disturbance, rate_hz: float, samples: int) -> np.ndarray:
    """[time, 8] in mV in the independent leads."""
    electrodes = _coloured(rng, how, rate_hz, samples)
    at_s = np.arange(samples) / rate_hz
    phase = rng.uniform(0, 0.6, 9) + rng.uniform(0, 2 * np.pi)
    turn = 2 * np.pi * how.mains_hz * at_s[:, None]
    size = np.sqrt(2) * how.mains_mv * rng.gamma(2, 0.5, 9)
    electrodes += np.sin(turn) * (size * np.cos(phase)) + np.cos(turn) * (size * np.sin(phase))
    for _ in range(how.steps):
        since = at_s - rng.uniform(0, at_s[-1])
        step = rng.normal(0, 0.3) * np.exp(-np.maximum(since, 0) / rng.uniform(0.1, 1.0))
        electrodes[:, rng.integers(9)] += np.where(since > 0, step, 0.0)
    return electrodes @ TO_LEADS


def _coloured(
    rng: np.random.Generator, how: Disturbance, rate_hz: float, samples: int
) -> np.ndarray:
    """Wander (0.05 to 0.5 Hz) and muscle noise (10 to 150 Hz and more, in bursts) at the
    electrodes, [time, 9]."""
    length = samples + -samples % 240  # a length with small prime factors, mostly
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    slow = np.where(hz > 0.03, 1 / np.maximum(hz, 0.05), 0) / (1 + (hz / 0.45) ** 4)
    fast = (hz / 20) / (1 + (hz / 20) ** 2) ** rng.uniform(0.7, 1.1) / (1 + (hz / 150) ** 4)
    few = int(np.searchsorted(hz, 3.0))
    draws = rng.standard_normal((9, 2 * len(hz)), dtype=np.float32).view(np.complex64)
    spectrum = draws * (_unit(fast, length) * how.muscle_mv * rng.gamma(3, 1 / 3, (9, 1))).astype(
        np.float32
    )
    burst = np.fft.irfft(spectrum, length)[:, :samples]
    if rng.random() < 0.15:  # a tense moment
        at = np.arange(samples) / samples
        burst = burst * (
            0.7 + 3 * np.exp(-0.5 * ((at - rng.random()) / rng.uniform(0.03, 0.2)) ** 2)
        )
    draws = rng.standard_normal((2, 9, few))
    spectrum = np.zeros((9, len(hz)), complex)
    spectrum[:, :few] = (draws[0] + 1j * draws[1]) * (_unit(slow, length)[:few] * how.wander_mv)
    return (burst + np.fft.irfft(spectrum, length)[:, :samples]).T


def _unit(shape: np.ndarray, length: int) -> np.ndarray:
    """The shape of a half spectrum scaled so that unit Gaussian draws give a signal of root mean
    square 1."""
    return shape * length / np.sqrt(4 * np.sum(shape**2) + 1e-30)


def band(signal: np.ndarray, rate_hz: float, low_hz: float, high_hz: float) -> np.ndarray:
    """[time, lead] through a cart's band: one resistor and capacitor below (its phase too),
    Butterworth above.

    The lower edge shifts the ST segment as such carts do.
    """
    samples = len(signal)
    length = samples + -samples % 240
    padded = np.concatenate(
        [signal, np.linspace(signal[-1], signal[0], length - samples + 2)[1:-1]]
    )
    hz = np.fft.rfftfreq(length, 1 / rate_hz)
    response = 1j * hz / (1j * hz + low_hz) / np.sqrt(1 + (hz / high_hz) ** 8)
    return np.fft.irfft(np.fft.rfft(padded, axis=0) * response[:, None], length, axis=0)[:samples]
