"""Where a command may write what a user asked for, told before its work begins.

Replaced is nothing but what the same command wrote before, known by what it holds, and an empty
file or folder: an input, a tracked file or somebody's notes stay as they are.
"""

import os
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import PLOTS

_LOOKED_AT = 1 << 16  # bytes at either end of a file, by which it is known
_OF_PAGES = (".csv", ".md", ".png")


class Kind(NamedTuple):
    """What a command writes into one file: in words, and what an older one holds near its beginning
    or its end."""

    words: str
    mark: re.Pattern[bytes]


def file(path: Path, option: str, kind: Kind) -> Path:
    """The file to write for `path`, which `option` names; that which a link leads to is written
    through it.

    UserError where something other than an empty file or one of this `kind` stands there, where a
    link leads nowhere, or where nothing can be written.
    """
    path = Path(path)
    if path.is_symlink() and not path.exists():
        rule = f"{option} is a link that leads nowhere ({path.readlink()})"
        raise UserError(f"{path}: {rule}; remove it")
    target = path.resolve() if path.is_symlink() else path
    if target.is_dir():
        raise UserError(f"{path}: {option} names a file, found a folder; name a file in it")
    if target.exists():
        _refuse_other_file(path, target, option, kind)
    return _where_one_can_write(target, option)


def folder(path: Path, option: str = "--out") -> Path:
    """The folder to make for `path`; UserError where something stands there that is no empty
    folder, or where nothing can be written."""
    path = Path(path)
    if os.path.lexists(path) and (path.is_symlink() or _held(path)):
        raise UserError(f"{path}: {option} writes a new folder; remove this one or name another")
    return _where_one_can_write(path.absolute(), option)


def page(path: Path, title: str, option: str = "--out") -> Path:
    """The folder of a page (README.md, its pictures and tables) to write for `path`.

    UserError where it holds something and no README.md that begins with `title`, or beside that
    files that no page has; or where nothing can be written.
    """
    path = Path(path)
    held = _held(path) if os.path.lexists(path) else []
    readme, replaceable = path / "README.md", ()
    if readme.is_file():
        text = readme.read_text(encoding="utf-8", errors="replace")
        replaceable = _OF_PAGES if text.startswith(f"{title}\n") else ()
    other = [found.name for found in held if found.suffix not in replaceable]
    if other:
        rule = f"{option} is replaced whole, found {other[0]} there"
        raise UserError(f"{path}: {rule}; name a folder that is not there")
    if path.parent == PLOTS and not PLOTS.exists():  # the project's own, made with its first page
        return path.absolute()
    return _where_one_can_write(path.absolute(), option)


def _held(path: Path) -> list[Path]:
    """What a folder holds; of what is no folder, or a link to one, itself."""
    return sorted(path.iterdir()) if path.is_dir() and not path.is_symlink() else [path]


def _refuse_other_file(path: Path, target: Path, option: str, kind: Kind) -> None:
    if not target.is_file():
        rule = f"{option} names a regular file, found a device, pipe or socket"
        raise UserError(f"{path}: {rule}; name another")
    with target.open("rb") as handle:
        size = handle.seek(0, os.SEEK_END)
        ends = []
        for place in (0, max(0, size - _LOOKED_AT)):
            handle.seek(place)
            ends.append(handle.read(_LOOKED_AT))
    if size and not any(kind.mark.search(end) for end in ends):
        rule = f"{option} replaces nothing but {kind.words}, found another file"
        raise UserError(f"{path}: {rule}; name one that is not there")
    # Root may write what nobody is to write.
    if not (target.stat().st_mode & 0o222 and os.access(target, os.W_OK)):
        raise UserError(f"{path}: {option} is a file that may not be written; name another")


def _where_one_can_write(path: Path, option: str) -> Path:
    """The path; UserError where the folder that it should lie in is none, or takes no file of a
    name such as `project.atomic` gives."""
    if not path.parent.is_dir():
        rule = f"{option} lies in a folder that is there, {path.parent} is none"
        raise UserError(f"{path}: {rule}; make it first")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"):
            return path
    except OSError as error:
        rule = f"{option} cannot be written into {path.parent} ({error.strerror})"
        raise UserError(f"{path}: {rule}; name another place") from error
