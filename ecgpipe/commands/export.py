"""`python -m ecgpipe export`: the models as one ONNX file."""

import argparse
import re
from pathlib import Path

from ecgpipe.commands import output_paths
from ecgpipe.prediction import pretrained
from ecgpipe.project.paths import MODELS
from ecgpipe.project.printable import shown

MODEL = output_paths.Kind("an exported model", re.compile(rb"conditioning_numpy"))


def run(arguments: argparse.Namespace) -> int:
    """Writes the ONNX file."""
    target = output_paths.file(arguments.onnx, "--onnx", MODEL)
    # After the check: torch takes seconds, and a user's fault is told without it.
    from ecgpipe.prediction import ensemble, onnx_export

    folder = pretrained.chosen(arguments.model)
    models = ensemble.load(folder, fold=arguments.fold)
    onnx_export.write(models, target)
    folds = ", ".join(map(str, models.folds))
    size_mb = target.stat().st_size / 1e6
    print(
        f"{len(models.names)} classes, folds {folds}, {size_mb:.1f} MB -> {shown(arguments.onnx)}"
    )
    for line in (*pretrained.told(arguments.model, folder), *models.warnings):
        print(line)
    return 0


def add(parser: argparse.ArgumentParser) -> None:
    """The arguments of `export`."""
    parser.add_argument("--onnx", type=Path, required=True, metavar="FILE", help="file to write")
    fold = "one fold's model; without it, all folds together"
    parser.add_argument("--fold", type=int, metavar="K", help=fold)
    models = "folder of the folds' models; while nothing is trained there, data/pretrained is taken"
    parser.add_argument("--model", type=Path, default=MODELS, help=models)
    parser.set_defaults(run=run)
