"""Worker processes, and at which recordings one died.

A worker notes what it is at in a small file of its own; when joblib tells that one was killed, the
notes say where.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from ecgpipe.project.errors import UserError


def note(folder: str, at: str) -> None:
    """Notes in `folder` (of `watched`) that this process is at the recording `at`; '' when it is
    done with its share.

    A note is for a message alone, so one that cannot be written stops nothing."""
    with contextlib.suppress(OSError):
        Path(folder, str(os.getpid())).write_text(at, encoding="utf-8", errors="replace")


@contextlib.contextmanager
def watched(step: str) -> Iterator[str]:
    """A folder for the notes of workers. UserError in place of joblib's own error where one of
    them died: it names the recordings that were being worked on, and the next `step`."""
    with tempfile.TemporaryDirectory(prefix="ecgpipe-") as folder:
        try:
            yield folder
        except BrokenProcessPool as error:
            notes = [path.read_text(encoding="utf-8") for path in Path(folder).iterdir()]
            recordings = sorted(filter(None, notes))
            codes = re.search(r"\{.*\}", str(error))  # joblib's "exit codes {SIGKILL(-9)}"
            raise UserError(
                f"a worker process died ({codes[0] if codes else 'killed'}) while these "
                f"recordings were worked on: {', '.join(recordings) or 'none yet'}. {step}"
            ) from error
