"""The beats of a recording one under the other, those of one shape, and their median.

All is measured at 400 Hz or more: a conditioned signal has no content beyond half of its store's
rate, so that more samples between its own cost nothing but time, and intervals are not bound to
steps of 10 ms.
"""

import functools
import math
import statistics
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ecgpipe.features import rhythm
from ecgpipe.features.medians import median

LEAST_RATE_HZ = 400.0
LONGEST_S = 60.0  # beats are compared in this much of a recording
BEFORE_S, AFTER_S = 0.4, 0.7  # of a beat about its R-peak
QRS_S = (-0.07, 0.09)  # where the shapes of beats are compared
ALIKE = 0.9  # correlation of beats of one shape
SLOPE_S = 0.008
_SEARCHED_S = 0.24  # where the QRS is looked for about what the detector found
_FOUND_S = 0.06
_MOVED_S = 0.03  # by which a beat is moved to lie over the others, at most
_PAD_S = 0.5


@dataclass(frozen=True)
class Beats:
    """Beats of a recording at `rate_hz`.

    `peaks` [beat] are R-peaks in samples of `signal_mv` [time, 12]; `windows_mv` [beat, time, 12]
    hold each beat from `BEFORE_S` before to `AFTER_S` after it; `likeness` [beat] is the
    correlation of its QRS with the usual one, `is_usual` [beat] whether it belongs to the most
    frequent shape, `early` [beat] by which share of an interval it comes early; `median_mv`
    [time, 12] is the median of the usual beats.
    """

    rate_hz: float
    signal_mv: NDArray[np.float32]
    peaks: NDArray[np.int64]
    windows_mv: NDArray[np.float32]
    likeness: NDArray[np.float64]
    is_usual: NDArray[np.bool_]
    early: NDArray[np.float64]
    median_mv: NDArray[np.float32]
    rr_s: float

    def samples(self, seconds: float) -> int:
        """A time in samples."""
        return round(seconds * self.rate_hz)

    @property
    def centre(self) -> int:
        """The sample of a window at which the R-peak stands."""
        return self.samples(BEFORE_S)


def finer(signal_mv: NDArray, factor: int, pad: int) -> NDArray[np.float32]:
    """[time, lead] with `factor` times as many samples, by its spectrum; `pad` samples are
    mirrored at both ends meanwhile."""
    if factor == 1:
        return np.asfortranarray(signal_mv, np.float32)
    samples = len(signal_mv)
    pad = min(pad, samples - 1)
    total = scipy.fft.next_fast_len(samples + 2 * pad, real=True)
    padded = np.asarray(signal_mv, np.float32)[_mirrored(samples, pad, total)]
    scaled = np.multiply(padded.T, np.float32(factor), order="C")
    spectrum = scipy.fft.rfft(scaled, axis=1)  # [lead, frequency]
    if total % 2 == 0:
        spectrum[:, -1] /= 2  # its last frequency has no negative twin, and gets one
    fine = scipy.fft.irfft(spectrum, total * factor, axis=1)
    return np.ascontiguousarray(fine[:, pad * factor : (pad + samples) * factor]).T


@functools.lru_cache(maxsize=16)
def _mirrored(samples: int, pad: int, total: int) -> NDArray[np.int64]:
    """Which of `samples` samples stand at `total` places, `pad` of them before the first, where a
    signal is mirrored at its ends."""
    period = max(2 * (samples - 1), 1)
    places = np.abs(np.arange(-pad, total - pad)) % period
    return np.minimum(places, period - places) if samples > 1 else np.zeros_like(places)


def find(signal_mv: NDArray, rate_hz: float, peaks: NDArray) -> Beats | None:
    """The beats of a conditioned recording [time, 12] with R-peaks in its samples; None where none
    of them can be seen whole."""
    factor = max(1, math.ceil(LEAST_RATE_HZ / rate_hz))
    kept = signal_mv[: round(LONGEST_S * rate_hz)]
    fine_hz = rate_hz * factor
    before, after = round(BEFORE_S * fine_hz), round(AFTER_S * fine_hz)
    early = rhythm.prematurity(peaks / rate_hz)
    places = peaks.astype(np.int64) * factor
    # A beat is seen whole where its QRS is; what lies beyond an end repeats the last sample.
    margin = round(0.1 * fine_hz)
    is_whole = (places >= margin) & (places + margin < len(kept) * factor)
    if not is_whole.any():
        return None
    fine_mv = finer(kept, factor, round(_PAD_S * rate_hz))
    rr_s = statistics.median(np.diff(peaks).tolist()) / rate_hz if len(peaks) > 1 else np.nan
    places = _on_qrs(fine_mv, places[is_whole], fine_hz, rr_s)
    places = _aligned(fine_mv, places, fine_hz)
    windows_mv = _windows(fine_mv, places, -before, after)
    first, last = (before + round(edge * fine_hz) for edge in QRS_S)
    likeness, is_usual = _grouped(windows_mv[:, first:last:2])
    chosen = is_usual & (places >= before) & (places + after <= len(fine_mv))
    median_mv = median(windows_mv, chosen if chosen.any() else is_usual)
    return Beats(
        fine_hz, fine_mv, places, windows_mv, likeness, is_usual, early[is_whole], median_mv, rr_s
    )


