"""Between the ventricles' waves: whether each beat has the same P, how much the atria fibrillate or
flutter, and the noise.

The QRS and T of the median beat are taken out of every beat (average beat subtraction, J. Slocum et
al. 1992, doi:10.1016/0022-0736(92)90123-H; M. Stridh and L. Sornmo 2001, doi:10.1109/10.900266); of
what is left, fibrillation waves have 4 to 9 Hz (A. Bollmann et al. 2006,
doi:10.1093/europace/eul113).
"""

import functools
import math
import statistics

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ecgpipe.features.beats import Beats
from ecgpipe.features.delineation import Marks
from ecgpipe.project.leads import LEADS

UNITS = {
    "p_likeness": "1",
    "p_share_of_rest": "1",
    "f_II_uv": "uV",
    "f_V1_uv": "uV",
    "f_share_II": "1",
    "f_share_V1": "1",
    "f_peak_hz": "Hz",
    "f_sharpness": "1",
    "flutter_share": "1",
    "flutter_sharpness": "1",
    "drift_uv": "uV",
    "noise_uv": "uV",
}
SEEN = ("II", "V1")
F_HZ, DRIFT_HZ, NOISE_HZ, WHOLE_HZ = (4.0, 9.0), (0.3, 1.5), (20.0, 40.0), (1.0, 20.0)
FLUTTER_HZ = (3.7, 6.5)
_TAPER_S = 0.03


def measure(beats: Beats, marks: Marks) -> dict[str, float]:
    """The features of `UNITS`."""
    rest_mv = _rest(beats, marks, (marks.qrs[0], marks.p_window[0]))  # with P, and without
    hz, both = _spectrum(rest_mv, beats.rate_hz)  # [what is left, lead, frequency]
    power = both[1]  # uV^2 [lead, frequency]
    f_power, whole = _within(hz, power, F_HZ), _within(hz, power, WHOLE_HZ)
    atrial, together = both.sum(axis=1)
    f_peak_hz, f_sharpness = _peak(hz, together, F_HZ)
    _, flutter_sharpness = _peak(hz, atrial, FLUTTER_HZ)
    flutter = _within(hz, atrial, FLUTTER_HZ) / max(_within(hz, atrial, WHOLE_HZ), 1e-9)
    values = {
        **_p(beats, marks),
        "f_peak_hz": f_peak_hz,
        "f_sharpness": f_sharpness,
        "flutter_share": float(flutter),
        "flutter_sharpness": flutter_sharpness,
        "drift_uv": math.sqrt(_within(hz, together, DRIFT_HZ)),
        "noise_uv": math.sqrt(_within(hz, together, NOISE_HZ)),
    }
    for lead, f_wave, all_of_it in zip(SEEN, f_power.tolist(), whole.tolist(), strict=True):
        values[f"f_{lead}_uv"] = math.sqrt(f_wave)
        values[f"f_share_{lead}"] = f_wave / max(all_of_it, 1e-9)
    return values


def _p(beats: Beats, marks: Marks) -> dict[str, float]:
    """How alike the beats are where P is, and how large P is beside what else is there."""
    first, last = marks.p_window
    first = max(first, marks.p[0] - beats.samples(0.03))
    last = min(last, marks.p[2] + beats.samples(0.03))
    windows_mv = _without_line_flat(beats.windows_mv[:, first:last])
    usual_mv = _without_line_flat(beats.median_mv[None, first:last])[0]
    sizes, whole = _size(windows_mv), math.sqrt(usual_mv @ usual_mv)
    alike = windows_mv @ usual_mv / np.maximum(sizes * whole, 1e-9)
    away = _size(np.subtract(windows_mv, usual_mv, out=windows_mv))
    away_mv = statistics.median(away[beats.is_usual].tolist())
    return {
        "p_likeness": statistics.median(alike[beats.is_usual].tolist()),
        "p_share_of_rest": whole / max(away_mv + whole, 1e-9),
    }


def _without_line_flat(windows_mv: NDArray) -> NDArray[np.float32]:
    """[beat, time, lead] -> [beat, lead and time], each lead without its line."""
    by_lead = np.ascontiguousarray(windows_mv.transpose(0, 2, 1))
    return without_line(by_lead.transpose(0, 2, 1)).transpose(0, 2, 1).reshape(len(by_lead), -1)


def _size(flat: NDArray) -> NDArray[np.float32]:
    """[beat, number] -> [beat]: the root of the sum of squares."""
    return np.sqrt((flat * flat).sum(axis=1))


