"""Probabilities of recordings from a network, free of augmentation: the mean over the windows of each recording."""

import torch
from torch import nn

from ecgpipe.dataset import Examples, gather, inside, window_starts
from ecgpipe.model import normalise


@torch.no_grad()
def probabilities_of(
    network: nn.Module, data: Examples, window: int, how: str, *, bf16: bool = False, batch: int = 64
) -> torch.Tensor:
    """Probabilities [recording, class], float32 on the CPU: the mean over each recording's windows of `window`
    samples, normalised as `how` says. The network is left in evaluation mode."""
    network.eval()
    device = data.place.device
    counts = [window_starts(int(samples), window) for samples in data.place[:, 2]]
    rows = torch.tensor([row for row, starts in enumerate(counts) for _ in starts], device=device, dtype=torch.int64)
    starts = torch.tensor([start for starts in counts for start in starts], device=device, dtype=torch.float64)
    sums: list[torch.Tensor] = []
    for first in range(0, len(rows), batch):
        part = rows[first : first + batch]
        time = starts[first : first + batch, None] + torch.arange(window, device=device)
        signal = normalise(gather(data, part, time), inside(data, part, time), how)
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = network(signal, data.demographics[part])
        sums.append(torch.sigmoid(logits.float()).double())
    found = torch.cat(sums) if sums else torch.zeros((0, data.labels.shape[1]), dtype=torch.float64, device=device)
    total = torch.zeros((len(data), found.shape[1]), dtype=torch.float64, device=device).index_add_(0, rows, found)
    per_recording = torch.tensor([len(starts) for starts in counts], device=device, dtype=torch.float64)
    return (total / per_recording[:, None]).float().cpu()
