"""`python -m ecgpipe augmentations`: a page of all augmentations on one recording."""

import argparse
from pathlib import Path

from ecgpipe.commands import output_paths
from ecgpipe.project import params
from ecgpipe.project.paths import PLOTS
from ecgpipe.project.printable import shown

TITLE = "# Augmentations"


def run(arguments: argparse.Namespace) -> int:
    """Writes the page and its pictures."""
    default = Path("augmentations") if arguments.record else PLOTS / "augmentations"
    folder = arguments.out or default
    target = output_paths.page(folder, TITLE)
    from ecgpipe.drawing import augmentation_gallery

    names = augmentation_gallery.write(
        target, params.load(arguments.params), arguments.record, arguments.rate_hz
    )
    print(f"{len(names)} augmentations -> {shown(folder)}/README.md")
    return 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `augmentations`."""
    record = "a recording, named as for predict; without it, one is simulated"
    parser.add_argument("record", nargs="?", type=Path, help=record)
    rate = "sampling rate of an .h5 file, which does not say it"
    parser.add_argument("--rate-hz", type=float, metavar="HZ", help=rate)
    out = "folder to write; without it, augmentations for a recording, else plots/augmentations"
    parser.add_argument("--out", type=Path, help=out)
    where = "whose settings are shown"
    parser.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help=where)
    parser.set_defaults(run=run)
