"""SHA-256 digests of what stages write: a folder (labels, folds, store, model, predictions) holds
those of its files in `SHA256SUMS`, in the form of the command `sha256sum`, which checks them too
(`sha256sum -c SHA256SUMS`)."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from ecgpipe.project.errors import UserError
from ecgpipe.project.remedies import of_no_stage

SUMS = "SHA256SUMS"
_LINES = re.compile(r"(?:[0-9a-f]{64}  [^\n]+\n)+")  # digest, two spaces, name of the file
# DVC checks those objects of its cache that are writable alone, drops what is damaged, and runs the
# stage anew.
_AGAIN = (
    "remove its folder, then `chmod -R u+w .dvc/cache`, so that DVC checks what it keeps, and "
    "`dvc repro`"
)


def digest(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_digests(folder: Path, known: Mapping[str, str] | None = None) -> None:
    """Writes the digests of a folder's files into its `SHA256SUMS`; those that are `known` (file
    name -> digest) are not computed again."""
    known = known or {}
    files = sorted(file for file in Path(folder).iterdir() if file.name != SUMS)
    lines = [f"{known.get(file.name) or digest(file)}  {file.name}\n" for file in files]
    (Path(folder) / SUMS).write_text("".join(lines), encoding="utf-8")


def recorded(path: Path) -> str:
    """The digest that was recorded for a file when it was written. UserError where its folder
    records none, or the record is damaged or lacks the file."""
    path = Path(path)
    sums = path.with_name(SUMS)
    if not sums.is_file():
        raise UserError(f"{path}: no digest beside it in {SUMS}; {_step(path)}")
    text = sums.read_bytes().decode("utf-8", errors="replace")
    lines = [line[:64] for line in text.splitlines() if line[66:] == path.name]
    if not _LINES.fullmatch(text) or len(lines) != 1:
        fault = f"it is damaged, or lacks the digest of {path.name}"
        raise UserError(f"{sums}: {fault}; {_step(path)}")
    return lines[0]


def verify(path: Path) -> None:
    """UserError where a file is not as it was written (`recorded`). It is read piece by piece."""
    _compare(path, recorded(path), digest(path))


def read_verified(path: Path) -> bytes:
    """The content of a file that is as it was written. UserError where it is not (`recorded`)."""
    content = Path(path).read_bytes()
    _compare(path, recorded(path), hashlib.sha256(content).hexdigest())
    return content


def _compare(path: Path, wanted: str, computed: str) -> None:
    if computed != wanted:
        raise UserError(
            f"{path}: damaged or changed: its SHA-256 is not the one noted beside it; {_step(path)}"
        )


def _step(path: Path) -> str:
    """How a good file comes in the place of a damaged one."""
    return of_no_stage(path) or _AGAIN
