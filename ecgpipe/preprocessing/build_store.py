"""A source's raw recordings, conditioned in parallel, to its signal store."""

import contextlib
import importlib
import itertools
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from ecgpipe.features import measure
from ecgpipe.preprocessing import source_doubts, store_writer
from ecgpipe.preprocessing.bandpass import condition, filter_arguments
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.preprocessing.r_peaks import r_peaks
from ecgpipe.project import memory
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import (
    quality,
    refusal_limit,
    refusals,
    safe_files,
    source_files,
    sources,
)
from ecgpipe.recordings.recording import read

_LOG = logging.getLogger(__name__)
_CHUNK = 16  # recordings that a worker is given at once
_FEW = 256  # recordings for which no worker is started
_MOST_NAMED = 200  # recordings that a message names


def condition_file(
    path: Path, source: sources.Source, params: PreprocessParams, root: Path | None = None
) -> tuple:
    """One recording file of a source in `root`: ('ok', int16 signal, R-peaks, flags, digest,
    features, what `source_doubts.measure` says), or ('refused', reason, message)."""
    try:
        recording = read(path, source, root)
    except refusals.Refused as refusal:
        return "refused", refusal.reason, safe_files.shown(str(refusal))
    duration_s = len(recording.signal_mv) / recording.rate_hz
    if duration_s < params.min_duration_s:
        least = f"preprocess.min_duration_s {params.min_duration_s}"
        return "refused", "short", f"{path}: {duration_s:.2f} s is below {least}"
    signal_mv = condition(recording.signal_mv, recording.rate_hz, **filter_arguments(params))
    if max(signal_mv.max(), -signal_mv.min()) > quality.HOLDS_MV:
        rule = f"conditioned, it goes beyond {quality.HOLDS_MV} mV, which the store cannot hold"
        return "refused", "range", f"{safe_files.shown(path)}: {rule}; cut the artefact out"
    peaks = r_peaks(signal_mv, params.rate_hz)
    digest = store_writer.raw_digest(recording.signal_mv, recording.rate_hz)
    signal_uv = store_writer.to_microvolts(signal_mv)
    features = measure.measure(np.float32(signal_uv) / 1000, params.rate_hz, peaks)
    doubts = source_doubts.measure(recording)
    return "ok", signal_uv, peaks, recording.faults, digest, features, doubts


def _condition_files(
    where: str, paths: list[Path], source: sources.Source, params: PreprocessParams, root: Path
) -> list[tuple]:
    """`condition_file` of some paths, which are relative to the folder `where`."""
    memory.keep_freed()
    # A worker that is used again may stand elsewhere; it stays here, as its other threads need it
    # too.
    os.chdir(where)
    return [condition_file(path, source, params, root) for path in paths]


@contextlib.contextmanager
def _cluster(backend: str, workers: int) -> Iterator[None]:
    """What a joblib backend needs while it works. For dask a client: of the scheduler whose address
    the environment variable DASK_SCHEDULER_ADDRESS gives (its workers see the project under the
    same path), else of `workers` processes on this machine. UserError where dask is not
    installed."""
    if backend != "dask":
        yield
        return
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise UserError(
            "compute.backend: dask needs the package distributed (its version stands in "
            "requirements-dev.txt); install it or choose loky"
        ) from error
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    if address:
        client = distributed.Client(address)
    else:
        client = distributed.Client(
            n_workers=joblib.cpu_count() if workers < 1 else workers,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
        )
    with client:
        yield


