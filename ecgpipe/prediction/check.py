"""`python -m ecgpipe check`: is a recording usable, and if not, why? And what else lies there?"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ecgpipe.labels import patients
from ecgpipe.prediction import flags as input_flags
from ecgpipe.prediction import reading
from ecgpipe.preprocessing import source_doubts
from ecgpipe.recordings import quality, safe_files, source_files
from ecgpipe.recordings.descriptions import Description, describe
from ecgpipe.recordings.recording import Recording
from ecgpipe.recordings.sources import Source

VERDICTS = ("ok", "flagged", "refused")
# What may be unknown of a patient, and what follows.
_UNKNOWN = {"age": "", "sex": "", "patient": f": {patients.EACH_ALONE}"}
# How to write what is not understood of a patient; so many texts of it are named, so far.
_WRITE = {"age": "years as a number from 0 to 120", "sex": "F or M"}
_MOST_NAMED, _MOST_LETTERS = 5, 40
LEFT_OUT = "left out"  # of a file that looks like a recording and is not read


class Verdict(NamedTuple):
    """What is said of one file: one of `VERDICTS` or `LEFT_OUT`, its reason (a code; several flags
    joined by |) and a sentence."""

    path: str
    verdict: str
    reason: str
    sentence: str


class _Patient(NamedTuple):
    """What is known of a recording's patient: `values` of age and sex, and of patient where the
    source names patients, None where they are not known; and what is written and no value."""

    values: Mapping[str, object]
    not_understood: tuple[tuple[str, str], ...]

    def explains(self, reason: str) -> bool:
        """Whether all flags are of what is not understood."""
        return set(reason.split("|")) <= {f"odd-{what}" for what, _ in self.not_understood}


@dataclass
class Whole:
    """What the recordings that were read show together."""

    doubts: source_doubts.Tally = field(default_factory=source_doubts.Tally)
    unknown: Counter[str] = field(default_factory=Counter)
    not_understood: dict[str, Counter[str]] = field(default_factory=dict)
    explained: set[str] = field(default_factory=set)  # files of which `sentences` say all

    def add(self, recording: Recording, known: _Patient) -> None:
        """Counts one recording of a patient."""
        self.doubts.add(source_doubts.measure(recording))
        self.unknown.update(what for what, value in known.values.items() if value is None)
        for what, text in known.not_understood:
            self.not_understood.setdefault(what, Counter())[text] += 1

    def sentences(self) -> list[str]:
        """What is to be said of all recordings, beyond each one's verdict."""
        told = self.doubts.sentences()
        read = len(self.doubts.measured)
        for what, consequence in _UNKNOWN.items():
            if count := self.unknown[what]:
                told.append(f"the {what} is unknown in {count} of {read} recordings{consequence}")
        for what, written in sorted(self.not_understood.items()):
            told.append(
                f"the {what} is not understood in {written.total()} of {read} recordings: "
                f"{_listed(written)}; write {_WRITE[what]}"
            )
        return told


def _listed(written: Counter[str]) -> str:
    """The most frequent texts, and how many more there are."""
    texts = [
        f"'{safe_files.shown(text)[:_MOST_LETTERS]}' ({times})"
        for text, times in written.most_common(_MOST_NAMED)
    ]
    others = len(written) - len(texts)
    return ", ".join([*texts, f"{others} others"] if others else texts)


@dataclass(frozen=True)
class _Stages:
    """What the stages leave out of folders (file -> `reason: message`), and what they flag (file ->
    flags) and know of patients by more than signals. Files are named as `safe_files.shown` has
    them."""

    left_out: dict[str, str] = field(default_factory=dict)
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    patients: dict[str, _Patient] = field(default_factory=dict)


