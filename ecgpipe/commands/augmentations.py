"""`python -m ecgpipe augmentations`: a page of all augmentations on one recording."""

import argparse
from pathlib import Path

from ecgpipe.commands import output_paths, reading_arguments
from ecgpipe.project import params
from ecgpipe.project.paths import PLOTS
from ecgpipe.project.printable import shown

TITLE = "# Augmentations"


def run(arguments: argparse.Namespace) -> int:
    """Writes the page and its pictures."""
    default = Path("augmentations") if arguments.record else PLOTS / "augmentations"
    folder = arguments.out or default
    target = output_paths.page(folder, TITLE)
    source = reading_arguments.source_of(arguments)
    from ecgpipe.drawing import augmentation_gallery

    names = augmentation_gallery.write(
        target, params.load(arguments.params), arguments.record, source
    )
    print(f"{len(names)} augmentations -> {shown(folder)}/README.md")
    return 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `augmentations`."""
    record = "a recording, named as for predict; without it, one is simulated"
    parser.add_argument("record", nargs="?", type=Path, help=record)
    reading_arguments.add_source(parser)
    out = "folder to write; without it, augmentations for a recording, else plots/augmentations"
    parser.add_argument("--out", type=Path, help=out)
    where = "whose settings are shown"
    parser.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help=where)
    parser.set_defaults(run=run)
