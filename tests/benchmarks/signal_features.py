"""What `ecgpipe.features` does not measure of a recording and a simulator may miss: spectra by
band, noise between T and P, drift, the converter's step, how exactly the limb leads obey
Einthoven and Goldberger, how like its beats are, and how much of it no dipole explains.
"""

import itertools

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from ecgpipe.preprocessing.bandpass import condition
from ecgpipe.preprocessing.r_peaks import r_peaks
from ecgpipe.project.leads import LEADS

BANDS_HZ = (
    (0.25, 0.6),
    (0.6, 2),
    (2, 5),
    (5, 10),
    (10, 20),
    (20, 40),
    (40, 48),
    (48, 52),
    (52, 58),
    (58, 62),
    (62, 100),
    (100, 150),
    (150, 200),
)
FINE_HZ = 500.0
INDEPENDENT = [LEADS.index(name) for name in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]
GROUPS = {"limb": [0, 1], "chest": [2, 3, 4, 5, 6, 7]}  # places in INDEPENDENT
DEVICE = (
    "drift, uV",
    "offset, uV",
    "step, uV",
    "equal to the sample before, share",
    "Einthoven's law, uV",
    "Goldberger's law, uV",
)
_LEAST_UV2 = 1e-4  # of a band's power: a device's filter may leave nothing
_QRS_S = (-0.06, 0.06)
_T_S = (0.14, 0.36)
_BEAT_S = (-0.25, 0.45)


def measure(signal_mv: NDArray, rate_hz: float) -> dict[str, float]:
    """All of them, by name with unit, of a raw recording [time, 12]; NaN where it does not show
    one."""
    fine_mv = condition(
        signal_mv, rate_hz, to_rate_hz=FINE_HZ, low_hz=0.5, high_hz=40.0, order=2
    )  # [time, 12]
    peaks_s = r_peaks(fine_mv, FINE_HZ) / FINE_HZ
    return {
        **spectra(signal_mv[:, INDEPENDENT], rate_hz),
        **between_t_and_p(signal_mv[:, INDEPENDENT], rate_hz, peaks_s),
        **of_the_device(signal_mv, rate_hz),
        **of_the_beats(fine_mv[:, INDEPENDENT], peaks_s),
    }


def is_of_file(name: str) -> bool:
    """Whether conditioning to 0.5-40 Hz takes away what a feature tells."""
    if name.endswith(" Hz, dB"):
        low_hz, high_hz = map(float, name.split()[1].split("-"))
        return low_hz < 0.5 or high_hz > 40
    return name in DEVICE


def spectra(signal_mv: NDArray, rate_hz: float) -> dict[str, float]:
    """The power in each band of [time, 8], in dB of a square microvolt (Welch 1967,
    doi:10.1109/TAU.1967.1161901, segments of 4 s), the median of the limb and of the chest leads;
    NaN beyond half the rate."""
    length = min(len(signal_mv), round(4 * rate_hz))
    hz, density = scipy.signal.welch(1000 * signal_mv, rate_hz, nperseg=length, axis=0)
    values = {}
    for low_hz, high_hz in BANDS_HZ:
        inside = (hz >= low_hz) & (hz < high_hz)
        power_uv2 = density[inside].sum(axis=0) * (hz[1] - hz[0])  # [8]
        power_db = 10 * np.log10(power_uv2 + _LEAST_UV2)
        if high_hz > rate_hz / 2 or not inside.any():
            power_db = np.full(signal_mv.shape[1], np.nan)
        for name, places in GROUPS.items():
            values[f"{name} {low_hz:g}-{high_hz:g} Hz, dB"] = float(np.median(power_db[places]))
    return values


def between_t_and_p(signal_mv: NDArray, rate_hz: float, peaks_s: NDArray) -> dict[str, float]:
    """The root mean square, in microvolts, of [time, 8] without its line from the end of T to the
    begin of P, the median over the beats that leave 60 ms there and over the leads; and that of
    the differences between neighbouring samples of it, taken at 500 Hz at most.

    T is taken to be over at .5 of the root of RR in seconds after R (a choice of ours, after
    Bazett), P to begin 260 ms before the next R.
    """
    step = max(1, round(rate_hz / FINE_HZ))
    levels, steps = [], []
    for peak_s, following_s in itertools.pairwise(peaks_s):
        first_s = peak_s + 0.02 + 0.5 * np.sqrt(following_s - peak_s)
        first, last = round(first_s * rate_hz), round((following_s - 0.26) * rate_hz)
        if last - first >= 0.06 * rate_hz:
            part_uv = 1000 * scipy.signal.detrend(signal_mv[first:last], axis=0)
            levels.append(part_uv.std(axis=0))
            steps.append(np.diff(part_uv[::step], axis=0).std(axis=0))
    if not levels:
        return {"TP noise, uV": np.nan, "TP noise of steps, uV": np.nan}
    return {
        "TP noise, uV": float(np.median(levels)),
        "TP noise of steps, uV": float(np.median(steps)),
    }


