"""The arguments that say which recordings are read, and how: shared by `predict` and `check`."""

import argparse
from pathlib import Path

from ecgpipe.commands import path_lists
from ecgpipe.prediction import reading
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import sources, suffixes
from ecgpipe.recordings.sources import Source


def source_of(arguments: argparse.Namespace) -> Source | None:
    """The catalogue entry that --source names, what --rate-hz says, or None; UserError where the
    entry is at fault."""
    name = arguments.source
    if name is None:
        return None if arguments.rate_hz is None else reading.source_of_rate(arguments.rate_hz)
    return sources.select([name], arguments.catalogue)[name]


def recording_files(arguments: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """(the paths that the command line and --list name, the recording files there)."""
    listed = path_lists.read(arguments.list) if arguments.list else []
    if not arguments.paths and not listed:
        raise UserError("no recording named; give files or folders, or a list of them by --list")
    files = [*reading.expand(arguments.paths), *reading.expand(listed, strict=False)]
    return [*arguments.paths, *listed], list(dict.fromkeys(files))


def folders(paths: list[Path]) -> list[Path]:
    """Those of the paths that are folders."""
    return [path for path in paths if path.is_dir()]


def add(command: argparse.ArgumentParser) -> None:
    """The arguments that say which recordings are read, and how."""
    own = ", ".join(suffixes.OWN)
    vendors = ", ".join(sorted(suffixes.VENDOR))
    accepted = (
        f"{own} or (where ecgdatakit is installed) {vendors}; a record without suffix; or folders"
    )
    command.add_argument("paths", nargs="*", type=Path, metavar="RECORD_OR_FOLDER", help=accepted)
    lists = "file that names more of them, one a line or separated by NUL; - is standard input"
    command.add_argument("--list", metavar="FILE", help=lists)
    add_source(command)


def add_source(command: argparse.ArgumentParser) -> None:
    """The arguments that say how recordings are read."""
    source_or_rate = command.add_mutually_exclusive_group()
    source = "entry of the catalogue of sources that says how to read them"
    source_or_rate.add_argument("--source", metavar="NAME", help=source)
    rate = "sampling rate of .h5 files without such an entry"
    source_or_rate.add_argument("--rate-hz", type=float, metavar="HZ", help=rate)
    where = "file that --source is in"
    command.add_argument("--catalogue", type=Path, default=SOURCES, metavar="FILE", help=where)
