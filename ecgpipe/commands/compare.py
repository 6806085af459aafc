"""`python -m ecgpipe compare`: which differences between two runs are real."""

import argparse
import re
import tempfile
from pathlib import Path

from ecgpipe.commands import output_paths
from ecgpipe.project import atomic, params
from ecgpipe.project.errors import UserError

SETTINGS = ("out_of_fold", "test_ensemble")  # `evaluation.held_out.WHOLE`: a test compares them
PAGE = output_paths.Kind("a comparison", re.compile(rb"\A### (out_of_fold|test_ensemble): "))
TABLE = output_paths.Kind(
    "a table of comparisons", re.compile(rb"\Akind,name,metric,a,b,difference,")
)


def run(arguments: argparse.Namespace) -> int:
    """Compares, prints the tables and writes them where asked."""
    markdown, csv = _targets(arguments)
    import pandas as pd

    from ecgpipe.comparison import compare, page, pairing, runs
    from ecgpipe.evaluation.params import EvaluateParams
    from ecgpipe.project import tables

    values = params.load()
    if arguments.resamples is not None:
        values["evaluate"] = {**values["evaluate"], "resamples": arguments.resamples}
    evaluate = params.section(EvaluateParams, values, "evaluate")
    with tempfile.TemporaryDirectory() as scratch:
        places = [
            runs.locate(arguments.a, Path(scratch) / "a"),
            runs.locate(arguments.b, Path(scratch) / "b"),
        ]
        a, b = (pairing.load(*place, values) for place in places)
    comparisons = compare.every(a, b, arguments.setting, evaluate.resamples, evaluate.seed)
    pages = [page.markdown(comparison, arguments.a, arguments.b) for comparison in comparisons]
    text = "\n".join(pages)
    print(text)
    if markdown:
        with atomic.atomic(markdown) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if csv:
        parts = [comparison.table.assign(setting=comparison.setting) for comparison in comparisons]
        tables.write(pd.concat(parts), csv, for_people=True)
    return 0


def _targets(arguments: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """The files to write, of the page and of the table, where they are asked for."""
    markdown = arguments.markdown and output_paths.file(arguments.markdown, "--markdown", PAGE)
    csv = arguments.csv and output_paths.file(arguments.csv, "--csv", TABLE)
    if markdown and csv and markdown.resolve() == csv.resolve():
        raise UserError(f"{arguments.csv}: --markdown and --csv are two files; name another")
    return markdown, csv


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `compare`."""
    kinds = (
        "a Git revision, a DVC experiment (dvc exp show), "
        "or the folder of a project in which dvc repro ran"
    )
    parser.add_argument("a", metavar="A", help=f"the run to compare with: {kinds}")
    parser.add_argument("b", metavar="B", help="the run in question; `.` is the workspace")
    parser.add_argument("--setting", choices=SETTINGS, help="one setting alone")
    resamples = "of the bootstrap; without it, evaluate.resamples"
    parser.add_argument("--resamples", type=int, help=resamples)
    where = "file to write the tables to as well"
    parser.add_argument("--markdown", type=Path, metavar="FILE", help=where)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="all rows as CSV")
    parser.set_defaults(run=run)