def condition_source(
    paths: list[Path],
    source: sources.Source,
    params: PreprocessParams,
    *,
    workers: int,
    backend: str,
    root: Path,
) -> Iterator[tuple]:
    """`condition_file` of every path, in order, on `workers` processes of a joblib backend (-1: all
    cores).

    Results come as they are ready and are few at a time, so memory does not grow with the source. A
    few recordings are conditioned here: processes of this machine would start for longer than that
    takes. Where such a process dies, what it may have been at is done again one by one, and the
    recording at which it dies again is refused.
    """
    workers = 1 if backend == "loky" and len(paths) <= _FEW else workers
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    where = str(Path.cwd())
    done = 0
    with _cluster(backend, workers):
        with joblib.parallel_config(backend, n_jobs=workers):  # by this way alone joblib finds dask
            parallel = joblib.Parallel(return_as="generator", pre_dispatch="2*n_jobs")
        while done < len(chunks):
            jobs = (
                joblib.delayed(_condition_files)(where, chunk, source, params, root)
                for chunk in chunks[done:]
            )
            try:
                for results in parallel(jobs):
                    done += 1
                    yield from results
            except BrokenProcessPool:
                # All that was under way is lost with the one that died, which is among the next.
                suspects = chunks[done : done + 2 * joblib.effective_n_jobs(workers) + 1]
                done += len(suspects)
                again = list(itertools.chain(*suspects))
                warn(again)
                yield from condition_one_by_one(where, again, source, params, root)


def warn(suspects: Sequence[Path]) -> None:
    """Logs that a worker died and that the recordings `suspects`, at one of which it was, are done
    again."""
    named = ", ".join(safe_files.shown(path.name) for path in suspects[:_MOST_NAMED])
    _LOG.warning(
        "a worker process died; the %d recordings that it may have been at are done again, one by "
        "one: %s%s",
        len(suspects),
        named,
        ", ..." if len(suspects) > _MOST_NAMED else "",
    )


def condition_one_by_one(
    where: str, paths: list[Path], source: sources.Source, params: PreprocessParams, root: Path
) -> Iterator[tuple]:
    """`condition_file` of every path in a process beside this one: a recording at which that dies
    is refused, named 'crashed'."""
    pool = None
    for path in paths:
        pool = pool or ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        try:
            yield pool.submit(_condition_files, where, [path], source, params, root).result()[0]
        except BrokenProcessPool:
            pool = None
            _LOG.warning("%s: the process that conditioned it died; it is left out", path)
            message = f"{path}: the process that conditioned it died; leave it out, and report it"
            yield "refused", "crashed", message
    if pool is not None:
        pool.shutdown()


def build_store(
    folder: Path,
    raw: Path,
    source: sources.Source,
    params: PreprocessParams,
    *,
    max_refused: float,
    workers: int,
    backend: str,
    progress: Any,
) -> dict[str, Any]:
    """Conditions every recording of `source` under `raw` into a new store `folder`; the report.
    `progress` wraps an iterable (tqdm). UserError where a larger share than `max_refused` of
    them is refused or left out unread, or doubtful for one cause (`source_doubts`)."""
    tally = source_doubts.Tally()
    account = source_files.account_of_source(raw, source)
    files, unread = account.recordings, account.unread()
    refusal_limit.check_refusal_limit({}, len(files), max_refused, raw, unread)
    duplicates = source_files.duplicates(files)
    results = condition_source(
        [path for _, path in files], source, params, workers=workers, backend=backend, root=raw
    )
    conditioning = filter_arguments(params)
    with store_writer.Writer(folder, params.rate_hz, conditioning, measure.UNITS) as writer:
        for (record, path), (verdict, *rest) in zip(
            files, progress(results, total=len(files)), strict=True
        ):
            if verdict == "ok" and record not in duplicates:
                writer.append(record, *rest[:-1])
                tally.add(rest[-1])
                continue
            where = safe_files.shown(path.relative_to(raw).as_posix())
            if record in duplicates:
                rest = ["duplicate-record", f"{where}: {refusals.duplicate(record)}"]
            writer.refuse(record, where, *rest)
        report = writer.close()
    assert report["recordings"] == report["stored"] + sum(report["refused"].values()), report
    refusal_limit.check_refusal_limit(report["refused"], len(files), max_refused, raw, unread)
    tally.check(max_refused, raw)
    return report | tally.report()


def log(name: str, report: dict[str, Any]) -> None:
    """Tells how many recordings of the source `name` were stored, refused and flagged."""
    _LOG.info(
        "%s: %d of %d stored; refused: %s; flags: %s (refused.csv in the store says why)",
        name,
        report["stored"],
        report["recordings"],
        report["refused"] or "none",
        report["flags"] or "none",
    )
