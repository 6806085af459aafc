"""What the study compares: each method is trained on some recordings and answers for others.

- a network from scratch, and one that starts from a model folder; without any recording the latter
  is that model as it is
- `floor`: the logistic regression on simple features that every report shows
  (`evaluation.floor`)
- `random encoder`: a network as drawn, never trained, under the same regression on its features;
  arXiv 2602.17531 found that a strong baseline. Its batch norms count over all recordings, which
  needs no labels.
"""

import functools
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset.examples import Examples
from ecgpipe.dataset.gather import gather, normalise, window_starts
from ecgpipe.evaluation import floor
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.training import start, trainer
from ecgpipe.training.distributed import Peers
from ecgpipe.training.params import TrainParams
from ecgpipe.training.progress import Progress
from tests.benchmarks.study_data import Divided

NETWORK, FLOOR, RANDOM = "network", "floor", "random encoder"
LEAST_STEPS = 150  # of a training: on few recordings epochs are short
FEWEST = 8  # recordings in a batch, of training sets of less than four batches
RANDOM_WIDTH = 32
RANDOM_BATCH = 64


@dataclass(frozen=True)
class Method:
    """A row of the study. `start`: a model folder; `changes`: of sections of the params, from those
    that all networks share; `teachers`: networks whose mean answers count for half of the
    labels."""

    name: str
    kind: str = NETWORK
    start: str | None = None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    teachers: int = 0


