"""How a stage begins and ends. It ends well; by a fault of the user's or a full disk, told in one
line; or by a signal, after which the same command goes on, or begins again.

Any other error is ours and keeps its traceback. This module is light: a script asks it to
`end_quietly_on_signals` before the heavy imports, which take seconds.
"""

import contextlib
import errno
import fcntl
import inspect
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from ecgpipe.project import checked_params, memory, printable, stage_list
from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import CHECKPOINTS, NAME

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOPPED = 130  # what a shell expects of a command that SIGINT ended
# DVC removes the outputs of a stage before it runs it.
_RESTORED = "under dvc, `dvc checkout` brings the last outputs back"
_BEGINS_AGAIN = (
    f"this run has saved nothing, and leaves nothing half-done ({_RESTORED}). "
    "The same command begins again"
)


class Stopped(KeyboardInterrupt):
    """A stage that was asked to stop and has saved what it had; the text says how far it came."""


def end_quietly_on_signals() -> None:
    """From now on SIGINT and SIGTERM end this process at once in one line, status 130: for the time
    in which it imports what it needs, and has begun nothing."""
    script = Path(sys.argv[0]).stem
    name = "ecgpipe" if script == "__main__" else _stage_name()

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, f"{name}: stopped before it began. The same command begins again\n".encode())
        os._exit(_STOPPED)

    for number in _SIGNALS:
        signal.signal(number, end)


def _stage_name() -> str:
    """The stage whose script runs, as dvc.yaml calls it."""
    return Path(sys.argv[0]).stem.replace("_", "-")


def interruptible() -> dict[signal.Signals, Any]:
    """From now on SIGINT and SIGTERM raise KeyboardInterrupt; the handlers that were there
    before."""
    return {number: signal.signal(number, signal.default_int_handler) for number in _SIGNALS}


class _Shown(logging.Formatter):
    """Lines without what a terminal would obey (`printable.shown`): they name files and labels."""

    def format(self, record: logging.LogRecord) -> str:
        """What is written of a record."""
        return printable.shown_lines(super().format(record))


def run(main: Callable[..., None], *arguments: str, reads_recordings: bool = False) -> None:
    """Runs a stage under its lock, once the whole params have no fault (`checked_params`): with the
    folders of the sources, where it `reads_recordings` or makes them.

    A UserError or an OSError is told on standard error, status 1; SIGINT and SIGTERM end it with
    status 130 and what to do next. `--help` says what the stage is.
    """
    if {"-h", "--help"} & set(arguments):
        print(_about(main))
        return
    memory.keep_freed()
    lines = logging.StreamHandler()
    lines.setFormatter(_Shown("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    before = interruptible()
    name = "-".join([_stage_name(), *arguments])
    try:
        _refuse_arguments(main, arguments)
        # Of several processes under torchrun, which are one stage, the first holds the lock.
        first = int(os.environ.get("RANK") or 0) == 0
        with lock(name) if first else contextlib.nullcontext():
            if first:
                checked_params.check(with_folders=reads_recordings)
            main(*arguments)
    except KeyboardInterrupt as stop:
        saved = str(stop) if isinstance(stop, Stopped) else ""
        next_step = f"{saved}. The same command goes on" if saved else _BEGINS_AGAIN
        logging.error("%s: stopped; %s", name, next_step)
        sys.exit(_STOPPED)
    except (UserError, OSError) as error:
        logging.error("%s: %s", name, message(error))
        sys.exit(1)
    finally:
        _restore(before)


def _refuse_arguments(main: Callable[..., None], arguments: tuple[str, ...]) -> None:
    """UserError where a stage is given other arguments than it takes, or one that is no name:
    paths are made of it."""
    parameters, usage = inspect.signature(main).parameters, _usage(main)
    if len(arguments) != len(parameters):
        plural = "" if len(parameters) == 1 else "s"
        raise UserError(
            f"it takes {len(parameters)} argument{plural}, found {len(arguments)}; {usage}; "
            "--help says more"
        )
    for argument in arguments:
        if not re.fullmatch(NAME, argument):
            raise UserError(
                f"{argument!r} is no name of 1 to 100 letters, digits, '.', '_' and '-'; {usage}"
            )


def _usage(main: Callable[..., None]) -> str:
    """How a stage is called, and what with."""
    names = [name.upper() for name in inspect.signature(main).parameters]
    usage = " ".join([f"python -m stages.{Path(sys.argv[0]).stem}", *names])
    listed = stage_list.argument_of(_stage_name())
    return f"{usage}, one of {listed} in params.yaml" if names and listed else usage


def _about(main: Callable[..., None]) -> str:
    """What a stage does, how it is called, and which stages make what it reads."""
    name, lines = _stage_name(), [inspect.getmodule(main).__doc__ or "", _usage(main)]
    for path, maker in stage_list.inputs_of(name).items():
        lines.append(
            f"It reads {path}, which the stage {maker} makes." if maker else f"It reads {path}."
        )
    return "\n".join([*lines, f"`dvc repro {name}` runs it after the stages that it needs."])


def message(error: Exception) -> str:
    """What to say of a UserError or an OSError: of a full disk, what is left and what to do, and of
    a missing file, which stage makes it."""
    if isinstance(error, FileNotFoundError) and error.filename and not error.filename2:
        return _missing(os.fsdecode(error.filename))
    if not _is_full_disk(error):
        return str(error)
    return (
        f"the disk is full or a limit is reached ({error}). Nothing half-written is left; "
        f"{_RESTORED}. Make room and run it again"
    )


def _missing(path: str) -> str:
    maker = stage_list.maker(path)
    step = f"; the stage {maker} makes it: `dvc repro {maker}`" if maker else ""
    return f"{path}: no such file or folder{step}"


def _is_full_disk(error: Exception) -> bool:
    if not isinstance(error, OSError):
        return False
    # NumPy's own error has no number: "100 requested and 60 written".
    return error.errno in _FULL or (error.errno is None and "requested and" in str(error))


@contextlib.contextmanager
def defer_signals() -> Iterator[Callable[[], bool]]:
    """Within the block SIGINT and SIGTERM do not interrupt: the function given tells whether one
    came. A second one interrupts all the same. Outside the main thread, which alone gets signals,
    it always tells False."""
    came = threading.Event()

    def defer(number: int, frame: FrameType | None) -> None:
        if came.is_set():
            signal.default_int_handler(number, frame)
        came.set()

    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    before = {number: signal.signal(number, defer) for number in _SIGNALS}
    try:
        yield came.is_set
    finally:
        _restore(before)


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Holds the lock of a stage; it dies with its owner. UserError where another process holds it.

    A killed `dvc repro` leaves its stage running, and the next one would start a second writer.
    """
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    path = CHECKPOINTS / f"{name}.lock"
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"{path}: another process is running stage {name}; wait for it or end it"
            ) from error
        except OSError as error:
            raise UserError(
                f"{path}: this file system gives no lock ({error.strerror}), so two runs of a "
                "stage could mix; keep the project on a disk that has file locks"
            ) from error
        yield
