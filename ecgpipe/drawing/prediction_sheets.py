"""New recordings on ECG paper, each with what the models find in it."""

import contextlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ecgpipe.drawing import ecg_paper
from ecgpipe.prediction import outputs
from ecgpipe.project import atomic, printable
from ecgpipe.report import style

SHOWN_S = ecg_paper.SHEET_S  # of a recording
_LETTERS = 150  # of a line on the sheet
_PATH_LETTERS = 80  # of a recording's path in the title
_LONGEST = 150  # bytes of a file's name


@dataclass
class Sheets:
    """Draws sheets into `folder`, as PNG files named after the recordings; a name that stands
    already there gets a number."""

    folder: Path
    classes: outputs.ClassWords
    _taken: set[str] = field(default_factory=set)

    def draw(self, prediction: outputs.RecordingPrediction) -> Path | None:
        """The sheet of one recording, as it was read; None where it was refused and there is
        nothing to draw."""
        if prediction.recording is None:
            return None
        positive = outputs.positive_classes(prediction, self.classes)
        shares = f" ({self.classes.legend})" if self.classes.legend else ""
        note = _wrapped(f"The models find{shares}: {positive}")
        if prediction.intervals:
            note += _wrapped(f"Measured: {prediction.intervals.words}")
        if prediction.reason:
            note += _wrapped(f"Flags: {printable.shown(prediction.reason)}")
        if self.classes.remark:
            note += _wrapped(f"The network is {self.classes.remark}.")
        path = self.folder / self.new_name(prediction.path.stem)
        recording = prediction.recording
        sheet = ecg_paper.twelve_leads(
            recording.signal_mv,
            recording.rate_hz,
            _title(prediction),
            "\n".join(note),
            prediction.duration_s,
        )
        style.save(sheet, path, dpi=ecg_paper.DPI)
        return path

    def new_name(self, stem: str) -> str:
        """A file name that nothing drawn before has: letters and digits of any script, dot, dash,
        underscore."""
        wanted = re.sub(r"[^\w.-]", "_", stem).encode()[:_LONGEST].decode(errors="ignore")
        name, number = wanted, 1
        while name.lower() in self._taken:  # some file systems do not tell cases apart
            number += 1
            name = f"{wanted}-{number}"
        self._taken.add(name.lower())
        return f"{name}.png"


@contextlib.contextmanager
def drawing(folder: Path, classes: outputs.ClassWords) -> Iterator[Sheets]:
    """`Sheets` that lie in the new folder `folder` when the block ends well, and nowhere when
    not."""
    with atomic.atomic(folder) as temporary:
        temporary.mkdir()
        yield Sheets(temporary, classes)


def _wrapped(text: str) -> list[str]:
    """A text as lines of the sheet."""
    return textwrap.wrap(ecg_paper.drawable(text), _LETTERS)


def _title(prediction: outputs.RecordingPrediction) -> str:
    """The path as it was given, of a long one its end, then sex, age, duration and rate."""
    recording, path = prediction.recording, printable.shown(prediction.path)
    if len(path) > _PATH_LETTERS:
        path = f"...{path[-_PATH_LETTERS:]}"
    sex = recording.sex or "sex unknown"
    age = "age unknown" if recording.age is None else f"{recording.age:g} years"
    duration = f"{prediction.duration_s:.1f} s at {recording.rate_hz:g} Hz"
    return ecg_paper.drawable(f"{path}, {sex}, {age}, {duration}")