def without_line(part_mv: NDArray) -> NDArray[np.floating]:
    """[..., time, lead] without the line from the first to the last sample."""
    samples = part_mv.shape[-2]
    share = (np.arange(samples, dtype=part_mv.dtype) / max(samples - 1, 1))[:, None]
    begin_mv, end_mv = part_mv[..., :1, :], part_mv[..., -1:, :]
    line_mv = share * (end_mv - begin_mv)
    line_mv += begin_mv
    return np.subtract(part_mv, line_mv, out=line_mv)


def _rest(beats: Beats, marks: Marks, begins: tuple[int, ...]) -> NDArray[np.float32]:
    """[begin, `SEEN`, time] in mV: without the median beat from each of the samples `begins` to
    the end of T, and level across the QRS of beats of another shape."""
    places = [LEADS.index(lead) for lead in SEEN]
    rest_mv = np.empty((len(begins), len(SEEN), len(beats.signal_mv)), np.float32)
    rest_mv[:] = beats.signal_mv.T[places]
    first, taper = max(min(begins), 0), beats.samples(_TAPER_S)
    centred_mv = (beats.median_mv - marks.level_mv).T[places, first : marks.t[1] + taper]
    samples = centred_mv.shape[1]
    beat_mv = np.zeros((len(begins), len(SEEN), samples), np.float32)
    for part_mv, begin in zip(beat_mv, begins, strict=True):
        kept = slice(max(begin, 0) - first, None)
        part_mv[:, kept] = centred_mv[:, kept] * _faded(samples - kept.start, taper)
    begin, end = 2 * marks.qrs[0] - marks.qrs[1], 2 * marks.qrs[1] - marks.qrs[0]
    windows = (beats.peaks - beats.centre).tolist()
    for window, is_usual in zip(windows, beats.is_usual.tolist(), strict=True):
        if is_usual:
            at = window + first
            shown = rest_mv[..., max(at, 0) : max(at + samples, 0)]
            skipped = max(-at, 0)
            shown -= beat_mv[..., skipped : skipped + shown.shape[-1]]
        else:
            _level(rest_mv, max(window + begin, 0), min(window + end, rest_mv.shape[-1] - 1))
    return rest_mv


@functools.lru_cache(maxsize=512)
def _faded(samples: int, taper: int) -> NDArray[np.float64]:
    """Weights of a beat's samples, by `taper` of which it comes and goes."""
    edge = 0.5 - 0.5 * np.cos(np.pi * (np.arange(taper) + 0.5) / taper)
    weight = np.ones(samples)
    weight[-taper:] = edge[::-1]
    weight[:taper] = np.minimum(weight[:taper], edge)
    return weight


def _level(rest_mv: NDArray, first: int, last: int) -> None:
    """Draws a line from sample `first` to sample `last` of [..., time], where there is one between
    them."""
    if last <= first:
        return
    ends_mv = rest_mv[..., first], rest_mv[..., last]
    rest_mv[..., first : last + 1] = np.linspace(*ends_mv, last - first + 1, axis=-1)


def _spectrum(rest_mv: NDArray, rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies in Hz below the highest of `NOISE_HZ`, and power in uV^2 [..., frequency] whose
    sum over all is the mean square, of the signal [..., time] under a Hann window."""
    hz, window = _hann(rest_mv.shape[-1], rate_hz)
    centred = rest_mv - rest_mv.mean(axis=-1, keepdims=True)
    centred *= window
    seen = scipy.fft.rfft(centred, axis=-1)[..., : len(hz)].astype(np.complex128)
    return hz, seen.real**2 + seen.imag**2


@functools.lru_cache(maxsize=16)
def _hann(samples: int, rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The frequencies that `_spectrum` gives, and the window that makes uV^2 of mV."""
    window = np.hanning(samples + 2)[1:-1]
    hz = np.arange(samples // 2 + 1) * rate_hz / samples
    scale = 1000 * np.sqrt(2 / (samples * (window**2).sum()))
    return hz[: np.searchsorted(hz, NOISE_HZ[1])], (scale * window).astype(np.float32)


def _within(hz: NDArray, power: NDArray, band_hz: tuple[float, float]) -> NDArray[np.float64]:
    """Power [..., frequency] -> [...] within a band."""
    first, last = hz.searchsorted(band_hz)
    return power[..., first:last].sum(axis=-1)


def _peak(hz: NDArray, power: NDArray, band_hz: tuple[float, float]) -> tuple[float, float]:
    """Where in a band the power is largest, and the share of the whole that lies within 0.4 Hz of
    it; 0 Hz where there is none."""
    first, last = hz.searchsorted(band_hz)
    inside = power[first:last]
    peak_hz = float(hz[first + inside.argmax()]) if inside.any() else 0.0
    near = _within(hz, power, (peak_hz - 0.4, peak_hz + 0.4))
    return peak_hz, float(near / max(_within(hz, power, WHOLE_HZ), 1e-9))
