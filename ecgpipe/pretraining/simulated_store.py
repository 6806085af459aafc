"""Recordings of the simulated stream in a signal store (`signals.store`), with a table of their
labels in the form of the split's (`project.tables`).

The store lies below data/checkpoints in a folder named after all that it is made by: the stream,
the number of recordings, the code that draws and conditions them, and numpy and scipy. So another
run with the same takes it as it is, and no run takes another's.

Worker processes write their recordings straight into the memory-mapped signals, a chunk at a time,
and all else about a chunk into a file of its own, last and atomically: a stopped run goes on with
the chunks that have none. Nothing of a recording stays in memory.
"""

import hashlib
import logging
import os
import shutil
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import scipy

from ecgpipe.diagnoses import classes
from ecgpipe.preprocessing import store_writer
from ecgpipe.pretraining import stream
from ecgpipe.project import atomic, digests, memory, paths, stage, tables
from ecgpipe.project.leads import LEADS
from ecgpipe.signals import store
from ecgpipe.simulation.workers import note, watched
from ecgpipe.training.progress import duration

SOURCE = "simulated"
TABLE = "labels.csv"
CHUNK = 256  # recordings that a worker draws at once
EVERY_S = 30.0
_PACKAGE = Path(__file__).parents[1]
# All that a recording goes through; `pretraining.stream` besides.
_CODE = ("snomed", "diagnoses", "signals", "simulation", "preprocessing")
_DIED = (
    "Where memory ran out lower compute.workers; else report it, with the section pretrain of "
    "params.yaml"
)
_LOG = logging.getLogger(__name__)


def key(drawn: stream.Stream, recordings: int) -> str:
    """A name for all that a store of so many recordings is made by."""
    sums = hashlib.sha256(repr((drawn, recordings, CHUNK)).encode())
    sums.update(f"{np.__version__} {scipy.__version__}".encode())
    code = [path for name in _CODE for path in (_PACKAGE / name).glob("*.*")]
    code = [path for path in code if path.suffix in (".py", ".csv")]
    for path in sorted([*code, Path(stream.__file__)]):
        sums.update(path.name.encode() + path.read_bytes())
    return sums.hexdigest()[:16]


def make(drawn: stream.Stream, recordings: int, workers: int, name: str) -> Path:
    """The folder of a store of the first `recordings` of a stream: one that is there already, or
    made now by `workers` processes (-1: all cores). `name` heads what is told of it."""
    folder, chunks = _folders(drawn, recordings)
    if (folder / digests.SUMS).exists():
        _LOG.info("%s: %d simulated recordings are there already, in %s", name, recordings, folder)
    else:
        chunks.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        _make(drawn, recordings, workers, name)
    shutil.rmtree(chunks, ignore_errors=True)
    return folder


def wait_for(drawn: stream.Stream, recordings: int) -> Path:
    """The folder of a store that another process makes, once it has."""
    folder, chunks = _folders(drawn, recordings)
    while chunks.exists() or not (folder / digests.SUMS).exists():
        time.sleep(1)
    return folder


def _folders(drawn: stream.Stream, recordings: int) -> tuple[Path, Path]:
    """Where a store lies, and its chunks until it is whole."""
    folder = paths.CHECKPOINTS / "simulated" / key(drawn, recordings)
    return folder, folder.with_name(f"{folder.name}-chunks")


def _make(drawn: stream.Stream, recordings: int, workers: int, name: str) -> None:
    """Makes a store, or goes on where a stopped run left it. Stopped says how far it came."""
    folder, chunks = _folders(drawn, recordings)
    _make_room(folder / store.SIGNALS, recordings * drawn.samples)
    ranges = [range(first, min(first + CHUNK, recordings)) for first in range(0, recordings, CHUNK)]
    missing = [chunk for chunk in ranges if not _file(chunks, chunk).exists()]
    try:
        _draw_all(drawn, folder, chunks, missing, workers, name)
    except KeyboardInterrupt:
        whole = sum(_file(chunks, chunk).exists() for chunk in ranges)
        raise stage.Stopped(f"{whole} of {len(ranges)} parts of the recordings are saved") from None
    _finish(drawn, folder, [_file(chunks, chunk) for chunk in ranges])


def read(folder: Path) -> tuple[pd.DataFrame, dict[str, store.Store]]:
    """The table of labels and the store of a folder that `make` made, by source, as
    `dataset.examples` takes them. UserError where they are damaged."""
    return tables.read(folder / TABLE), {SOURCE: store.open_store(folder)}


def _file(chunks: Path, chunk: range) -> Path:
    return chunks / f"{chunk.start:09d}.npz"


