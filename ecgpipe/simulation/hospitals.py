"""Making the demo's recordings: invented patients in four invented hospitals, in the file forms of
real ones.

Recording i of a source comes from its own random generator, keyed by (seed, source, i): the files
are the same whatever the number of workers, and any source can be made alone. Some files are faulty
on purpose (`simulation.faults`), as in every real collection.
"""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm import tqdm

from ecgpipe.diagnoses import classes, vocabularies
from ecgpipe.project import atomic, memory, tables
from ecgpipe.project.errors import UserError
from ecgpipe.simulation import faults, label_criteria, writers
from ecgpipe.simulation.acquisition import Surroundings
from ecgpipe.simulation.params import SimulateParams
from ecgpipe.simulation.recording import SimulatedRecording, simulate_recording
from ecgpipe.simulation.workers import note, watched
from ecgpipe.snomed import concepts

CHUNK = 64  # recordings to a job
_DIED = (
    "Where memory ran out lower compute.workers; else report it, with the section simulate of "
    "params.yaml"
)
PER_FOLDER = 125  # recordings to a subfolder of sim-north
# What a source calls a recording that has only what it does not annotate.
OTHER = {
    "sim-north": concepts.ABNORMAL_ECG,
    "sim-east": "abnormal ECG",
    "sim-south": "OTHER",
    "sim-west": "3",
}
NOTHING_ELSE = "1"  # statement 1 of sim-west: a normal recording; statement 20: sinus rhythm
SINUS_RHYTHM = "20"


@dataclass(frozen=True)
class Hospital:
    """An invented hospital: `number` keys its randomness, `share` is its part of all recordings."""

    number: int
    share: float
    prefix: str  # of record names
    rate_hz: float
    shortest_s: float
    longest_s: float
    surroundings: Surroundings


def _quiet(mains_hz: float, noise_factor: float) -> Surroundings:
    """Surroundings without faults of the electrodes: the demo's are counted (`faults`)."""
    return Surroundings(mains_hz, noise_factor, faulty=False)


SOURCES = {
    "sim-north": Hospital(0, 220 / 640, "NO", 500, 10, 10, _quiet(60, 1.0)),
    "sim-east": Hospital(1, 160 / 640, "EA", 1000, 12, 30, _quiet(50, 1.3)),
    "sim-south": Hospital(2, 120 / 640, "SO", 257, 10, 20, _quiet(50, 1.6)),
    "sim-west": Hospital(3, 140 / 640, "WE", 500, 10, 15, _quiet(50, 0.8)),
}


def size(name: str, recordings: int) -> int:
    """How many of all `recordings` the source `name` has; the sources' sizes add up to all."""
    ends = np.cumsum([0.0, *(source.share for source in SOURCES.values())]) * recordings
    first = list(SOURCES).index(name)
    return round(ends[first + 1]) - round(ends[first])


