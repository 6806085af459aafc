"""Whether a network can answer: its numbers are finite, and so are its answers.

Weights that no training leaves (a flipped bit, another unit, a file made by hand) give
probabilities that are no numbers, or 0 and 1 whatever the recording is.
"""

from collections.abc import Mapping

import torch

from ecgpipe.dataset.gather import normalise
from ecgpipe.model.network import DEMOGRAPHICS, SEResNet18
from ecgpipe.project.leads import LEADS

# Beyond it a logit says nothing of a recording: probabilities are known to 1e-7, a logit of 16.
MOST_LOGIT = 1e6
_FULL_MV = 32.767  # what the 16 bits of a store hold
_MOST_SAMPLES = 512  # of a test signal: the network takes any length, and a few steps suffice


def not_finite(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The name of the first of the weights and running statistics that holds a value that is not
    finite; None where none does."""
    # The least and the largest of each, which a NaN takes over: cheaper than a look at each value.
    # One stack, so that a GPU is asked once.
    ends = [torch.stack(torch.aminmax(tensor)).double() for tensor in tensors.values()]
    finite = torch.isfinite(torch.stack(ends)).all(dim=1)
    for name, is_finite in zip(tensors, finite.tolist(), strict=True):
        if not is_finite:
            return name
    return None


def fault(network: SEResNet18, window: int, normalisation: str) -> str | None:
    """Why a network in evaluation mode on the CPU cannot answer recordings, in words; None where it
    can.

    It is asked once: a flat signal without age and sex, and the steepest that a store can hold,
    from one end of its range to the other, of `window` samples, normalised as recordings are
    (`gather.normalise`).
    """
    tensors = network.state_dict()
    name = not_finite(tensors)
    if name is not None:
        return f"{name} holds a value that is not finite"
    for name, tensor in tensors.items():
        if name.endswith("running_var") and bool((tensor < 0).any()):
            return f"{name} holds a variance below 0 ({tensor.min().item():.3g})"
    largest = _logits(network, min(window, _MOST_SAMPLES), normalisation).abs().max().item()
    if not largest <= MOST_LOGIT:  # NaN too
        rule = f"a logit lies within {MOST_LOGIT:g} of 0"
        return f"its weights give no usable answers to test signals ({rule}, found {largest:.3g})"
    return None


@torch.no_grad()
def _logits(network: SEResNet18, samples: int, normalisation: str) -> torch.Tensor:
    """[2, class]: what the network answers to the two test signals."""
    signal_mv = torch.zeros(2, samples, len(LEADS))  # [batch, time, lead]
    signal_mv[1] = _FULL_MV
    signal_mv[1, samples // 2 :] = -_FULL_MV
    person = torch.zeros(2, DEMOGRAPHICS)
    person[1] = 1.0
    return network(normalise(signal_mv, None, normalisation).transpose(1, 2), person)
