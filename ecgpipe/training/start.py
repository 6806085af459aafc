"""Starting a training from a trained model: its body, and the heads of the classes that it knows.

A class takes the head of the start's class of the same first SNOMED CT code, else of the first that
shares any code with it; both sides count the equivalents that their lists join. Any other class is
new and begins small: the row of its head as drawn, times NEW_SCALE (our choice), its bias where
that alone fits the training labels best (`loss.constant_logits`).

`blended` averages weights with those of the start: Wortsman et al. 2022, "Robust fine-tuning of
zero-shot models", arXiv:2109.01903.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ecgpipe.model import saved_model
from ecgpipe.model.network import HEAD, SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.project import digests
from ecgpipe.project.errors import UserError
from ecgpipe.training import checkpoint, start_faults
from ecgpipe.training.params import TrainParams

NEW_SCALE = 0.1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """The weights of a trained model, on the CPU, the SHA-256 of their file, and for each class of
    this training the row of their classifier that it takes, None where the class is new."""

    folder: str
    digest: str
    weights: Mapping[str, torch.Tensor]
    heads: Sequence[int | None]

    @torch.no_grad()
    def give(self, network: SEResNet18, new_bias: torch.Tensor) -> None:
        """Puts the weights into a network as drawn, on any device; new_bias [class] is for new
        classes alone."""
        for name, tensor in network.state_dict().items():
            if not name.startswith(HEAD):
                tensor.copy_(self.weights[name])
        weight, bias = network.classifier.weight, network.classifier.bias
        for row, source in enumerate(self.heads):
            if source is None:
                weight[row] *= NEW_SCALE
                bias[row] = new_bias[row]
            else:
                weight[row] = self.weights[f"{HEAD}weight"][source].to(weight.device)
                bias[row] = self.weights[f"{HEAD}bias"][source].to(bias.device)

    def blended(self, weights: Mapping[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
        """Trained `weights` and running statistics averaged with those of the start, which counts
        by its `share` of 1; heads of new classes and counts stay as they are."""
        rows = [row for row, source in enumerate(self.heads) if source is not None]
        sources = [source for source in self.heads if source is not None]
        averaged = dict(weights)
        for name, tensor in weights.items():
            begun = self.weights[name].to(tensor.device)
            if name.startswith(HEAD):
                averaged[name] = tensor.clone()
                averaged[name][rows] = torch.lerp(tensor[rows], begun[sources], share)
            elif tensor.is_floating_point():
                averaged[name] = torch.lerp(tensor, begun, share)
        return averaged

    def about(self) -> dict[str, Any]:
        """What a model says of its start in model.json."""
        return {"model": self.folder, "digest": self.digest}


def read(
    params: TrainParams,
    network: ModelParams,
    info: Mapping[str, Any],
    conditioning: Mapping[str, Any],
    *,
    mute: bool = False,
) -> Start | None:
    """The start that `params` name, None from scratch; which classes are new to it is logged,
    unless `mute`.

    info: folds.json; conditioning: of the stores. UserError where the folder holds no sound model,
    where the model does not fit, or was trained on the recordings that this training is scored on.
    """
    if params.start == "scratch":
        return None
    folder = Path(params.start_model)
    if not (folder / "model.json").is_file():
        raise UserError(start_faults.no_model(folder))
    trained, about = saved_model.load(folder)
    unlike = start_faults.unlike(about, network, params.normalise, conditioning)
    if unlike:
        raise UserError(start_faults.in_words(folder, unlike))
    if about["split"] == checkpoint.digest(info):
        seen = "was trained in this split, on recordings that other folds are scored on"
        step = "take one that was trained on other recordings, or set train.start to scratch"
        raise UserError(f"train.start_model: {folder} {seen}; {step}")
    heads = matched(_codes(info), _codes(about))
    if not mute:
        _tell(folder, heads, info["names"])
    digest = digests.recorded(folder / "weights.safetensors")
    return Start(params.start_model, digest, trained.state_dict(), heads)


def matched(classes: Sequence[Sequence[str]], known: Sequence[Sequence[str]]) -> list[int | None]:
    """For each of `classes` (codes, the first heads it) the place among the `known` of the one that
    it equals, None where there is none.

    >>> matched([["A"], ["C", "B"], ["D"]], [["B", "E"], ["A"]])
    [1, 0, None]
    """
    first = {codes[0]: place for place, codes in reversed(list(enumerate(known)))}
    any_of = {code: place for place, codes in reversed(list(enumerate(known))) for code in codes}
    places = []
    for codes in classes:
        found = [first.get(codes[0]), *map(any_of.get, codes)]
        places.append(next((place for place in found if place is not None), None))
    return places


def _codes(said: Mapping[str, Any]) -> list[list[str]]:
    """The codes of each class that folds.json or model.json names; of one written before they held
    `codes`, the first alone."""
    return said.get("codes") or [[code] for code in said["classes"]]


def _tell(folder: Path, heads: Sequence[int | None], names: Sequence[str]) -> None:
    new = [name for name, source in zip(names, heads, strict=True) if source is None]
    listed = f"new to it: {', '.join(new)}" if new else "none is new to it"
    known = len(heads) - len(new)
    _LOG.info("starts from %s, with its heads of %d classes; %s", folder, known, listed)
