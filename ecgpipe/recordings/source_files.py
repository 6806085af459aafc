"""The files below a folder, each accounted for once:

    total = recordings + signal files + tables + left out + no recordings

- recordings: headers or .h5 files, the one file that stands for each. Whether they can be read is
  another matter (`descriptions`).
- signal files: what a header beside them names, or is named like, be that header left out or not.
- tables: of the source (its `table`, patients and vocabulary).
- left out: what looks like a recording and is not read, each with one of `REASONS`.
- no recordings: all the rest (README, RECORDS, SHA256SUMS, ...), hidden files and folders.

A folder that is not entered counts as one file: hidden ones (snapshots, checkpoints of notebooks)
and links to folders. Linked files count as the files they are. A folder that cannot be read is a
UserError: nobody knows what is in it.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ecgpipe.project import stage_list
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import safe_files, signal_names, suffixes
from ecgpipe.recordings.sources import Source

# Why a file that looks like a recording is left out, and what to do about it.
REASONS = {
    "no-header": "a signal file that no header (.hea) beside it names; fetch the header",
    "suffix": "the names of recordings end in small letters; rename it",
    "archive": "a packed archive is no recording; unpack it",
    "form": "the source's form reads other files; convert it, or make it a source of its own",
    "linked-folder": "a link to a folder is not entered; copy the folder there",
}
MOST_NAMED = 50
_SIGNALS = (suffixes.MATLAB, suffixes.SIGNAL)
# What is left out for these is a recording, or a part of one.
_UNREAD = ("no-header", "suffix", "archive")
_PACKED = (*suffixes.OWN, ".tar")
_ARCHIVES = (".zip", ".tar", ".tgz", ".7z", ".rar")


class Folder(NamedTuple):
    """The names in one folder: its files, links to folders, hidden files and folders."""

    path: str
    files: list[str]
    linked: list[str]
    hidden: list[str]


@dataclass(frozen=True)
class Account:
    """What lies below `folder`: `total` entries, each in one of the other fields.

    `recordings` are (record, file), sorted; `left_out` is path -> one of REASONS; paths are
    relative to the folder, with forward slashes, as text (`safe_files.shown`).
    """

    folder: Path
    total: int = 0
    recordings: list[tuple[str, Path]] = field(default_factory=list)
    signals: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    no_recordings: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The counts, and the first names of what is left out, by reason, and of what is no
        recording; `unread` counts what is left out by recording."""
        named: dict[str, list[str]] = {}
        for path, reason in self.left_out.items():
            named.setdefault(reason, []).append(path)
        return {
            "total": self.total,
            "recordings": len(self.recordings),
            "signal_files": len(self.signals),
            "tables": len(self.tables),
            "left_out": {reason: _counted(named[reason]) for reason in sorted(named)},
            "unread": dict(sorted(self.unread().items())),
            "no_recordings": _counted(self.no_recordings),
        }

    def unread(self) -> Counter[str]:
        """Reason -> how many recordings are left out, each counted once however many files it has.
        What a whole archive, a linked folder or a file of another form holds is not counted."""
        reasons: dict[str, str] = {}
        for path, reason in self.left_out.items():
            if reason in _UNREAD:
                reasons.setdefault(suffixes.bare(path), reason)
        if not reasons:
            return Counter()
        above = os.path.join(self.folder, "")  # noqa: PTH118 (pathlib has no path that ends so)
        paths = (safe_files.shown(str(path).removeprefix(above)) for _, path in self.recordings)
        read = {"", *map(suffixes.bare, paths)}
        return Counter(reason for stem, reason in reasons.items() if stem not in read)


def _counted(names: Collection[str]) -> dict[str, Any]:
    return {"files": len(names), "names": sorted(names)[:MOST_NAMED]}


def walk(folder: Path) -> Iterator[Folder]:
    """Every folder below `folder`, itself first, in the order of their names. UserError where one
    cannot be read."""
    waiting = [str(folder)]
    while waiting:
        path = waiting.pop()
        here = Folder(path, [], [], [])
        below = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        here.hidden.append(entry.name)
                    elif entry.is_dir(follow_symlinks=False):
                        below.append(entry.path)
                    elif entry.is_symlink() and _leads_to_folder(entry):
                        here.linked.append(entry.name)
                    else:
                        here.files.append(entry.name)
        except OSError as error:
            raise UserError(
                f"{safe_files.shown(path)}: this folder cannot be read ({error.strerror}), so that "
                "nobody knows what it holds; give the right to read it, or take it away"
            ) from error
        yield here
        waiting += sorted(below, reverse=True)


def _leads_to_folder(link: os.DirEntry) -> bool:
    try:
        return link.is_dir()
    except OSError:  # it leads to itself, or to what must not be looked at
        return False


def find(folder: Path, source: Source) -> list[tuple[str, Path]]:
    """(record, file) of every header or .h5 file below `folder`, sorted. UserError where nothing is
    found, or a folder cannot be read."""
    return account_of_source(folder, source).recordings


def account_of_source(folder: Path, source: Source) -> Account:
    """`account` of a source; UserError where it has no recordings, or a folder cannot be read."""
    found = account(folder, source)
    if not found.recordings:
        raise _empty(found, source)
    return found


def _check_folder(folder: Path) -> None:
    if not Path(folder).is_dir():
        maker = stage_list.maker(folder)
        step = f"run `dvc repro {maker}` first" if maker else "put the source there"
        raise UserError(
            f"{folder}: no such folder; {step}, or correct data.root or the source's folder"
        )