def check(
    paths: Iterable[Path],
    source: Source | None = None,
    within: Sequence[Path] = (),
    whole: Whole | None = None,
) -> Iterator[Verdict]:
    """The verdict of each recording file (`reading.read`), by its signal and header alone.

    With a `source`, what the stages leave out of folders, those `within` which the files lie, is
    refused as well (`recordings.descriptions.describe`): for labels and tables, two files of one
    record, rows without a file. Last come the files of folders that look like recordings and are
    not read. What is read is counted in `whole`.
    """
    whole = whole or Whole()
    stages, unread = _of_stages(within, source), _unread(within, source)
    for path in paths:
        shown = safe_files.shown(path)
        if shown in unread:
            continue
        verdict, reason, recording = reading.read(path, source, within)
        fault = stages.left_out.pop(shown, "")
        if fault and verdict != "refused":
            verdict, reason = "refused", fault
        if verdict == "refused" or recording is None:
            code, _, message = reason.partition(": ")
            yield Verdict(shown, verdict, code, safe_files.shown(message))
        else:
            patient = stages.patients.get(shown) or _patient(recording)
            whole.add(recording, patient)
            row = _of_flags(path, recording, stages.flags.get(shown, ()))
            if patient.explains(row.reason):
                whole.explained.add(shown)
            yield row
    for shown, fault in stages.left_out.items():
        yield Verdict(shown, "refused", *fault.split(": ", 1))
    for shown, reason in sorted(unread.items()):
        yield Verdict(shown, LEFT_OUT, reason, source_files.REASONS[reason])


def accounts(folders: Sequence[Path], source: Source | None) -> list[source_files.Account]:
    """Every file below each of these folders, accounted for."""
    of_stages = source if _has_labels(source) else None
    return [source_files.account(folder, of_stages) for folder in folders]


def _unread(folders: Sequence[Path], source: Source | None) -> dict[str, str]:
    """The files below folders that look like recordings and are not read, as they are shown, and
    the reason of each."""
    unread = {}
    for account in accounts(folders, source):
        for path, reason in account.left_out.items():
            unread[safe_files.shown(account.folder / path)] = reason
    return unread


def _has_labels(source: Source | None) -> bool:
    """Whether a source is that of the catalogue; `reading.source_of_rate` knows no table."""
    return source is not None and (source.form == "wfdb" or source.table is not None)


def _patient(recording: Recording | Description, *, with_id: bool = False) -> _Patient:
    """What a recording, or what is described of it, says of its patient."""
    values: dict[str, object] = {"age": recording.age, "sex": recording.sex}
    if with_id:
        values["patient"] = recording.patient
    return _Patient(values, recording.not_understood)


def _of_flags(path: Path, recording: Recording, flags_of_stages: Iterable[str]) -> Verdict:
    """The verdict of a recording that was read: each flag once, with its sentence."""
    faults = [input_flags.with_details(flag, recording) for flag in recording.faults]
    flags = list(dict.fromkeys((*faults, *flags_of_stages)))
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
    if source is not None and _has_labels(source):
        for folder in folders:
            _add_labels(stages, folder, source)
    return stages


def _add_labels(stages: _Stages, folder: Path, source: Source) -> None:
    """Adds what label-map leaves out of a source's folder, and whose labels it flags."""
    # Mapped to tables by pandas, which all other checks do without.
    from ecgpipe.diagnoses import classes
    from ecgpipe.labels import mapping, meanings

    described = patients.judged(describe(folder, source))
    vocabulary = mapping.vocabulary(source, folder)
    meant = meanings.meanings_of(described, source, vocabulary, classes.select("official"))
    faults = mapping.faults_of(described, meant, source, vocabulary)
    for recording, fault in zip(described, faults, strict=True):
        path = safe_files.shown(folder / (recording.path or recording.record))
        if fault and fault.partition(":")[0] not in source_files.REASONS:
            stages.left_out[path] = fault
        flags = list(recording.flags)
        unknown = [label for label in recording.labels if not meant[label].genuine]
        if unknown:
            told = [
                f"{label!r}{meanings.hint(label, source.codes, vocabulary)}" for label in unknown
            ]
            flags.append(f"unknown-label ({', '.join(told)})")
        stages.flags[path] = tuple(flags)
        stages.patients[path] = _patient(recording, with_id=source.names_patients())
