"""Opening what strangers wrote: regular files alone, inside one folder, no larger than a recording
can be.

A path is looked at before it is opened, so that no named pipe blocks and no device answers. A link
counts as what it leads to, which must lie in the folder too. What is known not to be a recording (a
page of a web server, a pointer of Git LFS, a pickle) is named by its first bytes: nothing of it is
ever loaded.
"""

import os
import re
import stat
from pathlib import Path

from ecgpipe.project.printable import shown
from ecgpipe.recordings.refusals import Refused

MOST_BYTES = 1 << 26  # of a signal file: 93 minutes of 12 leads at 500 Hz, 16 bits each
MOST_TEXT = 1 << 20  # of a header
MOST_TABLE = 1 << 28  # of a metadata table
MOST_SAMPLES = 1 << 21  # of a lead: 70 minutes at 500 Hz
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_HEAD = 512  # bytes from which a file is known
# Protocols 2 to 5, and those of 0 and 1 that begin as a list, a dict, a tuple or an object do.
_PICKLE = re.compile(
    rb"\x80[\x02-\x05][\x00-\xff]|\((lp|dp|t)[0-9]*\n|[\]}]q\x00[(.XKMJG]"
    rb"|c(copy_reg|copyreg|__builtin__|builtins|numpy[\w.]*)\n"
)
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head|<body|<\?xml|<!--)", re.IGNORECASE
)
# Signatures that no recording begins with by chance, five bytes of text or more each; a pickle's
# frame has a length.
_LFS = b"version https://git-lfs"
_CERTAIN = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<!doctype html|<html|<head|<body|<\?xml)|version https://git-lfs"
    rb"|\x80[\x04\x05]\x95[\x00-\xff]{4}\x00{4}",
    re.IGNORECASE,
)


def size(path: Path, root: Path, *, any_name: bool = False) -> int:
    """The bytes of a regular file that lies below `root` when all links are followed.

    Refused 'name' (no text, or with control characters, where not `any_name` will do), 'missing',
    'outside', 'no-file' (a folder, a pipe, a device, a link to itself) or 'unreadable'.
    """
    name = os.fspath(path)
    # What is printable has no control characters, which takes less to say.
    if not any_name and not name.isprintable() and _NO_TEXT.search(name):
        raise Refused(
            "name", f"{shown(path)}: a file's name is text without control characters; rename it"
        )
    try:
        status = os.lstat(name)
        if stat.S_ISLNK(status.st_mode):
            target = Path(path).resolve(strict=True)
            if not target.is_relative_to(Path(root).resolve()):
                rule = f"a link that leads out of {root} is not followed; copy the file there"
                raise Refused(
                    "outside", f"{path}: {rule} (in a DVC project: `dvc config cache.type copy`)"
                )
            status = target.stat()
    except Refused:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise Refused("missing", f"{path}: no such file; fetch it or correct its name") from None
    except RuntimeError:
        raise Refused("no-file", f"{path}: a link that leads to itself; fetch the file") from None
    except (OSError, ValueError) as error:
        raise Refused(
            "unreadable", f"{path}: cannot be looked at ({error}); check the disk"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise Refused(
            "no-file",
            f"{path}: a recording is a regular file, found {_kind(status.st_mode)}; remove it",
        )
    return status.st_size


def content(path: Path, root: Path, most: int = MOST_BYTES, *, any_name: bool = False) -> bytes:
    """The bytes of a file (`size` says which are refused); Refused 'oversized' above `most`, or
    'unreadable'."""
    held = size(path, root, any_name=any_name)
    if held > most:
        raise Refused(
            "oversized",
            f"{path}: a file of its kind holds {most} bytes at most, found {held}; cut it",
        )
    try:
        handle = os.open(path, _READING)
        try:
            return os.read(handle, held)
        finally:
            os.close(handle)
    except OSError as error:
        raise Refused(
            "unreadable", f"{path}: cannot be read ({error.strerror}); check the disk"
        ) from error


def text(raw: bytes) -> str:
    """UTF-8 with or without a byte order mark; other bytes are Latin-1."""
    try:
        return raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return raw.decode("latin-1").removeprefix("\u00ef\u00bb\u00bf")


def identify(path: Path) -> Refused | None:
    """What a regular file is that was named as a recording and does not read as one, by its first
    bytes, or None."""
    try:
        with Path(path).open("rb") as handle:
            head = handle.read(_HEAD)
    except OSError:
        return None
    return foreign_bytes(head, path)


def foreign_bytes(raw: bytes, path: Path) -> Refused | None:
    """As `identify`, of the bytes of the file `path`, of which the first are looked at."""
    head = raw[:_HEAD]
    if not head:
        return Refused("empty", f"{path}: the file is empty; fetch it anew")
    if head.startswith(_LFS):
        return Refused(
            "lfs-pointer", f"{path}: a pointer of Git LFS stands for the file; run `git lfs pull`"
        )
    if _PAGE.match(head):
        return Refused(
            "web-page",
            f"{path}: a page of a web server was saved under this name; fetch the file anew",
        )
    if _PICKLE.match(head):
        return Refused("pickle", f"{path}: Python objects (pickle) are never loaded; remove it")
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh")):
        return Refused("archive", f"{path}: a packed archive is no recording; unpack it")
    return None


def no_recording(raw: bytes, path: Path) -> Refused | None:
    """As `foreign_bytes`, where the first bytes are such as no recording begins with: asked before
    one is read."""
    return foreign_bytes(raw, path) if _CERTAIN.match(raw[:_HEAD]) else None


def _kind(mode: int) -> str:
    """What a file of this mode is."""
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a named pipe", stat.S_ISSOCK: "a socket"}
    return next((name for holds, name in kinds.items() if holds(mode)), "a device")
