"""The beats of a recording one under the other, those of one shape, and their median.

All is measured at 400 Hz or more: a conditioned signal has no content beyond half of its store's
rate, so that more samples between its own cost nothing but time, and intervals are not bound to
steps of 10 ms.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ecgpipe.features import rhythm

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
        return np.asarray(signal_mv, np.float32)
    pad = min(pad, len(signal_mv) - 1)
    total = scipy.fft.next_fast_len(len(signal_mv) + 2 * pad, real=True)
    widths = ((pad, total - len(signal_mv) - pad), (0, 0))
    padded = np.pad(np.asarray(signal_mv, np.float32), widths, "reflect")
    spectrum = scipy.fft.rfft(padded.T * np.float32(factor), axis=1)  # [lead, frequency]
    if total % 2 == 0:
        spectrum[:, -1] /= 2  # its last frequency has no negative twin, and gets one
    fine = scipy.fft.irfft(spectrum, total * factor, axis=1)
    return fine[:, pad * factor : (pad + len(signal_mv)) * factor].T


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
    rr_s = float(np.median(np.diff(peaks))) / rate_hz if len(peaks) > 1 else np.nan
    places = _on_qrs(fine_mv, places[is_whole], fine_hz, rr_s)
    places = _aligned(fine_mv, places, fine_hz)
    around = places[:, None] + np.arange(-before, after)  # [beat, time]
    windows_mv = fine_mv[np.clip(around, 0, len(fine_mv) - 1)]
    first, last = (before + round(edge * fine_hz) for edge in QRS_S)
    likeness, is_usual = _grouped(windows_mv[:, first:last:2])
    is_complete = (around[:, 0] >= 0) & (around[:, -1] < len(fine_mv))
    chosen = is_usual & is_complete
    median_mv = np.median(windows_mv[chosen if chosen.any() else is_usual], axis=0)
    return Beats(
        fine_hz, fine_mv, places, windows_mv, likeness, is_usual, early[is_whole], median_mv, rr_s
    )


def slope(signal_mv: NDArray, width: int) -> NDArray[np.floating]:
    """[time, lead] -> [time]: root mean square over the leads of the change over `width` samples
    about each."""
    half = max(width // 2, 1)
    change = np.zeros_like(signal_mv)
    change[half:-half] = signal_mv[2 * half :] - signal_mv[: -2 * half]
    return np.sqrt((change**2).mean(axis=1))


def _on_qrs(signal_mv: NDArray, peaks: NDArray, rate_hz: float, rr_s: float) -> NDArray[np.int64]:
    """Peaks [beat] on the QRS: a detector that sees one lead may take P or T for it where that
    lead's QRS is small. All are moved by the same where most beats are twice as steep elsewhere."""
    searched_s = _SEARCHED_S if np.isnan(rr_s) else min(_SEARCHED_S, 0.4 * rr_s)
    away = np.arange(-round(searched_s * rate_hz), round(searched_s * rate_hz) + 1)
    speed = slope(signal_mv, round(SLOPE_S * rate_hz))
    around = np.clip(peaks[:, None] + away, 0, len(speed) - 1)  # [beat, time]
    usual = np.median(speed[around], axis=0)
    is_near = np.abs(away) <= round(_FOUND_S * rate_hz)
    if usual.max() > 2 * usual[is_near].max():
        return peaks + away[usual.argmax()]
    return peaks


def _aligned(signal_mv: NDArray, peaks: NDArray, rate_hz: float) -> NDArray[np.int64]:
    """R-peaks [beat] moved by up to 30 ms so that the QRS lie over each other, as they are seen
    along the direction in which they are largest."""
    first, last = (round(edge * rate_hz) for edge in QRS_S)
    reach = round(_MOVED_S * rate_hz)
    around = peaks[:, None] + np.arange(first - reach, last + reach)
    windows_mv = signal_mv[np.clip(around, 0, len(signal_mv) - 1)]  # [beat, time, lead]
    flat = windows_mv.reshape(-1, windows_mv.shape[2])
    flat = flat - flat.mean(axis=0)
    direction = np.linalg.eigh(flat.T @ flat)[1][:, -1]
    along = (windows_mv @ direction).astype(np.float64)
    along -= along.mean(axis=1, keepdims=True)
    template = np.median(along[:, reach : along.shape[1] - reach], axis=0)
    template -= template.mean()
    shifted = np.lib.stride_tricks.sliding_window_view(along, len(template), axis=1)
    moved = (shifted @ template).argmax(axis=1) - reach  # [beat, shift] -> [beat]
    return peaks + moved


def _grouped(qrs_mv: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of the QRS of all beats [beat, time, lead]: their correlation with the beat that most others
    are like, and whether they are like it."""
    flat = qrs_mv - qrs_mv.mean(axis=1, keepdims=True)
    flat = flat.reshape(len(flat), -1).astype(np.float64)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    alike = flat @ flat.T  # [beat, beat]
    votes = (alike > ALIKE).sum(axis=1) + alike.mean(axis=1)
    usual = alike[votes.argmax()]
    is_usual = usual > ALIKE
    mean = flat[is_usual].mean(axis=0) if is_usual.any() else flat[votes.argmax()]
    likeness = flat @ mean / max(float(np.linalg.norm(mean)), 1e-9)
    is_usual[votes.argmax()] = True
    return likeness, is_usual
