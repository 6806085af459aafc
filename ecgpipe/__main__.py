"""The command line: `python -m ecgpipe predict | check | params | augmentations | compare | audit`."""

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from ecgpipe import (
    auditing,
    comparing,
    gallery,
    layout,
    operating,
    pairing,
    params,
    predicting,
    revisions,
    sections,
    settings,
    tables,
)
from ecgpipe.catalogue import Source


def _source(arguments: argparse.Namespace) -> Source | None:
    """The catalogue entry that --source names, what --rate-hz says, or None; ValueError where the entry is at fault."""
    name = arguments.source
    if name is None:
        return None if arguments.rate_hz is None else predicting.of_rate(arguments.rate_hz)
    known = params.load(arguments.params).get("sources")
    known = known if isinstance(known, Mapping) else {}
    if name not in known:
        raise ValueError(
            f"{arguments.params}: no entry '{name}' under sources (there: {', '.join(known)}); add one, or name "
            "another file by --params"
        )
    problems = params.faults(Source, known[name], f"sources.{name}")
    if problems:
        raise ValueError(f"{arguments.params}: " + "; ".join(problems))
    return Source.model_validate(known[name])


def _said(row: Mapping[str, Any], ensemble: predicting.Ensemble) -> str:
    """One recording's line: the classes present, each with its probability, or why it was refused."""
    if row["verdict"] == "refused":
        return f"{row['path']}: refused, {row['reason']}"
    present = [
        f"{name} {full} {row[name]:.2f}" if full != name else f"{name} {row[name]:.2f}"
        for name, full in zip(ensemble.names, ensemble.full_names, strict=True)
        if row[f"{name}_present"] == 1
    ]
    found = ", ".join(present) or f"none of the {len(ensemble.names)} classes"
    return f"{row['path']}: {found}" + f" ({row['reason']})" * bool(row["reason"])


def _predict(arguments: argparse.Namespace) -> int:
    source = _source(arguments)
    ensemble = predicting.load_ensemble(arguments.model, arguments.precision)
    files = predicting.expand(arguments.paths)
    known = predicting.people(arguments.paths, source) if source else {}
    progress = partial(tqdm, desc="predict", unit="batch", disable=None)
    table = predicting.predict(ensemble, files, progress, source, known)
    tables.write(table, arguments.out)
    for row in table.to_dict("records"):
        print(_said(row, ensemble))
    refused = int((table["verdict"] == "refused").sum())
    of = f"{len(ensemble.names)} classes, {len(ensemble.networks)} models"
    print(f"{len(table)} recordings, {refused} refused, {of} -> {arguments.out}")
    if ensemble.doubtful:
        least = predicting.LEAST_AUROC
        print(f"validation showed little skill (AUROC below {least}, or unknown) in: {', '.join(ensemble.doubtful)}")
    return 0 if refused < len(table) else 1


def _check(arguments: argparse.Namespace) -> int:
    files = predicting.expand(arguments.paths)
    checked = predicting.check(files, _source(arguments))
    rows = list(tqdm(checked, total=len(files), desc="check", unit="rec", disable=None))
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


def _augmentations(arguments: argparse.Namespace) -> int:
    folder = arguments.out or (Path("augmentations") if arguments.record else layout.PLOTS / "augmentations")
    names = gallery.write(folder, params.load(arguments.params), arguments.record)
    print(f"{len(names)} augmentations -> {folder}/README.md")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    progress = partial(tqdm, desc="audit", unit="plot", disable=None)
    values = params.load(arguments.params)
    for line in auditing.write(arguments.out, values, arguments.most, arguments.draw, progress):
        print(line)
    print(f"-> {arguments.out}/README.md")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    values = params.load()
    if arguments.resamples is not None:
        values["evaluate"] = {**values["evaluate"], "resamples": arguments.resamples}
    chosen = params.section(operating.Params, values, "evaluate")
    with tempfile.TemporaryDirectory() as scratch:
        named = {side: getattr(arguments, side) for side in ("a", "b")}
        places = [revisions.locate(name, Path(scratch) / side) for side, name in named.items()]
        a, b = (pairing.load(*place, values) for place in places)
    found = comparing.every(a, b, arguments.setting, chosen.resamples, chosen.seed)
    text = "\n".join(comparing.markdown(one, arguments.a, arguments.b) for one in found)
    print(text)
    if arguments.markdown:
        with layout.atomic(arguments.markdown) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if arguments.csv:
        tables.write(pd.concat([one.table.assign(setting=one.setting) for one in found]), arguments.csv)
    return 0


