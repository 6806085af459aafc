"""How a stage ends: well; by a fault of the user's or a full disk, told in one line; or by a signal, after which the
same command goes on.

Any other error is ours and keeps its traceback.
"""

import contextlib
import errno
import logging
import os
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from ecgpipe import layout

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOPPED = 130  # what a shell expects of a command that SIGINT ended


class Stopped(KeyboardInterrupt):
    """A stage that was asked to stop and has saved what it had; the text says how far it came."""


def run(main: Callable[..., None], *arguments: str) -> None:
    """Runs a stage under its lock. A fault of the user's (ValueError of this package, OSError) is told on standard
    error, status 1; SIGINT and SIGTERM end it with status 130 and what to do next."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    before = {number: signal.signal(number, signal.default_int_handler) for number in _SIGNALS}
    name = "-".join([Path(sys.argv[0]).stem.replace("_", "-"), *arguments])
    rank = os.environ.get("RANK")  # of several processes under torchrun, which are one stage
    try:
        with layout.lock(f"{name}-{rank}" if rank else name):
            main(*arguments)
    except KeyboardInterrupt as stop:
        how_far = str(stop) or "nothing half-done is left"
        logging.error("%s: stopped; %s. The same command goes on", name, how_far)
        sys.exit(_STOPPED)
    except (ValueError, OSError) as error:
        if not of_the_user(error):
            raise
        logging.error("%s: %s", name, told(error))
        sys.exit(1)
    finally:
        _restore(before)


def of_the_user(error: Exception) -> bool:
    """Whether an error is the user's or the machine's to mend: an OSError, or a ValueError that this package raised,
    here or in a worker process."""
    if isinstance(error, OSError):
        return True
    remote = getattr(error.__cause__, "tb", None)  # joblib keeps a worker's traceback as text
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    files = re.findall(r'File "([^"]+)"', remote) if isinstance(remote, str) else frames
    return bool(files) and Path(files[-1]).parent == Path(__file__).parent


def told(error: Exception) -> str:
    """What to say of an error of the user's; of a full disk, what is left and what to do."""
    numpys = isinstance(error, OSError) and error.errno is None and "requested and" in str(error)
    if numpys or (isinstance(error, OSError) and error.errno in _FULL):
        return f"the disk is full or a limit is reached ({error}). The old files are whole; make room and run it again"
    return str(error)


@contextlib.contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Within the block SIGINT and SIGTERM do not interrupt: the function given tells whether one came. A second one
    interrupts all the same. Outside the main thread, which alone gets signals, it always tells False."""
    asked = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.default_int_handler(number, frame)
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield asked.is_set
    finally:
        _restore(before)


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, signal.SIG_DFL if handler is None else handler)
