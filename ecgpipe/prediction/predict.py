"""Probabilities and decisions for new recordings, by the models of all folds together.

A recording is read and conditioned as the models' own description says, and answered by `ensembles`. One that cannot be
read gets an answer that says why; what the models miss of one is flagged (`doubts`).

Of HDF5 recordings the catalogue entry of their source says the rate, and its metadata table age and sex. The table lies
in the folder that the caller names, or beside the file.
"""

import os
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgpipe.diagnoses import classes
from ecgpipe.labels import mapping
from ecgpipe.prediction import vendor_formats
from ecgpipe.prediction.ensemble import Ensemble
from ecgpipe.prediction.flags import of
from ecgpipe.prediction.outputs import Answer
from ecgpipe.preprocessing import bandpass
from ecgpipe.recordings import quality, refusals, safe_files, sources
from ecgpipe.recordings.recording import Recording, describe, read
from ecgpipe.recordings.sources import Row, Source
from ecgpipe.signals import store

_OWN = frozenset((".hea", ".mat", ".dat", ".h5"))
_BATCH = 32
_WORKERS = 8
# Recordings of a batch are together no longer than this, beyond the first: what memory must hold does not depend on
# how many recordings there are, nor how long.
_BATCH_S = 3600.0


def of_rate(rate_hz: float) -> Source:
    """What the catalogue would say of .h5 files of which the rate alone is known. ValueError where it is no rate."""
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ValueError(f"--rate-hz: a rate is above 0 Hz, found {rate_hz:g}; give the recordings' sampling rate")
    nothing = {"table": None, "columns": None, "patients": None}  # an entry of the catalogue itself needs a table
    return Source.model_construct(form="h5", vocabulary="", codes="native", rate_hz=rate_hz, **nothing)


