"""A made-up collection of any size, in the layout of the Challenge's release: the eight public
sources in their proportions, 10-s recordings at 500 Hz in g#/ folders of 1,000, labels drawn from
each source's own vocabulary.

A few hundred recordings come from the simulator; the others are copies of them with small noise
added, so that no two are exact duplicates, and are written without the simulator's cost: 100,000
take 12 GB and about a minute.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecgpipe.diagnoses import vocabularies
from ecgpipe.project import params
from ecgpipe.project.leads import LEADS
from ecgpipe.simulation.recording import simulate_recording
from ecgpipe.snomed import concepts

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / params.SOURCES
RATE_HZ, SAMPLES, PER_FOLDER = 500, 5000, 1000


@dataclass(frozen=True)
class Source:
    """A public source: its vocabulary, the prefix of its record names, and how many recordings it
    has."""

    vocabulary: str
    prefix: str
    recordings: int


SOURCES = {
    "cpsc_2018": Source("CPSC2018", "A", 6877),
    "cpsc_2018_extra": Source("CPSC2018-Extra", "Q", 3453),
    "st_petersburg_incart": Source("INCART", "I", 74),
    "ptb": Source("PTB", "S", 516),
    "ptb-xl": Source("PTB-XL", "HR", 21837),
    "georgia": Source("Georgia", "E", 10344),
    "chapman_shaoxing": Source("Chapman-Shaoxing", "JS", 10247),
    "ningbo": Source("Ningbo", "NB", 34905),
}
PUBLIC = sum(source.recordings for source in SOURCES.values())


def sizes(recordings: int) -> dict[str, int]:
    """How many of all `recordings` each source has; they add up."""
    ends = np.cumsum([0, *(source.recordings for source in SOURCES.values())]) * recordings / PUBLIC
    return dict(zip(SOURCES, np.diff(ends.round().astype(int)).tolist(), strict=True))


def labels(name: str, count: int, rng: np.random.Generator) -> list[list[str]]:
    """For each of `count` recordings one to five codes of the source, the n-th of them 1/n as
    frequent as the first."""
    codes = sorted(frozenset().union(*vocabularies.vocabulary(SOURCES[name].vocabulary).values()))
    codes = sorted(rng.permutation(codes).tolist(), key=lambda code: code != concepts.SINUS_RHYTHM)
    weight = 1 / np.arange(1, len(codes) + 1)
    drawn = rng.choice(len(codes), size=(count, 5), p=weight / weight.sum())
    kept = np.minimum(1 + rng.poisson(0.9, count), 5)
    lists = []
    for row, number in zip(drawn.tolist(), kept.tolist(), strict=True):
        lists.append([codes[index] for index in dict.fromkeys(row[:number])])
    return lists


def bases(count: int, seed: int) -> np.ndarray:
    """int16 [count, time, 12]: simulated recordings in microvolts."""
    signals_mv = [
        simulate_recording(np.random.default_rng([seed, i])).signal_mv for i in range(count)
    ]
    return np.rint(np.stack(signals_mv) * 1000).clip(-32000, 32000).astype(np.int16)


def write(
    folder: Path, name: str, digital: np.ndarray, age: int, sex: str, codes: Sequence[str]
) -> None:
    """One recording, int16 [time, 12], as in the Challenge's release (`simulation.writers` has the
    format)."""
    sums = digital.sum(axis=0, dtype=np.int16).tolist()
    lines = [f"{name} 12 {RATE_HZ} {len(digital)}"]
    for lead, first, total in zip(LEADS, digital[0].tolist(), sums, strict=True):
        lines.append(f"{name}.mat 16+24 1000/mV 16 0 {first} {total} 0 {lead}")
    lines += [
        f"#Age: {age}",
        f"#Sex: {sex}",
        f"#Dx: {','.join(codes)}",
        "#Rx: Unknown",
        "#Hx: Unknown",
        "#Sx: Unknown",
    ]
    head = struct.pack("<5i4s", 30, len(LEADS), len(digital), 0, 4, b"val\0")
    (folder / f"{name}.mat").write_bytes(head + digital.tobytes())
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make(root: Path, recordings: int, *, simulated: int = 500, seed: int = 1) -> dict[str, int]:
    """Writes a collection below `root`, a folder to a source; how many recordings each has.

    PTB-XL gets its table of patients, who come 1.16 times on average.
    """
    made = bases(min(simulated, recordings), seed)
    for number, (name, count) in enumerate(sizes(recordings).items()):
        rng = np.random.default_rng([seed, number])
        codes = labels(name, count, rng)
        for index in range(count):
            folder = root / name / f"g{index // PER_FOLDER + 1}"
            if index % PER_FOLDER == 0:
                folder.mkdir(parents=True)
            noise = rng.integers(-4, 5, SAMPLES, dtype=np.int16)
            digital = made[rng.integers(len(made))] + noise[:, None]
            record = f"{SOURCES[name].prefix}{index + 1:06d}"
            age, sex = int(rng.integers(18, 95)), ("Male", "Female")[index % 2]
            write(folder, record, digital, age, sex, codes[index])
        if name == "ptb-xl":
            patients = rng.integers(0, max(1, round(3 * count)), count)
            rows = [f"{index + 1},{patient}" for index, patient in enumerate(patients.tolist())]
            (root / name / "ptbxl_database.csv").write_text(
                "\n".join(["ecg_id,patient_id", *rows]) + "\n"
            )
    return sizes(recordings)


def settings(project: Path) -> dict:
    """configs/cinc2021.yaml with the sources of `SOURCES` alone, below `project`/data/raw."""
    values = params.load(ROOT / "configs/cinc2021.yaml")
    values["data"] |= {"root": str(project / "data/raw"), "sources": list(SOURCES)}
    return values