def simulate(name: str, folder: Path, params: SimulateParams, workers: int = -1) -> int:
    """Writes all recordings of the source `name` into `folder`, whole or not at all; how many there
    are."""
    if name not in SOURCES:
        raise UserError(f"simulate: source {name!r} is not one of {', '.join(SOURCES)}")
    count = size(name, params.recordings)
    chunks = [range(first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]
    with atomic.atomic(folder) as temporary, watched(_DIED) as notes:
        temporary.mkdir()
        jobs = (
            delayed(_write_chunk)(name, temporary.resolve(), notes, params.seed, chunk)
            for chunk in chunks
        )
        done = Parallel(n_jobs=workers, return_as="generator")(jobs)
        rows = []
        for chunk_rows in tqdm(done, total=len(chunks), desc=name, disable=None):
            rows += chunk_rows
        if rows:  # of a source that has a table of its own; the others make do without pandas
            import pandas as pd

            tables.write(pd.DataFrame(rows), temporary / "metadata.csv")
    return count


def _write_chunk(
    name: str, folder: Path, notes: str, seed: int, chunk: range
) -> list[dict[str, object]]:
    """Writes some recordings; the rows of the metadata table of a source that has one."""
    memory.keep_freed()
    rows = []
    # From within: once a killed owner's folder is gone, no path below it can be made again.
    with contextlib.chdir(folder):
        for index in chunk:
            note(notes, f"{name} {index}")
            rows.append(_write(name, Path(), seed, index))
    note(notes, "")
    return [row for row in rows if row]


def make_recording(
    name: str, seed: int, index: int
) -> tuple[SimulatedRecording, np.random.Generator]:
    """Recording `index` of a source, and its generator, ready for what else is to be drawn about
    it. Every source reads by the standard limits, so that its labels mean one thing."""
    source = SOURCES[name]
    rng = np.random.default_rng([seed, source.number, index])
    seconds = round(rng.spawn(1)[0].uniform(source.shortest_s, source.longest_s) * 2) / 2
    recording = simulate_recording(
        rng,
        rate_hz=source.rate_hz,
        seconds=seconds,
        patient_rng=np.random.default_rng([seed, source.number, patient_of(name, index)]),
        surroundings=source.surroundings,
    )
    if (name, index) == faults.COPIED:  # so that its copy in half precision is the same signal
        half_mv = recording.signal_mv.astype(np.float16)
        recording = replace(recording, signal_mv=np.rint(1000 * half_mv) / 1000)
    return recording, rng


def patient_of(name: str, index: int) -> int:
    """The first recording of the same patient: at sim-west one patient in ten comes twice."""
    return index - 1 if name == "sim-west" and index % 11 == 10 else index


def native(name: str, labels: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    """Abbreviations in the words of a source; what it has no word for is left out, or OTHER where
    nothing else is."""
    codes = [label_criteria.CODES[label] for label in labels]
    if name == "sim-north":  # now and then the code that counts as the same class
        equivalent = {diagnosis.code: diagnosis.codes for diagnosis in classes.select("study")}
        known = [code for code in codes if code in equivalent]
        written = [equivalent[code][-1 if rng.random() < 0.2 else 0] for code in known]
        return written or [OTHER[name]]
    words = {}
    for text, known in vocabularies.vocabulary(name).items():
        words |= dict.fromkeys(sorted(known), text)
    if name == "sim-west":
        alone = codes == [concepts.SINUS_RHYTHM]
        words[concepts.SINUS_RHYTHM] = NOTHING_ELSE if alone else SINUS_RHYTHM
    written = [words[code] for code in codes if code in words]
    return written or [OTHER[name]]


def _write(name: str, folder: Path, seed: int, index: int) -> dict[str, object]:
    """Writes one recording and its faults; its row of the metadata table, empty where there is
    none."""
    source = SOURCES[name]
    fault = faults.FAULTS.get((name, index))
    origin, number = faults.COPIED if fault == faults.COPY else (name, index)
    recording, rng = make_recording(origin, seed, number)
    record = f"{source.prefix}{index + 1:05d}"
    signal_mv = recording.signal_mv
    if fault == faults.FLAT_LEAD:
        signal_mv = np.where(np.arange(12) == rng.integers(12), 0, signal_mv)
    age = faults.written_age(fault, recording.age)
    words = native(name, recording.labels, rng)
    if name == "sim-west":
        writers.write_h5(folder, record, signal_mv)
        row = _metadata(index, record, recording, age, words)
        return {} if fault == faults.NO_METADATA else row
    about = {"age": age, "sex": recording.sex, "labels": words}
    if name == "sim-east":
        writers.write_wfdb(folder, record, signal_mv, source.rate_hz, **about)
        return {}
    if name == "sim-north":
        folder = folder / f"g{1 + index // PER_FOLDER}"
    writers.write_challenge(folder, record, signal_mv, source.rate_hz, **about)
    faults.spoil(folder / record, fault)
    return {}


def _metadata(
    index: int, record: str, recording: SimulatedRecording, age: int | None, words: list[str]
) -> dict[str, object]:
    """A row of the metadata table of sim-west, whose columns are those of SPH."""
    return {
        "ECG_ID": record,
        "AHA_Code": ";".join(words),
        "Patient_ID": f"P{patient_of('sim-west', index) + 1:05d}",
        "Age": age,
        "Sex": recording.sex,
        "N": len(recording.signal_mv),
        "Date": f"20{20 + index % 4}-0{1 + index % 9}-15",
    }
