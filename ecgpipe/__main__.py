"""The command line: `python -m ecgpipe predict | export | check | params | augmentations | compare | audit`."""

from ecgpipe.project import stage

if __name__ == "__main__":
    stage.listen()

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from ecgpipe.audit import audit as audit_audit
from ecgpipe.commands import console, output_paths, path_lists
from ecgpipe.commands.params import faults
from ecgpipe.comparison import compare, pairing, runs
from ecgpipe.drawing import augmentation_gallery, prediction_sheets
from ecgpipe.evaluation import held_out, operating_points
from ecgpipe.prediction import ensemble, onnx_export, outputs
from ecgpipe.prediction import predict as prediction_predict
from ecgpipe.project import atomic, params, tables
from ecgpipe.recordings.sources import Source


def _source(arguments: argparse.Namespace) -> Source | None:
    """The catalogue entry that --source names, what --rate-hz says, or None; ValueError where the entry is at fault."""
    name = arguments.source
    if name is None:
        return None if arguments.rate_hz is None else prediction_predict.of_rate(arguments.rate_hz)
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


def _paths(arguments: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """(the paths that the command line and --list name, the recording files there)."""
    named = path_lists.read(arguments.list) if arguments.list else []
    if not arguments.paths and not named:
        raise ValueError("no recording named; give files or folders, or a list of them by --list")
    files = [*prediction_predict.expand(arguments.paths), *prediction_predict.expand(named, strict=False)]
    return [*arguments.paths, *named], list(dict.fromkeys(files))


def _folders(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.is_dir()]


def _predict(arguments: argparse.Namespace) -> int:
    source = _source(arguments)
    paths, files = _paths(arguments)
    challenge = arguments.format == "challenge"
    if challenge:
        outputs.distinct(files)
    out = arguments.out or Path("predictions" if challenge else "predictions.csv")
    models = ensemble.load(arguments.model, arguments.precision)
    known = prediction_predict.people(paths, source) if source else {}
    folder = out.with_name(f"{out.stem}-sheets")
    how = prediction_predict.Reading(source, known, _folders(paths), prediction_sheets.SHOWN_S * arguments.plot)
    refused = 0
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(outputs.writer(arguments.format, out, models.codes, models.names))
        about = (models.names, models.full_names)
        drawn = stack.enter_context(prediction_sheets.drawing(folder, *about)) if arguments.plot else None
        answers = prediction_predict.predict(models, files, how)
        for answer in tqdm(answers, desc="predict", unit="rec", total=len(files), disable=None):
            write(answer)
            if drawn:
                drawn.draw(answer)
            refused += answer.verdict == "refused"
            flags = f" ({outputs.plain(answer.reason)})" * (answer.verdict == "flagged")
            console.say(f"{outputs.plain(answer.path)}: {outputs.findings(answer, *about)}{flags}")
    of = f"{len(models.names)} classes, {len(models.networks)} models"
    console.say(f"{len(files)} recordings, {refused} refused, {of} -> {out}" + f", {folder}" * arguments.plot)
    for line in models.warnings:
        console.say(line)
    return 1 if refused else 0


def _export(arguments: argparse.Namespace) -> int:
    target = output_paths.file(arguments.onnx, "--onnx")
    models = ensemble.load(arguments.model, fold=arguments.fold)
    onnx_export.write(models, target)
    of = f"{len(models.names)} classes, folds {', '.join(map(str, models.folds))}"
    print(f"{of}, {target.stat().st_size / 1e6:.1f} MB -> {arguments.onnx}")
    for line in models.warnings:
        print(line)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    target = arguments.csv and output_paths.file(arguments.csv, "--csv")
    paths, files = _paths(arguments)
    checked = prediction_predict.check(files, _source(arguments), _folders(paths))
    rows = list(tqdm(checked, total=len(files), desc="check", unit="rec", disable=None))
    counts = {said: sum(row[1] == said for row in rows) for said in ("ok", "flagged", "refused")}
    for path, said, reason, sentence in rows:
        if said != "ok":
            print(f"{said}: {path}: {reason}: {sentence}")
    print(f"{len(rows)} recordings: " + ", ".join(f"{count} {said}" for said, count in counts.items()))
    if target:
        tables.write(pd.DataFrame(rows, columns=["path", "verdict", "reason", "sentence"]), target)
    return 1 if counts["refused"] else 0


def _params(arguments: argparse.Namespace) -> int:
    values, doubles = params.read(arguments.file)
    problems = doubles + faults(values)
    for problem in problems:
        print(problem)
    count = f"{len(problems)} fault{'s' * (len(problems) > 1)}" if problems else "ok"
    print(f"{arguments.file}: {count}")
    return 1 if problems else 0


def _augmentations(arguments: argparse.Namespace) -> int:
    folder = arguments.out or (Path("augmentations") if arguments.record else atomic.PLOTS / "augmentations")
    names = augmentation_gallery.write(folder, params.load(arguments.params), arguments.record)
    print(f"{len(names)} augmentations -> {folder}/README.md")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    progress = partial(tqdm, desc="audit", unit="plot", disable=None)
    values = params.load(arguments.params)
    for line in audit_audit.write(arguments.out, values, arguments.most, arguments.draw, progress):
        print(line)
    print(f"-> {arguments.out}/README.md")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    markdown = arguments.markdown and output_paths.file(arguments.markdown, "--markdown")
    table = arguments.csv and output_paths.file(arguments.csv, "--csv")
    values = params.load()
    if arguments.resamples is not None:
        values["evaluate"] = {**values["evaluate"], "resamples": arguments.resamples}
    chosen = params.section(operating_points.Params, values, "evaluate")
    with tempfile.TemporaryDirectory() as scratch:
        named = {side: getattr(arguments, side) for side in ("a", "b")}
        places = [runs.locate(name, Path(scratch) / side) for side, name in named.items()]
        a, b = (pairing.load(*place, values) for place in places)
    found = compare.every(a, b, arguments.setting, chosen.resamples, chosen.seed)
    text = "\n".join(compare.markdown(one, arguments.a, arguments.b) for one in found)
    print(text)
    if markdown:
        with atomic.atomic(markdown) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if table:
        tables.write(pd.concat([one.table.assign(setting=one.setting) for one in found]), table)
    return 0


def _add_reading(command: argparse.ArgumentParser) -> None:
    """The arguments that say which recordings are read, and how."""
    others = ".dcm, .dicom, .ecg, .edf, .mfer, .mfr, .mwf, .scp, .xml"  # formats.SUFFIXES, which a test compares
    paths = f".hea, .mat, .dat, .h5 or (where ecgdatakit is installed) {others}; a record without suffix; or folders"
    command.add_argument("paths", nargs="*", type=Path, metavar="RECORD_OR_FOLDER", help=paths)
    command.add_argument(
        "--list", metavar="FILE", help="file that names more of them, one a line or parted by NUL; - is standard input"
    )
    how = command.add_mutually_exclusive_group()
    how.add_argument("--source", metavar="NAME", help="entry under `sources` in params.yaml that says how to read them")
    how.add_argument("--rate-hz", type=float, metavar="HZ", help="sampling rate of .h5 files without such an entry")
    command.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help="file that --source is in")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ecgpipe", description=__doc__)
    shown = argparse.ArgumentDefaultsHelpFormatter
    commands = parser.add_subparsers(required=True, metavar="command")
    answers = "probabilities and decisions for recordings"
    status = "exit status: 0 all were read, 1 some were refused (their rows say why), 2 nothing was written"
    _add_predict(commands.add_parser("predict", help=answers, formatter_class=shown, epilog=status))
    _add_export(commands.add_parser("export", help="the models as one ONNX file", formatter_class=shown))
    check = commands.add_parser(
        "check", help="read every recording and say whether it is usable", formatter_class=shown
    )
    _add_reading(check)
    check.add_argument("--csv", type=Path, help="CSV to write: path, verdict, reason, sentence")
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
    compares.add_argument("--setting", choices=(held_out.OUT_OF_FOLD, held_out.TEST_ENSEMBLE), help="one setting alone")
    compares.add_argument("--resamples", type=int, help="of the bootstrap; without it, evaluate.resamples")
    compares.add_argument("--markdown", type=Path, metavar="FILE", help="file to write the tables to as well")
    compares.add_argument("--csv", type=Path, metavar="FILE", help="all rows as CSV")
    compares.set_defaults(run=_compare)


