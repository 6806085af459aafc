"""`python -m ecgpipe check`: reads every recording and says whether it is usable."""

import argparse
import re
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from ecgpipe.commands import output_paths, reading_arguments
from ecgpipe.prediction.check import LEFT_OUT, VERDICTS, Verdict, Whole, accounts, check
from ecgpipe.recordings.source_files import Account

_FEW = 5  # names of files that are no recordings

TABLE = output_paths.Kind(
    "a table of verdicts", re.compile(rb"\A" + ",".join(Verdict._fields).encode() + b"\n")
)


def run(arguments: argparse.Namespace) -> int:
    """Checks and tells; exit status 1 where some recordings were refused or left out unread."""
    target = arguments.csv and output_paths.file(arguments.csv, "--csv", TABLE)
    paths, files = reading_arguments.recording_files(arguments)
    source, folders = reading_arguments.source_of(arguments), reading_arguments.folders(paths)
    whole = Whole()
    checked = check(files, source, folders, whole)
    rows = list(tqdm(checked, total=len(files), desc="check", unit="rec", disable=None))
    for path, verdict, reason, sentence in rows:
        if verdict != "ok" and path not in whole.explained:
            print(f"{verdict}: {path}: {reason}: {sentence}")
    counts = Counter(row.verdict for row in rows)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    print(f"{len(rows) - counts[LEFT_OUT]} recordings: {summary}")
    everything = accounts(folders, source)
    for sentence in (*whole.sentences(), *map(told, everything)):
        print(sentence)
    if target:
        _write(rows, target)
    is_left_out = any(account.unread() for account in everything)
    return 1 if counts["refused"] or is_left_out else 0


def told(account: Account) -> str:
    """One line on all files below a folder, which add up."""
    summary = account.summary()
    parts = [
        f"{summary['recordings']} recordings",
        f"{summary['signal_files']} signal files",
        f"{summary['tables']} tables",
    ]
    for reason, files in summary["left_out"].items():
        parts.append(f"{files['files']} left out ({reason})")
    others = summary["no_recordings"]
    names = others["names"][:_FEW]
    if others["files"] > _FEW:
        names = [*names, "..."]
    named = f" ({', '.join(names)})" if names else ""
    parts.append(f"{others['files']} no recordings{named}")
    return f"{account.folder}: {summary['total']} files: {', '.join(parts)}"


def _write(rows: list[Verdict], target: Path) -> None:
    """The CSV that was asked for."""
    import pandas as pd

    from ecgpipe.project import tables

    tables.write(pd.DataFrame(rows, columns=Verdict._fields), target, for_people=True)


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `check`."""
    reading_arguments.add(parser)
    parser.add_argument("--csv", type=Path, help="CSV to write: path, verdict, reason, sentence")
    parser.set_defaults(run=run)