def _recording(folder: Path, name: str, suffix: str) -> tuple[str, Path]:
    """(record, file) of the file that stands for a recording."""
    return safe_files.shown(name.removesuffix(suffix)), folder / name


def _empty(found: Account, source: Source) -> UserError:
    """What to say of a source without recordings."""
    return UserError(
        f"{found.folder}: a source of form {source.form} holds {suffixes.OF_FORM[source.form]} "
        f"files, found none{among(found)}; check the folder"
    )


def among(found: Account) -> str:
    """Among what no recording was found: the files left out and the first of them."""
    reasons = Counter(found.left_out.values())
    counts = [f"{count} {reason}" for reason, count in sorted(reasons.items())]
    first = next(iter(found.left_out), next(iter(found.no_recordings), ""))
    told = f" ({', '.join([*counts, f'the first is {first}'])})" if first else ""
    return f" among {found.total} files{told}" if found.total else ", the folder is empty"


def duplicates(files: list[tuple[str, Path]]) -> frozenset[str]:
    """The record names that stand more than once in what `find` returned: none of their files can
    be trusted."""
    times = Counter(record for record, _ in files)
    return frozenset(record for record in times if times[record] > 1)


def account(folder: Path, source: Source | None) -> Account:
    """Every file below `folder`, of a source, or as `check` reads files that are of none, whose
    forms are all read."""
    _check_folder(folder)
    found = Account(Path(folder))
    tables: set[str] = set()
    if source:
        tables = {PurePosixPath(name).as_posix() for name in source.beside()}
    total = 0
    for here in walk(folder):
        total += len(here.files) + len(here.linked) + len(here.hidden)
        prefix = _prefix(Path(here.path), found.folder)
        found.left_out.update((_below(prefix, name), "linked-folder") for name in here.linked)
        found.no_recordings.extend(_below(prefix, name) for name in here.hidden)
        _sort(found, here, prefix, source, tables)
    found.recordings.sort()
    return Account(**{**vars(found), "total": total})


def _prefix(folder: Path, root: Path) -> str:
    """What the paths of a folder's files begin with, relative to `root`."""
    below = folder.relative_to(root).as_posix()
    return "" if below == "." else f"{below}/"


def _below(prefix: str, name: str) -> str:
    """The path of a file as it is shown."""
    return safe_files.shown(prefix + name)


def _sort(
    found: Account, here: Folder, prefix: str, source: Source | None, tables: set[str]
) -> None:
    """Puts the files of one folder where they belong."""
    form = source.form if source else None
    stems: set[str] = set()  # of headers, where these are read
    if form != "h5":
        stems = {suffixes.parted(name)[0] for name in here.files if name.endswith(suffixes.HEADER)}
    others: list[str] = []
    owned: set[str] = set()  # stems that a signal file has as well
    parent = Path(here.path)
    for name in here.files:
        stem, suffix = suffixes.parted(name)
        if _stands_for_a_recording(name, suffix, form):
            found.recordings.append(_recording(parent, name, suffix))
        elif suffix in _SIGNALS and stem in stems:
            found.signals.append(_below(prefix, name))
            owned.add(stem)
        else:
            others.append(name)
    headers = [parent / name for name in _asked(stems, owned, others)]
    named = signal_names.of_headers(headers, found.folder)
    if form != "h5":
        named |= _of_unread_headers(parent, others, stems, found.folder)
    for name in others:
        where = _below(prefix, name)
        reason = _reason(name, form)
        if reason == "no-header" and suffixes.bare(name) in stems:
            reason = "suffix"  # in capitals, else it were the header's
        if prefix + name in tables:
            found.tables.append(where)
        elif name in named:
            found.signals.append(where)
        elif reason:
            found.left_out[where] = reason
        else:
            found.no_recordings.append(where)


def _stands_for_a_recording(name: str, suffix: str, form: str | None) -> bool:
    if form:
        return suffix == suffixes.OF_FORM[form]
    return suffix in suffixes.OF_FORM.values() or suffixes.is_vendor_format(name)


def _reason(name: str, form: str | None) -> str:
    """Why a file that stands for no recording looks like one; '' where it does not."""
    suffix = suffixes.parted(name.lower())[1]
    if suffix in _ARCHIVES or (suffixes.is_packed(name) and suffixes.kind(name) in _PACKED):
        return "archive"
    if suffix in _SIGNALS:
        return "form" if form == "h5" else "no-header"
    if suffix in suffixes.OF_FORM.values():
        return "suffix" if form is None or suffix == suffixes.OF_FORM[form] else "form"
    return "form" if suffixes.is_vendor_format(name) else ""


def _of_unread_headers(folder: Path, others: list[str], stems: set[str], root: Path) -> set[str]:
    """The signal files of headers that are left out: what those in capitals name, and what is named
    like one of them. `stems` are those of headers that are read."""
    headers = [name for name in others if suffixes.kind(name) == suffixes.HEADER]
    whole = (folder / name for name in headers if not suffixes.is_packed(name))
    owned = {suffixes.bare(name) for name in headers} - stems
    signals = (name for name in others if suffixes.kind(name) in _SIGNALS)
    return signal_names.of_headers(whole, root) | {n for n in signals if suffixes.bare(n) in owned}


def _asked(stems: set[str], owned: set[str], others: list[str]) -> list[str]:
    """The headers of a folder that are asked for the names of signal files, as few as the account
    needs: all of them where a signal file is left, else those without a file of their name."""
    if not any(suffixes.parted(name.lower())[1] in _SIGNALS for name in others):
        stems = stems - owned if others else set()
    return [stem + suffixes.HEADER for stem in stems]