def _add_reading(command: argparse.ArgumentParser) -> None:
    """The arguments that say which recordings are read, and how."""
    paths = ".hea, .mat, .dat or .h5, a record without suffix (its .hea), or a folder of them"
    command.add_argument("paths", nargs="+", type=Path, metavar="RECORD_OR_FOLDER", help=paths)
    how = command.add_mutually_exclusive_group()
    how.add_argument("--source", metavar="NAME", help="entry under `sources` in params.yaml that says how to read them")
    how.add_argument("--rate-hz", type=float, metavar="HZ", help="sampling rate of .h5 files without such an entry")
    command.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help="file that --source is in")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ecgpipe", description=__doc__)
    shown = argparse.ArgumentDefaultsHelpFormatter
    commands = parser.add_subparsers(required=True, metavar="command")
    predict = commands.add_parser(
        "predict", help="probabilities and decisions for recordings, as CSV", formatter_class=shown
    )
    _add_reading(predict)
    predict.add_argument("--model", type=Path, default=Path("data/models"), help="folder of the folds' models")
    predict.add_argument("--out", type=Path, default=Path("predictions.csv"), help="CSV to write")
    precise = "auto takes bf16 where the processor has it: twice as fast, probabilities off by some thousandths"
    predict.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="fp32", help=precise)
    predict.set_defaults(run=_predict)
    check = commands.add_parser(
        "check", help="read every recording and say whether it is usable", formatter_class=shown
    )
    _add_reading(check)
    check.add_argument("--csv", type=Path, help="CSV to write: path, verdict, reason")
    check.set_defaults(run=_check)
    checked = commands.add_parser(
        "params", help="check a whole params file, all faults together", formatter_class=shown
    )
    checked.add_argument("file", nargs="?", type=Path, default=params.PARAMS)
    checked.set_defaults(run=_params)
    shows = commands.add_parser(
        "augmentations", help="a page of all augmentations on one recording", formatter_class=shown
    )
    shows.add_argument("record", nargs="?", type=Path, help="a WFDB recording; without it, one is simulated")
    where = "folder to write; without it, augmentations for a recording, else plots/augmentations"
    shows.add_argument("--out", type=Path, help=where)
    shows.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help="whose settings are shown")
    shows.set_defaults(run=_augmentations)
    _add_audit(commands.add_parser("audit", help="are the labels right? a page of what is odd", formatter_class=shown))
    which = "which differences between two runs are real, by a paired bootstrap"
    _add_compare(commands.add_parser("compare", help=which, formatter_class=shown))
    return parser


def _add_compare(compares: argparse.ArgumentParser) -> None:
    """The arguments of `compare`."""
    run = "a Git revision, a DVC experiment (dvc exp show), or the folder of a project in which dvc repro ran"
    compares.add_argument("a", metavar="A", help=f"the run to compare with: {run}")
    compares.add_argument("b", metavar="B", help="the run in question; `.` is the workspace")
    compares.add_argument("--setting", choices=(settings.OUT_OF_FOLD, settings.TEST_ENSEMBLE), help="one setting alone")
    compares.add_argument("--resamples", type=int, help="of the bootstrap; without it, evaluate.resamples")
    compares.add_argument("--markdown", type=Path, metavar="FILE", help="file to write the tables to as well")
    compares.add_argument("--csv", type=Path, metavar="FILE", help="all rows as CSV")
    compares.set_defaults(run=_compare)


def _add_audit(audit: argparse.ArgumentParser) -> None:
    """The arguments of `audit`."""
    where = "folder to write, replaced whole; it shows patients' recordings"
    audit.add_argument("--out", type=Path, default=layout.PLOTS / "audit", metavar="FOLDER", help=where)
    audit.add_argument("--most", type=int, default=3, metavar="N", help="suspects named per class and direction")
    audit.add_argument("--draw", type=int, default=20, metavar="N", help="recordings drawn, the most suspicious first")
    audit.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help="names the sources")
    audit.set_defaults(run=_audit)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status. A user's fault is one line on standard error, status 2."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except BrokenPipeError:  # whoever read the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"ecgpipe: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
