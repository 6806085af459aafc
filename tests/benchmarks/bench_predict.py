"""`predict` from files to a CSV on all cores, beside its bare networks on windows that are ready in
memory."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from ecgpipe.evaluation import calibration, operating_points
from ecgpipe.model.network import DEMOGRAPHICS, SEResNet18, folded
from ecgpipe.model.params import ModelParams
from ecgpipe.prediction import outputs, predict, reading
from ecgpipe.prediction.ensemble import Ensemble
from ecgpipe.preprocessing import bandpass
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import params
from tests.benchmarks import collection
from tests.benchmarks.measuring import Row, seconds

ROOT = Path(__file__).parents[2]
RECORDINGS = 256
FEWER = 32  # by the full network, whose time is a straight line
BATCH, CLASSES = 32, 26


def rows() -> list[Row]:
    """The rows of this part of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw"
        collection.make(raw, RECORDINGS, simulated=50)
        files = reading.expand([raw])
        return [
            row(files, Path(scratch), "demo", "params.yaml", rounds=3),
            row(files[:FEWER], Path(scratch), "full", "configs/cinc2021.yaml", rounds=1),
        ]


def untrained(path: Path) -> Ensemble:
    """The folds' networks of a params file, folded, with drawn weights, as
    `prediction.ensemble.load` gives them."""
    values = params.load(path)
    preprocess = PreprocessParams.model_validate(values["preprocess"])
    network = ModelParams.model_validate(values["model"])
    names = [f"class {number}" for number in range(CLASSES)]
    train = values["train"]
    about = {
        "classes": names,
        "names": names,
        "full_names": names,
        "rate_hz": preprocess.rate_hz,
        "window": round(train["window_s"] * preprocess.rate_hz),
        "normalise": train["normalise"],
        "conditioning": bandpass.filter_arguments(preprocess),
        "network": network.model_dump(),
    }
    torch.manual_seed(1)
    folds = [folded(SEResNet18(CLASSES, network)) for _ in values["split"]["folds"]]
    point = operating_points.OperatingPoint(
        calibration.Scaling(np.ones(CLASSES), np.ones(CLASSES)), np.full(CLASSES, 0.5)
    )
    skill = operating_points.Skill(np.ones(CLASSES), np.ones(CLASSES))
    return Ensemble(folds, values["split"]["folds"], about, point, skill, bf16=False)


def row(files: list[Path], scratch: Path, which: str, settings: str, rounds: int) -> Row:
    """One size of network."""
    ensemble = untrained(ROOT / settings)
    width, window = ensemble.about["network"]["width"], ensemble.about["window"]
    signal, known = torch.randn(BATCH, window, 12).transpose(1, 2), torch.rand(BATCH, DEMOGRAPHICS)

    def bare() -> None:
        with torch.no_grad():
            for network in ensemble.networks:
                for _ in range(len(files) // BATCH):
                    torch.sigmoid(network(signal, known))

    def ours() -> None:
        with outputs.writer("csv", scratch / "p.csv", ensemble.codes, ensemble.names) as write:
            for answer in predict.predict(ensemble, files):
                write(answer)

    bare_s, ours_s = seconds(bare, ours, rounds=rounds)
    networks = f"{len(ensemble.networks)} folds of the {which} network ({width} wide)"
    return Row(
        step=f"predict, {len(files):,} ten-second files to CSV, {networks}",
        unit="recordings/s",
        reference_name="bare networks",
        reference=len(files) // BATCH * BATCH / bare_s,
        ours=len(files) / ours_s,
        aim=">= x0.6",
    )
