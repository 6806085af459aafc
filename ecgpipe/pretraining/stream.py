"""The stream of simulated recordings: (seed, index) -> one recording, conditioned as real ones are,
with a label for every official class.

What a recording is depends on nothing else: not on how many are drawn, nor by how many processes.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from ecgpipe.diagnoses import classes
from ecgpipe.preprocessing import store_writer
from ecgpipe.preprocessing.bandpass import condition, filter_arguments
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.simulation import label_criteria, readers
from ecgpipe.simulation.populations import POPULATIONS
from ecgpipe.simulation.recording import SimulatedRecording, simulate_recording

CLASSES = "official"


class Stream(NamedTuple):
    """What the recordings of a stream share; `conditioning`: keyword arguments of
    `bandpass.condition`."""

    seed: int
    populations: tuple[str, ...]  # taken in turn
    seconds: float
    simulated_hz: float
    conditioning: dict[str, Any]

    @property
    def samples(self) -> int:
        """Of each conditioned recording."""
        return round(self.seconds * self.conditioning["to_rate_hz"])


class Drawn(NamedTuple):
    """One conditioned recording: int16 microvolts [time, 12], R-peaks in samples, labels [class]
    (1, 0, NaN where undecided), age in years, sex F or M, and the digest of it as drawn."""

    signal_uv: np.ndarray
    peaks: np.ndarray
    labels: np.ndarray
    age: int
    sex: str
    digest: str


def of(params: PretrainParams, seed: int) -> Stream:
    """The stream of a `seed`, as the params say."""
    conditioning = filter_arguments(params.preprocess)
    mixed = params.population == "mixed"
    populations = tuple(POPULATIONS) if mixed else (params.population,)
    return Stream(seed, populations, params.seconds, params.simulated_hz, conditioning)


def draw(stream: Stream, index: int) -> Drawn:
    """Recording `index` of a stream, labelled by a reader of its own, as those of archives are by
    many."""
    rng = np.random.default_rng([stream.seed, index])
    recording = simulate_recording(
        rng,
        rate_hz=stream.simulated_hz,
        seconds=stream.seconds,
        population=stream.populations[index % len(stream.populations)],
        reader=readers.draw_reader(rng.spawn(1)[0]),
    )
    signal_mv = condition(recording.signal_mv, recording.rate_hz, **stream.conditioning)
    # The simulator's own, which a detector would find again but for a few.
    peaks = np.rint(recording.peaks_s * stream.conditioning["to_rate_hz"]).astype(np.int32)
    return Drawn(
        signal_uv=store_writer.to_microvolts(signal_mv),
        peaks=np.unique(np.minimum(peaks, stream.samples - 1)),
        labels=labels(recording),
        age=recording.age,
        sex=recording.sex,
        digest=store_writer.raw_digest(recording.signal_mv, recording.rate_hz),
    )


def labels(recording: SimulatedRecording) -> np.ndarray:
    """float32 [class]: the official classes of a recording, 1 or 0; NaN where the simulator has no
    criterion for the class, or where it cannot be decided for this recording."""
    present = set(recording.codes)
    undecided = {label_criteria.CODES[label] for label in recording.undecided}
    known = set(label_criteria.CODES.values()) - undecided
    row = []
    for diagnosis in _diagnoses():
        decided = not known.isdisjoint(diagnosis.codes)
        row.append(float(not present.isdisjoint(diagnosis.codes)) if decided else np.nan)
    return np.array(row, dtype=np.float32)


@functools.cache
def _diagnoses() -> tuple[classes.Diagnosis, ...]:
    """The official classes, whose codes are checked once: it took a sixth of a recording's time."""
    return classes.select(CLASSES)
