"""Probabilities of recordings from a network, free of augmentation: the mean over the windows of
each recording."""

import logging

import torch

from ecgpipe.dataset.examples import Examples
from ecgpipe.dataset.gather import gather, normalise, window_starts
from ecgpipe.model.network import SEResNet18, folded

_LOG = logging.getLogger(__name__)


def bf16_helps(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16: as asked ('bf16' or not; asked for in vain is logged), or
    with 'auto' where the processor multiplies it natively."""
    is_native = _multiplies_bf16(device)
    if precision == "bf16" and not is_native:
        slow = "this processor does not multiply it, which makes it slower by far"
        _LOG.warning("precision bf16: %s; auto and fp32 are quicker", slow)
    return is_native if precision == "auto" else precision == "bf16"


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


@torch.no_grad()
def probabilities_of(
    network: SEResNet18,
    data: Examples,
    window: int,
    normalisation: str,
    *,
    bf16: bool = False,
    batch: int = 32,
) -> torch.Tensor:
    """Probabilities [recording, class], float32 on the CPU: the mean over each recording's windows
    of `window` samples, normalised as `normalisation` says (`gather.normalise`). Batch norms are
    folded into the convolutions; `network` is left as it is."""
    fast = folded(network)
    device, home = network.classifier.weight.device, data.place.device
    rows, starts = _windows(data, window)
    total = torch.zeros((len(data), data.labels.shape[1]), dtype=torch.float64, device=device)
    of_windows: list[torch.Tensor] = []
    # Around all batches, so that the weights are converted once.
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for first in range(0, len(rows), batch):
            part = rows[first : first + batch]
            time = starts[first : first + batch, None] + torch.arange(window, device=home)
            # [batch, time, lead] -> [batch, lead, time]
            signal = normalise(*gather(data, part, time), normalisation).transpose(1, 2)
            logits = fast(signal.to(device), data.demographics[part].to(device))
            of_windows.append(torch.sigmoid(logits.float()).double())
    if of_windows:
        total.index_add_(0, rows.to(device), torch.cat(of_windows))
    windows = torch.bincount(rows, minlength=len(data)).to(device)
    return (total / windows[:, None]).float().cpu()


def _windows(data: Examples, window: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each window of each recording the recording's row, and the sample at which it starts, both
    int64 [windows]."""
    rows, starts = [], []
    for row, samples in enumerate(data.place[:, 2].tolist()):
        of_recording = window_starts(samples, window)
        rows += [row] * len(of_recording)
        starts += of_recording
    home = data.place.device
    return (
        torch.tensor(rows, device=home, dtype=torch.int64),
        torch.tensor(starts, device=home, dtype=torch.int64),
    )