def answers(
    method: Method,
    settings: Mapping[str, Any],
    divided: Divided,
    rows: NDArray[np.int64],
    held: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """[held, class]: the probabilities that a method gives the rows `held` once it was trained on
    `rows`. Without any, a start answers as it is."""
    if method.kind == NETWORK:
        return network_answers(method, settings, divided, rows, held, seed)
    inputs = divided.inputs
    if method.kind == RANDOM:
        inputs = random_features(divided, seed)
    labels = divided.data.labels.double().numpy()
    return floor.fitted(inputs[rows], labels[rows], inputs[held], seed)


def network_answers(
    method: Method,
    settings: Mapping[str, Any],
    divided: Divided,
    rows: NDArray[np.int64],
    held: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """The answers of a network: started from a model, from scratch, or taught."""
    if not len(rows):
        return of_start(method, divided, held)
    with tempfile.TemporaryDirectory() as scratch:
        run = fresh(method, settings, divided, rows, seed, Path(scratch))
        run.state.save = lambda path, key: None  # a cell goes on from no epoch
        if method.teachers:
            run.labels = taught(method, settings, divided, rows, seed)
        run.run(lambda work: Progress("", work, mute=True))
    scored = divided.data.take(held)
    network, way = run.state.network, run.params.normalise
    return probabilities_of(network, scored, run.window, way, bf16=run.bf16).double().numpy()


def fresh(
    method: Method,
    settings: Mapping[str, Any],
    divided: Divided,
    rows: NDArray[np.int64],
    seed: int,
    scratch: Path,
) -> trainer.Trainer:
    """The training of a method on `rows`, not yet begun. Nothing is chosen by validation, so one
    recording stands for it."""
    values = {name: {**settings[name], **method.changes.get(name, {})} for name in settings}
    values["train"] |= {"seed": seed, "keep": "last", "start": "scratch"}
    if method.start:
        about = saved_model.load(Path(method.start))[1]
        values["model"] = about["network"] | {"dropout": values["model"]["dropout"]}
        values["train"] |= {
            "start": "model",
            "start_model": method.start,
            "normalise": about["normalise"],
        }
    values["train"] |= long_enough(len(rows), values["train"])
    train = TrainParams.model_validate(values["train"])
    model = ModelParams.model_validate(values["model"])
    data, info = divided.data, divided.info()
    return trainer.Trainer(
        data.take(rows),
        data.take(rows[:1]),
        model,
        train,
        AugmentParams.model_validate(values["augment"]),
        codes=info["classes"],
        peers=Peers(0, 1, torch.device("cpu")),
        state_path=scratch / "state.pt",
        key="",
        start=start.read(train, model, info | {"sources": {}}, divided.conditioning),
    )


def long_enough(recordings: int, train: Mapping[str, Any]) -> dict[str, int]:
    """The batch and the epochs of a training on few recordings: smaller batches where they would
    not come to four, and more epochs until there are `LEAST_STEPS` steps."""
    batch = min(train["batch"], max(FEWEST, recordings // 4), recordings)
    steps = recordings // batch
    return {"batch": batch, "epochs": max(train["epochs"], math.ceil(LEAST_STEPS / steps))}


def of_start(method: Method, divided: Divided, held: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the model itself says of `held`, its classes matched by code; 0.5 for one that it does
    not know."""
    network, about = saved_model.load(Path(method.start))
    info = divided.info()
    known = about.get("codes") or [[code] for code in about["classes"]]
    places = start.matched(info["codes"], known)
    scored = divided.data.take(held)
    # Its classes may be fewer or more than those of the recordings.
    blank = torch.full((len(held), len(known)), torch.nan)
    scored = type(scored)(**{**vars(scored), "labels": blank})
    said = probabilities_of(network, scored, about["window"], about["normalise"]).numpy()
    answer = np.full((len(held), len(places)), 0.5)
    for column, place in enumerate(places):
        if place is not None:
            answer[:, column] = said[:, place]
    return answer


def taught(
    method: Method,
    settings: Mapping[str, Any],
    divided: Divided,
    rows: NDArray[np.int64],
    seed: int,
) -> torch.Tensor:
    """[row, class]: labels that are for one half the mean of what `teachers` say, networks trained
    by the same settings from seeds of their own (Hinton et al. 2015, arXiv:1503.02531); what is not
    annotated stays so."""
    teacher = Method(method.name, start=method.start, changes=method.changes)
    said = [
        network_answers(teacher, settings, divided, rows, rows, 1000 * seed + number)
        for number in range(method.teachers)
    ]
    mean = torch.from_numpy(np.mean(said, axis=0)).float()
    return (divided.data.labels[torch.from_numpy(rows)] + mean) / 2


@functools.lru_cache(maxsize=4)
@torch.no_grad()
def random_features(divided: Divided, seed: int) -> NDArray[np.float64]:
    """[recording, feature] of all recordings by a network of `RANDOM_WIDTH` as drawn from the seed:
    the mean over each recording's windows of what its classifier would be given."""
    torch.manual_seed(seed)
    values = {"width": RANDOM_WIDTH, "stem_kernel": 15, "kernel": 7, "dropout": 0.0}
    network = SEResNet18(1, ModelParams(**values, reduction=16, demographics=True))
    network.classifier = nn.Identity()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean of all batches
    rows = np.arange(len(divided.data))
    _through(network.train(), divided.data, rows)
    return _through(network.eval(), divided.data, rows).double().numpy()


def _through(network: nn.Module, data: Examples, rows: NDArray[np.int64]) -> torch.Tensor:
    """[row, feature]: ten-second windows of `rows` through a network, their mean for each row."""
    window, samples = round(10 * data.rate_hz), data.place[:, 2].tolist()
    pairs = [(place, first) for place, row in enumerate(rows)
             for first in window_starts(samples[row], window)]  # fmt: skip
    total: torch.Tensor | None = None
    count = torch.zeros(len(rows), 1)
    for begin in range(0, len(pairs), RANDOM_BATCH):
        places, firsts = torch.tensor(pairs[begin : begin + RANDOM_BATCH]).T
        part = torch.from_numpy(rows)[places]
        signal = gather(data, part, firsts[:, None] + torch.arange(window))
        features = network(normalise(*signal, "none").transpose(1, 2), data.demographics[part])
        if total is None:
            total = torch.zeros(len(rows), features.shape[1])
        total.index_add_(0, places, features)
        count.index_add_(0, places, torch.ones(len(places), 1))
    assert total is not None
    return total / count
