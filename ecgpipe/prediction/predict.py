"""Probabilities and decisions for new recordings, by the models of all folds together.

A recording is read and conditioned as the models' own description says, and answered by
`ensembles`. One that cannot be read gets an answer that says why; what the models miss of one is
flagged (`doubts`).

Of HDF5 recordings the catalogue entry of their source says the rate, and its metadata table age and
sex. The table lies in the folder that the caller names, or beside the file.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgpipe.prediction.ensemble import Ensemble
from ecgpipe.prediction.flags import input_flags
from ecgpipe.prediction.outputs import RecordingPrediction
from ecgpipe.prediction.reading import of_person, verdict
from ecgpipe.preprocessing import bandpass, store_writer
from ecgpipe.recordings.recording import Recording
from ecgpipe.recordings.source_tables import MetadataRow
from ecgpipe.recordings.sources import Source

_BATCH = 32
_WORKERS = 8
# Recordings of a batch are together no longer than this, beyond the first: what memory must hold
# does not depend on how many recordings there are, nor how long.
_BATCH_S = 3600.0


@dataclass(frozen=True)
class _Batch:
    """Some files, each with what is known before a network sees it; of those that were read, in
    order, the conditioned signal (int16 microvolts [time, 12]), age and sex."""

    answers: list[RecordingPrediction] = field(default_factory=list)
    signals_uv: list[np.ndarray] = field(default_factory=list)
    age: list[float | None] = field(default_factory=list)
    sex: list[str | None] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How files are read: by the catalogue entry `source`; age and sex of those that a table tells
    of are `known` (`people`); links are followed `within` these folders (`verdict`); of each
    recording the first `keep_s` seconds are handed over with its answer, to be drawn."""

    source: Source | None = None
    known: Mapping[Path, MetadataRow | None] = field(default_factory=dict)
    within: Sequence[Path] = ()
    keep_s: float = 0.0


def _batches(about: dict[str, Any], files: Iterable[Path], how: Reading) -> Iterator[_Batch]:
    """Reads and conditions the files, in order; a new batch begins where one has become long."""
    batch, most = _Batch(), _BATCH_S * about["rate_hz"]
    for path in files:
        said, reason, recording = verdict(path, how.source, how.within)
        if recording is None:
            batch.answers.append(RecordingPrediction(path, said, reason))
        else:
            recording = of_person(recording, how.known[path]) if path in how.known else recording
            signal_mv = bandpass.condition(
                recording.signal_mv, recording.rate_hz, **about["conditioning"]
            )
            flags = input_flags(recording, about, len(signal_mv))
            batch.signals_uv.append(store_writer.to_microvolts(signal_mv))
            batch.age.append(recording.age)
            batch.sex.append(recording.sex)
            batch.answers.append(_answer(path, flags, recording, how.keep_s))
        if sum(map(len, batch.signals_uv)) >= most:
            yield batch
            batch = _Batch()
    if batch.answers:
        yield batch


def _answer(
    path: Path, flags: Sequence[str], recording: Recording, keep_s: float
) -> RecordingPrediction:
    """What is known before a network sees it; the beginning of a recording is a copy, so that the
    rest can go."""
    samples = round(keep_s * recording.rate_hz)
    kept = (
        replace(recording, signal_mv=recording.signal_mv[:samples].copy(order="F"))
        if samples
        else None
    )
    duration_s = len(recording.signal_mv) / recording.rate_hz
    said = "flagged" if flags else "ok"
    return RecordingPrediction(path, said, "|".join(flags), recording=kept, duration_s=duration_s)


def predict(
    ensemble: Ensemble, files: Sequence[Path], how: Reading | None = None
) -> Iterator[RecordingPrediction]:
    """What is said of each recording file, in order, as it comes; memory does not grow with their
    number.

    Several threads each read a batch and ask the networks, with their share of the threads that
    torch has here: none of them waits for another, as torch's own would.
    """
    how = how or Reading()
    budget = torch.get_num_threads()
    workers = min(budget, _WORKERS)
    pool = ThreadPoolExecutor(
        workers, initializer=torch.set_num_threads, initargs=(budget // workers,)
    )
    waiting: deque[Future[list[RecordingPrediction]]] = deque()
    try:
        for first in range(0, len(files), _BATCH):
            part = files[first : first + _BATCH]
            waiting.append(pool.submit(_answers, ensemble, part, how))
            if len(waiting) > workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(budget)


def _answers(ensemble: Ensemble, files: Sequence[Path], how: Reading) -> list[RecordingPrediction]:
    batches = _batches(ensemble.about, files, how)
    return [answer for batch in batches for answer in _answered(ensemble, batch)]


def _answered(ensemble: Ensemble, batch: _Batch) -> Iterator[RecordingPrediction]:
    """The batch's answers, complete."""
    found = iter(())
    if batch.signals_uv:
        found = iter(ensemble.probabilities(batch.signals_uv, batch.age, batch.sex))
    for answer in batch.answers:
        if answer.verdict == "refused":
            yield answer
        else:
            values = next(found)
            present = (values >= ensemble.point.thresholds).astype(np.int64)
            yield replace(answer, probabilities=values, present=present)
