"""New recordings on ECG paper, each with what the models find in it."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ecgpipe import figures, paper, results
from ecgpipe.records import Recording

_LETTERS = 150  # of a line on the sheet
_LONGEST = 60  # letters of a file's name


@dataclass
class Sheets:
    """Draws sheets into `folder`, as PNG files named after the recordings; a name that stands already there gets a
    number."""

    folder: Path
    names: Sequence[str]
    full_names: Sequence[str]
    _taken: set[str] = field(default_factory=set)

    def draw(self, answer: results.Answer) -> Path | None:
        """The sheet of one recording, as it was read; None where it was refused and there is nothing to draw."""
        if answer.recording is None:
            return None
        found = f"The models find: {results.findings(answer, self.names, self.full_names)}"
        lines = [found, *[f"Flags: {results.plain(answer.reason)}"] * bool(answer.reason)]
        note = "\n".join(part for line in lines for part in textwrap.wrap(paper.drawable(line), _LETTERS))
        title = paper.drawable(f"{results.plain(answer.path.name)}{_about(answer.recording)}")
        path = self.folder / self._name(answer.path.stem)
        sheet = paper.twelve_leads(answer.recording.signal_mv, answer.recording.rate_hz, title, note)
        figures.save(sheet, path, dpi=paper.DPI)
        return path

    def _name(self, stem: str) -> str:
        """A file name that nothing drawn before has."""
        wanted = re.sub(r"[^A-Za-z0-9._-]", "_", stem)[:_LONGEST]
        name, number = wanted, 1
        while name.lower() in self._taken:  # some file systems do not tell cases apart
            number += 1
            name = f"{wanted}-{number}"
        self._taken.add(name.lower())
        return f"{name}.png"


def _about(recording: Recording) -> str:
    """Sex, age, duration and rate."""
    age = "age unknown" if recording.age is None else f"{recording.age:g} years"
    duration_s = len(recording.signal_mv) / recording.rate_hz
    return f", {recording.sex or 'sex unknown'}, {age}, {duration_s:.1f} s at {recording.rate_hz:g} Hz"
