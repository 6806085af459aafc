"""`python -m ecgpipe check`: reads every recording and says whether it is usable."""

import argparse
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ecgpipe.commands import output_paths, reading_arguments
from ecgpipe.prediction.check import check
from ecgpipe.project import tables


def run(arguments: argparse.Namespace) -> int:
    """Checks and tells; exit status 1 where some recordings were refused."""
    target = arguments.csv and output_paths.file(arguments.csv, "--csv")
    paths, files = reading_arguments.recording_files(arguments)
    checked = check(files, reading_arguments.source_of(arguments), reading_arguments.folders(paths))
    rows = list(tqdm(checked, total=len(files), desc="check", unit="rec", disable=None))
    counts = {said: sum(row[1] == said for row in rows) for said in ("ok", "flagged", "refused")}
    for path, said, reason, sentence in rows:
        if said != "ok":
            print(f"{said}: {path}: {reason}: {sentence}")
    print(
        f"{len(rows)} recordings: " + ", ".join(f"{count} {said}" for said, count in counts.items())
    )
    if target:
        tables.write(pd.DataFrame(rows, columns=["path", "verdict", "reason", "sentence"]), target)
    return 1 if counts["refused"] else 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check`."""
    reading_arguments.add(parser)
    parser.add_argument("--csv", type=Path, help="CSV to write: path, verdict, reason, sentence")
    parser.set_defaults(run=run)
