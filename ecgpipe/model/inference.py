"""Probabilities of recordings from a network, free of augmentation: the mean over the windows of
each recording."""

import torch

from ecgpipe.dataset.examples import Examples
from ecgpipe.dataset.gather import gather, normalise, window_starts
from ecgpipe.model.network import SEResNet18, folded


def bf16_helps(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16: as asked ('bf16' or not), or with 'auto' where the processor
    multiplies it natively."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


@torch.no_grad()
def probabilities_of(
    network: SEResNet18,
    data: Examples,
    window: int,
    how: str,
    *,
    bf16: bool = False,
    batch: int = 32,
) -> torch.Tensor:
    """Probabilities [recording, class], float32 on the CPU: the mean over each recording's windows
    of `window` samples, normalised as `how` says. Batch norms are folded into the convolutions;
    `network` is left as it is."""
    fast = folded(network)
    device, home = network.classifier.weight.device, data.place.device
    counts = [window_starts(samples, window) for samples in data.place[:, 2].tolist()]
    rows = torch.tensor(
        [row for row, starts in enumerate(counts) for _ in starts], device=home, dtype=torch.int64
    )
    starts = torch.tensor(
        [start for starts in counts for start in starts], device=home, dtype=torch.int64
    )
    parts: list[torch.Tensor] = []
    with torch.autocast(
        device.type, torch.bfloat16, enabled=bf16
    ):  # around all batches: weights are converted once
        for first in range(0, len(rows), batch):
            part = rows[first : first + batch]
            time = starts[first : first + batch, None] + torch.arange(window, device=home)
            signal = normalise(*gather(data, part, time), how).transpose(1, 2)
            logits = fast(signal.to(device), data.demographics[part].to(device))
            parts.append(torch.sigmoid(logits.float()).double())
    found = (
        torch.cat(parts)
        if parts
        else torch.zeros((0, data.labels.shape[1]), dtype=torch.float64, device=device)
    )
    total = torch.zeros((len(data), found.shape[1]), dtype=torch.float64, device=device)
    total.index_add_(0, rows.to(device), found)
    per_recording = torch.tensor(
        [len(starts) for starts in counts], device=device, dtype=torch.float64
    )
    return (total / per_recording[:, None]).float().cpu()
