"""The loss of a training: binary cross-entropy over the annotated entries of the labels, positives
weighted by class; and a look at it that stops a training within a step of its first NaN.
"""

import numpy as np
import torch
from torch import nn

# train.unannotated: what the loss and the class weights take a not annotated entry for.
UNANNOTATED = {"mask": torch.nan, "negative": 0.0}


def class_weights(labels: torch.Tensor, weighting: str, most: float) -> torch.Tensor:
    """The weight of each class's positives [class]: negatives / positives among annotated
    recordings, within [1, most]; 1 where a class has no positives, and of all with the weighting
    'none'. labels: [recording, class], NaN where not annotated."""
    if weighting == "none":
        return torch.ones(labels.shape[1])
    positives = torch.nansum(labels, dim=0)
    negatives = torch.isfinite(labels).sum(dim=0) - positives
    weights = (negatives / positives.clamp(min=1.0)).clamp(1.0, most)
    return torch.where(positives > 0, weights, torch.ones_like(weights))


def constant_logits(labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The logit [class] that alone has the least loss over `labels` [recording, class], NaN where
    not annotated: the log-odds of the prevalence, as positives are weighted by class. Half a
    recording more on either side keeps it finite (Haldane 1956,
    doi:10.1111/j.1469-1809.1955.tb01285.x)."""
    positives = torch.nansum(labels, dim=0)
    negatives = torch.isfinite(labels).sum(dim=0) - positives
    return torch.log(weights * (positives + 0.5) / (negatives + 0.5))


def masked_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor,
    counted: torch.Tensor | None = None,
    total: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean binary cross-entropy over annotated entries, positives weighted by class; entries whose
    label is NaN count neither as negatives nor in the mean. logits, labels: [batch, class].
    `counted` [batch, class]: by how much of 1 each entry counts, where not by all that is
    annotated. `total`: what to divide by, where a batch is shared by several processes."""
    if counted is None:
        counted = torch.isfinite(labels).float()
    target = labels.nan_to_num(nan=0.0)
    loss = nn.functional.binary_cross_entropy_with_logits(
        logits.float(), target, pos_weight=weights, reduction="none"
    )
    if total is None:
        total = counted.sum()
    return (loss * counted).sum() / total.clamp(min=1)


def permuted(labels: torch.Tensor, seed: int) -> torch.Tensor:
    """The label rows dealt to other recordings: the negative control of the whole pipeline (AUROC
    about 0.5)."""
    order = np.random.default_rng([seed, 1]).permutation(len(labels))
    return labels[torch.from_numpy(order)]


class Watch:
    """Looks at the loss of every step without making a GPU wait: there it tells of a step when the
    next one is asked for, by when the number has long come over."""

    def __init__(self) -> None:
        self._coming: tuple[torch.Tensor, torch.cuda.Event] | None = None

    def bad(self, loss: torch.Tensor) -> float | None:
        """A loss (0-d) that is not finite, this step's or on a GPU the last step's; None where all
        is well."""
        loss = loss.detach()
        if loss.device.type == "cpu":
            return None if bool(torch.isfinite(loss)) else float(loss)
        before = self._coming
        number = torch.empty((), pin_memory=True).copy_(loss, non_blocking=True)
        self._coming = number, torch.cuda.Event()
        self._coming[1].record()
        if before is None:
            return None
        before[1].synchronize()
        return None if bool(torch.isfinite(before[0])) else float(before[0])
