"""`python -m ecgpipe compare`: which differences between two runs are real."""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from ecgpipe.commands import output_paths
from ecgpipe.comparison import compare, page, pairing, runs
from ecgpipe.evaluation import held_out
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.project import atomic, params, tables


def run(arguments: argparse.Namespace) -> int:
    """Compares, prints the tables and writes them where asked."""
    markdown = arguments.markdown and output_paths.file(arguments.markdown, "--markdown")
    table = arguments.csv and output_paths.file(arguments.csv, "--csv")
    values = params.load()
    if arguments.resamples is not None:
        values["evaluate"] = {**values["evaluate"], "resamples": arguments.resamples}
    chosen = params.section(EvaluateParams, values, "evaluate")
    with tempfile.TemporaryDirectory() as scratch:
        named = {side: getattr(arguments, side) for side in ("a", "b")}
        places = [runs.locate(name, Path(scratch) / side) for side, name in named.items()]
        a, b = (pairing.load(*place, values) for place in places)
    found = compare.every(a, b, arguments.setting, chosen.resamples, chosen.seed)
    text = "\n".join(page.markdown(one, arguments.a, arguments.b) for one in found)
    print(text)
    if markdown:
        with atomic.atomic(markdown) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if table:
        tables.write(pd.concat([one.table.assign(setting=one.setting) for one in found]), table)
    return 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `compare`."""
    kinds = "a Git revision, a DVC experiment (dvc exp show), or the folder of a project in which dvc repro ran"
    parser.add_argument("a", metavar="A", help=f"the run to compare with: {kinds}")
    parser.add_argument("b", metavar="B", help="the run in question; `.` is the workspace")
    parser.add_argument(
        "--setting",
        choices=held_out.WHOLE,
        help="one setting alone",
    )
    parser.add_argument(
        "--resamples", type=int, help="of the bootstrap; without it, evaluate.resamples"
    )
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="file to write the tables to as well"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="all rows as CSV")
    parser.set_defaults(run=run)
