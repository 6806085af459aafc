"""What is said of new recordings, and the two forms in which it is written.

- csv: one file, a row per recording: `path, verdict, reason`, one column of probability per class
  under its abbreviation, one of decision (1 present, 0 absent) under `<abbreviation>_present`; both
  blank where refused, and of a class that the models did not learn. Where they are asked for,
  columns of measured numbers follow (the fields of `intervals.Intervals`), blank where one could
  not be measured. A path that a spreadsheet would take for a formula has `./` before it
  (`printable.path_cell`).
- challenge: one folder, a file `<record>.csv` per recording as the scorer of the PhysioNet/CinC
  Challenge 2021 reads it (evaluate_model.py of
  https://github.com/physionetchallenges/evaluation-2021): `#<record>`, then the SNOMED CT codes,
  the decisions and the probabilities, each a line of values separated by commas. The scorer wants a
  file for every recording and takes a number alone, so of a refused one all are 0, and so are those
  of a class that was not learnt. A last line that begins with `#`, which it skips, has verdict and
  reason of what is not ok. Of an answer that is no finite number there is no file: the scorer then
  says so, where zeros would say that the patient is healthy.

Rows are written as they come, under a temporary name that becomes the wanted one at the end.
"""

import contextlib
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgpipe.prediction.intervals import Intervals
from ecgpipe.project import atomic
from ecgpipe.project.errors import UserError
from ecgpipe.project.printable import path_cell, shown
from ecgpipe.recordings.recording import Recording

FORMATS = ("csv", "challenge")
HEAD = ("path", "verdict", "reason")  # of the table's columns
NOT_FINITE = "not-finite"  # why a recording that was read is refused


@dataclass(frozen=True)
class RecordingPrediction:
    """What is said of one recording file: 'ok', 'flagged' or 'refused' and the reason; calibrated
    probabilities and decisions (1 or 0), both [class], None where refused, NaN and 0 of a class
    that was not learnt; how long the recording is, what was measured on it where that was asked
    for, and, where it is to be drawn, its beginning as read."""

    path: Path
    verdict: str
    reason: str
    probabilities: NDArray[np.float64] | None = None
    present: NDArray[np.int64] | None = None
    recording: Recording | None = None
    duration_s: float = 0.0
    intervals: Intervals | None = None


class ClassWords(NamedTuple):
    """What people are told of the models' classes: abbreviations, full names, and the precision of
    their answers in validation [class], NaN where unknown; and a remark on all answers, '' for
    none."""

    names: Sequence[str]
    full_names: Sequence[str]
    precision: NDArray[np.float64]
    remark: str = ""

    @property
    def legend(self) -> str:
        """What the shares behind classes are (`positive_classes`); '' where there are none."""
        is_known = bool(np.isfinite(self.precision).any())
        return "in brackets: how often such an answer was right in validation" if is_known else ""


def positive_classes(prediction: RecordingPrediction, classes: ClassWords) -> str:
    """The classes present, each with its probability and, where known, the precision of its
    answers, the most probable first; of a refused recording, why it is."""
    probabilities = prediction.probabilities
    if probabilities is None:
        return f"refused, {shown(prediction.reason)}"
    present = []
    for place in np.argsort(-probabilities, kind="stable"):
        if prediction.present[place]:
            # A class whose abbreviation is its full name is named once.
            words = dict.fromkeys([classes.names[place], classes.full_names[place]])
            right = classes.precision[place]
            share = [f"({100 * right:.0f} %)"] if np.isfinite(right) else []
            present.append(" ".join([*words, f"{probabilities[place]:.2f}", *share]))
    return ", ".join(present) or f"none of the {np.isfinite(probabilities).sum()} classes"


@contextlib.contextmanager
def writer(
    form: str,
    out: Path,
    codes: Sequence[str],
    names: Sequence[str],
    with_intervals: bool = False,
) -> Iterator[Callable[[RecordingPrediction], None]]:
    """Writes each `RecordingPrediction` that it is called with to `out`, a file (csv) or a new
    folder (challenge), in one of `FORMATS`. Whether `out` may be written is the caller's to
    check."""
    if form == "challenge":
        with atomic.atomic(out) as folder:
            folder.mkdir()
            yield lambda prediction: _write_challenge_file(folder, prediction, codes)
        return
    with atomic.atomic(out) as path, path.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle, lineterminator="\n")
        measured = Intervals._fields if with_intervals else ()
        rows.writerow([*HEAD, *names, *(f"{name}_present" for name in names), *measured])
        yield lambda prediction: rows.writerow(_row(prediction, len(names), len(measured)))


def check_distinct_names(files: Sequence[Path]) -> None:
    """UserError where two recordings have one name, which challenge files cannot tell apart."""
    by_name: dict[str, Path] = {}
    for path in files:
        if path.stem in by_name:
            both = f"'{path.stem}' is both {by_name[path.stem]} and {path}"
            rule = "--format challenge names files by recordings"
            raise UserError(f"{rule}: {both}; predict them apart")
        by_name[path.stem] = path


def _row(prediction: RecordingPrediction, classes: int, measured: int) -> list[str]:
    """One row of the CSV."""
    head = [path_cell(prediction.path), prediction.verdict, shown(prediction.reason)]
    if prediction.probabilities is None:
        return head + [""] * (2 * classes + measured)
    intervals = prediction.intervals.cells if measured else []
    probabilities, decisions = [], []
    for probability, decision in zip(prediction.probabilities, prediction.present, strict=True):
        learnt = np.isfinite(probability)
        probabilities.append(f"{probability:.7g}" if learnt else "")
        decisions.append(str(decision) if learnt else "")
    return [*head, *probabilities, *decisions, *intervals]


def _write_challenge_file(
    folder: Path, prediction: RecordingPrediction, codes: Sequence[str]
) -> None:
    """One recording's file, where it has one."""
    if prediction.reason.startswith(f"{NOT_FINITE}: "):
        return
    if prediction.probabilities is None:
        decisions = ["0"] * len(codes)
        probabilities = decisions
    else:
        decisions = [str(decision) for decision in prediction.present]
        probabilities = [f"{value:.7g}" for value in np.nan_to_num(prediction.probabilities)]
    name = prediction.path.stem
    lines = [f"#{shown(name)}", ",".join(codes), ",".join(decisions), ",".join(probabilities)]
    if prediction.verdict != "ok":
        lines.append(f"#{prediction.verdict}: {shown(prediction.reason)}")
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
