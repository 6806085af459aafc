"""Gains: what each sample of an augmented window is multiplied by.

Each stands here with its formula, on given draws [batch, 1] (or [batch, lead, 1] where one is drawn
per lead), and its record. Positions are in samples of the window.
"""

import math
from typing import Literal

import torch
from pydantic import Field

from ecgpipe.augmentation.contracts import AXIS, VOLTAGE, Contract, all_but
from ecgpipe.augmentation.record import Augmentation, Batch, Kind, Variant
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


TRIANGLE = Augmentation(
    name="triangle",
    stream=1,
    kind=Kind.GAIN,
    turn=1,
    contract=Contract("Multiply-Triangle", all_but("amplitude"), VOLTAGE),
    caption="a gain from 1 to a drawn size at a drawn moment and back to 1.",
    act=_triangle,
    settings={
        "scale": (float, Field(4.0, gt=1)),
        "draw": (Literal["log-uniform", "uniform"], "log-uniform"),
        "per": (Literal["recording", "lead"], "recording"),
        "when": (Literal["before", "after"], "before"),
    },
    variants=(
        Variant(
            name="triangle_per_lead",
            setting="per",
            value="lead",
            caption="another one for each lead, as first published.",
            contract=Contract(
                "Multiply-Triangle, per lead",
                keeps=all_but("amplitude", "algebra"),
                breaks=(*VOLTAGE, *AXIS, "PRWP"),
            ),
        ),
    ),
)


def sine(window: int, depth: torch.Tensor, frequency: torch.Tensor) -> torch.Tensor:
    """Multiply-Sine (same source): 1 + a sin(2 pi f t), |a| < 1, f per sample; [..., window]."""
    time = torch.arange(window, device=depth.device, dtype=depth.dtype)
    return 1.0 + depth * torch.sin(2.0 * math.pi * frequency * time)


def _multiply_sine(batch: Batch) -> torch.Tensor:
    depth = batch.draws.between(1, 0.0, batch.settings["depth"])
    frequency_hz = batch.draws.between(2, 0.0, batch.settings["frequency_hz"])
    gain = sine(batch.window, depth * batch.chosen, frequency_hz / batch.data.rate_hz)
    return gain[..., None]  # [batch, time, 1]


MULTIPLY_SINE = Augmentation(
    name="multiply_sine",
    stream=11,
    kind=Kind.GAIN,
    contract=Contract("Multiply-Sine", all_but("amplitude"), VOLTAGE),
    caption="a gain that swings about 1.",
    act=_multiply_sine,
    settings={
        "depth": (float, Field(0.3, ge=0, lt=1)),
        "frequency_hz": (float, Field(1.0, ge=0)),
    },
    highest="frequency_hz",
)


def linear(window: int, end: torch.Tensor) -> torch.Tensor:
    """Multiply-Linear (same source): from 1 at the start to `end` (> 0) at the end; [...,
    window]."""
    time = torch.arange(window, device=end.device, dtype=end.dtype)
    return 1.0 + (end - 1.0) * time / max(window - 1, 1)


def _multiply_linear(batch: Batch) -> torch.Tensor:
    end = batch.draws.log_between(1, batch.settings["scale"])
    return linear(batch.window, end**batch.chosen)[..., None]  # [batch, time, 1]


MULTIPLY_LINEAR = Augmentation(
    name="multiply_linear",
    stream=12,
    kind=Kind.GAIN,
    contract=Contract("Multiply-Linear", all_but("amplitude"), VOLTAGE),
    caption="a gain from 1 at the start to a drawn size at the end.",
    act=_multiply_linear,
    settings={"scale": (float, Field(2.0, ge=1))},
)

AUGMENTATIONS = (TRIANGLE, MULTIPLY_SINE, MULTIPLY_LINEAR)