def _windows(signal_mv: NDArray, places: NDArray, first: int, last: int) -> NDArray:
    """[beat, time, lead]: samples `first` to `last` about each place; what lies beyond an end
    repeats the last sample. In memory, a beat's lead lies in one piece."""
    around = places[:, None] + np.arange(first, last)
    by_lead = signal_mv.T.take(around, axis=1, mode="clip")  # [lead, beat, time]
    return by_lead.transpose(1, 2, 0)


def slope(signal_mv: NDArray, width: int) -> NDArray[np.floating]:
    """[time, lead] -> [time]: root mean square over the leads of the change over `width` samples
    about each."""
    half = max(width // 2, 1)
    change = signal_mv[2 * half :] - signal_mv[: -2 * half]
    change *= change
    speed = np.zeros(len(signal_mv), signal_mv.dtype)
    np.sqrt(change.sum(axis=1) / signal_mv.shape[1], out=speed[half:-half])
    return speed


def _on_qrs(signal_mv: NDArray, peaks: NDArray, rate_hz: float, rr_s: float) -> NDArray[np.int64]:
    """Peaks [beat] on the QRS: a detector that sees one lead may take P or T for it where that
    lead's QRS is small. All are moved by the same where most beats are twice as steep elsewhere."""
    searched_s = _SEARCHED_S if np.isnan(rr_s) else min(_SEARCHED_S, 0.4 * rr_s)
    reach, near = round(searched_s * rate_hz), round(_FOUND_S * rate_hz)
    speed = slope(signal_mv, round(SLOPE_S * rate_hz))
    around = peaks[:, None] + np.arange(-reach, reach + 1)  # [beat, time]
    usual = median(speed.take(around, mode="clip"))
    steepest = int(usual.argmax())
    if usual[steepest] > 2 * usual[max(reach - near, 0) : reach + near + 1].max():
        return peaks + (steepest - reach)
    return peaks


def _aligned(signal_mv: NDArray, peaks: NDArray, rate_hz: float) -> NDArray[np.int64]:
    """R-peaks [beat] moved by up to 30 ms so that the QRS lie over each other, as they are seen
    along the direction in which they are largest."""
    first, last = (round(edge * rate_hz) for edge in QRS_S)
    reach = round(_MOVED_S * rate_hz)
    windows_mv = _windows(signal_mv, peaks, first - reach, last + reach)  # [beat, time, lead]
    by_lead = windows_mv.transpose(2, 0, 1).reshape(windows_mv.shape[2], -1)
    centred = by_lead - by_lead.sum(axis=1, keepdims=True) / by_lead.shape[1]
    direction = np.linalg.eigh(centred @ centred.T)[1][:, -1]
    along = (direction @ by_lead).astype(np.float64).reshape(len(peaks), -1)
    along -= along.sum(axis=1, keepdims=True) / along.shape[1]
    template = median(along[:, reach : along.shape[1] - reach])
    template -= template.sum() / len(template)
    shape = (len(peaks), 2 * reach + 1, len(template))
    shifted = np.lib.stride_tricks.as_strided(along, shape, (*along.strides, along.strides[1]))
    moved = np.dot(shifted, template).argmax(axis=1) - reach  # [beat, shift] -> [beat]
    return peaks + moved


def _grouped(qrs_mv: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of the QRS of all beats [beat, time, lead]: their correlation with the beat that most others
    are like, and whether they are like it."""
    by_lead = qrs_mv.transpose(0, 2, 1).astype(np.float64, order="C")
    by_lead -= by_lead.sum(axis=2, keepdims=True) / by_lead.shape[2]
    flat = by_lead.reshape(len(qrs_mv), -1)
    flat /= np.maximum(np.sqrt((flat * flat).sum(axis=1, keepdims=True)), 1e-9)
    alike = flat @ flat.T  # [beat, beat]
    votes = (alike > ALIKE).sum(axis=1) + alike.sum(axis=1) / len(alike)
    most_alike = votes.argmax()
    is_usual = alike[most_alike] > ALIKE
    is_usual[most_alike] = True
    # With the mean of the usual beats: sums of what they have with each other.
    with_usual = alike @ is_usual.astype(np.float64)
    size = math.sqrt(max(float(with_usual[is_usual].sum()), 0)) / np.count_nonzero(is_usual)
    return with_usual / np.count_nonzero(is_usual) / max(size, 1e-9), is_usual