def _make_room(path: Path, samples: int) -> None:
    """A file of zeros for the signals, unless a stopped run left one. OSError where the disk has no
    room for it: a worker that found out as it writes to its memory would die of it."""
    if not path.exists():
        shape = (samples, len(LEADS))
        with atomic.atomic(path) as temporary:
            np.lib.format.open_memmap(temporary, "w+", np.dtype("<i2"), shape).flush()
            if hasattr(os, "posix_fallocate"):  # systems other than Linux may lack it
                with temporary.open("r+b") as handle:
                    os.posix_fallocate(handle.fileno(), 0, temporary.stat().st_size)


def _draw_all(
    drawn: stream.Stream, folder: Path, chunks: Path, missing: list[range], workers: int, name: str
) -> None:
    """Draws what is missing, and tells how far it is."""
    total, done, begun_s, told_s = sum(map(len, missing)), 0, time.monotonic(), time.monotonic()
    _LOG.info("%s: %d recordings to simulate", name, total)
    with watched(_DIED) as notes:
        jobs = (
            joblib.delayed(_draw_chunk)(drawn, folder.resolve(), chunks.resolve(), notes, chunk)
            for chunk in missing
        )
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
        for finished in parallel(jobs):
            done += finished
            now_s = time.monotonic()
            if now_s - told_s >= EVERY_S and done < total:
                told_s = now_s
                left = duration((now_s - begun_s) * (total - done) / done)
                _LOG.info("%s: %d of %d simulated, about %s left", name, done, total, left)


def _draw_chunk(drawn: stream.Stream, folder: Path, chunks: Path, notes: str, chunk: range) -> int:
    """Draws the recordings of a chunk; how many there are."""
    memory.keep_freed()
    signals_uv = np.load(folder / store.SIGNALS, mmap_mode="r+")
    rows = []
    for index in chunk:
        note(notes, f"recording {index} of seed {drawn.seed}")
        recording = stream.draw(drawn, index)
        first = index * drawn.samples
        signals_uv[first : first + drawn.samples] = recording.signal_uv
        rows.append(recording._replace(signal_uv=np.zeros(0, np.int16)))
    signals_uv.flush()
    with atomic.atomic(_file(chunks, chunk)) as temporary, temporary.open("wb") as handle:
        np.savez(
            handle,
            labels=np.stack([row.labels for row in rows]),
            age=np.array([row.age for row in rows], np.float64),
            gender=np.array([row.sex for row in rows]),
            digest=np.array([row.digest for row in rows]),
            peaks=np.concatenate([row.peaks for row in rows]).astype(np.int32),
            counts=np.array([len(row.peaks) for row in rows], np.int64),
        )
    note(notes, "")
    return len(rows)


def _finish(drawn: stream.Stream, folder: Path, files: list[Path]) -> None:
    """Writes what a store holds besides its signals, and the table of labels."""
    parts: dict[str, list[np.ndarray]] = {}
    for file in files:
        with np.load(file) as chunk:
            for name in chunk.files:
                parts.setdefault(name, []).append(chunk[name])
    whole = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    np.save(folder / store.PEAKS, whole["peaks"])
    records = [f"{index:09d}" for index in range(len(whole["age"]))]
    _write_index(folder, records, drawn.samples, whole)
    tables.write(_table(records, whole), folder / TABLE)
    conditioning = drawn.conditioning
    store_writer.seal(folder, conditioning["to_rate_hz"], conditioning)


def _write_index(
    folder: Path, records: list[str], samples: int, whole: dict[str, np.ndarray]
) -> None:
    """index.csv, and a table of refused recordings, of which there are none."""
    counts = whole["counts"]
    columns: dict[str, Any] = {
        "record": records,
        "first": np.arange(len(records)) * samples,
        "samples": samples,
        "flags": "",
        "digest": whole["digest"],
        "first_peak": np.cumsum(counts) - counts,
        "peaks": counts,
    }
    tables.write(pd.DataFrame(columns)[store.INDEX_COLUMNS], folder / store.INDEX)
    tables.write(pd.DataFrame(columns=store.REFUSED_COLUMNS), folder / store.REFUSED)


def _table(records: list[str], whole: dict[str, np.ndarray]) -> pd.DataFrame:
    """The table of labels: a split table in which every recording is a group of its own, and all
    are of fold 0."""
    codes = [diagnosis.code for diagnosis in classes.select(stream.CLASSES)]
    head = pd.DataFrame({"path": "", "age": whole["age"], "gender": whole["gender"]})
    labels = pd.DataFrame(whole["labels"].astype(np.float64), columns=codes)
    tail = {"source": SOURCE, "record": records, "patient": "", "group": records, "fold": "0"}
    return pd.concat([head, labels, pd.DataFrame(tail)], axis=1)