def expand(paths: Iterable[Path], *, strict: bool = True) -> list[Path]:
    """Recording files from folders (all .hea, .h5 and `prediction.vendor_formats.SUFFIXES` below, but what is hidden),
    files, and records as WFDB names them: `A1`, `A1.mat` and `A1.dat` are `A1.hea`. In order, each once. ValueError for
    a path without any; if not `strict`, such a path is kept, and reading it says what is wrong."""
    files: list[Path] = []
    for path in map(Path, paths):
        found = sorted(_below(path)) if path.is_dir() else _single(path)
        if strict and not found:
            raise ValueError(f"{path}: no such file, or no .hea, .h5 or other recording below this folder")
        files += found or [path]
    return list(dict.fromkeys(files))


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder that are taken for recordings, by their names; as `recordings.sources.find` goes."""
    for parent, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            if path.suffix in (".hea", ".h5") or path.suffix.lower() in vendor_formats.SUFFIXES:
                yield path


def _single(path: Path) -> list[Path]:
    header = path.with_suffix(".hea") if path.suffix in (".mat", ".dat") else path.with_name(f"{path.name}.hea")
    if header.is_file():
        return [header]
    return [path] if path.exists() else []


def people(paths: Iterable[Path], source: Source) -> dict[Path, Row | None]:
    """The row of each .h5 file of `expand(paths)` in the metadata table, None where there is not exactly one for it.

    Empty where the source has no table. ValueError where the table is not in the folder given, or a file's own.
    """
    found: dict[Path, Row | None] = {}
    tables: dict[Path, dict[str, Row]] = {}
    for path in map(Path, paths) if source.table else ():
        files = [file for file in expand([path], strict=False) if file.suffix == ".h5" and file.is_file()]
        folder = path if path.is_dir() else path.parent
        if files and folder not in tables:
            try:
                tables[folder] = sources.metadata(folder, source)
            except ValueError as error:
                raise ValueError(f"{error}; or --rate-hz instead of --source: age and sex are unknown then") from error
        times = Counter(file.stem for file in files)
        for file in files:
            row = tables[folder].get(file.stem)
            found[file] = row if row and row.times == times[file.stem] == 1 else None
    return found


def verdict(path: Path, source: Source | None = None, within: Sequence[Path] = ()) -> tuple[str, str, Recording | None]:
    """('ok' | 'flagged' | 'refused', reason, the recording where it could be read). Nothing is opened outside the
    first folder of `within` that the path lies in, or its own folder."""
    root = next((folder for folder in within if path.is_relative_to(folder)), path.parent)
    try:
        if path.suffix not in _OWN | vendor_formats.SUFFIXES and path.suffix.lower() not in vendor_formats.SUFFIXES:
            raise _nameless(path)
        other = path.suffix.lower() in vendor_formats.SUFFIXES
        recording = vendor_formats.read(path, root) if other else read(path, source, root)
    except refusals.Refused as refusal:
        return "refused", f"{refusal.reason}: {refusal}{_step(refusal)}", None
    codes = [flag.partition(" (")[0] for flag in recording.faults]
    return ("flagged" if codes else "ok"), "|".join(codes), recording


def _nameless(path: Path) -> refusals.Refused:
    """Why a path whose name is that of no recording is none."""
    if path.is_dir():
        return refusals.Refused("missing", f"{path}: no recording below this folder; name another")
    if not os.path.lexists(path):
        return refusals.Refused("missing", f"{path}: no such file, and no {path.name}.hea; correct its name")
    suffixes = ", ".join(sorted(_OWN | vendor_formats.SUFFIXES))
    return refusals.Refused("format", f"{path}: a recording ends in one of {suffixes}; give one of these")


def _step(refusal: refusals.Refused) -> str:
    """What one can do here about a refusal, besides what it says itself."""
    if refusal.reason == "rate":
        return "; here: --source NAME (its entry under sources in params.yaml) or --rate-hz HZ"
    missing = set(str(refusal).partition(", missing ")[2].partition(";")[0].split(", "))
    if refusal.reason == "leads" and missing <= {"III", "aVR", "aVL", "aVF"}:
        laws = "III = II - I, aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2"
        return f"; or write a copy with all 12 leads: {laws}"
    return ""


def check(
    paths: Iterable[Path], source: Source | None = None, within: Sequence[Path] = ()
) -> Iterator[tuple[str, str, str, str]]:
    """path, verdict, reason (its code; several flags joined by |) and a sentence of each recording file (`verdict`).

    In folders, those `within` which the files lie, two files of one record are refused as the stages refuse them. With
    a `source` so is what its labels and tables say (`recordings.recording.describe`), rows without a file included.
    """
    left_out, doubts = _of_stages(within, source)
    for path in paths:
        said, reason, recording = verdict(path, source, within)
        if path in left_out and said != "refused":
            said, reason = "refused", left_out.pop(path)
        code, colon, message = reason.partition(": ")
        if not (said == "refused" and colon):
            flags = dict.fromkeys((*(recording.faults if recording else ()), *doubts.get(path, ())))
            told = [(quality.SENTENCES[flag.partition(" (")[0]], flag.partition(" (")[1:]) for flag in flags]
            said, code = "flagged" if flags else said, "|".join(flag.partition(" (")[0] for flag in flags)
            message = "; ".join(sentence + "".join(more) for sentence, more in told)
        yield safe_files.shown(path), said, code, safe_files.shown(message)
    for path, fault in left_out.items():
        if path.name and not path.exists():
            yield safe_files.shown(path), "refused", *fault.split(": ", 1)


def _of_stages(
    folders: Sequence[Path], source: Source | None
) -> tuple[dict[Path, str], defaultdict[Path, tuple[str, ...]]]:
    """(file -> `reason: message`, file -> flags) of what the stages leave out of these folders, or flag, for more than
    their signals."""
    left_out: dict[Path, str] = {}
    doubts: defaultdict[Path, tuple[str, ...]] = defaultdict(tuple)
    for folder in folders:
        if source is not None and (source.form == "wfdb" or source.table):  # not of `of_rate`
            described = list(describe(folder, source))
            words = mapping.vocabulary(source, folder)
            meanings = mapping.meanings_of(described, source, words, classes.classes("official"))
            for one, fault in zip(described, mapping.faults_of(described, meanings, source), strict=True):
                path = folder / (one.path or one.record)
                left_out |= {path: fault} if fault else {}
                beside = not all(meanings[label].genuine for label in one.labels)
                doubts[path] = (*one.flags, *("unknown-label",) * beside)
            continue
        below = sorted(_below(folder))
        times = Counter((path.stem, path.suffix) for path in below if path.suffix in (".hea", ".h5"))
        rule = "another file below this folder has this record name; rename or remove one"
        twice = [path for path in below if times[path.stem, path.suffix] > 1]
        left_out |= {path: f"duplicate-record: {path}: {rule}" for path in twice}
    return left_out, doubts


def _of_person(recording: Recording, row: Row | None) -> Recording:
    """The recording with age and sex of its row in the metadata table, or flagged 'no-metadata'."""
    if row is None:
        return replace(recording, faults=(*recording.faults, "no-metadata"))
    return replace(recording, age=row.age, sex=row.sex, patient=row.patient)


@dataclass(frozen=True)
class _Batch:
    """Some files, each with what is known before a network sees it; of those that were read, in order, the conditioned
    signal (int16 microvolts [time, 12]), age and sex."""

    answers: list[Answer] = field(default_factory=list)
    signals_uv: list[np.ndarray] = field(default_factory=list)
    age: list[float | None] = field(default_factory=list)
    sex: list[str | None] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How files are read: by the catalogue entry `source`; age and sex of those that a table tells of are `known`
    (`people`); links are followed `within` these folders (`verdict`); of each recording the first `keep_s` seconds are
    handed over with its answer, to be drawn."""

    source: Source | None = None
    known: Mapping[Path, Row | None] = field(default_factory=dict)
    within: Sequence[Path] = ()
    keep_s: float = 0.0


