"""Which beats of a rhythm come early: one mark per beat that was due.

The marks: '' the beat itself, 'A' an atrial premature beat in its place, 'B' one that is blocked,
'V' and 'W' a ventricular premature beat of a first and a second shape, 'I' a ventricular beat
between two beats that keep their places (interpolated).
"""

import numpy as np

from ecgpipe.simulation.findings import Findings

EVERY = {"bigeminy": 2, "trigeminy": 3}


def marks(
    rng: np.random.Generator, findings: Findings, beats: int, first: int, last: int, longer: float
) -> list[str]:
    """The marks of so many beats; only those from `first` to before `last` come early.

    `longer` is the length over ten seconds: as frequent in a long recording as in ten seconds of
    it, or a window would show none.
    """
    marked = [""] * beats
    if findings.ventricular:
        groups = round(findings.ventricular * longer)
        places = _places(rng, findings.ventricular_pattern, groups, first, last)
        usual = "I" if findings.ventricular_pattern == "interpolated" else "V"
        multiform = usual == "V" and rng.random() < 0.25
        for place in places:
            marked[place] = "W" if multiform and rng.random() < 0.5 else usual
    if findings.premature:
        groups = round(findings.premature * longer)
        usual = "B" if findings.atrial_pattern == "blocked" else "A"
        for place in _places(rng, findings.atrial_pattern, groups, first, last):
            marked[place] = marked[place] or usual
    return marked


def _places(
    rng: np.random.Generator, pattern: str, groups: int, first: int, last: int
) -> list[int]:
    """The numbers of the beats that come early in a pattern."""
    if pattern in EVERY:
        every = EVERY[pattern]
        begin = first + int(rng.integers(every))
        end = last if rng.random() < 0.7 else begin + every * int(rng.integers(2, 5))
        return list(range(begin, min(end, last), every)) or [first]
    length = {"couplet": 2, "run": int(rng.integers(3, 9))}.get(pattern, 1)
    groups = min(groups, 1 + groups // 3) if length > 1 else groups
    begins = rng.permutation(np.arange(first, max(last - length + 1, first + 1)))[:groups]
    return [place for begin in begins.tolist() for place in range(begin, min(begin + length, last))]
