"""The command line: `python -m ecgpipe predict | check | params`."""

import argparse
import csv
import sys
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ecgpipe import params, predicting, sections, tables


def _predict(arguments: argparse.Namespace) -> int:
    ensemble = predicting.load_ensemble(arguments.model)
    files = predicting.expand(arguments.paths)
    table = predicting.predict(ensemble, files, partial(tqdm, desc="predict", unit="batch", disable=None))
    tables.write(table, arguments.out)
    names = ensemble.names
    for row in table.to_dict("records"):
        if row["verdict"] == "refused":
            print(f"{row['path']}: refused, {row['reason']}")
            continue
        present = [f"{name} {row[name]:.2f}" for name in names if row[f"{name}_present"] == 1]
        print(
            f"{row['path']}: {', '.join(present) or 'none of the classes'}"
            + f" ({row['reason']})" * bool(row["reason"])
        )
    refused = int((table["verdict"] == "refused").sum())
    of = f"{len(names)} classes, {len(ensemble.networks)} models"
    print(f"{len(table)} recordings, {refused} refused, {of} -> {arguments.out}")
    return 0 if refused < len(table) else 1


def _check(arguments: argparse.Namespace) -> int:
    rows = list(tqdm(predicting.check(predicting.expand(arguments.paths)), desc="check", unit="rec", disable=None))
    counts = {said: sum(row[1] == said for row in rows) for said in ("ok", "flagged", "refused")}
    for path, said, reason in rows:
        if said != "ok":
            print(f"{said}: {path}: {reason}")
    print(f"{len(rows)} recordings: " + ", ".join(f"{count} {said}" for said, count in counts.items()))
    if arguments.csv:
        with Path(arguments.csv).open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(["path", "verdict", "reason"])
            writer.writerows(rows)
    return 1 if counts["refused"] else 0


def _params(arguments: argparse.Namespace) -> int:
    problems = sections.faults(params.load(arguments.file))
    for problem in problems:
        print(problem)
    print(f"{arguments.file}: {len(problems)} faults" if problems else f"{arguments.file}: ok")
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ecgpipe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    predict = commands.add_parser("predict", help="probabilities and decisions for recordings, as CSV")
    predict.add_argument("paths", nargs="+", type=Path, metavar="RECORD_OR_FOLDER", help=".hea or .h5, or a folder")
    predict.add_argument("--model", type=Path, default=Path("data/models"), help="folder of the folds' models")
    predict.add_argument("--out", type=Path, default=Path("predictions.csv"), help="CSV to write")
    predict.set_defaults(run=_predict)
    check = commands.add_parser("check", help="read every recording and say whether it is usable")
    check.add_argument("paths", nargs="+", type=Path, metavar="FOLDER")
    check.add_argument("--csv", type=Path, help="CSV to write: path, verdict, reason")
    check.set_defaults(run=_check)
    checked = commands.add_parser("params", help="check a whole params file, all faults together")
    checked.add_argument("file", nargs="?", type=Path, default=params.PARAMS)
    checked.set_defaults(run=_params)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status. A user's fault is one line on standard error, status 2."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except ValueError as error:
        print(f"ecgpipe: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
