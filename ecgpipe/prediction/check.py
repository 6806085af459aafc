"""`python -m ecgpipe check`: is a recording usable, and if not, why?"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ecgpipe.prediction import reading
from ecgpipe.recordings import quality, safe_files, suffixes
from ecgpipe.recordings.descriptions import describe
from ecgpipe.recordings.recording import Recording
from ecgpipe.recordings.sources import Source

VERDICTS = ("ok", "flagged", "refused")


class Verdict(NamedTuple):
    """What is said of one recording file: one of `VERDICTS`, its reason (a code; several flags
    joined by |) and a sentence."""

    path: str
    verdict: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class _Stages:
    """What the stages leave out of folders (file -> `reason: message`), and what they flag (file ->
    flags) for more than signals."""

    left_out: dict[Path, str] = field(default_factory=dict)
    flags: dict[Path, tuple[str, ...]] = field(default_factory=dict)


def check(
    paths: Iterable[Path], source: Source | None = None, within: Sequence[Path] = ()
) -> Iterator[Verdict]:
    """The verdict of each recording file (`reading.read`).

    In folders, those `within` which the files lie, two files of one record are refused as the
    stages refuse them. With a `source` so is what its labels and tables say
    (`recordings.descriptions.describe`), rows without a file included.
    """
    stages = _of_stages(within, source)
    for path in paths:
        verdict, reason, recording = reading.read(path, source, within)
        if path in stages.left_out and verdict != "refused":
            verdict, reason = "refused", stages.left_out.pop(path)
        if verdict == "refused":
            code, _, message = reason.partition(": ")
            yield Verdict(safe_files.shown(path), verdict, code, safe_files.shown(message))
        else:
            yield _of_flags(path, recording, stages.flags.get(path, ()))
    for path, fault in stages.left_out.items():
        if path.name and not path.exists():
            yield Verdict(safe_files.shown(path), "refused", *fault.split(": ", 1))


def _of_flags(path: Path, recording: Recording, flags_of_stages: Iterable[str]) -> Verdict:
    """The verdict of a recording that was read: each flag once, with its sentence."""
    flags = list(dict.fromkeys((*recording.faults, *flags_of_stages)))
    codes = [flag.partition(" (")[0] for flag in flags]
    sentences = []
    for code, flag in zip(codes, flags, strict=True):
        details = flag.removeprefix(code)
        sentences.append(quality.SENTENCES[code] + details)
    verdict = "flagged" if flags else "ok"
    sentence = safe_files.shown("; ".join(sentences))
    return Verdict(safe_files.shown(path), verdict, "|".join(codes), sentence)


def _of_stages(folders: Sequence[Path], source: Source | None) -> _Stages:
    """What the stages would make of the recordings below these folders, beyond their signals."""
    stages = _Stages()
    for folder in folders:
        # Not of `reading.source_of_rate`, which knows no table.
        if source is not None and (source.form == "wfdb" or source.table):
            _add_labels(stages, folder, source)
        else:
            _add_duplicates(stages, folder)
    return stages


def _add_labels(stages: _Stages, folder: Path, source: Source) -> None:
    """Adds what label-map leaves out of a source's folder, and whose labels it flags."""
    # Mapped to tables by pandas, which all other checks do without.
    from ecgpipe.diagnoses import classes
    from ecgpipe.labels import mapping

    described = list(describe(folder, source))
    vocabulary = mapping.vocabulary(source, folder)
    meanings = mapping.meanings_of(described, source, vocabulary, classes.select("official"))
    faults = mapping.faults_of(described, meanings, source)
    for recording, fault in zip(described, faults, strict=True):
        path = folder / (recording.path or recording.record)
        if fault:
            stages.left_out[path] = fault
        flags = list(recording.flags)
        if not all(meanings[label].genuine for label in recording.labels):
            flags.append("unknown-label")
        stages.flags[path] = tuple(flags)


def _add_duplicates(stages: _Stages, folder: Path) -> None:
    """Adds the files below a folder that share their record's name with another."""
    files = sorted(reading.recordings_below(folder))
    own = suffixes.OF_FORM.values()
    times = Counter((path.stem, path.suffix) for path in files if path.suffix in own)
    rule = "another file below this folder has this record name; rename or remove one"
    for path in files:
        if times[path.stem, path.suffix] > 1:
            stages.left_out[path] = f"duplicate-record: {path}: {rule}"
