"""`python -m ecgpipe check`: is a recording usable, and if not, why?"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ecgpipe.diagnoses import classes
from ecgpipe.labels import mapping
from ecgpipe.prediction.reading import recordings_below, verdict
from ecgpipe.recordings import quality, safe_files, suffixes
from ecgpipe.recordings.descriptions import describe
from ecgpipe.recordings.sources import Source


def check(
    paths: Iterable[Path], source: Source | None = None, within: Sequence[Path] = ()
) -> Iterator[tuple[str, str, str, str]]:
    """path, verdict, reason (its code; several flags joined by |) and a sentence of each recording
    file (`verdict`).

    In folders, those `within` which the files lie, two files of one record are refused as the
    stages refuse them. With a `source` so is what its labels and tables say
    (`recordings.descriptions.describe`), rows without a file included.
    """
    left_out, doubts = _of_stages(within, source)
    for path in paths:
        said, reason, recording = verdict(path, source, within)
        if path in left_out and said != "refused":
            said, reason = "refused", left_out.pop(path)
        code, colon, message = reason.partition(": ")
        if not (said == "refused" and colon):
            flags = dict.fromkeys((*(recording.faults if recording else ()), *doubts.get(path, ())))
            told = [
                (quality.SENTENCES[flag.partition(" (")[0]], flag.partition(" (")[1:])
                for flag in flags
            ]
            said, code = (
                "flagged" if flags else said,
                "|".join(flag.partition(" (")[0] for flag in flags),
            )
            message = "; ".join(sentence + "".join(more) for sentence, more in told)
        yield safe_files.shown(path), said, code, safe_files.shown(message)
    for path, fault in left_out.items():
        if path.name and not path.exists():
            yield safe_files.shown(path), "refused", *fault.split(": ", 1)


def _of_stages(
    folders: Sequence[Path], source: Source | None
) -> tuple[dict[Path, str], defaultdict[Path, tuple[str, ...]]]:
    """(file -> `reason: message`, file -> flags) of what the stages leave out of these folders, or
    flag, for more than their signals."""
    left_out: dict[Path, str] = {}
    doubts: defaultdict[Path, tuple[str, ...]] = defaultdict(tuple)
    for folder in folders:
        if source is not None and (source.form == "wfdb" or source.table):  # not of `of_rate`
            described = list(describe(folder, source))
            words = mapping.vocabulary(source, folder)
            meanings = mapping.meanings_of(described, source, words, classes.select("official"))
            for one, fault in zip(
                described, mapping.faults_of(described, meanings, source), strict=True
            ):
                path = folder / (one.path or one.record)
                left_out |= {path: fault} if fault else {}
                beside = not all(meanings[label].genuine for label in one.labels)
                doubts[path] = (*one.flags, *("unknown-label",) * beside)
            continue
        below = sorted(recordings_below(folder))
        times = Counter(
            (path.stem, path.suffix) for path in below if path.suffix in suffixes.OF_FORM.values()
        )
        rule = "another file below this folder has this record name; rename or remove one"
        twice = [path for path in below if times[path.stem, path.suffix] > 1]
        left_out |= {path: f"duplicate-record: {path}: {rule}" for path in twice}
    return left_out, doubts
