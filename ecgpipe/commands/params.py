"""`python -m ecgpipe params`: checks a whole params file and the catalogue of sources, all faults
together."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ecgpipe.project import params, yaml_files
from ecgpipe.project.errors import UserError


def run(arguments: argparse.Namespace) -> int:
    """Tells every fault of both files; exit status 1 where there is one."""
    from ecgpipe.commands import params_faults, source_folders
    from ecgpipe.recordings import sources

    values, problems = _read(params.read, arguments.file)
    entries, catalogue_problems = _read(sources.read, arguments.catalogue)
    if values is not None:
        problems += params_faults.faults(values, entries)
    if entries is not None:
        catalogue_problems += params_faults.catalogue_faults(entries)
    if values is not None and not arguments.settings_only:
        missing, missing_tables = source_folders.faults(values, entries)
        problems += missing
        catalogue_problems += missing_tables
    _tell(problems, arguments.file)
    _tell(catalogue_problems, arguments.catalogue)
    return 1 if problems or catalogue_problems else 0


def _read(read: Callable[[Path], tuple], path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """What `read` gives; None and the one fault where it gives nothing."""
    if not path.is_file():
        return None, ["no such file; configs/ holds params files and the catalogue"]
    try:
        return read(path)
    except UserError as error:
        return None, [str(error)]


def _tell(problems: list[str], path: Path) -> None:
    """Prints the faults of a file, each with the line that it is about, or where it would be."""
    numbers = yaml_files.line_numbers(path) if any(map(_place, problems)) else {}
    for problem in problems:
        place = _place(problem)
        while place and place not in numbers:
            place = place.rpartition(".")[0]
        where = f"{path}, line {numbers[place]}: " if place else f"{path}: "
        print(problem if problem.startswith(str(path)) else where + problem)
    plural = "" if len(problems) == 1 else "s"
    print(f"{path}: {len(problems)} fault{plural}" if problems else f"{path}: ok")


def _place(problem: str) -> str:
    """The setting that a fault is about; empty where it is about the whole file."""
    return re.match(r"[^\s:]*(?=: )|", problem)[0]


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `params`."""
    parser.add_argument("file", nargs="?", type=Path, default=params.PARAMS)
    where = "catalogue of sources, checked too"
    parser.add_argument(
        "--catalogue", type=Path, default=params.SOURCES, metavar="FILE", help=where
    )
    settings = "do not look whether the folders and tables of the sources are there"
    parser.add_argument("--settings-only", action="store_true", help=settings)
    parser.set_defaults(run=run)
