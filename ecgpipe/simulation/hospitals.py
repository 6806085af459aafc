"""Making the demo's recordings: invented patients in four invented hospitals, in the file forms of
real ones.

Recording i of a source comes from its own random generator, keyed by (seed, source, i): the files
are the same whatever the number of workers, and any source can be made alone. Some files are faulty
on purpose (`FAULTS`), as in every real collection.
"""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from ecgpipe.diagnoses import classes, vocabularies
from ecgpipe.project import atomic, tables
from ecgpipe.project.errors import UserError
from ecgpipe.simulation import dipole, label_criteria, noise, writers
from ecgpipe.simulation.beats import beat, trace
from ecgpipe.simulation.findings import Findings, draw_findings
from ecgpipe.simulation.params import SimulateParams
from ecgpipe.simulation.patients import make
from ecgpipe.simulation.workers import note, watched

MARGIN_S = 1.0  # drawn before and after what is kept
CHUNK = 64  # recordings to a job
_DIED = "Where memory ran out lower compute.workers; else report it, with the section simulate of params.yaml"
PER_FOLDER = 125  # recordings to a subfolder of sim-north
OTHER = "OTHER"  # what sim-south calls a recording that has only what it does not annotate
QUANTA_MV = (0.001, 0.0025, 0.00488)  # steps of converters


@dataclass(frozen=True)
class Hospital:
    """An invented hospital: `number` keys its randomness, `share` is its part of all recordings."""

    number: int
    share: float
    prefix: str
    rate_hz: float
    shortest_s: float
    longest_s: float
    mains_hz: float
    loud: float


SOURCES = {
    "sim-north": Hospital(0, 220 / 640, "NO", 500, 10, 10, 60, 1.0),
    "sim-east": Hospital(1, 160 / 640, "EA", 1000, 12, 30, 50, 1.3),
    "sim-south": Hospital(2, 120 / 640, "SO", 257, 10, 20, 50, 1.6),
    "sim-west": Hospital(3, 140 / 640, "WE", 500, 10, 15, 50, 0.8),
}

# What is wrong on purpose: source, record (counted from 0), fault.
FAULTS = (
    ("sim-north", 3, "age -1"),
    ("sim-north", 5, "flat lead"),
    ("sim-north", 7, "gain 1000.0(0)/mV"),
    ("sim-north", 9, "comma after the last code"),
    ("sim-north", 11, "truncated signal file"),
    ("sim-north", 13, "age unknown"),
    ("sim-east", 4, "age unknown"),
    ("sim-east", 6, "flat lead"),
    ("sim-south", 2, "age unknown"),
    ("sim-south", 8, "flat lead"),
    ("sim-west", 3, "age unknown"),
    ("sim-west", 5, "flat lead"),
    ("sim-west", 7, "no metadata row"),
    ("sim-west", 9, "copy of sim-north 15"),
)
COPY = ("sim-north", 15)  # what "copy of sim-north 15" repeats


@dataclass(frozen=True)
class SimulatedRecording:
    """A simulated recording: signal in mV [time, 12], label abbreviations, R-peaks in seconds, and
    whose it is."""

    signal_mv: np.ndarray
    rate_hz: float
    labels: tuple[str, ...]
    age: int
    sex: str
    peaks_s: np.ndarray
    findings: Findings

    @property
    def codes(self) -> tuple[str, ...]:
        """The labels as SNOMED CT codes."""
        return tuple(label_criteria.CODES[label] for label in self.labels)


def size(name: str, recordings: int) -> int:
    """How many of all `recordings` the source `name` has; the sources' sizes add up to all."""
    ends = np.cumsum([0.0, *(source.share for source in SOURCES.values())]) * recordings
    first = list(SOURCES).index(name)
    return round(ends[first + 1]) - round(ends[first])


def simulate_recording(
    rng: np.random.Generator,
    *,
    rate_hz: float = 500.0,
    seconds: float = 10.0,
    has: Findings | None = None,
    patient: np.random.Generator | None = None,
    clean: bool = False,
    mains_hz: float = 50.0,
    loud: float = 1.0,
) -> SimulatedRecording:
    """One recording of a patient with findings `has` (drawn where None); `clean` leaves noise and
    filters out.

    The patient is drawn from `patient`, where given: the same generator afresh gives the same
    patient again.
    """
    patient = patient or rng
    has = has or draw_findings(patient)
    of = make(patient, has)
    beats, atrial = beat(rng, has, rate_hz, seconds + 2 * MARGIN_S, MARGIN_S)
    leads = trace(rng, of, beats, atrial, rate_hz)
    if not clean:
        leads = leads + noise.noise(
            rng, noise.sample_noise(rng, mains_hz, loud), rate_hz, len(leads)
        )
        if rng.random() < 0.6:
            low_hz, high_hz = rng.choice([0.05, 0.15, 0.5]), rng.choice([40, 100, 150])
            leads = noise.band(leads, rate_hz, low_hz, min(high_hz, rate_hz / 2.2))
        quantum_mv = rng.choice(QUANTA_MV)
        leads = np.rint(leads / quantum_mv) * quantum_mv
    first = round(MARGIN_S * rate_hz)
    kept = dipole.to_twelve(leads[first : first + round(seconds * rate_hz)])
    peaks = beats.qrs_s - MARGIN_S
    return SimulatedRecording(
        signal_mv=kept.astype(np.float32),
        rate_hz=rate_hz,
        labels=label_criteria.labels(has, of, beats, MARGIN_S, MARGIN_S + seconds),
        age=has.age,
        sex=has.sex,
        peaks_s=peaks[(peaks >= 0) & (peaks < seconds)],
        findings=has,
    )


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
        rows = [
            row for part in tqdm(done, total=len(chunks), desc=name, disable=None) for row in part
        ]
        if rows:
            tables.write(pd.DataFrame(rows), temporary / "metadata.csv")
    return count


