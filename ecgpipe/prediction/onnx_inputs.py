"""How to make the inputs of an exported model, in numpy alone: an ONNX file carries the text of
this module, and behind it that of `dataset.demographics`.

A recording in mV, its leads in the order of the metadata's `leads`, goes through `condition` with
the metadata's `conditioning` as keyword arguments; `demographics` makes rows of age and sex:

    signal = condition(signal_mv, rate_hz, **conditioning).T[None]  # [time, 12] -> [1, 12, time]
    rows = demographics(age=[61], sex=["F"])  # [1, 4]
    probabilities = session.run(None, {"signal": signal, "demographics": rows})[0][0]
    present = [p >= cut if cut is not None else False for p, cut in zip(probabilities, thresholds)]

It is a second writing of `preprocessing.bandpass.condition`, which its tests hold it to.
"""

from fractions import Fraction

import numpy as np


def condition(
    signal: np.ndarray,
    rate_hz: float,
    *,
    to_rate_hz: float,
    low_hz: float,
    high_hz: float,
    order: int,
) -> np.ndarray:
    """Band-pass and resample [time, lead] from `rate_hz` to `to_rate_hz`: float32, the same unit,
    of round(samples * to_rate_hz / rate_hz) samples, the first at the same time as before.

    Both ends are mirrored about the first and the last sample (which are not repeated), by 2 s or
    more: in front the least whole number of steps in which both rates meet, behind so many that the
    length in steps has no prime factor but 2, 3 and 5. The spectrum is multiplied by the squared
    magnitude of a Butterworth high-pass and low-pass (zero phase), cut or extended by zeros to the
    new rate, and turned back.
    """
    ratio = Fraction(to_rate_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)
    ratio = ratio.limit_denominator(1 << 16)
    step_in, step_out, samples = ratio.denominator, ratio.numerator, len(signal)
    before = -int(-2.0 * rate_hz // step_in)
    steps = _smooth(before - (-(samples + int(2.0 * rate_hz)) // step_in))
    total_in, total_out = steps * step_in, steps * step_out
    around = (before * step_in, total_in - before * step_in - samples)
    spectrum = np.fft.rfft(
        np.pad(np.asarray(signal, np.float64), (around, (0, 0)), "reflect"), axis=0
    )
    frequency_hz = np.arange(min(total_in, total_out) // 2 + 1) * (rate_hz / total_in)
    gain = 1 / (1 + (frequency_hz / high_hz) ** (2 * order))
    if low_hz > 0:
        rise = (frequency_hz / low_hz) ** (2 * order)
        gain = gain * rise / (1 + rise)
    kept = spectrum[: len(gain)] * gain[:, None] * (total_out / total_in)
    begin = before * step_out
    whole = np.fft.irfft(kept, total_out, axis=0)
    return whole[begin : begin + max(1, round(samples * ratio))].astype(np.float32)


def _smooth(least: int) -> int:
    """The first whole number from `least` on without a prime factor but 2, 3 and 5."""
    while True:
        rest = least
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return least
        least += 1
