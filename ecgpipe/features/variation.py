"""How beats differ from each other: beats of another shape, early ones of either shape, spikes."""

import math
import statistics

import numpy as np
from numpy.typing import NDArray

from ecgpipe.features.beats import Beats
from ecgpipe.features.delineation import Marks

UNITS = {
    "beats": "1",
    "likeness_mean": "1",
    "likeness_least": "1",
    "other_shape_share": "1",
    "early_other_shape": "1",
    "early_usual_shape": "1",
    "size_variation": "1",
    "broadest_beat": "1",
    "between_beats": "1",
    "spike": "1",
}
_SPIKE_S = 0.06  # before the QRS in which a pacemaker's spike is looked for


def measure(beats: Beats, marks: Marks) -> dict[str, float]:
    """The features of `UNITS`.

    early_other_shape and early_usual_shape are the largest share of an interval by which a beat
    of another or of the usual shape comes early: ventricular and atrial premature beats.
    broadest_beat is the largest area of a QRS over its height, as a multiple of the median one's.
    between_beats is the largest deflection beyond QRS and T as a share of the QRS: beats that the
    detector missed.
    """
    first, last = beats.centre - beats.samples(0.12), beats.centre + beats.samples(0.16)
    size_mv = magnitude(beats.windows_mv[:, first:last])  # [beat, time]
    height_mv = size_mv.max(axis=1)
    broad = (size_mv.sum(axis=1) / np.maximum(height_mv, 1e-6)).tolist()
    early = np.maximum(beats.early, 0)
    unlike = np.minimum(np.maximum(1 - beats.likeness, 0), 1)
    usual_mv = statistics.median(height_mv.tolist())
    return {
        "beats": float(len(beats.peaks)),
        "likeness_mean": float(beats.likeness.mean()),
        "likeness_least": float(beats.likeness.min()),
        "other_shape_share": 1 - np.count_nonzero(beats.is_usual) / len(beats.is_usual),
        "early_other_shape": float((early * np.minimum(2 * unlike, 1)).max()),
        "early_usual_shape": float((early * beats.is_usual).max()),
        "size_variation": float(height_mv.std() / max(height_mv.mean(), 1e-6)),
        "broadest_beat": max(broad) / max(statistics.median(broad), 1e-6),
        "between_beats": _between(beats, usual_mv),
        "spike": _spike(beats, marks),
    }


def magnitude(signal_mv: NDArray) -> NDArray[np.float64]:
    """[..., time, lead] -> [..., time]: root mean square over the leads, of what is above their
    mean over time."""
    centred = signal_mv - signal_mv.mean(axis=-2, keepdims=True)
    centred *= centred
    return np.sqrt(centred.sum(axis=-1) / centred.shape[-1])


def _between(beats: Beats, height_mv: float) -> float:
    """The largest deflection between the T of one beat and the P of the next, as a share of
    `height_mv`."""
    is_between = np.zeros(len(beats.signal_mv), bool)
    peaks, before, after = beats.peaks.tolist(), beats.samples(0.16), beats.samples(0.5)
    is_between[peaks[0] : peaks[-1]] = True
    for peak in peaks:
        is_between[max(peak - before, 0) : peak + after] = False
    seen_mv = beats.signal_mv.T[:, is_between] - beats.signal_mv.T.mean(axis=1, keepdims=True)
    seen_mv *= seen_mv
    largest = float(seen_mv.sum(axis=0).max(initial=0))
    return math.sqrt(largest / len(seen_mv)) / max(height_mv, 1e-6)


def _spike(beats: Beats, marks: Marks) -> float:
    """The sharpest bend of the median beat just before the QRS begins, as a share of that within
    it."""
    step = max(beats.samples(0.004), 1)
    begin, end = marks.qrs[0] // step, marks.qrs[1] // step
    first = max(begin - round(_SPIKE_S / 0.004), 0)
    seen_mv = beats.median_mv[first * step : (end + 2) * step : step]
    bend = np.abs(seen_mv[2:] - 2 * seen_mv[1:-1] + seen_mv[:-2]).max(axis=1)
    before = bend[: max(begin - 1, 1) - first]
    return float(before.max()) / max(float(bend[begin - first : end - first].max()), 1e-9)