def _write_chunk(
    name: str, folder: Path, notes: str, seed: int, chunk: range
) -> list[dict[str, object]]:
    """Writes some recordings; the rows of the metadata table of a source that has one."""
    rows = []
    with contextlib.chdir(
        folder
    ):  # where it is gone, as its owner was killed, no path below it can be made again
        for index in chunk:
            note(notes, f"{name} {index}")
            rows.append(_write(name, Path(), seed, index))
    note(notes, "")
    return [row for row in rows if row]


def make_recording(
    name: str, seed: int, index: int
) -> tuple[SimulatedRecording, np.random.Generator]:
    """Recording `index` of a source, and its generator, ready for what else is to be drawn about
    it."""
    source = SOURCES[name]
    rng = np.random.default_rng([seed, source.number, index])
    seconds = round(rng.spawn(1)[0].uniform(source.shortest_s, source.longest_s) * 2) / 2
    recording = simulate_recording(
        rng,
        rate_hz=source.rate_hz,
        seconds=seconds,
        patient=np.random.default_rng([seed, source.number, patient_of(name, index)]),
        mains_hz=source.mains_hz,
        loud=source.loud,
    )
    if (name, index) == COPY:
        recording = replace(
            recording, signal_mv=np.rint(1000 * recording.signal_mv.astype(np.float16)) / 1000
        )
    return recording, rng


def patient_of(name: str, index: int) -> int:
    """The first recording of the same patient: at sim-west one patient in ten comes twice."""
    return index - 1 if name == "sim-west" and index % 11 == 10 else index


def native(name: str, labels: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    """Abbreviations in the words of a source; what it has no word for is left out, or OTHER where
    nothing else is."""
    codes = [label_criteria.CODES[label] for label in labels]
    if name == "sim-north":  # now and then the code that counts as the same class
        equivalent = {one.codes[0]: one.codes for one in classes.select("study")}
        return [equivalent[code][-1 if rng.random() < 0.2 else 0] for code in codes]
    words = {
        code: text
        for text, known in vocabularies.vocabulary(name).items()
        for code in sorted(known)
    }
    if name == "sim-west" and labels != (
        "NSR",
    ):  # statement 1, a normal recording, says that there is nothing else
        words[label_criteria.CODES["NSR"]] = "20"
    said = [words[code] for code in codes if code in words]
    return said or [OTHER] * (name == "sim-south")


def _write(name: str, folder: Path, seed: int, index: int) -> dict[str, object]:
    """Writes one recording and its faults; its row of the metadata table, empty where there is
    none."""
    source = SOURCES[name]
    faults = [fault for where, at, fault in FAULTS if (where, at) == (name, index)]
    recording, rng = make_recording(
        *((COPY[0], seed, COPY[1]) if "copy of sim-north 15" in faults else (name, seed, index))
    )
    record = f"{source.prefix}{index + 1:05d}"
    signal_mv = recording.signal_mv
    if "flat lead" in faults:
        signal_mv = np.where(np.arange(12) == rng.integers(12), 0, signal_mv)
    age = None if "age unknown" in faults else -1 if "age -1" in faults else recording.age
    said = native(name, recording.labels, rng)
    if name == "sim-west":
        writers.write_h5(folder, record, signal_mv)
        row = {
            "ECG_ID": record,
            "AHA_Code": ";".join(said),
            "Patient_ID": f"P{patient_of(name, index) + 1:05d}",
        }
        row |= {
            "Age": age,
            "Sex": recording.sex,
            "N": len(signal_mv),
            "Date": f"20{20 + index % 4}-0{1 + index % 9}-15",
        }
        return {} if "no metadata row" in faults else row
    form = {"age": age, "sex": recording.sex, "labels": said}
    if name == "sim-east":
        writers.write_wfdb(folder, record, signal_mv, source.rate_hz, **form)
    else:
        folder = folder / f"g{1 + index // PER_FOLDER}" if name == "sim-north" else folder
        writers.write_challenge(folder, record, signal_mv, source.rate_hz, **form)
        _spoil(folder / record, faults)
    return {}


def _spoil(stem: Path, faults: list[str]) -> None:
    """Faults that are made in files already written."""
    header, signal = stem.with_suffix(".hea"), stem.with_suffix(".mat")
    text = header.read_text(encoding="utf-8")
    if "gain 1000.0(0)/mV" in faults:
        text = text.replace(" 1000/mV ", " 1000.0(0)/mV ")
    if "comma after the last code" in faults:
        text = "".join(
            line + ("," if line.startswith("#Dx") else "") + "\n" for line in text.splitlines()
        )
    header.write_text(text, encoding="utf-8", newline="\n")
    if "truncated signal file" in faults:
        signal.write_bytes(signal.read_bytes()[: signal.stat().st_size * 3 // 5])
