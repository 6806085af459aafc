"""SHA-256 digests of what stages write, in the form of the command `sha256sum`: a folder (store,
model, predictions) holds them in `SHA256SUMS`, one line a file; a single file has its own beside
it, `labels.csv.sha256`. `sha256sum -c` checks them too."""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

SUMS = "SHA256SUMS"
BESIDE = ".sha256"
_LINES = re.compile(r"(?:[0-9a-f]{64}  [^\n]+\n)+")
_AGAIN = "`dvc checkout --force` brings the cached one back, `dvc repro -f` makes it anew"


def digest(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_digests(path: Path, known: Mapping[str, str] | None = None) -> None:
    """Writes the digests of a folder's files into its `SHA256SUMS`, or that of a file into
    `<name>.sha256`; those of the folder that are `known` are not reckoned again."""
    known = known or {}
    path = Path(path)
    if not path.is_dir():
        path.with_name(path.name + BESIDE).write_text(
            f"{digest(path)}  {path.name}\n", encoding="utf-8"
        )
        return
    files = sorted(file for file in path.iterdir() if file.name != SUMS)
    lines = [f"{known.get(file.name) or digest(file)}  {file.name}\n" for file in files]
    (path / SUMS).write_text("".join(lines), encoding="utf-8")


def recorded(path: Path, required: bool = False) -> str | None:
    """The digest that was noted for a file when it was written; None where there is none.

    ValueError where the note is damaged, where a folder's `SHA256SUMS` lacks the file, or where one
    is `required`. A table made elsewhere carries none.
    """
    path = Path(path)
    sums = path.with_name(path.name + BESIDE)
    sums = sums if sums.is_file() else path.with_name(SUMS)
    if not sums.is_file():
        if required:
            raise ValueError(
                f"{path}: no digest beside it, neither {path.name}{BESIDE} nor {SUMS}; {_AGAIN}"
            )
        return None
    text = sums.read_bytes().decode("utf-8", errors="replace")
    found = [line[:64] for line in text.splitlines() if line[66:] == path.name]
    if not _LINES.fullmatch(text) or len(found) != 1:
        raise ValueError(f"{sums}: it is damaged, or lacks the digest of {path.name}; {_AGAIN}")
    return found[0]


def verify(path: Path, required: bool = False) -> None:
    """ValueError where a file is not as it was written (`noted`). It is read piece by piece."""
    _compare(path, recorded(path, required), lambda: digest(path))


def read_verified(path: Path, required: bool = False) -> bytes:
    """The content of a file that is as it was written. ValueError where it is not (`noted`)."""
    content = Path(path).read_bytes()
    _compare(path, recorded(path, required), lambda: hashlib.sha256(content).hexdigest())
    return content


def _compare(path: Path, wanted: str | None, found: Callable[[], str]) -> None:
    if wanted is not None and found() != wanted:
        raise ValueError(
            f"{path}: damaged or changed: its SHA-256 is not the one noted beside it; {_AGAIN}"
        )
