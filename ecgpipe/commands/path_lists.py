"""Lists of paths, as --list takes them: UTF-8 text with one path a line, or names separated by NUL
as `find -print0` has them."""

import os
import sys
from pathlib import Path

from ecgpipe.project.errors import UserError

STDIN = "-"


def paths(content: bytes, where: str) -> list[Path]:
    """The paths that a list holds. Of lines, blanks around a path and empty lines count for
    nothing; a name between NUL bytes is taken as it is. UserError where lines are no UTF-8;
    `where` names the list.

    >>> [str(path) for path in paths(b"a 1.hea \\r\\n\\n  b\\n", "list")]
    ['a 1.hea', 'b']
    """
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [Path(os.fsdecode(name)) for name in content.split(b"\0") if name]
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        byte = f"0x{content[error.start]:02x} at {error.start}"
        step = "save it so, or part its names by NUL"
        raise UserError(f"{where}: a list is UTF-8 text, found byte {byte}; {step}") from error
    return [Path(line.strip()) for line in lines if line.strip()]


def read(name: str) -> list[Path]:
    """The paths of the list in the file `name`; `-` is standard input."""
    if name != STDIN:
        return paths(Path(name).read_bytes(), name)
    return paths(sys.stdin.buffer.read(), "standard input")
