"""What a training keeps between epochs, in memory and on disk, so that a killed one goes on to the same result."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ecgpipe import layout
from ecgpipe.model import SEResNet18

_LOADED = ("network", "optimizer", "schedule")
_PLAIN = ("epoch", "best", "best_epoch", "kept", "history")


@dataclass
class State:
    """What an epoch leaves behind, and all that the next one needs; `kept` are the weights to be delivered."""

    network: SEResNet18
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0
    best: float = -np.inf
    best_epoch: int = 0
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def keep(self, score: float) -> None:
        """Takes the present weights as those to be delivered."""
        self.best, self.best_epoch = score, self.epoch
        self.kept = {name: tensor.detach().cpu().clone() for name, tensor in self.network.state_dict().items()}

    def save(self, path: Path, key: str) -> None:
        """Writes the state atomically; `key` is the fingerprint that it belongs to."""
        loaded = {name: getattr(self, name).state_dict() for name in _LOADED}
        with layout.atomic(path) as temporary:
            torch.save({"key": key, **loaded, **{name: getattr(self, name) for name in _PLAIN}}, temporary)

    def resume(self, path: Path, key: str, device: torch.device) -> bool:
        """Takes up a state written under the same `key`; False where there is none."""
        if not path.exists():
            return False
        saved = torch.load(path, map_location=device, weights_only=True)
        if saved["key"] != key:
            return False
        for name in _LOADED:
            getattr(self, name).load_state_dict(saved[name])
        for name in _PLAIN:
            setattr(self, name, saved[name])
        return True
