"""`python -m ecgpipe audit`: are the labels right? A page of what is odd."""

import argparse
from functools import partial
from pathlib import Path

from ecgpipe.commands import output_paths
from ecgpipe.project import params
from ecgpipe.project.paths import PLOTS
from ecgpipe.project.printable import shown

TITLE = "# Audit of labels"  # `audit.page.TITLE`: a test compares them


def run(arguments: argparse.Namespace) -> int:
    """Writes the page of what is odd."""
    folder = output_paths.page(arguments.out, TITLE)
    from tqdm import tqdm

    from ecgpipe.audit import audit

    progress = partial(tqdm, desc="audit", unit="plot", disable=None)
    values = params.load(arguments.params)
    for line in audit.write(folder, values, arguments.most, arguments.plots, progress):
        print(shown(line))
    print(f"-> {shown(arguments.out)}/README.md")
    return 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `audit`."""
    out = "folder to write, replaced whole; it shows patients' recordings"
    parser.add_argument("--out", type=Path, default=PLOTS / "audit", metavar="FOLDER", help=out)
    most = "suspects named per class and direction"
    parser.add_argument("--most", type=int, default=3, metavar="N", help=most)
    plots = "recordings drawn, the most suspicious first"
    parser.add_argument("--plots", type=int, default=20, metavar="N", help=plots)
    where = "names the sources"
    parser.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help=where)
    parser.set_defaults(run=run)
