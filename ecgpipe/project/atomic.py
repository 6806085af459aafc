"""Where every artefact lies, and how it is written: under a temporary name, flushed to the disk, then renamed; and by
which digest it is known again.

All paths are relative to the project's root, where DVC runs every stage.

Digests are SHA-256 sums in the form of the command `sha256sum`: a folder (store, model, predictions) holds them in
`SHA256SUMS`, one line a file; a single file has its own beside it, `labels.csv.sha256`. `sha256sum -c` checks them too.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
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

SUMS = "SHA256SUMS"
BESIDE = ".sha256"
_LINES = re.compile(r"(?:[0-9a-f]{64}  [^\n]+\n)+")
_AGAIN = "`dvc checkout --force` brings the cached one back, `dvc repro -f` makes it anew"
_MANY = 1000  # files in a folder, from which on one flush of everything is cheaper than one for each


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
    """What the split says of itself in `path` (`splitting.folds.info`): `folds` (those that hold recordings), `unused`
    (the others of split.folds), and more. ValueError where the file is missing or damaged."""
    if not path.is_file():
        raise ValueError(f"{path} is missing; run `dvc repro split` first")
    return {"unused": [], **json.loads(checked(path, required=True))}


def digest(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def seal(path: Path, known: Mapping[str, str] | None = None) -> None:
    """Writes the digests of a folder's files into its `SHA256SUMS`, or that of a file into `<name>.sha256`; those of
    the folder that are `known` are not reckoned again."""
    known = known or {}
    path = Path(path)
    if not path.is_dir():
        path.with_name(path.name + BESIDE).write_text(f"{digest(path)}  {path.name}\n", encoding="utf-8")
        return
    files = sorted(file for file in path.iterdir() if file.name != SUMS)
    lines = [f"{known.get(file.name) or digest(file)}  {file.name}\n" for file in files]
    (path / SUMS).write_text("".join(lines), encoding="utf-8")


def noted(path: Path, required: bool = False) -> str | None:
    """The digest that was noted for a file when it was written; None where there is none.

    ValueError where the note is damaged, where a folder's `SHA256SUMS` lacks the file, or where one is `required`.
    A table made elsewhere carries none.
    """
    path = Path(path)
    sums = path.with_name(path.name + BESIDE)
    sums = sums if sums.is_file() else path.with_name(SUMS)
    if not sums.is_file():
        if required:
            raise ValueError(f"{path}: no digest beside it, neither {path.name}{BESIDE} nor {SUMS}; {_AGAIN}")
        return None
    text = sums.read_bytes().decode("utf-8", errors="replace")
    found = [line[:64] for line in text.splitlines() if line[66:] == path.name]
    if not _LINES.fullmatch(text) or len(found) != 1:
        raise ValueError(f"{sums}: it is damaged, or lacks the digest of {path.name}; {_AGAIN}")
    return found[0]


def verify(path: Path, required: bool = False) -> None:
    """ValueError where a file is not as it was written (`noted`). It is read piece by piece."""
    _compare(path, noted(path, required), lambda: digest(path))


def checked(path: Path, required: bool = False) -> bytes:
    """The content of a file that is as it was written. ValueError where it is not (`noted`)."""
    content = Path(path).read_bytes()
    _compare(path, noted(path, required), lambda: hashlib.sha256(content).hexdigest())
    return content


def _compare(path: Path, wanted: str | None, found: Callable[[], str]) -> None:
    if wanted is not None and found() != wanted:
        raise ValueError(f"{path}: damaged or changed: its SHA-256 is not the one noted beside it; {_AGAIN}")


@contextlib.contextmanager
def atomic(path: Path, *, sealed: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and is removed when not.

    The block may make a file or a folder; a folder replaces an older one whole. `sealed` notes its digests (`seal`).
    What killed writers of the same path left is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _tidy(path)
    temporary, beside = (path.with_name(f".{name}.{os.getpid()}.tmp") for name in (path.name, path.name + BESIDE))
    try:
        yield temporary
        if sealed and temporary.is_dir():
            seal(temporary)
        elif sealed:
            beside.write_text(f"{digest(temporary)}  {path.name}\n", encoding="utf-8")
        for written in (temporary, beside):
            _flush(written)
        _replace(temporary, path)
        note = path.with_name(path.name + BESIDE)
        if beside.exists():
            beside.replace(note)
        else:
            note.unlink(missing_ok=True)
        _flush(path.parent, alone=True)
    except OSError as error:  # of a write it does not say where
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)
        _remove(beside)
        _tidy(path)  # again: workers that outlived a killed writer may have come back to what was removed


def write_json(path: Path, content: Any, *, sealed: bool = False) -> None:
    """Writes JSON, atomically (`atomic`)."""
    with atomic(path, sealed=sealed) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _aside(path: Path) -> Path:
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
    """Removes what killed writers of `path` left, and puts back the folder that one had set aside."""
    if _aside(path).exists() and not path.exists():
        _aside(path).rename(path)
    _remove(_aside(path))
    name = re.compile(rf"\.{re.escape(path.name)}(?:{re.escape(BESIDE)})?\.(\d+)\.tmp")
    with os.scandir(path.parent) as entries:
        left = [(entry.path, int(found[1])) for entry in entries if (found := name.fullmatch(entry.name))]
    for old, pid in left:
        if pid == os.getpid() or not _runs(pid):
            _remove(Path(old))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


def _remove(path: Path) -> None:
    """Removes a file or a folder, where there is one; workers that outlive their owner may still write into it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path, alone: bool = False) -> None:
    """Waits until a file, or a folder and (unless `alone`) all below it, is on the disk; a full one is found here."""
    if not path.exists():
        return
    below = list(path.rglob("*")) if path.is_dir() and not alone else []
    if len(below) > _MANY:
        os.sync()
        return
    for one in (*below, path):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def prune(parent: Path, keep: Iterable[str]) -> list[str]:
    """Removes the folders of `parent` that are not in `keep` (left there by a run with another list); their names.

    Names that begin with a dot stay: they are other writers' unfinished work, which `atomic` tidies."""
    kept = set(keep)
    folders = [entry.name for entry in Path(parent).iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    stale = sorted(name for name in folders if name not in kept)
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
        except BlockingIOError as error:
            raise ValueError(f"{path}: another process is running stage {name}; wait for it or end it") from error
        except OSError as error:
            raise ValueError(
                f"{path}: this file system gives no lock ({error.strerror}), so two runs of a stage could mix; keep "
                "the project on a disk that has file locks"
            ) from error
        yield
