"""Conditioning: every recording to one rate and one band, once, for all twelve leads in one FFT; and its R-peaks.

Filter and resampling are one pass: pad both ends, real FFT, multiply by a zero-phase response, cut or extend the
spectrum to the new rate, inverse FFT. The response is the squared magnitude of a Butterworth band-pass, as a
forward-backward Butterworth filter has it (S. Butterworth, "On the theory of filter amplifiers", 1930;
scipy.signal.sosfiltfilt is its oracle in the tests).
"""

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import scipy.fft
import sleepecg
from pydantic import Field, model_validator

from ecgpipe import leads, records, signals
from ecgpipe.params import Section

PAD_S = 2.0
_CHUNK = 16


class Params(Section):
    """`preprocess` in params.yaml."""

    rate_hz: float = Field(ge=100, le=1000)
    low_hz: float = Field(ge=0)
    high_hz: float = Field(gt=0)
    order: int = Field(ge=1, le=8)
    min_duration_s: float = Field(ge=1)

    @model_validator(mode="after")
    def _band(self) -> "Params":
        if not self.low_hz < self.high_hz < self.rate_hz / 2:
            raise ValueError(f"low_hz < high_hz < rate_hz / 2 must hold: {self.low_hz}, {self.high_hz}, {self.rate_hz}")
        return self


def response(frequencies_hz: np.ndarray, low_hz: float, high_hz: float, order: int) -> np.ndarray:
    """|H(f)|^2 of a Butterworth high-pass at `low_hz` (0: none) and low-pass at `high_hz`, each -6 dB at its corner.

    >>> response(np.array([0.0, 0.5, 40.0]), 0.5, 40.0, 2).round(3).tolist()
    [0.0, 0.5, 0.5]
    """
    gain = 1.0 / (1.0 + (frequencies_hz / high_hz) ** (2 * order))
    if low_hz > 0:
        rise = (frequencies_hz / low_hz) ** (2 * order)
        gain = gain * rise / (1.0 + rise)
    return gain


