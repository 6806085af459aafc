"""`python -m ecgpipe params`: checks a whole params file and the catalogue of sources, all faults
together."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ecgpipe.project import params
from ecgpipe.project.errors import UserError


def run(arguments: argparse.Namespace) -> int:
    """Tells every fault of both files; exit status 1 where there is one."""
    from ecgpipe.commands import params_faults
    from ecgpipe.recordings import sources

    values, problems = _read(params.read, arguments.file)
    entries, catalogue_problems = _read(sources.read, arguments.catalogue)
    if values is not None:
        problems += params_faults.faults(values, entries)
    if entries is not None:
        catalogue_problems += params_faults.catalogue_faults(entries)
    _tell(problems, arguments.file)
    _tell(catalogue_problems, arguments.catalogue)
    return 1 if problems or catalogue_problems else 0


def _read(read: Callable[[Path], tuple], path: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """What `read` gives; None and the one fault where it gives nothing."""
    try:
        return read(path)
    except UserError as error:
        return None, [str(error)]


def _tell(problems: list[str], path: Path) -> None:
    for problem in problems:
        print(problem)
    plural = "" if len(problems) == 1 else "s"
    print(f"{path}: {len(problems)} fault{plural}" if problems else f"{path}: ok")


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `params`."""
    parser.add_argument("file", nargs="?", type=Path, default=params.PARAMS)
    where = "catalogue of sources, checked too"
    parser.add_argument(
        "--catalogue", type=Path, default=params.SOURCES, metavar="FILE", help=where
    )
    parser.set_defaults(run=run)
