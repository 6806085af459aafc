"""`python -m ecgpipe predict`: probabilities and decisions for recordings."""

import argparse
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from ecgpipe.commands import console, output_paths, reading_arguments
from ecgpipe.prediction import outputs, pretrained, reading
from ecgpipe.prediction.outputs import RecordingPrediction
from ecgpipe.project.paths import MODELS
from ecgpipe.project.printable import shown

if TYPE_CHECKING:
    from ecgpipe.prediction.ensemble import Ensemble


TABLE = output_paths.Kind(
    "a table of predictions",
    re.compile(rb"\A" + ",".join(outputs.HEAD).encode() + b",(?!sentence\n)"),
)


class _Targets(NamedTuple):
    """Where to write: `out` as it was asked for, the file or folder that it stands for, and the
    folder of sheets where they are drawn."""

    out: Path
    table: Path
    sheets: Path | None


def run(arguments: argparse.Namespace) -> int:
    """Predicts, writes and tells; exit status 1 where some recordings were refused or left out
    unread."""
    targets = _targets(arguments)
    source = reading_arguments.source_of(arguments)
    paths, files = reading_arguments.recording_files(arguments)
    if not arguments.list:
        reading.check_forms(files)
    folders = reading_arguments.folders(paths)
    left_out = reading.left_out(folders)
    if arguments.format == "challenge":
        outputs.check_distinct_names(files)
    # After the checks: torch takes a second, and a user's fault is told without it.
    from ecgpipe.prediction import ensemble, predict

    folder = pretrained.chosen(arguments.model)
    models = ensemble.load(folder, arguments.precision)
    for line in pretrained.told(arguments.model, folder):
        console.write(line)
    options = predict.ReadingOptions(
        source,
        metadata=reading.metadata_rows(paths, source) if source else {},
        within=folders,
        keep_s=_drawn_s() if targets.sheets else 0.0,
        with_intervals=arguments.intervals or arguments.plot,
    )
    refused = 0
    with _writer(arguments, targets, models) as write:
        predictions = predict.predict(models, files, options)
        progress = tqdm(predictions, desc="predict", unit="rec", total=len(files), disable=None)
        for prediction in progress:
            write(prediction)
            refused += prediction.verdict == "refused"
            console.write(_line(prediction, models.words, arguments.intervals))
    counts = f"{len(files)} recordings, {refused} refused, {len(models.names)} classes"
    written = ", ".join(shown(path) for path in (targets.out, targets.sheets) if path)
    console.write(f"{counts}, {len(models.networks)} models -> {written}")
    for line in filter(None, (_unread(left_out), models.words.legend, *models.warnings)):
        console.write(line)
    return 1 if refused or left_out else 0


def _targets(arguments: argparse.Namespace) -> _Targets:
    """Where to write, checked; UserError where something stands there that is not replaced."""
    if arguments.format == "challenge":
        out = arguments.out or Path("predictions")
        table = output_paths.folder(out)
    else:
        out = arguments.out or Path("predictions.csv")
        table = output_paths.file(out, "--out", TABLE)
    sheets = None
    if arguments.plot:
        sheets = output_paths.folder(out.with_name(f"{out.stem}-sheets"), "--plot")
    return _Targets(out, table, sheets)


def _drawn_s() -> float:
    """Seconds of each recording that a sheet shows."""
    from ecgpipe.drawing import prediction_sheets

    return prediction_sheets.SHOWN_S


@contextlib.contextmanager
def _writer(
    arguments: argparse.Namespace, targets: _Targets, models: "Ensemble"
) -> Iterator[Callable[[RecordingPrediction], None]]:
    """Writes each prediction into the table and, where asked for, draws its sheet."""
    form, with_intervals = arguments.format, arguments.intervals
    table = targets.table, models.codes, models.names
    with outputs.writer(form, *table, with_intervals=with_intervals) as write:
        if not targets.sheets:
            yield write
            return
        from ecgpipe.drawing import prediction_sheets

        with prediction_sheets.drawing(targets.sheets, models.words) as sheets:

            def write_and_draw(prediction: RecordingPrediction) -> None:
                write(prediction)
                sheets.draw(prediction)

            yield write_and_draw


def _line(
    prediction: RecordingPrediction, classes: outputs.ClassWords, with_intervals: bool
) -> str:
    """What is printed of one recording."""
    positive = outputs.positive_classes(prediction, classes)
    flags = f" ({shown(prediction.reason)})" if prediction.verdict == "flagged" else ""
    measured = ""
    if with_intervals and prediction.intervals and prediction.verdict != "refused":
        measured = f"; {prediction.intervals.words}"
    return f"{shown(prediction.path)}: {positive}{flags}{measured}"


def _unread(left_out: Mapping[str, int]) -> str:
    """What is said of the recordings of folders that nobody read; '' where there are none."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    step = "`python -m ecgpipe check` of the same folders names them"
    return f"left out unread, without a row: {reasons}; {step}" if reasons else ""


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `predict`."""
    reading_arguments.add(parser)
    models = "folder of the folds' models; while nothing is trained there, data/pretrained answers"
    parser.add_argument("--model", type=Path, default=MODELS, help=models)
    out = (
        "CSV to write, an older table of predictions is replaced (without it predictions.csv); "
        "or with --format challenge a new folder"
    )
    parser.add_argument("--out", type=Path, help=out)
    forms = (
        "csv: one table; challenge: a file per recording, "
        "as the scorer of the CinC Challenge 2021 reads it"
    )
    parser.add_argument("--format", choices=outputs.FORMATS, default="csv", help=forms)
    plot = (
        "draw each recording on ECG paper with what was found, "
        "into a folder beside --out (half a second each)"
    )
    parser.add_argument("--plot", action="store_true", help=plot)
    intervals = "measure rate, PR, QRS, QT, QTc and axis too, for the CSV and for what is printed"
    parser.add_argument("--intervals", action="store_true", help=intervals)
    precision = (
        "auto takes bf16 where the processor has it: "
        "twice as fast, probabilities off by some thousandths"
    )
    choices = ("auto", "fp32", "bf16")
    parser.add_argument("--precision", choices=choices, default="fp32", help=precision)
    parser.epilog = (
        "exit status: 0 all were read, 1 some were refused (their rows say why) or left out "
        "unread, 2 nothing was written"
    )
    parser.set_defaults(run=run)
