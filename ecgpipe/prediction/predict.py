"""Probabilities and decisions for new recordings, by the models of all folds together.

A recording is read and conditioned as the models' own description says, and scored by an
`ensemble`. One that cannot be read gets a prediction that says why; what the models miss of one is
flagged (`flags`).

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

from ecgpipe.prediction import intervals, outputs, reading
from ecgpipe.prediction.ensemble import Ensemble
from ecgpipe.prediction.flags import input_flags
from ecgpipe.prediction.outputs import RecordingPrediction
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
class ReadingOptions:
    """How files are read: by the catalogue entry `source`; age and sex of those that have a row in
    its table are in `metadata` (`reading.metadata_rows`); links are followed `within` these folders
    (`reading.read`); of each recording the first `keep_s` seconds are handed over with its
    prediction, to be drawn; `with_intervals`: rate, PR, QRS, QT and axis are measured too."""

    source: Source | None = None
    metadata: Mapping[Path, MetadataRow | None] = field(default_factory=dict)
    within: Sequence[Path] = ()
    keep_s: float = 0.0
    with_intervals: bool = False


@dataclass(frozen=True)
class _Batch:
    """Some files, each with what is known before a network sees it; of those that were read, in
    order, the conditioned signal (int16 microvolts [time, 12]), age and sex."""

    predictions: list[RecordingPrediction] = field(default_factory=list)
    signals_uv: list[np.ndarray] = field(default_factory=list)
    age: list[float | None] = field(default_factory=list)
    sex: list[str | None] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """Of all its signals together."""
        return sum(map(len, self.signals_uv))


def predict(
    ensemble: Ensemble, files: Sequence[Path], options: ReadingOptions | None = None
) -> Iterator[RecordingPrediction]:
    """What is said of each recording file, in order, as it comes; memory does not grow with their
    number.

    Several threads each read a batch and ask the networks, with their share of the threads that
    torch has here: none of them waits for another, as torch's own would.
    """
    options = options or ReadingOptions()
    threads = torch.get_num_threads()
    workers = min(threads, _WORKERS)
    pool = ThreadPoolExecutor(
        workers, initializer=torch.set_num_threads, initargs=(threads // workers,)
    )
    waiting: deque[Future[list[RecordingPrediction]]] = deque()
    try:
        for first in range(0, len(files), _BATCH):
            part = files[first : first + _BATCH]
            waiting.append(pool.submit(_predict_part, ensemble, part, options))
            if len(waiting) > workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _predict_part(
    ensemble: Ensemble, files: Sequence[Path], options: ReadingOptions
) -> list[RecordingPrediction]:
    predictions: list[RecordingPrediction] = []
    for batch in _batches(ensemble.about, files, options):
        predictions += _complete(ensemble, batch)
    return predictions


def _batches(
    about: dict[str, Any], files: Iterable[Path], options: ReadingOptions
) -> Iterator[_Batch]:
    """Reads and conditions the files, in order; a new batch begins where one has become long.
    `about` is what model.json says."""
    batch = _Batch()
    for path in files:
        verdict, reason, recording = reading.read(path, options.source, options.within)
        if recording is None:
            batch.predictions.append(RecordingPrediction(path, verdict, reason))
            continue
        if path in options.metadata:
            recording = reading.with_metadata(recording, options.metadata[path])
        signal_mv = bandpass.condition(
            recording.signal_mv, recording.rate_hz, **about["conditioning"]
        )
        flags = input_flags(recording, about, len(signal_mv))
        prediction = _unscored(path, flags, recording, options.keep_s)
        if options.with_intervals:
            measured = intervals.measured(signal_mv, about["rate_hz"])
            prediction = replace(prediction, intervals=measured)
        batch.predictions.append(prediction)
        batch.signals_uv.append(store_writer.to_microvolts(signal_mv))
        batch.age.append(recording.age)
        batch.sex.append(recording.sex)
        if batch.samples >= _BATCH_S * about["rate_hz"]:
            yield batch
            batch = _Batch()
    if batch.predictions:
        yield batch


def _unscored(
    path: Path, flags: Sequence[str], recording: Recording, keep_s: float
) -> RecordingPrediction:
    """What is known before a network sees it; the beginning of a recording is a copy, so that the
    rest can go."""
    samples = round(keep_s * recording.rate_hz)
    beginning = None
    if samples:
        signal_mv = recording.signal_mv[:samples].copy(order="F")
        beginning = replace(recording, signal_mv=signal_mv)
    return RecordingPrediction(
        path,
        verdict="flagged" if flags else "ok",
        reason="|".join(flags),
        recording=beginning,
        duration_s=len(recording.signal_mv) / recording.rate_hz,
    )


def _complete(ensemble: Ensemble, batch: _Batch) -> Iterator[RecordingPrediction]:
    """The batch's predictions, with the probabilities and decisions of those that were read."""
    rows = iter(())
    if batch.signals_uv:
        rows = iter(ensemble.probabilities(batch.signals_uv, batch.age, batch.sex))
    for prediction in batch.predictions:
        if prediction.verdict == "refused":
            yield prediction
        else:
            yield _answered(ensemble, prediction, next(rows))


def _answered(
    ensemble: Ensemble, prediction: RecordingPrediction, probabilities: np.ndarray
) -> RecordingPrediction:
    """A prediction with its probabilities [class] and decisions; refused where a class that the
    models learnt has a probability that is no number."""
    unknown = ensemble.learnt & ~np.isfinite(probabilities)
    if unknown.any():
        classes = ", ".join(np.array(ensemble.names, object)[unknown])
        rule = f"the models' answer is no finite number for {classes}"
        step = "check its signal, then the models"
        reason = f"{outputs.NOT_FINITE}: {prediction.path}: {rule}; {step}"
        return RecordingPrediction(prediction.path, "refused", reason)
    present = (probabilities >= ensemble.point.thresholds).astype(np.int64)
    return replace(prediction, probabilities=probabilities, present=present)
