"""`python -m ecgpipe check`: reads every recording and says whether it is usable."""

import argparse
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from ecgpipe.commands import output_paths, reading_arguments
from ecgpipe.prediction.check import VERDICTS, Verdict, check


def run(arguments: argparse.Namespace) -> int:
    """Checks and tells; exit status 1 where some recordings were refused."""
    target = arguments.csv and output_paths.file(arguments.csv, "--csv")
    paths, files = reading_arguments.recording_files(arguments)
    checked = check(files, reading_arguments.source_of(arguments), reading_arguments.folders(paths))
    rows = list(tqdm(checked, total=len(files), desc="check", unit="rec", disable=None))
    for path, verdict, reason, sentence in rows:
        if verdict != "ok":
            print(f"{verdict}: {path}: {reason}: {sentence}")
    counts = Counter(row.verdict for row in rows)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    print(f"{len(rows)} recordings: {summary}")
    if target:
        _write(rows, target)
    return 1 if counts["refused"] else 0


def _write(rows: list[Verdict], target: Path) -> None:
    """The CSV that was asked for."""
    import pandas as pd

    from ecgpipe.project import tables

    tables.write(pd.DataFrame(rows, columns=Verdict._fields), target)


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check`."""
    reading_arguments.add(parser)
    parser.add_argument("--csv", type=Path, help="CSV to write: path, verdict, reason, sentence")
    parser.set_defaults(run=run)
