"""The whole params checked before a stage runs, so that a word mistyped in the section of the last
stage stops the first, and not the run after hours."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import CHECKPOINTS, PARAMS, SOURCES

_PACKAGE = Path(__file__).parents[1]


def check(*, with_folders: bool) -> None:
    """UserError with all faults of params.yaml and of the catalogue, as `python -m ecgpipe params`
    finds them, and `with_folders` of what the sources' folders lack; nothing where there are no
    params, which the stage itself tells.

    The command runs in a process of its own, where it may import every package: a check changes no
    output, so no stage depends on what it imports. It takes half a second, so what passed is noted:
    the stages of a run check the same files once, and after that look for the folders alone.
    """
    if not PARAMS.is_file():
        return
    note = CHECKPOINTS / ("checked-with-folders" if with_folders else "checked")
    key = _digest()
    has_passed = note.is_file() and note.read_text(encoding="utf-8") == key
    if has_passed and not (with_folders and _lacks_a_folder()):
        return
    command = [sys.executable, "-m", "ecgpipe", "params"]
    ended = subprocess.run(
        command if with_folders else [*command, "--settings-only"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(_search_path())},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 1 and not ended.stderr:
        lines = [line for line in ended.stdout.splitlines() if not line.endswith(": ok")]
        raise UserError("\n  ".join(["the params are checked before anything runs:", *lines]))
    if ended.returncode != 0:
        raise UserError(f"the params cannot be checked: {ended.stderr.strip()}")
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(key, encoding="utf-8")


def _lacks_a_folder() -> bool:
    """Whether the folder of a source that no stage makes is gone since the params passed, such as
    that of a disk that is mounted no more."""
    from ecgpipe.project import params  # which takes longer to import than a stage may wait to stop

    values = params.load(PARAMS)
    root, names = Path(values["data"]["root"]), values["data"]["sources"]
    made = values["simulate"]["sources"]
    return any(not (root / name).is_dir() for name in names if name not in made)


def _search_path() -> list[str]:
    """Where the process finds this package first, then what this one was told."""
    told = os.environ.get("PYTHONPATH")
    return [str(_PACKAGE.parent), *([told] if told else [])]


def _digest() -> str:
    """The SHA-256 of both files and of the code and tables that check them."""
    sums = hashlib.sha256()
    code = sorted(path for kind in ("*.py", "*.csv") for path in _PACKAGE.rglob(kind))
    for path in (PARAMS, SOURCES, *code):
        sums.update(path.read_bytes() if path.is_file() else b"")
        sums.update(b"\0")
    return sums.hexdigest()
