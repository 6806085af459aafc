"""Gains: what each sample of an augmented window is multiplied by. Plain formulas on given draws.

A draw is [batch, 1], or [batch, lead, 1] where it is drawn per lead; positions are in samples of
the window.
"""

import math

import torch

from ecgpipe.project.leads import LEADS

# The reduced sets of the CinC Challenge 2021 (https://moody-challenge.physionet.org/2021/): 6, 4, 3
# and 2 leads.
REDUCED = (
    ("I", "II", "III", "aVR", "aVL", "aVF"),
    ("I", "II", "III", "V2"),
    ("I", "II", "V2"),
    ("I", "II"),
)


def triangle(window: int, turn: torch.Tensor, peak: torch.Tensor) -> torch.Tensor:
    """Multiply-Triangle (NaderNemati/ecg-multilabel-classifier): a gain that runs linearly from 1
    at the start to `peak` at the sample `turn` and back to 1 at the end. turn and peak: [..., 1];
    returns [..., window]."""
    time = torch.arange(window, device=turn.device, dtype=turn.dtype)
    rising = time / turn.clamp(min=1e-9)
    falling = (window - 1 - time) / (window - 1 - turn).clamp(min=1e-9)
    return 1.0 + (peak - 1.0) * torch.minimum(rising, falling).clamp(0.0, 1.0)


def sine(window: int, depth: torch.Tensor, frequency: torch.Tensor) -> torch.Tensor:
    """Multiply-Sine (same source): 1 + a sin(2 pi f t), |a| < 1, f per sample; [..., window]."""
    time = torch.arange(window, device=depth.device, dtype=depth.dtype)
    return 1.0 + depth * torch.sin(2.0 * math.pi * frequency * time)


def linear(window: int, end: torch.Tensor) -> torch.Tensor:
    """Multiply-Linear (same source): from 1 at the start to `end` (> 0) at the end; [...,
    window]."""
    time = torch.arange(window, device=end.device, dtype=end.dtype)
    return 1.0 + (end - 1.0) * time / max(window - 1, 1)


def kept_leads(draw: torch.Tensor, share: float) -> torch.Tensor:
    """Which leads stay when each is dropped with probability `share`, never all: bool [batch, lead]
    from uniform draws [batch, lead]; the lead with the highest draw always stays."""
    return (draw >= share) | (draw == draw.amax(dim=1, keepdim=True))


def reduced_sets(device: torch.device) -> torch.Tensor:
    """Which leads each set in REDUCED keeps: bool [set, lead]."""
    return torch.tensor([[lead in kept for lead in LEADS] for kept in REDUCED], device=device)


def reduced_leads(sets: torch.Tensor, draw: torch.Tensor) -> torch.Tensor:
    """The leads of one of the sets, each as likely: bool [batch, lead] from uniform draws [batch,
    1]."""
    return sets[(draw[:, 0] * len(sets)).to(torch.int64)]
