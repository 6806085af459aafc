"""Gains: what each sample of an augmented window is multiplied by.

Each stands here with its formula, on given draws [batch, 1] (or [batch, lead, 1] where one is drawn
per lead); its record is in `voltage_records`. Positions are in samples of the window.
"""

import math

import torch

from ecgpipe.augmentation.acts import Act, Batch
from ecgpipe.project.leads import LEADS


def triangle(window: int, turn: torch.Tensor, peak: torch.Tensor) -> torch.Tensor:
    """Multiply-Triangle (NaderNemati/ecg-multilabel-classifier): a gain that runs linearly from 1
    at the start to `peak` at the sample `turn` and back to 1 at the end. turn and peak: [..., 1];
    returns [..., window]."""
    time = torch.arange(window, device=turn.device, dtype=turn.dtype)
    rising = time / turn.clamp(min=1e-9)
    falling = (window - 1 - time) / (window - 1 - turn).clamp(min=1e-9)
    return 1.0 + (peak - 1.0) * torch.minimum(rising, falling).clamp(0.0, 1.0)


def _triangle(batch: Batch) -> torch.Tensor:
    draws, settings = batch.draws, batch.settings
    count = len(LEADS) if settings["per"] == "lead" else 1
    turn = draws.between(1, 0.0, batch.span, count)
    position, scale = 1 + len(LEADS), settings["scale"]
    if settings["draw"] == "uniform":
        peak = draws.between(position, 1 / scale, scale, count)
    else:
        peak = draws.log_between(position, scale, count)
    peak = peak**batch.chosen
    made = triangle(batch.window, turn[..., None], peak[..., None])  # [batch, lead or 1, time]
    return made.transpose(1, 2)


def sine(window: int, depth: torch.Tensor, frequency: torch.Tensor) -> torch.Tensor:
    """Multiply-Sine (same source): 1 + a sin(2 pi f t), |a| < 1, f per sample; [..., window]."""
    time = torch.arange(window, device=depth.device, dtype=depth.dtype)
    return 1.0 + depth * torch.sin(2.0 * math.pi * frequency * time)


def _multiply_sine(batch: Batch) -> torch.Tensor:
    depth = batch.draws.between(1, 0.0, batch.settings["depth"])
    frequency_hz = batch.draws.between(2, 0.0, batch.settings["frequency_hz"])
    gain = sine(batch.window, depth * batch.chosen, frequency_hz / batch.data.rate_hz)
    return gain[..., None]  # [batch, time, 1]


def linear(window: int, end: torch.Tensor) -> torch.Tensor:
    """Multiply-Linear (same source): from 1 at the start to `end` (> 0) at the end; [...,
    window]."""
    time = torch.arange(window, device=end.device, dtype=end.dtype)
    return 1.0 + (end - 1.0) * time / max(window - 1, 1)


def _multiply_linear(batch: Batch) -> torch.Tensor:
    end = batch.draws.log_between(1, batch.settings["scale"])
    return linear(batch.window, end**batch.chosen)[..., None]  # [batch, time, 1]


ACTS = {
    "triangle": Act(_triangle),
    "multiply_sine": Act(_multiply_sine),
    "multiply_linear": Act(_multiply_linear),
}
