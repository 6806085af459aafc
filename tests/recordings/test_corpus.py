"""Every case of the corpus gets the verdict and the reason that it must get, in little time and
memory."""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ecgpipe.recordings import hdf5, hdf5_worker, recording, wfdb_signals, wfdb_worker
from tests.fixtures import corpus

OPENED: list[str] = []
WATCHING: list[bool] = []
MOST_MORE = 256 << 20
# In a fresh process: what reading all files takes beyond what reading the first took, and what each
# parser's process takes in all. The system's own count of a process (`ru_maxrss`) begins with that
# of its parent and could hide both.
READER = """
import json, sys
from pathlib import Path
from ecgpipe.recordings import hdf5, recording, wfdb_signals
from ecgpipe.recordings.refusals import Refused
def most(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
first, *files = json.load(sys.stdin)
recording.read(Path(first))
held = most("self")
for file in files:
    try:
        recording.read(Path(file))
    except Refused:
        pass
workers = [wfdb_signals.wfdb_library(), hdf5.library()]
print(json.dumps([most("self") - held, *(most(worker.pid) for worker in workers)]))
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return corpus.make(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module", autouse=True)
def _hook():
    sys.addaudithook(noted)


def noted(event: str, arguments: tuple) -> None:
    """Takes down every file that this process opens."""
    if WATCHING and event == "open" and isinstance(arguments[0], str):
        OPENED.append(arguments[0])


def watched(cases: list[corpus.Case]) -> tuple[list[str], list[float]]:
    """(what is wrong with cases, the seconds that each took), with all files that are opened taken
    down."""
    OPENED.clear()
    wrong, seconds = [], []
    for case in cases:
        start = time.monotonic()
        WATCHING.append(True)
        wrong += [told] if (told := corpus.wrong(case)) else []
        WATCHING.clear()
        seconds.append(time.monotonic() - start)
    return wrong, seconds


def strange(root: Path) -> list[Path]:
    """The files that were opened and are neither below `root` nor of Python."""
    opened = [Path(name).resolve() for name in OPENED]
    own = (
        root.resolve(),
        Path(recording.__file__).parents[2],
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(os.devnull),
    )
    return [
        path for path in opened if "outside" in path.parts or not any(map(path.is_relative_to, own))
    ]


@pytest.fixture
def own_records(cases, monkeypatch):
    """Where the records that wfdb is given are made."""
    folder = cases[0].file.parents[1] / "own"
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_every_case_gets_its_verdict_in_time_and_opens_nothing_outside(cases, own_records):
    assert len(cases) >= 600 and len({case.name for case in cases}) == len(cases)
    assert all(case.verdict in ("ok", "flagged", "refused") for case in cases)
    assert all((case.verdict == "ok") == (case.reason == "") for case in cases)
    assert all("|" not in case.reason for case in cases), "one case, one reason"
    recording.read(cases[0].file)
    wrong, seconds = watched(cases)
    assert wrong == []
    assert max(seconds) < 5
    assert sum(seconds) < 60
    assert len(OPENED) > len(cases)
    assert strange(cases[0].file.parents[1]) == []


def test_the_parsers_of_others_open_nothing_outside_either(cases, own_records, monkeypatch):
    """What runs in a process of its own runs in this one, where it is seen what Python opens for
    it."""

    class Here:
        def __init__(self, worker, task):
            self.call = functools.partial(worker.handle_request, task)

    monkeypatch.setattr(wfdb_signals, "wfdb_library", lambda: Here(wfdb_worker, "wfdb"))
    monkeypatch.setattr(hdf5, "library", lambda: Here(hdf5_worker, "h5"))
    chosen = [
        case
        for case in cases
        if any(word in case.name for word in ("format", "frame", "late", "hidden", "h5 "))
    ]
    wrong, _ = watched(chosen)
    assert wrong == []
    assert sum(name.endswith("/record.dat") for name in OPENED) > 30
    assert list(own_records.iterdir()) == []
    assert strange(cases[0].file.parents[1]) == []


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not tell what a process held"
)
def test_all_cases_are_read_in_little_memory(cases):
    asked = json.dumps([str(case.file) for case in cases])
    root = Path(recording.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", READER], input=asked, capture_output=True, text=True, cwd=root
    )
    assert done.returncode == 0, done.stderr
    reader, *parsers_of_others = json.loads(done.stdout)
    assert reader < MOST_MORE
    assert max(parsers_of_others) < MOST_MORE + (128 << 20), (
        "the memory that they may take, and their libraries"
    )
