"""What a parser may do at its worst costs its own process."""

import os
import textwrap
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.recordings import sandbox
from ecgpipe.recordings.refusals import Refused

PARSER = """
import ctypes, os, sys, time
import numpy as np
from ecgpipe.recordings import sandbox
from ecgpipe.recordings.refusals import Refused

def answer(task, file, *more):
    if file == "crash":
        ctypes.string_at(0)
    if file == "hang":
        time.sleep(60)
    if file == "wait":
        time.sleep(1.5)
    while file == "spin":
        pass
    if file == "memory" or file.endswith("large"):
        np.empty((1 << 30,), dtype=np.int8)
    if file == "write":
        open(more[0], "wb").write(b"x" * 10)
    if file == "leave":
        os._exit(3)
    if file == "chatter":
        print("noise")
    if file == "lie":
        sys.__stdout__.buffer.write(b'{"shape": [1, 1000000000000], "dtype": "<f4"}\\n')
        sys.__stdout__.buffer.flush()
    if file == "refuse":
        raise Refused("format", "refuse: no recording")
    values = np.full((2, 3), more[0] if more else 1, dtype=np.float32)
    return values, {"task": task, "pid": os.getpid()}

sandbox.serve(answer, times=2, cpu_seconds=1)
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    (tmp_path / "parser_of_test.py").write_text(textwrap.dedent(PARSER))
    module = types.ModuleType("parser_of_test")
    module.__file__ = str(tmp_path / "parser_of_test.py")
    monkeypatch.setenv("PYTHONPATH", str(Path(sandbox.__file__).parents[2]))
    one = sandbox.Sandbox(module, "task", seconds=4.0)
    yield one
    one.close()


def test_one_process_answers_all_calls(made):
    first, said = made.call("a", 2.5)
    assert np.array_equal(first, np.full((2, 3), 2.5, dtype=np.float32))
    assert said["task"] == "task" and said["pid"] != os.getpid()
    assert made.call("chatter")[1]["pid"] == said["pid"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("crash", "status -11"),
        ("hang", "longer than 4 s"),
        ("leave", "status 3"),
        ("lie", "ended"),
    ],
)
def test_a_parser_that_crashes_hangs_or_lies_costs_one_recording(made, fault, says):
    start = time.monotonic()
    with pytest.raises(Refused, match=f"{fault}: the parser of this file .*{says}") as caught:
        made.call(fault)
    assert caught.value.reason == "crashed"
    assert time.monotonic() - start < 10
    assert made.call("a")[0].sum() == 6, "the next recording reads"


def test_the_processors_time_is_limited_and_not_the_clocks(made):
    made.seconds = 60.0
    with pytest.raises(Refused, match="more of the processor's time than a recording takes"):
        made.call("spin")
    assert made.call("wait")[0].sum() == 6, "another program had the processor"
    for _ in range(3):
        assert made.call("a")[0].sum() == 6, "the limit is that of a call"
    assert sandbox.SECONDS > 5 * sandbox.CPU_SECONDS


def test_what_asks_for_too_much_memory_is_refused_unless_its_file_is_large(made, tmp_path):
    with pytest.raises(Refused, match="memory: it asks for more memory") as caught:
        made.call("memory")
    assert caught.value.reason == "oversized"
    with (tmp_path / "large").open("wb") as handle:
        handle.truncate(1 << 30)
    assert made.call(str(tmp_path / "large"))[0].sum() == 6


def test_a_process_that_ran_out_of_memory_answers_no_other_call(made):
    _, before = made.call("a")
    with pytest.raises(Refused, match="more memory"):
        made.call("memory")
    values, after = made.call("b")
    assert values.shape == (2, 3) and after["pid"] != before["pid"]


def test_a_parser_writes_no_file(made, tmp_path):
    with pytest.raises(Refused):
        made.call("write", str(tmp_path / "written"))
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_bytes()


def test_a_refusal_comes_back_as_it_was_raised(made):
    with pytest.raises(Refused, match="refuse: no recording") as caught:
        made.call("refuse")
    assert caught.value.reason == "format"


def test_threads_take_turns(made):
    found = {}

    def ask(number):
        found[number] = made.call("a", float(number))[0][0, 0]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: n for n in range(8)}


def test_a_fork_starts_its_own(made):
    mine = made.call("a")[1]["pid"]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(made.call("a")[1]["pid"]).encode())
        made.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(read, 99)) != mine
    assert made.call("a")[1]["pid"] == mine


def test_a_module_that_does_not_start_is_named(tmp_path):
    (tmp_path / "silent_parser_of_test.py").write_text("raise SystemExit(1)\n")
    module = types.ModuleType("silent_parser_of_test")
    module.__file__ = str(tmp_path / "silent_parser_of_test.py")
    with pytest.raises(
        RuntimeError, match=r"-m silent_parser_of_test task does not start; run it by hand"
    ):
        sandbox.Sandbox(module, "task").call("a")