def condition(
    signal: np.ndarray, rate_hz: float, *, to_rate_hz: float, low_hz: float, high_hz: float, order: int
) -> np.ndarray:
    """Band-pass and resample [time, lead] from `rate_hz` to `to_rate_hz`; same unit, float32.

    Sample j of the result stands at time j / to_rate_hz, the first samples coincide, and the length is
    round(samples * to_rate_hz / rate_hz). Where the recording's own rate is too low for `high_hz`, its spectrum is
    extended by zeros: nothing is invented.
    """
    ratio = Fraction(to_rate_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)
    samples, step_in, step_out = len(signal), ratio.denominator, ratio.numerator
    # Padding in whole steps keeps both sampling grids aligned with the start of the recording.
    before = -int(-PAD_S * rate_hz // step_in)
    steps = scipy.fft.next_fast_len(before + -(-(samples + int(PAD_S * rate_hz)) // step_in), real=True)
    head, total_in, total_out = before * step_in, steps * step_in, steps * step_out
    # Mirrored, not turned about the last sample, which would add an offset of twice an R-peak at the end.
    padded = np.pad(signal.astype(np.float32, copy=False), ((head, total_in - head - samples), (0, 0)), "reflect")
    spectrum = scipy.fft.rfft(padded, axis=0)
    kept = min(total_in, total_out) // 2 + 1
    frequencies_hz = np.arange(kept) * (rate_hz / total_in)
    gain = response(frequencies_hz, low_hz, high_hz, order) * (total_out / total_in)
    spectrum = spectrum[:kept] * gain[:, None].astype(np.float32)
    start = before * step_out
    out = scipy.fft.irfft(spectrum, total_out, axis=0)[start : start + max(1, round(samples * ratio))]
    return np.ascontiguousarray(out, dtype=np.float32)


def r_peaks(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """The R-peaks of a conditioned recording [time, 12], in samples, by sleepecg's detector (a compiled
    Pan-Tompkins after Behar et al. 2014; F. Hofmann et al., doi:10.21105/joss.05411) on lead II, or where that is
    flat on the lead with the largest range. Each is moved to the lead's largest deflection within 60 ms. Empty where
    the recording has none."""
    lead = leads.LEADS.index("II")
    if np.ptp(signal_mv[:, lead]) < 0.05:
        lead = int(np.ptp(signal_mv, axis=0).argmax())
    trace = signal_mv[:, lead].astype(np.float64)
    if np.ptp(trace) < 0.05 or len(trace) < 2 * rate_hz:
        return np.zeros(0, dtype=np.int32)
    # The detector drops an equal start, then learns from 2 s, and writes beyond its memory where these lack.
    moving = np.flatnonzero(trace != trace[0])
    begin = int(moving[0]) - 1
    rest = trace[begin:]
    if len(rest) < 2 * rate_hz or np.ptp(rest[1:]) < 0.05:
        return np.zeros(0, dtype=np.int32)
    padded = np.pad(rest, (0, math.ceil(2 * rate_hz) + 1), "edge")
    found = np.asarray(sleepecg.detect_heartbeats(padded, rate_hz), dtype=np.int64)
    found = found[found < len(rest)] + begin
    reach = round(0.06 * rate_hz)
    around = np.clip(found[:, None] + np.arange(-reach, reach + 1), 0, len(trace) - 1)
    moved = np.take_along_axis(around, np.abs(trace[around]).argmax(axis=1, keepdims=True), axis=1)[:, 0]
    return np.unique(moved).astype(np.int32)


def settings(params: Params) -> dict[str, Any]:
    """What a store and a checkpoint say of their conditioning; keyword arguments of `condition`."""
    return {"to_rate_hz": params.rate_hz, "low_hz": params.low_hz, "high_hz": params.high_hz, "order": params.order}


def condition_file(path: Path, source: records.Source, params: Params) -> tuple:
    """One recording file: ('ok', int16 signal, R-peaks, flags, raw digest) or ('refused', reason, message)."""
    try:
        recording = records.read(path, source)
    except records.Refused as refusal:
        return "refused", refusal.reason, str(refusal)
    duration_s = len(recording.signal_mv) / recording.rate_hz
    if duration_s < params.min_duration_s:
        return (
            "refused",
            "short",
            f"{path}: {duration_s:.2f} s is below preprocess.min_duration_s {params.min_duration_s}",
        )
    signal_mv = condition(recording.signal_mv, recording.rate_hz, **settings(params))
    peaks = r_peaks(signal_mv, params.rate_hz)
    digest = signals.raw_digest(recording.signal_mv, recording.rate_hz)
    return "ok", signals.to_microvolts(signal_mv), peaks, recording.faults, digest


def _condition_files(where: str, paths: list[Path], source: records.Source, params: Params) -> list[tuple]:
    with contextlib.chdir(where):  # a worker that is used again may stand elsewhere
        return [condition_file(path, source, params) for path in paths]


def condition_source(
    paths: list[Path], source: records.Source, params: Params, *, workers: int, backend: str
) -> Iterator[tuple]:
    """`condition_file` of every path, in order, on `workers` processes of a joblib backend (-1: all cores).

    Results come as they are ready and are few at a time, so memory does not grow with the source.
    """
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    parallel = joblib.Parallel(n_jobs=workers, backend=backend, return_as="generator", pre_dispatch="2*n_jobs")
    where = str(Path.cwd())
    for results in parallel(joblib.delayed(_condition_files)(where, chunk, source, params) for chunk in chunks):
        yield from results


def build_store(
    folder: Path, raw: Path, source: records.Source, params: Params, *, workers: int, backend: str, progress: Any
) -> dict[str, Any]:
    """Conditions every recording of `source` under `raw` into a new store `folder`; the report. `progress` wraps an
    iterable (tqdm)."""
    found = records.find(raw, source)
    doubled = records.duplicates(found)
    writer = signals.Writer(folder, params.rate_hz, settings(params))
    results = condition_source([path for _, path in found], source, params, workers=workers, backend=backend)
    for (record, path), (verdict, *rest) in zip(found, progress(results, total=len(found)), strict=True):
        if record in doubled:
            rule = f"record '{record}' stands more than once below {raw}; rename or remove one"
            writer.refuse(record, path.relative_to(raw).as_posix(), "duplicate-record", rule)
        elif verdict == "ok":
            writer.append(record, *rest)
        else:
            writer.refuse(record, path.relative_to(raw).as_posix(), *rest)
    return writer.close()
