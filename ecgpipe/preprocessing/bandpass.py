"""Conditioning: every recording to one rate and one band, once, for all twelve leads in one FFT;
and its R-peaks.

Filter and resampling are one pass: pad both ends, real FFT, multiply by a zero-phase response, cut
or extend the spectrum to the new rate, inverse FFT. The response is the squared magnitude of a
Butterworth band-pass, as a forward-backward Butterworth filter has it (S. Butterworth, "On the
theory of filter amplifiers", 1930; scipy.signal.sosfiltfilt is its oracle in the tests).

How far a store is from a signal known by theory, for each rate, unit and format, stands in
tests/pipeline/test_known_values.py: half a microvolt for rounding, and what the file's own steps
took; within 3 s of an end also what its mirror adds.
"""

import functools
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import scipy.fft

from ecgpipe.preprocessing.params import PreprocessParams

PAD_S = 2.0
# The signal is padded to whole steps of this many samples at most: an odd rate such as 333.333 Hz
# must not cost more memory than its recording does. The rate is then off by less than 1 part in
# 65,536, and 0.2 samples in 10,000.
_MOST_STEP = 1 << 16


def response(frequencies_hz: np.ndarray, low_hz: float, high_hz: float, order: int) -> np.ndarray:
    """|H(f)|^2 of a Butterworth high-pass at `low_hz` (0: none) and low-pass at `high_hz`, each -6
    dB at its corner.

    >>> response(np.array([0.0, 0.5, 40.0]), 0.5, 40.0, 2).round(3).tolist()
    [0.0, 0.5, 0.5]
    """
    gain = 1.0 / (1.0 + (frequencies_hz / high_hz) ** (2 * order))
    if low_hz > 0:
        rise = (frequencies_hz / low_hz) ** (2 * order)
        gain = gain * rise / (1.0 + rise)
    return gain


def condition(
    signal: np.ndarray,
    rate_hz: float,
    *,
    to_rate_hz: float,
    low_hz: float,
    high_hz: float,
    order: int,
) -> np.ndarray:
    """Band-pass and resample [time, lead] from `rate_hz` to `to_rate_hz`; same unit, float32, each
    lead in one piece.

    Sample j of the result stands at time j / to_rate_hz, the first samples coincide, and the length
    is round(samples * to_rate_hz / rate_hz). Where the recording's own rate is too low for
    `high_hz`, its spectrum is extended by zeros: nothing is invented.
    """
    plan = _plan(len(signal), rate_hz, to_rate_hz, low_hz, high_hz, order)
    # Mirrored, not turned about the last sample, which would add an offset of twice an R-peak at
    # the end.
    padded = mirrored(signal, plan.before, plan.after)
    spectrum = scipy.fft.rfft(padded, axis=0)[: len(plan.gain)]  # [frequency, lead]
    spectrum *= plan.gain[:, None]
    return scipy.fft.irfft(spectrum, plan.total_out, axis=0)[plan.kept]


def mirrored(signal: np.ndarray, before: int, after: int) -> np.ndarray:
    """[time, lead] with so many samples mirrored at either end; float32, each lead in one piece."""
    samples = len(signal)
    if max(before, after) >= samples:  # mirrored more than once
        padded = np.pad(signal, ((before, after), (0, 0)), "reflect")
        return np.asfortranarray(padded, dtype=np.float32)
    padded = np.empty((before + samples + after, signal.shape[1]), dtype=np.float32, order="F")
    padded[before : before + samples] = signal
    padded[:before] = signal[before:0:-1]
    padded[before + samples :] = signal[::-1][1 : after + 1]
    return padded


class _Plan(NamedTuple):
    """What conditioning needs besides the signal: samples to mirror at both ends, the gain of each
    frequency kept (float32), the length of the inverse transform, and which part of it is the
    recording."""

    before: int
    after: int
    gain: np.ndarray
    total_out: int
    kept: slice


@functools.lru_cache(maxsize=32)
def _plan(
    samples: int, rate_hz: float, to_rate_hz: float, low_hz: float, high_hz: float, order: int
) -> _Plan:
    """The plan of a length and a rate, which most recordings of a source share."""
    ratio = Fraction(to_rate_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)
    ratio = ratio.limit_denominator(_MOST_STEP)
    step_in, step_out = ratio.denominator, ratio.numerator
    # Padding in whole steps keeps both sampling grids aligned with the start of the recording.
    before = -int(-PAD_S * rate_hz // step_in)
    steps = scipy.fft.next_fast_len(
        before + -(-(samples + int(PAD_S * rate_hz)) // step_in), real=True
    )
    head, total_in, total_out = before * step_in, steps * step_in, steps * step_out
    frequencies_hz = np.arange(min(total_in, total_out) // 2 + 1) * (rate_hz / total_in)
    gain = response(frequencies_hz, low_hz, high_hz, order) * (total_out / total_in)
    kept = slice(before * step_out, before * step_out + max(1, round(samples * ratio)))
    return _Plan(head, total_in - head - samples, gain.astype(np.float32), total_out, kept)


def filter_arguments(params: PreprocessParams) -> dict[str, Any]:
    """What a store and a checkpoint say of their conditioning; keyword arguments of `condition`."""
    return {
        "to_rate_hz": params.rate_hz,
        "low_hz": params.low_hz,
        "high_hz": params.high_hz,
        "order": params.order,
    }
