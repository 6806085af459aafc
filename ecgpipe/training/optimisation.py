"""The optimizer and its learning rates: AdamW; where a training starts from a trained model, the
body (all but the classifier) may learn slower than the head, and later."""

import torch
from torch import nn

from ecgpipe.model.network import HEAD, SEResNet18
from ecgpipe.training.checkpoint import State
from ecgpipe.training.params import TrainParams


def begin(network: SEResNet18, params: TrainParams, steps: int) -> State:
    """The state before the first of so many `steps` an epoch."""
    named = list(network.named_parameters())
    groups = _groups([tensor for _, tensor in named], params, params.learning_rate)
    if params.start == "model":
        head = [tensor for name, tensor in named if name.startswith(HEAD)]
        body = [tensor for name, tensor in named if not name.startswith(HEAD)]
        slower = params.learning_rate * params.start_body_rate
        # The head first: its rate is the one that the history tells.
        groups = [*_groups(head, params, params.learning_rate), *_groups(body, params, slower)]
    optimizer = torch.optim.AdamW(groups, lr=params.learning_rate, fused=True)
    return State(network, optimizer, _schedule(optimizer, params, steps * params.epochs))


def _groups(tensors: list[nn.Parameter], params: TrainParams, rate: float) -> list[dict]:
    """Groups of the optimizer that learn at one rate: biases and norms are not decayed."""
    decayed = [tensor for tensor in tensors if tensor.ndim > 1]
    biases_and_norms = [tensor for tensor in tensors if tensor.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": params.weight_decay, "lr": rate},
        {"params": biases_and_norms, "weight_decay": 0.0, "lr": rate},
    ]


def _schedule(
    optimizer: torch.optim.Optimizer, params: TrainParams, total: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """The learning rates of all steps, `total`."""
    rates = [group["lr"] for group in optimizer.param_groups]
    # The only step of a cycle would be its last, at next to no rate.
    if params.schedule == "one-cycle" and total > 1:
        return torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=total)
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)


def is_frozen(params: TrainParams, epoch: int) -> bool:
    """Whether the body learns nothing in an epoch, counted from 0."""
    if params.start != "model":
        return False
    return epoch < params.start_frozen_epochs or params.start_body_rate == 0


def freeze(network: SEResNet18, frozen: bool) -> None:
    """Lets the body learn or not; `to_training` has to follow."""
    for name, tensor in network.named_parameters():
        tensor.requires_grad_(not (frozen and not name.startswith(HEAD)))


def to_training(parallel: nn.Module, network: SEResNet18, frozen: bool) -> None:
    """Puts `parallel` (the `network`, or what wraps it) into training mode; of a frozen body batch
    norms keep their running statistics, and nothing is dropped."""
    parallel.train()
    if frozen:
        for name, child in network.named_children():
            if not f"{name}.".startswith(HEAD):
                child.eval()
