"""`python -m ecgpipe augmentations`: a page of all augmentations on one recording."""

import argparse
from pathlib import Path

from ecgpipe.drawing import augmentation_gallery
from ecgpipe.project import params
from ecgpipe.project.paths import PLOTS


def run(arguments: argparse.Namespace) -> int:
    """Writes the page and its pictures."""
    folder = arguments.out or (
        Path("augmentations") if arguments.record else PLOTS / "augmentations"
    )
    names = augmentation_gallery.write(folder, params.load(arguments.params), arguments.record)
    print(f"{len(names)} augmentations -> {folder}/README.md")
    return 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `augmentations`."""
    parser.add_argument(
        "record", nargs="?", type=Path, help="a WFDB recording; without it, one is simulated"
    )
    where = "folder to write; without it, augmentations for a recording, else plots/augmentations"
    parser.add_argument("--out", type=Path, help=where)
    parser.add_argument(
        "--params",
        type=Path,
        default=params.PARAMS,
        metavar="FILE",
        help="whose settings are shown",
    )
    parser.set_defaults(run=run)
