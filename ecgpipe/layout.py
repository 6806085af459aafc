"""Where every artefact lies, and how it is written: under a temporary name, then renamed.

All paths are relative to the project's root, where DVC runs every stage.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

LABELS = Path("data/labels.csv")
FOLDS = Path("data/folds.csv")
FOLDS_INFO = Path("data/folds.json")
LEFT_OUT = Path("data/left_out.csv")
SIGNALS = Path("data/signals")
MODELS = Path("data/models")
OPERATING = Path("data/models/operating.json")
PREDICTIONS = Path("data/predictions")
CHECKPOINTS = Path("data/checkpoints")
METRICS = Path("metrics")
PLOTS = Path("plots")


def store(source: str) -> Path:
    """The signal store of one source."""
    return SIGNALS / source


def fold_folder(fold: int | str) -> str:
    """The name of one fold's folder, whatever it holds."""
    return f"fold-{fold}"


def model(fold: int | str) -> Path:
    """The model of one fold."""
    return MODELS / fold_folder(fold)


def predictions(fold: int | str) -> Path:
    """The validation and test predictions of one fold, and its training history."""
    return PREDICTIONS / fold_folder(fold)


def checkpoints(fold: int | str) -> Path:
    """The state of an unfinished training: no stage's output, so that DVC never deletes it."""
    return CHECKPOINTS / fold_folder(fold)


def folds_info(path: Path = FOLDS_INFO) -> dict[str, Any]:
    """What the split says of itself in `path` (`splitting.info`): `folds` (those that hold recordings), `unused`
    (the others of split.folds), and more. ValueError where the file is missing."""
    if not path.is_file():
        raise ValueError(f"{path} is missing; run `dvc repro split` first")
    return {"unused": [], **json.loads(path.read_text(encoding="utf-8"))}


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and is removed when not.

    The block may make a file or a folder; a folder replaces an older one whole.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if temporary.is_dir() and path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def prune(parent: Path, keep: Iterable[str]) -> list[str]:
    """Removes the folders of `parent` that are not in `keep` (left there by a run with another list); their names."""
    kept = set(keep)
    stale = sorted(entry.name for entry in Path(parent).iterdir() if entry.is_dir() and entry.name not in kept)
    for name in stale:
        shutil.rmtree(Path(parent) / name)
    return stale


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Holds the lock of a stage; it dies with its owner. ValueError where another process holds it.

    A killed `dvc repro` leaves its stage running, and the next one would start a second writer.
    """
    CHECKPOINTS.mkdir(parents=True, exist_ok=True)
    path = CHECKPOINTS / f"{name}.lock"
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"{path}: another process is running stage {name}; wait for it or end it") from error
        yield
