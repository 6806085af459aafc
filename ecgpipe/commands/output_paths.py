"""Where a command may write what a user asked for: nothing but a plain file or a new folder is ever
replaced."""

import os
from pathlib import Path

from ecgpipe.project.errors import UserError


def file(path: Path, option: str = "--out") -> Path:
    """The file to write for `path`, which `option` names; that which a link leads to is written
    through it.

    UserError where something other than a regular file stands there (a folder, a device, a pipe),
    where a link leads nowhere, or where the folder that it should lie in is none.
    """
    path = Path(path)
    if path.is_symlink() and not path.exists():
        rule = f"{option} is a link that leads nowhere ({path.readlink()})"
        raise UserError(f"{path}: {rule}; remove it")
    target = path.resolve() if path.is_symlink() else path
    if target.is_dir():
        raise UserError(f"{path}: {option} names a file, found a folder; name a file in it")
    if target.exists() and not target.is_file():
        rule = f"{option} names a regular file, found a device, pipe or socket"
        raise UserError(f"{path}: {rule}; name another")
    return _in_a_folder(target, option)


def folder(path: Path, option: str = "--out") -> Path:
    """The folder to make for `path`; UserError where something stands there that is no empty
    folder, or where the folder that it should lie in is none."""
    path = Path(path)
    is_empty_folder = path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    if os.path.lexists(path) and not is_empty_folder:
        raise UserError(f"{path}: {option} writes a new folder; remove this one or name another")
    return _in_a_folder(path, option)


def _in_a_folder(path: Path, option: str) -> Path:
    if not path.parent.is_dir():
        rule = f"{option} lies in a folder that is there, {path.parent} is none"
        raise UserError(f"{path}: {rule}; make it first")
    return path
