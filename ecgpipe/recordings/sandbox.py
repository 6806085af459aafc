"""A process of its own for parsers that are not ours: what crashes or hangs them or fills memory
costs one recording.

The process is started at the first call and serves all further ones, one after the other. It may
hold so much memory beyond what it starts with, or so many times the size of the file (small files
that ask for much memory are the danger), write no file and take so many seconds of a processor a
call, which a busy machine does not change; the clock ends it too, much later. Where it does not
answer it is ended and the next call starts another. What it answers is JSON and plain numbers:
nothing that it sends is ever run.

A request is one line of JSON, a list of strings and numbers. An answer is one line of JSON:
`{"refused": [reason, message]}`, or `{"shape": [leads, samples], "dtype": ..., ...}` followed by
the bytes of such an array. `"spent": true` says that memory ran out: the libraries do not give all
of it back, and a good recording would be refused next, so another process answers the next call.
"""

import contextlib
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from ecgpipe.recordings.refusals import Refused

CPU_SECONDS = 20  # of a processor, whole ones; the largest recordings take 1 to 5
SECONDS = 120.0  # by the clock
MOST_MEMORY = 1 << 28  # bytes beyond what the process starts with
_START_S = 60.0
_NUMBERS = ("<f4", "<i4")


class Sandbox:
    """The process that runs `python -m <module> <task>`, which calls `serve`. One call at a time,
    from any thread."""

    def __init__(self, module: ModuleType, task: str, seconds: float = SECONDS) -> None:
        self._command = [sys.executable, "-m", module.__name__, task]
        self._task, self.seconds, self._guard = task, seconds, threading.Lock()
        self._root = Path(str(module.__file__)).parents[len(module.__name__.split(".")) - 1]
        self._child: subprocess.Popen | None = None
        self._owner = 0

    def call(self, file: str, *arguments: str | float) -> tuple[np.ndarray, dict[str, Any]]:
        """The answer's array [lead, time] of a file and what else it says. Refused as the parser
        refuses, or 'crashed' where it does not answer."""
        request = (self._task, file, *arguments)
        with self._guard:
            child = self._running()
            timer = threading.Timer(self.seconds, child.kill)
            timer.start()
            try:
                return self._asked(child, request)
            except (OSError, ValueError, EOFError) as error:
                if isinstance(error, Refused):
                    raise
                raise self._ended(child, file, error) from error
            finally:
                timer.cancel()

    @property
    def pid(self) -> int | None:
        """The number of the process, None where none runs."""
        return None if self._child is None else self._child.pid

    def close(self) -> None:
        """Ends the process, if any."""
        child, self._child = self._child, None
        if child is not None:
            _end(child, self._owner)

    def _running(self) -> subprocess.Popen:
        """The process, started where there is none of ours (a fork of this process starts its
        own)."""
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            self.close()
            self._child, self._owner = self._start(), os.getpid()
            weakref.finalize(self, _end, self._child, self._owner)
            _await_readiness(self._child)
        return self._child

    def _start(self) -> subprocess.Popen:
        alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._root,
            env={**os.environ, **alone},
        )

    def _asked(self, child: subprocess.Popen, request: tuple) -> tuple[np.ndarray, dict[str, Any]]:
        """Writes the request, reads the answer; ValueError or EOFError where it is none."""
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        line = child.stdout.readline(1 << 16)
        if not line.endswith(b"\n"):
            raise EOFError
        answer = json.loads(line)
        if answer.get("spent"):
            self.close()
        if "refused" in answer:
            raise Refused(*answer["refused"])
        shape = tuple(map(int, answer.pop("shape")))
        values = _empty(shape, answer.pop("dtype"))
        into = memoryview(values).cast("B") if values.size else bytearray()
        if child.stdout.readinto(into) != values.nbytes:
            raise EOFError
        return values, answer

    def _ended(self, child: subprocess.Popen, file: str, error: Exception) -> Refused:
        """Ends a process that did not answer; what to say of its file."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(1.0)
        code = child.poll()
        if code == -signal.SIGXCPU:
            fate = "took more of the processor's time than a recording takes"
        elif code == -signal.SIGKILL:
            fate = f"took longer than {self.seconds:g} s, or was killed"
        else:
            fate = f"ended with status {code} ({type(error).__name__})"
        self.close()
        return Refused(
            "crashed", f"{file}: the parser of this file {fate}; fetch it anew or leave it out"
        )


def _await_readiness(child: subprocess.Popen) -> None:
    """RuntimeError where a process does not say in time that it is ready."""
    timer = threading.Timer(_START_S, child.kill)
    timer.start()
    assert child.stdout is not None
    ready = child.stdout.readline()
    timer.cancel()
    if ready != b"ready\n":
        command = " ".join(map(str, child.args))
        raise RuntimeError(f"{command} does not start; run it by hand to see why")


def _empty(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """An array to be filled by an answer; ValueError where none has such a one."""
    if len(shape) != 2 or min(shape) < 0 or dtype not in _NUMBERS:
        raise ValueError("an answer is [lead, time] of four bytes each")
    if shape[0] * shape[1] * 4 > MOST_MEMORY:
        raise ValueError("an answer fits into the memory of who gives it")
    return np.empty(shape, dtype=dtype)


def serve(
    answer: Callable[..., tuple[np.ndarray, dict[str, Any]]],
    times: int = 0,
    cpu_seconds: int = CPU_SECONDS,
) -> None:
    """Answers the requests on standard input by `answer(*request)`, which gives an array and what
    else to say, or raises Refused; until the input ends. Memory is limited to MOST_MEMORY beyond
    what is held now, or to so many `times` the size of the file asked for, where that is more; the
    processor's time to `cpu_seconds` a request."""
    held = _confine()
    out: BinaryIO = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    out.write(b"ready\n")
    out.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if held:
            _limit(resource.RLIMIT_AS, held + _memory_for(Path(request[1]), times))
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + cpu_seconds)
        head, body = _answered(answer, request)
        out.write(json.dumps(head).encode() + b"\n")
        out.write(body.cast("B") if body.nbytes else b"")
        out.flush()


def _memory_for(file: Path, times: int) -> int:
    size = file.stat().st_size if file.exists() else 0
    return max(MOST_MEMORY, times * size)


def _answered(
    answer: Callable[..., tuple[np.ndarray, dict[str, Any]]], request: list
) -> tuple[dict[str, Any], memoryview]:
    """The line and the bytes of an answer."""
    try:
        values, more = answer(*request)
        values = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        head = {**more, "shape": values.shape, "dtype": values.dtype.str}
        return head, memoryview(values)
    except Refused as refusal:
        return {"refused": [refusal.reason, str(refusal)]}, memoryview(b"")
    except MemoryError:
        message = f"{request[1]}: it asks for more memory than a recording takes; remove it"
        return {"refused": ["oversized", message], "spent": True}, memoryview(b"")


def _confine() -> int:
    """Limits this process; the bytes of memory that it holds, 0 where the system does not tell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks is told, and ends us
    for which in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        _limit(which, 0)
    held = Path("/proc/self/statm")
    return int(held.read_text().split()[0]) * resource.getpagesize() if held.exists() else 0


def _limit(which: int, most: int) -> None:
    """Sets the soft limit of this process; one that the system does not know is left out."""
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (most, resource.getrlimit(which)[1]))


def _end(child: subprocess.Popen, owner: int) -> None:
    """Ends a process that `owner` started, and lets go of its pipes."""
    if owner == os.getpid():
        child.kill()
        child.wait()
    for pipe in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
