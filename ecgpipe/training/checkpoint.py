"""What a training keeps between epochs, in memory and on disk, so that a killed one goes on to the
same result.

On disk it is one file, so that no moment leaves half of it: the SHA-256 of what follows in 64
hexadecimal digits, a line feed, and the state as `torch.save` writes it.
"""

import hashlib
import io
import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgpipe.model import soundness
from ecgpipe.model.network import SEResNet18
from ecgpipe.project import atomic
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import Section

_LOADED = ("network", "optimizer", "schedule")
_PLAIN = (
    "epoch",
    "best",
    "best_loss",
    "best_epoch",
    "kept",
    "history",
    "losses",
    "draws",
    "average",
    "averaged",
)
_DIGITS = 64
_LOG = logging.getLogger(__name__)


@dataclass
class State:
    """What an epoch leaves behind, and all that the next one needs; `kept` are the weights to be
    delivered. In the midst of an epoch also the `losses` of its steps so far, and the state of the
    random `draws` (dropout) by device. `average`: of the weights over so many steps (`averaged`),
    where one is taken (`training.averaging`)."""

    network: SEResNet18
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0
    best: float = -np.inf
    best_loss: float = np.inf
    best_epoch: int = 0
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    losses: list[torch.Tensor] = field(default_factory=list)
    draws: dict[str, torch.Tensor] = field(default_factory=dict)
    average: dict[str, torch.Tensor] = field(default_factory=dict)
    averaged: int = 0

    def is_best(self, score: float, loss: float) -> bool:
        """Whether an epoch of this score is better than all before: of two that score alike the one
        of the lower validation loss."""
        return not self.kept or (score, -loss) > (self.best, -self.best_loss)

    def keep(self, score: float, loss: float, network: SEResNet18) -> None:
        """Takes the weights of `network` as those to be delivered."""
        self.best, self.best_loss, self.best_epoch = score, loss, self.epoch
        self.kept = {
            name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()
        }

    def unsound(self) -> str | None:
        """The first of the weights and running statistics that holds a value that is not finite;
        None where none."""
        return soundness.not_finite(self.network.state_dict())

    def pause(self, losses: torch.Tensor) -> None:
        """Notes that the epoch came as far as these `losses` [step], and where the random draws
        stand."""
        self.losses = list(losses)
        self.draws = {"cpu": torch.get_rng_state()}
        if losses.device.type == "cuda":
            self.draws["cuda"] = torch.cuda.get_rng_state(losses.device)

    def continue_draws(self) -> bool:
        """Sets the random draws to where `pause` noted them; False where the epoch is to begin."""
        if not self.draws:
            return False
        torch.set_rng_state(self.draws["cpu"].cpu())
        if "cuda" in self.draws:
            device = self.network.classifier.weight.device
            torch.cuda.set_rng_state(self.draws["cuda"].cpu(), device)
        return True

    def next_epoch(self) -> None:
        """Counts a finished epoch."""
        self.epoch += 1
        self.losses, self.draws = [], {}

    def save(self, path: Path, key: str) -> None:
        """Writes the state atomically; `key` is the fingerprint that it belongs to."""
        loaded = {name: getattr(self, name).state_dict() for name in _LOADED}
        plain = {name: getattr(self, name) for name in _PLAIN}
        content = io.BytesIO()
        torch.save({"key": key, **loaded, **plain}, content)
        with atomic.atomic(path) as temporary, temporary.open("wb") as handle:
            handle.write(hashlib.sha256(content.getbuffer()).hexdigest().encode() + b"\n")
            handle.write(content.getbuffer())

    def resume(self, path: Path, key: str, device: torch.device) -> bool:
        """Takes up a state written under the same `key`; False where there is none, and where it is
        of another key, which is logged. UserError where it is damaged."""
        if not path.exists():
            return False
        content = path.read_bytes()
        body = memoryview(content)[_DIGITS + 1 :]
        if content[: _DIGITS + 1] != hashlib.sha256(body).hexdigest().encode() + b"\n":
            fault = "damaged or changed: its SHA-256 is not the one in it"
            raise UserError(f"{path}: {fault}; remove it to train anew")
        saved = torch.load(io.BytesIO(body), map_location=device, weights_only=True)
        if saved["key"] != key:
            step = "training begins anew and replaces it"
            _LOG.info("%s: a state of other params, data or code; %s", path, step)
            return False
        for name in _LOADED:
            getattr(self, name).load_state_dict(saved[name])
        for name in _PLAIN:
            setattr(self, name, saved[name])
        return True


def fingerprint(*parts: Any) -> str:
    """A hash of params, of data digests, of torch's version and of the source of every ecgpipe
    module in use: a state that was written under another one is not resumed."""
    files = []
    for name, module in list(sys.modules.items()):
        if name.startswith("ecgpipe.") and getattr(module, "__file__", None):
            files.append(Path(module.__file__))
    sources = [hashlib.blake2b(path.read_bytes()).hexdigest() for path in sorted(files)]
    return digest([*parts, torch.__version__, *sources])


def digest(values: Any) -> str:
    """A hash of plain values and sections of params, the same whatever the order of their keys."""
    text = json.dumps(values, sort_keys=True, default=Section.model_dump)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