def _batches(about: dict[str, Any], files: Iterable[Path], how: Reading) -> Iterator[_Batch]:
    """Reads and conditions the files, in order; a new batch begins where one has become long."""
    batch, most = _Batch(), _BATCH_S * about["rate_hz"]
    for path in files:
        said, reason, recording = verdict(path, how.source, how.within)
        if recording is None:
            batch.answers.append(Answer(path, said, reason))
        else:
            recording = _of_person(recording, how.known[path]) if path in how.known else recording
            signal_mv = bandpass.condition(recording.signal_mv, recording.rate_hz, **about["conditioning"])
            flags = of(recording, about, len(signal_mv))
            batch.signals_uv.append(store.to_microvolts(signal_mv))
            batch.age.append(recording.age)
            batch.sex.append(recording.sex)
            batch.answers.append(_answer(path, flags, recording, how.keep_s))
        if sum(map(len, batch.signals_uv)) >= most:
            yield batch
            batch = _Batch()
    if batch.answers:
        yield batch


def _answer(path: Path, flags: Sequence[str], recording: Recording, keep_s: float) -> Answer:
    """What is known before a network sees it; the beginning of a recording is a copy, so that the rest can go."""
    samples = round(keep_s * recording.rate_hz)
    kept = replace(recording, signal_mv=recording.signal_mv[:samples].copy(order="F")) if samples else None
    duration_s = len(recording.signal_mv) / recording.rate_hz
    said = "flagged" if flags else "ok"
    return Answer(path, said, "|".join(flags), recording=kept, duration_s=duration_s)


def predict(ensemble: Ensemble, files: Sequence[Path], how: Reading | None = None) -> Iterator[Answer]:
    """What is said of each recording file, in order, as it comes; memory does not grow with their number.

    Several threads each read a batch and ask the networks, with their share of the threads that torch has here: none of
    them waits for another, as torch's own would.
    """
    how = how or Reading()
    budget = torch.get_num_threads()
    workers = min(budget, _WORKERS)
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(budget // workers,))
    waiting: deque[Future[list[Answer]]] = deque()
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


def _answers(ensemble: Ensemble, files: Sequence[Path], how: Reading) -> list[Answer]:
    batches = _batches(ensemble.about, files, how)
    return [answer for batch in batches for answer in _answered(ensemble, batch)]


def _answered(ensemble: Ensemble, batch: _Batch) -> Iterator[Answer]:
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