def _add_predict(predict: argparse.ArgumentParser) -> None:
    """The arguments of `predict`."""
    _add_reading(predict)
    predict.add_argument("--model", type=Path, default=atomic.MODELS, help="folder of the folds' models")
    predict.add_argument("--out", type=Path, help="CSV to write, or with --format challenge a new folder")
    forms = "csv: one table; challenge: a file per recording, as the scorer of the CinC Challenge 2021 reads it"
    predict.add_argument("--format", choices=outputs.FORMATS, default="csv", help=forms)
    plot = "draw each recording on ECG paper with what was found, into a folder beside --out (half a second each)"
    predict.add_argument("--plot", action="store_true", help=plot)
    precise = "auto takes bf16 where the processor has it: twice as fast, probabilities off by some thousandths"
    predict.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="fp32", help=precise)
    predict.set_defaults(run=_predict)


def _add_export(export: argparse.ArgumentParser) -> None:
    """The arguments of `export`."""
    export.add_argument("--onnx", type=Path, required=True, metavar="FILE", help="file to write")
    export.add_argument("--fold", type=int, metavar="K", help="one fold's model; without it, all folds together")
    export.add_argument("--model", type=Path, default=atomic.MODELS, help="folder of the folds' models")
    export.set_defaults(run=_export)


def _add_audit(audit: argparse.ArgumentParser) -> None:
    """The arguments of `audit`."""
    where = "folder to write, replaced whole; it shows patients' recordings"
    audit.add_argument("--out", type=Path, default=atomic.PLOTS / "audit", metavar="FOLDER", help=where)
    audit.add_argument("--most", type=int, default=3, metavar="N", help="suspects named per class and direction")
    audit.add_argument("--draw", type=int, default=20, metavar="N", help="recordings drawn, the most suspicious first")
    audit.add_argument("--params", type=Path, default=params.PARAMS, metavar="FILE", help="names the sources")
    audit.set_defaults(run=_audit)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; its exit status. A user's fault is one line on standard error, status 2."""
    console.any_letters()
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except BrokenPipeError:  # whoever read the output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("ecgpipe: stopped; nothing half-written is left", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"ecgpipe: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    stage.interruptible()
    sys.exit(main())
