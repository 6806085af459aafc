"""Between the ventricles' waves: whether each beat has the same P, how much the atria fibrillate or
flutter, and the noise.

The QRS and T of the median beat are taken out of every beat (average beat subtraction, J. Slocum et
al. 1992, doi:10.1016/0022-0736(92)90123-H; M. Stridh and L. Sornmo 2001, doi:10.1109/10.900266); of
what is left, fibrillation waves have 4 to 9 Hz (A. Bollmann et al. 2006,
doi:10.1093/europace/eul113).
"""

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
    with_p_mv = _rest(beats, marks, (marks.qrs[0], marks.t[1]))  # [time, 2]
    rest_mv = _rest(beats, marks, (marks.p_window[0], marks.t[1]))
    hz, power = _spectrum(rest_mv, beats.rate_hz)  # uV^2 [frequency, 2]
    f_power, whole = _within(hz, power, F_HZ), _within(hz, power, WHOLE_HZ)
    together = power.sum(axis=1)
    f_peak_hz, f_sharpness = _peak(hz, together, F_HZ)
    _, atrial = _spectrum(with_p_mv, beats.rate_hz)
    atrial = atrial.sum(axis=1)
    _, flutter_sharpness = _peak(hz, atrial, FLUTTER_HZ)
    flutter = _within(hz, atrial, FLUTTER_HZ) / max(_within(hz, atrial, WHOLE_HZ), 1e-9)
    return {
        **_p(beats, marks),
        **{f"f_{lead}_uv": float(np.sqrt(f_power[n])) for n, lead in enumerate(SEEN)},
        **{
            f"f_share_{lead}": float(f_power[n] / max(whole[n], 1e-9))
            for n, lead in enumerate(SEEN)
        },
        "f_peak_hz": f_peak_hz,
        "f_sharpness": f_sharpness,
        "flutter_share": float(flutter),
        "flutter_sharpness": flutter_sharpness,
        "drift_uv": float(np.sqrt(_within(hz, together, DRIFT_HZ))),
        "noise_uv": float(np.sqrt(_within(hz, together, NOISE_HZ))),
    }


def _p(beats: Beats, marks: Marks) -> dict[str, float]:
    """How alike the beats are where P is, and how large P is beside what else is there."""
    first, last = marks.p_window
    first = max(first, marks.p[0] - beats.samples(0.03))
    last = min(last, marks.p[2] + beats.samples(0.03))
    windows_mv = without_line(beats.windows_mv[beats.is_usual][:, first:last].astype(np.float64))
    usual_mv = without_line(beats.median_mv[first:last].astype(np.float64))
    size = np.linalg.norm(windows_mv, axis=(1, 2))
    whole = float(np.linalg.norm(usual_mv))
    alike = (windows_mv * usual_mv).sum(axis=(1, 2)) / np.maximum(size * whole, 1e-9)
    away = np.linalg.norm(windows_mv - usual_mv, axis=(1, 2))
    return {
        "p_likeness": float(np.median(alike)),
        "p_share_of_rest": float(whole / max(np.median(away) + whole, 1e-9)),
    }


def without_line(part_mv: NDArray) -> NDArray[np.float64]:
    """[..., time, lead] without the line from the first to the last sample."""
    share = np.linspace(0, 1, part_mv.shape[-2])[:, None]
    return part_mv - (1 - share) * part_mv[..., :1, :] - share * part_mv[..., -1:, :]


def _rest(beats: Beats, marks: Marks, part: tuple[int, int]) -> NDArray[np.float64]:
    """[time, `SEEN`] in mV: without the median beat from sample to sample of `part`, and level
    across the QRS of beats of another shape."""
    places = [LEADS.index(lead) for lead in SEEN]
    rest_mv = beats.signal_mv[:, places].astype(np.float64)
    first = max(part[0], 0)
    taper = beats.samples(_TAPER_S)
    beat_mv = (beats.median_mv - marks.level_mv)[first : part[1] + taper, places]
    edge = 0.5 - 0.5 * np.cos(np.pi * (np.arange(taper) + 0.5) / taper)
    weight = np.ones(len(beat_mv))
    weight[-taper:] = edge[::-1]
    weight[:taper] = np.minimum(weight[:taper], edge)
    beat_mv = beat_mv * weight[:, None]
    for peak, is_usual in zip(beats.peaks - beats.centre, beats.is_usual, strict=True):
        if is_usual:  # `peak` is where its window would begin
            shown = rest_mv[max(peak + first, 0) : max(peak + first + len(beat_mv), 0)]
            skipped = max(-peak - first, 0)
            shown -= beat_mv[skipped : skipped + len(shown)]
        else:
            begin, end = 2 * marks.qrs[0] - marks.qrs[1], 2 * marks.qrs[1] - marks.qrs[0]
            _level(rest_mv, max(peak + begin, 0), min(peak + end, len(rest_mv) - 1))
    return rest_mv


def _level(rest_mv: NDArray, first: int, last: int) -> None:
    """Draws a line from sample `first` to sample `last`, where there is one between them."""
    if last <= first:
        return
    rest_mv[first : last + 1] = np.linspace(rest_mv[first], rest_mv[last], last - first + 1)


def _spectrum(rest_mv: NDArray, rate_hz: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies in Hz, and power in uV^2 [frequency, lead] whose sum is the mean square, of the
    signal under a Hann window."""
    samples = len(rest_mv)
    window = np.hanning(samples + 2)[1:-1, None]
    centred = 1000 * (rest_mv - rest_mv.mean(axis=0)) * window
    power = np.abs(scipy.fft.rfft(centred, axis=0)) ** 2 * 2 / (samples * (window**2).sum())
    return np.arange(len(power)) * rate_hz / samples, power


def _within(hz: NDArray, power: NDArray, band_hz: tuple[float, float]) -> NDArray | float:
    """Power within a band."""
    return power[(hz >= band_hz[0]) & (hz < band_hz[1])].sum(axis=0)


def _peak(hz: NDArray, power: NDArray, band_hz: tuple[float, float]) -> tuple[float, float]:
    """Where in a band the power is largest, and the share of the whole that lies within 0.4 Hz of
    it."""
    inside = np.where((hz >= band_hz[0]) & (hz < band_hz[1]), power, 0)
    peak_hz = float(hz[inside.argmax()])
    near = _within(hz, power, (peak_hz - 0.4, peak_hz + 0.4))
    return peak_hz, float(near / max(_within(hz, power, WHOLE_HZ), 1e-9))
