"""Every case of the corpus gets the verdict and the reason that it must get, in little time and memory."""

import os
import resource
import sys
import time
from pathlib import Path

from ecgpipe import records
from tests import corpus

OPENED: list[str] = []
WATCHING: list[bool] = []


def noted(event: str, arguments: tuple) -> None:
    """Takes down every file that this process opens."""
    if WATCHING and event == "open" and isinstance(arguments[0], str):
        OPENED.append(arguments[0])


def most_memory() -> int:
    """The largest number of bytes held so far by this process or one that it started, macOS counts in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_every_case_gets_its_verdict_in_time_and_memory_and_opens_nothing_outside(tmp_path):
    cases = corpus.make(tmp_path)
    assert len(cases) >= 400 and len({case.name for case in cases}) == len(cases)
    records.read(cases[0].file)
    sys.addaudithook(noted)
    held, slowest, wrong = most_memory(), 0.0, []
    for case in cases:
        start = time.monotonic()
        WATCHING.append(True)
        wrong += [told] if (told := corpus.wrong(case)) else []
        WATCHING.clear()
        slowest = max(slowest, time.monotonic() - start)
    assert wrong == []
    assert slowest < 10, "5 s for the reader and as much for a busy machine"
    assert most_memory() - held < 256 << 20
    opened = [Path(name).resolve() for name in OPENED]
    assert len(opened) > len(cases)
    own = (tmp_path.resolve(), Path(records.__file__).parents[1], Path(sys.prefix), Path(os.devnull))
    assert [path for path in opened if "outside" in path.parts or not any(map(path.is_relative_to, own))] == []
