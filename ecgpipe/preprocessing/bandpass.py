"""Conditioning: every recording to one rate and one band, once, for all twelve leads in one FFT; and its R-peaks.

Filter and resampling are one pass: pad both ends, real FFT, multiply by a zero-phase response, cut or extend the
spectrum to the new rate, inverse FFT. The response is the squared magnitude of a Butterworth band-pass, as a
forward-backward Butterworth filter has it (S. Butterworth, "On the theory of filter amplifiers", 1930;
scipy.signal.sosfiltfilt is its oracle in the tests).
"""

import contextlib
import functools
import importlib
import itertools
import logging
import math
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import scipy.fft
from pydantic import Field, model_validator
from scipy.signal import butter, lfilter, lfilter_zi
from sleepecg.heartbeats import _squared_moving_integration, _thresholding

from ecgpipe.project import leads
from ecgpipe.project.params import Section
from ecgpipe.recordings import refusal_limit, refusals, safe_files, sources
from ecgpipe.recordings.recording import read
from ecgpipe.signals import store
from ecgpipe.simulation.workers import warn

_log = logging.getLogger(__name__)
PAD_S = 2.0
# The signal is padded to whole steps of this many samples at most: an odd rate such as 333.333 Hz must not cost more
# memory than its recording does. The rate is then off by less than 1 part in 65,536, and 0.2 samples in 10,000.
_MOST_STEP = 1 << 16
_CHUNK = 16
_FEW = 256


class Params(Section):
    """`preprocess` in params.yaml."""

    rate_hz: float = Field(ge=100, le=1000)
    low_hz: float = Field(ge=0)
    high_hz: float = Field(gt=0)
    order: int = Field(ge=1, le=8)
    min_duration_s: float = Field(ge=1)
    max_refused: refusal_limit.Share

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
    """Band-pass and resample [time, lead] from `rate_hz` to `to_rate_hz`; same unit, float32, each lead in one piece.

    Sample j of the result stands at time j / to_rate_hz, the first samples coincide, and the length is
    round(samples * to_rate_hz / rate_hz). Where the recording's own rate is too low for `high_hz`, its spectrum is
    extended by zeros: nothing is invented.
    """
    plan = _plan(len(signal), rate_hz, to_rate_hz, low_hz, high_hz, order)
    # Mirrored, not turned about the last sample, which would add an offset of twice an R-peak at the end.
    padded = _mirrored(signal, plan.before, plan.after)
    spectrum = scipy.fft.rfft(padded, axis=0)[: len(plan.gain)]
    spectrum *= plan.gain[:, None]
    return scipy.fft.irfft(spectrum, plan.total_out, axis=0)[plan.kept]


def _mirrored(signal: np.ndarray, before: int, after: int) -> np.ndarray:
    """[time, lead] with so many samples mirrored at either end; float32, each lead in one piece."""
    samples = len(signal)
    if max(before, after) >= samples:  # mirrored more than once
        return np.asfortranarray(np.pad(signal, ((before, after), (0, 0)), "reflect"), dtype=np.float32)
    padded = np.empty((before + samples + after, signal.shape[1]), dtype=np.float32, order="F")
    padded[before : before + samples] = signal
    padded[:before] = signal[before:0:-1]
    padded[before + samples :] = signal[::-1][1 : after + 1]
    return padded


class _Plan(NamedTuple):
    """What conditioning needs besides the signal: samples to mirror at both ends, the gain of each frequency kept
    (float32), the length of the inverse transform, and which part of it is the recording."""

    before: int
    after: int
    gain: np.ndarray
    total_out: int
    kept: slice


