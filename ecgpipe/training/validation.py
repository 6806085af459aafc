"""What a training reads from its validation part: the score by which an epoch is kept, and whether
there is enough to choose by."""

import numpy as np
import torch

from ecgpipe.training.auroc import auroc

# Positives and negatives without which the AUROC of a class says little (our choice): with fewer
# than five of either it moves by a fifth or more with one recording.
_FEW = 5


def macro_auroc(labels: torch.Tensor, probabilities: torch.Tensor) -> float:
    """Mean AUROC over the classes with annotated positives and negatives; NaN where there is
    none."""
    values = []
    for label, probability in zip(labels.T, probabilities.T, strict=True):
        annotated = torch.isfinite(label)
        positive = label[annotated] == 1
        if 0 < int(positive.sum()) < len(positive):
            values.append(auroc(positive, probability[annotated]))
    return float(np.mean(values)) if values else float("nan")


def can_choose(labels: torch.Tensor) -> bool:
    """Whether anything is annotated by which one epoch is better than another."""
    return bool(torch.isfinite(labels).any())


def remark(labels: torch.Tensor) -> str | None:
    """What to know of `train.keep: best` with a validation part of these labels [recording, class];
    None where there is enough to choose by."""
    step = "train.keep: last does without"
    if not can_choose(labels):
        return "nothing is annotated in the validation part: the last epoch is kept"
    positives = torch.nansum(labels, dim=0)
    negatives = torch.isfinite(labels).sum(dim=0) - positives
    least = torch.minimum(positives, negatives)
    if bool((least >= _FEW).any()):
        return None
    if bool((least == 0).all()):
        return f"no class has positives and negatives to validate with: its loss chooses; {step}"
    most = f"has at most {int(least.max())} positives or negatives of any class"
    return f"the validation part, which chooses the epoch, {most}: it chooses by chance; {step}"