def of_the_device(signal_mv: NDArray, rate_hz: float) -> dict[str, float]:
    """Of [time, 12]: drift below 0.5 Hz, offset, the converter's step, samples equal to the one
    before, and how far III and aVR are from what I and II make of them, all in microvolts."""
    signal_uv = 1000 * signal_mv.astype(np.float64)
    low = scipy.signal.butter(2, 0.5, fs=rate_hz, output="sos")
    drift_uv = scipy.signal.sosfiltfilt(low, signal_uv - np.median(signal_uv, axis=0), axis=0)
    changes_uv = np.abs(np.diff(signal_uv, axis=0))
    moving = changes_uv[changes_uv > 0.01]
    one, two, three, right = (signal_uv[:, LEADS.index(name)] for name in ("I", "II", "III", "aVR"))
    values = (
        np.median(drift_uv.std(axis=0)),
        np.median(np.abs(np.median(signal_uv, axis=0))),
        np.percentile(moving, 1) if len(moving) else np.nan,
        (changes_uv <= 0.01).mean(),
        np.std(three - (two - one)),
        np.std(right + (one + two) / 2),
    )
    return dict(zip(DEVICE, map(float, values), strict=True))


def of_the_beats(fine_mv: NDArray, peaks_s: NDArray) -> dict[str, float]:
    """Of [time, 8] at FINE_HZ, conditioned: how far its beats are from their median in QRS and in
    T, as a share of that; the spread of the QRS' size; and which share of the median beat's power
    three components leave (a dipole that turns leaves none)."""
    names = (
        "beats unlike their median in QRS, share",
        "beats unlike their median in T, share",
        "spread of QRS sizes, share",
        "not of a dipole, QRS, dB",
        "not of a dipole, T, dB",
        "steepest QRS slope, mV/s",
    )
    first, last = (round(edge_s * FINE_HZ) for edge_s in _BEAT_S)
    places = np.round(peaks_s * FINE_HZ).astype(int)
    places = places[(places + first >= 0) & (places + last < len(fine_mv))]
    if len(places) < 3:
        return dict.fromkeys(names, np.nan)
    windows_mv = fine_mv[places[:, None] + np.arange(first, last)]  # [beat, time, 8]
    median_mv = np.median(windows_mv, axis=0)

    def part(edges_s: tuple[float, float]) -> slice:
        return slice(*(round(edge_s * FINE_HZ) - first for edge_s in edges_s))

    qrs, t = part(_QRS_S), part(_T_S)
    sizes = np.sqrt((windows_mv[:, qrs] ** 2).sum(axis=(1, 2)))
    slope_mv_s = np.abs(np.diff(median_mv[qrs], axis=0)).max(axis=0) * FINE_HZ
    return dict(
        zip(
            names,
            (
                _unlike(windows_mv[:, qrs]),
                _unlike(windows_mv[:, t]),
                float(sizes.std() / sizes.mean()),
                _left_by_three(median_mv[qrs]),
                _left_by_three(median_mv[t]),
                float(np.median(slope_mv_s)),
            ),
            strict=True,
        )
    )


def _unlike(windows_mv: NDArray) -> float:
    """The median over beats of [beat, time, lead] of what differs from their median, in root mean
    square, as a share of it; the level of each beat is taken out."""
    centred = windows_mv - windows_mv.mean(axis=1, keepdims=True)
    usual = np.median(centred, axis=0)
    away = np.sqrt(((centred - usual) ** 2).mean(axis=(1, 2)))
    return float(np.median(away) / np.sqrt((usual**2).mean() + 1e-12))


def _left_by_three(part_mv: NDArray) -> float:
    """dB of the power of [time, lead] beyond its three largest components, of all."""
    power = np.linalg.svd(part_mv - part_mv.mean(axis=0), compute_uv=False) ** 2
    return float(10 * np.log10(power[3:].sum() / power.sum() + 1e-9))