@functools.lru_cache(maxsize=32)
def _plan(samples: int, rate_hz: float, to_rate_hz: float, low_hz: float, high_hz: float, order: int) -> _Plan:
    """The plan of a length and a rate, which most recordings of a source share."""
    ratio = Fraction(to_rate_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)
    ratio = ratio.limit_denominator(_MOST_STEP)
    step_in, step_out = ratio.denominator, ratio.numerator
    # Padding in whole steps keeps both sampling grids aligned with the start of the recording.
    before = -int(-PAD_S * rate_hz // step_in)
    steps = scipy.fft.next_fast_len(before + -(-(samples + int(PAD_S * rate_hz)) // step_in), real=True)
    head, total_in, total_out = before * step_in, steps * step_in, steps * step_out
    frequencies_hz = np.arange(min(total_in, total_out) // 2 + 1) * (rate_hz / total_in)
    gain = response(frequencies_hz, low_hz, high_hz, order) * (total_out / total_in)
    kept = slice(before * step_out, before * step_out + max(1, round(samples * ratio)))
    return _Plan(head, total_in - head - samples, gain.astype(np.float32), total_out, kept)


def r_peaks(signal_mv: np.ndarray, rate_hz: float) -> np.ndarray:
    """The R-peaks of a conditioned recording [time, 12], in samples, by sleepecg's detector (a compiled
    Pan-Tompkins after Behar et al. 2014; F. Hofmann et al., doi:10.21105/joss.05411) on lead II, or where that is
    flat on the lead with the largest range. Each is moved to the lead's largest deflection within 60 ms. Empty where
    the recording has none."""
    trace = signal_mv[:, leads.LEADS.index("II")].astype(np.float64)
    if np.ptp(trace) < 0.05:
        trace = signal_mv[:, int(np.ptp(signal_mv, axis=0).argmax())].astype(np.float64)
    # The detector drops an equal start, then learns from 2 s, and writes beyond its memory where these lack.
    begin = max(0, int((trace != trace[0]).argmax()) - 1)
    rest = trace[begin:]
    if len(rest) < 2 * rate_hz or np.ptp(rest[1:]) < 0.05:
        return np.zeros(0, dtype=np.int32)
    padded = np.append(rest, np.full(math.ceil(2 * rate_hz) + 1, rest[-1]))
    found = _heartbeats(padded, rate_hz)
    found = found[found < len(rest)] + begin
    reach = round(0.06 * rate_hz)
    around = (found[:, None] + np.arange(-reach, reach + 1)).clip(0, len(trace) - 1)
    moved = around[np.arange(len(found)), np.abs(trace[around]).argmax(axis=1)]
    return np.unique(moved).astype(np.int32)


def _heartbeats(trace: np.ndarray, rate_hz: float) -> np.ndarray:
    """What `sleepecg.detect_heartbeats` finds, from the same compiled steps in a third of the time: its filter
    (scipy's sosfiltfilt, here run as one difference equation) works out its state at rest anew for every recording."""
    numerator, denominator, state, width = _detector(rate_hz)
    edge = 3 * len(numerator)
    head, tail = 2 * trace[0] - trace[edge:0:-1], 2 * trace[-1] - trace[-2 : -edge - 2 : -1]
    once = np.concatenate([head, trace, tail])
    for _ in range(2):
        once = lfilter(numerator, denominator, once, zi=state * once[0])[0][::-1]
    filtered = np.ascontiguousarray(once[edge:-edge])
    slope = np.correlate(filtered, np.array([-1, -2, 0, 2, 1]), mode="same")
    return np.flatnonzero(_thresholding(filtered, _squared_moving_integration(slope, width), rate_hz))


@functools.lru_cache(maxsize=8)
def _detector(rate_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Of sleepecg's detector: numerator and denominator of its 5-30 Hz filter, its state at rest, its window."""
    numerator, denominator = butter(2, (5, 30), "bandpass", fs=rate_hz)
    return numerator, denominator, lfilter_zi(numerator, denominator), int(0.15 * rate_hz)


def settings(params: Params) -> dict[str, Any]:
    """What a store and a checkpoint say of their conditioning; keyword arguments of `condition`."""
    return {"to_rate_hz": params.rate_hz, "low_hz": params.low_hz, "high_hz": params.high_hz, "order": params.order}


def condition_file(path: Path, source: sources.Source, params: Params, root: Path | None = None) -> tuple:
    """One recording file of a source in `root`: ('ok', int16 signal, R-peaks, flags, digest), or ('refused', reason,
    message)."""
    try:
        recording = read(path, source, root)
    except refusals.Refused as refusal:
        return "refused", refusal.reason, safe_files.shown(str(refusal))
    duration_s = len(recording.signal_mv) / recording.rate_hz
    if duration_s < params.min_duration_s:
        return (
            "refused",
            "short",
            f"{path}: {duration_s:.2f} s is below preprocess.min_duration_s {params.min_duration_s}",
        )
    signal_mv = condition(recording.signal_mv, recording.rate_hz, **settings(params))
    peaks = r_peaks(signal_mv, params.rate_hz)
    digest = store.raw_digest(recording.signal_mv, recording.rate_hz)
    return "ok", store.to_microvolts(signal_mv), peaks, recording.faults, digest


def _condition_files(where: str, paths: list[Path], source: sources.Source, params: Params, root: Path) -> list[tuple]:
    os.chdir(where)  # a worker that is used again may stand elsewhere; it stays here, as its other threads need it too
    return [condition_file(path, source, params, root) for path in paths]


@contextlib.contextmanager
def _cluster(backend: str, workers: int) -> Iterator[None]:
    """What a joblib backend needs while it works. For dask a client: of the scheduler whose address the environment
    variable DASK_SCHEDULER_ADDRESS gives (its workers see the project under the same path), else of `workers` processes
    on this machine. ValueError where dask is not installed."""
    if backend != "dask":
        yield
        return
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise ValueError(
            "compute.backend: dask needs the package distributed (its version stands in requirements-dev.txt); "
            "install it or choose loky"
        ) from error
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    local = {"n_workers": joblib.cpu_count() if workers < 1 else workers, "threads_per_worker": 1}
    with distributed.Client(address) if address else distributed.Client(**local, dashboard_address="127.0.0.1:0"):
        yield


def condition_source(
    paths: list[Path], source: sources.Source, params: Params, *, workers: int, backend: str, root: Path
) -> Iterator[tuple]:
    """`condition_file` of every path, in order, on `workers` processes of a joblib backend (-1: all cores).

    Results come as they are ready and are few at a time, so memory does not grow with the source. A few recordings are
    conditioned here: processes of this machine would start for longer than that takes. Where such a process dies, what
    it may have been at is done again one by one, and the recording at which it dies again is refused.
    """
    workers = 1 if backend == "loky" and len(paths) <= _FEW else workers
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    where = str(Path.cwd())
    done = 0
    with _cluster(backend, workers):
        with joblib.parallel_config(backend, n_jobs=workers):  # by this way alone joblib finds dask
            parallel = joblib.Parallel(return_as="generator", pre_dispatch="2*n_jobs")
        while done < len(chunks):
            jobs = (joblib.delayed(_condition_files)(where, chunk, source, params, root) for chunk in chunks[done:])
            try:
                for results in parallel(jobs):
                    done += 1
                    yield from results
            except BrokenProcessPool:  # all that was under way is lost with it: what died is among the next
                suspects = chunks[done : done + 2 * joblib.effective_n_jobs(workers) + 1]
                done += len(suspects)
                warn(again := list(itertools.chain(*suspects)))
                yield from _one_by_one(where, again, source, params, root)


def _one_by_one(where: str, paths: list[Path], source: sources.Source, params: Params, root: Path) -> Iterator[tuple]:
    """`condition_file` of every path in a process beside this one: a recording at which that dies is refused, named
    'crashed'."""
    pool = None
    for path in paths:
        pool = pool or ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            yield pool.submit(_condition_files, where, [path], source, params, root).result()[0]
        except BrokenProcessPool:
            pool = None
            _log.warning("%s: the process that conditioned it died; it is left out", path)
            yield "refused", "crashed", f"{path}: the process that conditioned it died; leave it out, and report it"
    if pool is not None:
        pool.shutdown()


def build_store(
    folder: Path, raw: Path, source: sources.Source, params: Params, *, workers: int, backend: str, progress: Any
) -> dict[str, Any]:
    """Conditions every recording of `source` under `raw` into a new store `folder`; the report. `progress` wraps an
    iterable (tqdm). ValueError where more than `params.max_refused` of them are refused."""
    found = sources.find(raw, source)
    doubled = sources.duplicates(found)
    results = condition_source([path for _, path in found], source, params, workers=workers, backend=backend, root=raw)
    with store.Writer(folder, params.rate_hz, settings(params)) as writer:
        for (record, path), (verdict, *rest) in zip(found, progress(results, total=len(found)), strict=True):
            where = safe_files.shown(path.relative_to(raw).as_posix())
            if record in doubled:
                rule = f"record '{record}' stands more than once below {raw}; rename or remove one"
                writer.refuse(record, where, "duplicate-record", rule)
            elif verdict == "ok":
                writer.append(record, *rest)
            else:
                writer.refuse(record, where, *rest)
        report = writer.close()
    assert report["recordings"] == report["stored"] + sum(report["refused"].values()), report
    refusal_limit.few(report["refused"], report["recordings"], params.max_refused, raw)
    return report
