"""How an artefact is written: under a temporary name, flushed to the disk, then renamed; a folder
with the digests of its files (`project.digests`)."""

import contextlib
import json
import math
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ecgpipe.project.digests import write_digests

# Files in a folder, from which on one flush of everything is cheaper than one for each.
_MANY = 1000


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and is removed
    when not.

    The block may make a file or a folder; a folder replaces an older one whole. What killed writers
    of the same path left is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _tidy(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        _flush(temporary)
        _replace(temporary, path)
        _flush(path.parent, alone=True)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # as of a write to an open file
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)
        _tidy(path)  # again: workers that outlived a killed writer may have come back to it


@contextlib.contextmanager
def sealed_folder(path: Path) -> Iterator[Path]:
    """A new folder that takes the place of `path` with the digests of its files when the block ends
    well, and is removed when not (`atomic`)."""
    with atomic(path) as folder:
        folder.mkdir()
        yield folder
        write_digests(folder)


def write_json(path: Path, content: Any, *, sort_keys: bool = False) -> None:
    """Writes JSON, atomically (`atomic`): floats of six digits, NaN as null, a list as one record a
    line; keys in the order of `content`, or of the alphabet where `sort_keys`.

    What must come back to the last bit (a model, operating points, a store) is written by its own
    module, with all digits.
    """
    rules = {"sort_keys": sort_keys, "ensure_ascii": False, "allow_nan": False}
    if isinstance(content, list) and content:
        lines = [json.dumps(_plain(record), **rules) for record in content]
        text = "[\n" + ",\n".join(lines) + "\n]"
    else:
        text = json.dumps(_plain(content), indent=1, **rules)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def write_report(path: Path, report: dict[str, Any], *, sort_keys: bool = False) -> None:
    """Writes a file of metrics/ as `write_json` does, without the keys of empty lists.

    To DVC it is a plot (dvc.yaml says why), which would draw a list of records and stumbles over an
    empty list; a report holds none of the former.
    """
    write_json(path, _undrawn(report), sort_keys=sort_keys)


def _undrawn(report: dict[str, Any]) -> dict[str, Any]:
    """The same report without empty lists."""
    kept = {}
    for key, value in report.items():
        if isinstance(value, list | tuple):
            assert not any(isinstance(item, dict) for item in value), f"{key}: DVC would draw it"
            if not value:
                continue
        kept[key] = _undrawn(value) if isinstance(value, dict) else value
    return kept


def _plain(value: Any) -> Any:
    """What JSON has for a value, the numbers of NumPy included."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "item"):  # a number of NumPy, which this module need not import
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _aside(path: Path) -> Path:
    """Where an older folder waits until the new one is in its place."""
    return path.with_name(f".{path.name}.old")


def _replace(temporary: Path, path: Path) -> None:
    """Puts `temporary` in the place of `path`; an older folder is set aside meanwhile."""
    if temporary.is_dir() and path.exists():
        path.rename(_aside(path))
        temporary.rename(path)
        _remove(_aside(path))
    else:
        temporary.replace(path)


def _tidy(path: Path) -> None:
    """Removes what killed writers of `path` left, and puts back the folder that one had set
    aside."""
    if _aside(path).exists() and not path.exists():
        _aside(path).rename(path)
    _remove(_aside(path))
    temporary = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.tmp")
    for beside in list(path.parent.iterdir()):
        match = temporary.fullmatch(beside.name)
        if match and (int(match[1]) == os.getpid() or not _runs(int(match[1]))):
            _remove(beside)


def _runs(pid: int) -> bool:
    """Whether there is a process of this number, whoever owns it."""
    try:
        os.kill(pid, 0)  # no signal, only the check whether one could be sent
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    """Removes a file or a folder, where there is one; workers that outlive their owner may still
    write into it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path, alone: bool = False) -> None:
    """Waits until a file, or a folder and (unless `alone`) all below it, is on the disk; a full one
    is found here."""
    if not path.exists():
        return
    below = list(path.rglob("*")) if path.is_dir() and not alone else []
    if len(below) > _MANY:
        os.sync()
        return
    for written in (*below, path):
        descriptor = os.open(written, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def prune(parent: Path, keep: Iterable[str]) -> list[str]:
    """Removes the folders of `parent` that are not in `keep` (left there by a run with another
    list); their names.

    Names that begin with a dot stay: they are other writers' unfinished work, which `atomic`
    tidies."""
    kept = set(keep)
    folders = [
        entry.name
        for entry in Path(parent).iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    ]
    stale = sorted(name for name in folders if name not in kept)
    for name in stale:
        shutil.rmtree(Path(parent) / name)
    return stale
