"""A small network that tells two sets of conditioned recordings apart, by the project's own
training: what features do not name, it may see."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.model.inference import probabilities_of
from ecgpipe.model.params import ModelParams
from ecgpipe.project import params, paths
from ecgpipe.training import trainer, validation
from ecgpipe.training.distributed import Peers
from ecgpipe.training.params import TrainParams
from ecgpipe.training.progress import Progress

ROOT = Path(__file__).parents[2]
EPOCHS, WIDTH, FOLDS = 6, 8, 2


def network_auroc(
    first_uv: list[NDArray[np.int16]],
    second_uv: list[NDArray[np.int16]],
    rate_hz: float,
    epochs: int = EPOCHS,
) -> float:
    """The AUROC of a network of width `WIDTH`, over `FOLDS` folds; recordings are int16 [time, 12]
    each, and windows as long as the shortest."""
    signals = [*first_uv, *second_uv]
    truth = np.repeat([1.0, 0.0], [len(first_uv), len(second_uv)])
    unknown = [None] * len(signals)
    data = examples.of_signals(signals, unknown, unknown, rate_hz=rate_hz, classes=1)
    labels = torch.from_numpy(truth[:, None].astype(np.float32))
    data = replace(data, labels=labels, keys=torch.arange(len(signals)))
    answers = torch.zeros(len(signals), 1)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1)
    for seen, unseen in folds.split(truth, truth):
        answers[unseen] = _answers(data.take(seen), data.take(unseen), epochs)
    return validation.macro_auroc(labels, answers)


def _answers(seen: examples.Examples, unseen: examples.Examples, epochs: int) -> torch.Tensor:
    """[recording, 1]: what a network trained on `seen` says of `unseen`."""
    values = params.load(ROOT / paths.PARAMS)
    window_s = float(seen.place[:, 2].min()) / seen.rate_hz
    changed = {"epochs": epochs, "batch": 16, "keep": "last", "seed": 1, "window_s": window_s}
    train = TrainParams.model_validate(values["train"] | changed)
    with tempfile.TemporaryDirectory() as scratch:
        run = trainer.Trainer(
            seen,
            unseen.take(np.arange(1)),
            ModelParams.model_validate(values["model"] | {"width": WIDTH, "demographics": False}),
            train,
            AugmentParams.model_validate(values["augment"]),
            codes=["0"],
            peers=Peers(0, 1, torch.device("cpu")),
            state_path=Path(scratch) / "state.pt",
            key="",
        )
        run.run(lambda work: Progress("", work, mute=True))
    return probabilities_of(run.state.network, unseen, run.window, train.normalise, bf16=run.bf16)
