"""`python -m ecgpipe predict`: probabilities and decisions for recordings."""

import argparse
import contextlib
from pathlib import Path

from tqdm import tqdm

from ecgpipe.commands import console, output_paths, reading_arguments
from ecgpipe.drawing import prediction_sheets
from ecgpipe.prediction import ensemble, outputs, reading
from ecgpipe.prediction.predict import Reading, predict
from ecgpipe.project.paths import MODELS


def run(arguments: argparse.Namespace) -> int:
    """Predicts, writes and tells; exit status 1 where some recordings were refused."""
    source = reading_arguments.source_of(arguments)
    paths, files = reading_arguments.recording_files(arguments)
    challenge = arguments.format == "challenge"
    if challenge:
        outputs.distinct(files)
    out = arguments.out or Path("predictions" if challenge else "predictions.csv")
    target = output_paths.folder(out) if challenge else output_paths.file(out)
    folder = out.with_name(f"{out.stem}-sheets")
    if arguments.plot:
        output_paths.folder(folder, "--plot")
    models = ensemble.load(arguments.model, arguments.precision)
    known = reading.people(paths, source) if source else {}
    how = Reading(
        source, known, reading_arguments.folders(paths), prediction_sheets.SHOWN_S * arguments.plot
    )
    refused = 0
    with contextlib.ExitStack() as stack:
        write = stack.enter_context(
            outputs.writer(arguments.format, target, models.codes, models.names)
        )
        about = (models.names, models.full_names)
        drawn = (
            stack.enter_context(prediction_sheets.drawing(folder, *about))
            if arguments.plot
            else None
        )
        answers = predict(models, files, how)
        for answer in tqdm(answers, desc="predict", unit="rec", total=len(files), disable=None):
            write(answer)
            if drawn:
                drawn.draw(answer)
            refused += answer.verdict == "refused"
            flags = f" ({outputs.plain(answer.reason)})" * (answer.verdict == "flagged")
            console.write(
                f"{outputs.plain(answer.path)}: {outputs.positive_classes(answer, *about)}{flags}"
            )
    of = f"{len(models.names)} classes, {len(models.networks)} models"
    console.write(
        f"{len(files)} recordings, {refused} refused, {of} -> {out}"
        + f", {folder}" * arguments.plot
    )
    for line in models.warnings:
        console.write(line)
    return 1 if refused else 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `predict`."""
    reading_arguments.add(parser)
    parser.add_argument("--model", type=Path, default=MODELS, help="folder of the folds' models")
    parser.add_argument(
        "--out", type=Path, help="CSV to write, or with --format challenge a new folder"
    )
    forms = "csv: one table; challenge: a file per recording, as the scorer of the CinC Challenge 2021 reads it"
    parser.add_argument("--format", choices=outputs.FORMATS, default="csv", help=forms)
    plot = "draw each recording on ECG paper with what was found, into a folder beside --out (half a second each)"
    parser.add_argument("--plot", action="store_true", help=plot)
    precise = "auto takes bf16 where the processor has it: twice as fast, probabilities off by some thousandths"
    parser.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), default="fp32", help=precise
    )
    parser.set_defaults(run=run)
