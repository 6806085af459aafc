"""How beats differ from each other: beats of another shape, early ones of either shape, spikes."""

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
    broad = size_mv.sum(axis=1) / np.maximum(height_mv, 1e-6)
    early = np.maximum(beats.early, 0)
    unlike = np.clip(1 - beats.likeness, 0, 1)
    return {
        "beats": float(len(beats.peaks)),
        "likeness_mean": float(beats.likeness.mean()),
        "likeness_least": float(beats.likeness.min()),
        "other_shape_share": float((~beats.is_usual).mean()),
        "early_other_shape": float((early * np.minimum(2 * unlike, 1)).max()),
        "early_usual_shape": float((early * beats.is_usual).max()),
        "size_variation": float(height_mv.std() / max(height_mv.mean(), 1e-6)),
        "broadest_beat": float(broad.max() / max(np.median(broad), 1e-6)),
        "between_beats": _between(beats, float(np.median(height_mv))),
        "spike": _spike(beats, marks),
    }


def magnitude(signal_mv: NDArray) -> NDArray[np.float64]:
    """[..., time, lead] -> [..., time]: root mean square over the leads, of what is above their
    mean over time."""
    centred = signal_mv - signal_mv.mean(axis=-2, keepdims=True)
    return np.sqrt((centred**2).mean(axis=-1))


def _between(beats: Beats, height_mv: float) -> float:
    """The largest deflection between the T of one beat and the P of the next, as a share of
    `height_mv`."""
    size_mv = magnitude(beats.signal_mv)
    size_mv[: beats.peaks[0]] = 0
    for peak in beats.peaks:
        size_mv[max(peak - beats.samples(0.16), 0) : peak + beats.samples(0.5)] = 0
    return float(size_mv[: beats.peaks[-1]].max(initial=0)) / max(height_mv, 1e-6)


def _spike(beats: Beats, marks: Marks) -> float:
    """The sharpest bend of the median beat just before the QRS begins, as a share of that within
    it."""
    bend = np.abs(np.diff(beats.median_mv[:: max(beats.samples(0.004), 1)], 2, axis=0)).max(axis=1)
    step = max(beats.samples(0.004), 1)
    begin, end = marks.qrs[0] // step, marks.qrs[1] // step
    before = bend[max(begin - round(_SPIKE_S / 0.004), 0) : max(begin - 1, 1)]
    return float(before.max() / max(float(bend[begin:end].max()), 1e-9))
