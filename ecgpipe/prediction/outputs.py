"""What is said of new recordings, and the two forms in which it is written.

- csv: one file, a row per recording: `path, verdict, reason`, one column of probability per class
  under its abbreviation, one of decision (1 present, 0 absent) under `<abbreviation>_present`; both
  blank where refused, and of a class that the models did not learn.
- challenge: one folder, a file `<record>.csv` per recording as the scorer of the PhysioNet/CinC
  Challenge 2021 reads it (evaluate_model.py of
  https://github.com/physionetchallenges/evaluation-2021): `#<record>`, then the SNOMED CT codes,
  the decisions and the probabilities, each a line of values parted by commas. The scorer wants a
  file for every recording and takes a number alone, so of a refused one all are 0, and so are those
  of a class that was not learnt. A last line that begins with `#`, which it skips, has verdict and
  reason of what is not ok.

Rows are written as they come, under a temporary name that becomes the wanted one at the end.
"""

import contextlib
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgpipe.project import atomic
from ecgpipe.project.errors import UserError
from ecgpipe.recordings.recording import Recording

FORMATS = ("csv", "challenge")


@dataclass(frozen=True)
class RecordingPrediction:
    """What is said of one recording file: 'ok', 'flagged' or 'refused' and the reason; calibrated
    probabilities and decisions (1 or 0), both [class], None where refused, NaN and 0 of a class
    that was not learnt; how long the recording is, and, where it is to be drawn, its beginning as
    read."""

    path: Path
    verdict: str
    reason: str
    probabilities: NDArray[np.float64] | None = None
    present: NDArray[np.int64] | None = None
    recording: Recording | None = None
    duration_s: float = 0.0


def plain(text: object) -> str:
    """Text that any terminal and any UTF-8 file takes, on one line: what is no Unicode in a file's
    name is spelled out.

    >>> plain("a\\udcff.hea")
    'a\\\\udcff.hea'
    """
    return " ".join(str(text).encode("utf-8", "backslashreplace").decode("utf-8").splitlines())


def positive_classes(
    answer: RecordingPrediction, names: Sequence[str], full_names: Sequence[str]
) -> str:
    """The classes present, each with its probability, the most probable first; of a refused
    recording, why it is."""
    if answer.probabilities is None:
        return f"refused, {plain(answer.reason)}"
    found = [
        place for place in np.argsort(-answer.probabilities, kind="stable") if answer.present[place]
    ]
    said = [
        " ".join(
            dict.fromkeys([names[place], full_names[place], f"{answer.probabilities[place]:.2f}"])
        )
        for place in found
    ]
    return ", ".join(said) or f"none of the {np.isfinite(answer.probabilities).sum()} classes"


@contextlib.contextmanager
def writer(
    form: str, out: Path, codes: Sequence[str], names: Sequence[str]
) -> Iterator[Callable[[RecordingPrediction], None]]:
    """Writes each `RecordingPrediction` that it is called with to `out`, a file (csv) or a new
    folder (challenge), in one of `FORMATS`. Whether `out` may be written is the caller's to
    check."""
    if form == "challenge":
        with atomic.atomic(out) as folder:
            folder.mkdir()
            yield lambda answer: _of_challenge(folder, answer, codes)
        return
    with atomic.atomic(out) as path, path.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle, lineterminator="\n")
        rows.writerow(["path", "verdict", "reason", *names, *(f"{name}_present" for name in names)])
        yield lambda answer: rows.writerow(_row(answer, len(names)))


def distinct(files: Sequence[Path]) -> None:
    """UserError where two recordings have one name, which challenge files cannot tell apart."""
    seen: dict[str, Path] = {}
    for path in files:
        if path.stem in seen:
            raise UserError(
                f"--format challenge names files by recordings: '{path.stem}' is both {seen[path.stem]} and {path}; "
                "predict them apart"
            )
        seen[path.stem] = path


def _row(answer: RecordingPrediction, classes: int) -> list[str]:
    """One row of the CSV."""
    head = [plain(answer.path), answer.verdict, plain(answer.reason)]
    if answer.probabilities is None:
        return head + [""] * (2 * classes)
    known = np.isfinite(answer.probabilities)
    values = [
        f"{value:.7g}" if known[place] else "" for place, value in enumerate(answer.probabilities)
    ]
    return [
        *head,
        *values,
        *(str(one) if known[place] else "" for place, one in enumerate(answer.present)),
    ]


def _of_challenge(folder: Path, answer: RecordingPrediction, codes: Sequence[str]) -> None:
    """One recording's file."""
    nothing = answer.probabilities is None
    decisions = [0] * len(codes) if nothing else answer.present
    values = (
        ["0"] * len(codes)
        if nothing
        else [f"{value:.7g}" for value in np.nan_to_num(answer.probabilities)]
    )
    lines = [
        f"#{plain(answer.path.stem)}",
        ",".join(codes),
        ",".join(map(str, decisions)),
        ",".join(values),
    ]
    if answer.verdict != "ok":
        lines.append(f"#{answer.verdict}: {plain(answer.reason)}")
    (folder / f"{answer.path.stem}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
