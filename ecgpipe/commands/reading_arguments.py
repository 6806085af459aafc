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
        return None if arguments.rate_hz is None else reading.of_rate(arguments.rate_hz)
    return sources.select([name], arguments.catalogue)[name]


def recording_files(arguments: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """(the paths that the command line and --list name, the recording files there)."""
    named = path_lists.read(arguments.list) if arguments.list else []
    if not arguments.paths and not named:
        raise UserError("no recording named; give files or folders, or a list of them by --list")
    files = [*reading.expand(arguments.paths), *reading.expand(named, strict=False)]
    return [*arguments.paths, *named], list(dict.fromkeys(files))


def folders(paths: list[Path]) -> list[Path]:
    """Those of the paths that are folders."""
    return [path for path in paths if path.is_dir()]


def add(command: argparse.ArgumentParser) -> None:
    """The arguments that say which recordings are read, and how."""
    own, others = ", ".join(suffixes.OWN), ", ".join(sorted(suffixes.VENDOR))
    accepted = (
        f"{own} or (where ecgdatakit is installed) {others}; a record without suffix; or folders"
    )
    command.add_argument("paths", nargs="*", type=Path, metavar="RECORD_OR_FOLDER", help=accepted)
    command.add_argument(
        "--list",
        metavar="FILE",
        help="file that names more of them, one a line or parted by NUL; - is standard input",
    )
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--source",
        metavar="NAME",
        help="entry of the catalogue of sources that says how to read them",
    )
    how.add_argument(
        "--rate-hz",
        type=float,
        metavar="HZ",
        help="sampling rate of .h5 files without such an entry",
    )
    command.add_argument(
        "--catalogue",
        type=Path,
        default=SOURCES,
        metavar="FILE",
        help="file that --source is in",
    )
