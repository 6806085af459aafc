"""What commands print beside a progress bar, whatever terminal reads it, and also when nobody does
any more."""

import os
import sys

from tqdm import tqdm


def any_letters() -> None:
    """Lets standard output and error take every character: what their encoding lacks is spelled out
    (`\\u5fc3`)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Prints a line above a progress bar. Where the reader has gone, such as `head`, nothing is
    said from then on, and nothing at all where standard output was closed from the start."""
    if sys.stdout is None:
        return
    try:
        tqdm.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
