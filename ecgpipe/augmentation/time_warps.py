"""Time maps: where each sample of an augmented window is read.

Each stands here with its formula, on given draws [batch, 1], and its record. Positions are in
samples [batch, time], float64, or int64 where nothing reads between samples; but for `crop` and
`jitter` they are counted from the first sample of the window, and `span` is its last position, the
number of samples less one.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from pydantic import Field

from ecgpipe.augmentation.contracts import DURATION, RHYTHM, Contract, all_but
from ecgpipe.augmentation.record import Augmentation, Batch, Kind


def _crop(batch: Batch) -> torch.Tensor:
    """Somewhere in the recording; a shorter recording lies somewhere in its window."""
    spare = (batch.data.place[batch.rows, 2:] - batch.window).to(torch.float64)
    return torch.floor(batch.draws.uniform(0, 1) * (spare.abs() + 1.0)) * torch.sign(spare)


# A crop moves R-peaks with the window, and a finding that comes once may lie outside it: no choice
# of a window helps.
CROP = Augmentation(
    name="crop",
    stream=0,
    kind=Kind.START,
    contract=Contract("random crop", keeps=all_but("R-peaks")),
    caption="a window somewhere in the recording; a shorter recording lies anywhere in its window.",
    act=_crop,
    probability=None,
)


def _jitter(batch: Batch) -> torch.Tensor:
    most = batch.settings["s"] * batch.data.rate_hz
    return torch.round(batch.draws.between(0, -most, most))


JITTER = Augmentation(
    name="jitter",
    stream=6,
    kind=Kind.START,
    contract=Contract("jitter of the crop", keeps=all_but("R-peaks", "span")),
    caption="the window moves by up to `jitter_s`, beyond the ends too, where zeros stand.",
    act=_jitter,
    settings={"s": (float, Field(0.5, ge=0))},
    probability=None,
)


def rolled(position: torch.Tensor, shift: torch.Tensor, span: int) -> torch.Tensor:
    """The window read from `shift` (whole samples) on, and from its start again beyond its end."""
    return torch.remainder(position + shift, span + 1)


def _roll(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    most = batch.settings["s"] * batch.data.rate_hz
    shift = torch.round(batch.draws.between(1, -most, most))
    return rolled(position, (shift * batch.chosen).to(position.dtype), batch.span)


ROLL = Augmentation(
    name="roll",
    stream=7,
    kind=Kind.WINDOW,
    turn=1,
    contract=Contract("roll", keeps=all_but("R-peaks", "RR"), breaks=RHYTHM),
    caption="the window begins up to `roll_s` later or earlier; what leaves one end enters the "
    "other.",
    act=_roll,
    settings={"s": (float, Field(1.0, ge=0))},
)


def stretched(position: torch.Tensor, factor: torch.Tensor, span: int) -> torch.Tensor:
    """A second lasts `factor` seconds; the window's middle stays."""
    return span / 2 + (position - span / 2) / factor


def _stretch(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    factor = batch.draws.log_between(1, batch.settings["scale"])
    return stretched(position, factor**batch.chosen, batch.span)


STRETCH = Augmentation(
    name="stretch",
    stream=8,
    kind=Kind.WINDOW,
    turn=3,
    fractional=True,
    contract=Contract("random stretch", all_but("R-peaks", "RR", "span"), DURATION),
    caption="slower or faster as a whole, by up to `stretch_scale`.",
    act=_stretch,
    settings={"scale": (float, Field(1.2, ge=1, le=2))},
)


def sine_resampled(
    position: torch.Tensor, shift: torch.Tensor, frequency: torch.Tensor
) -> torch.Tensor:
    """x(t + s sin(2 pi f t)), sine resampling of NaderNemati/ecg-multilabel-classifier: shift s in
    samples, frequency f per sample."""
    return position + shift * torch.sin(2.0 * math.pi * frequency * position)


def _sine_resample(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    settings, rate_hz = batch.settings, batch.data.rate_hz
    shift_s = batch.draws.between(1, settings["shift_low_s"], settings["shift_high_s"])
    low_hz, high_hz = settings["frequency_low_hz"], settings["frequency_high_hz"]
    frequency = batch.draws.between(2, low_hz, high_hz) / rate_hz
    return sine_resampled(position, shift_s * rate_hz * batch.chosen, frequency)


def _turns_back(settings: Mapping[str, Any]) -> str | None:
    """The steepest slope of s sin(2 pi f t) is 2 pi f s."""
    shift_s = max(abs(settings["shift_low_s"]), abs(settings["shift_high_s"]))
    if 2 * math.pi * shift_s * settings["frequency_high_hz"] < 1:
        return None
    return "2 pi x shift x frequency is 1 or more, so that time would run backwards"


SINE_RESAMPLE = Augmentation(
    name="sine_resample",
    stream=4,
    kind=Kind.WINDOW,
    turn=3,
    fractional=True,
    contract=Contract("sine resampling", all_but("R-peaks", "RR", "span"), DURATION + RHYTHM),
    caption="time swings slower and faster, read at t + s sin(2 pi f t).",
    act=_sine_resample,
    settings={
        "shift_low_s": (float, -0.1),
        "shift_high_s": (float, 0.1),
        "frequency_low_hz": (float, Field(0.1, ge=0)),
        "frequency_high_hz": (float, Field(0.3, ge=0)),
    },
    fault=_turns_back,
)


def linear_resampled(position: torch.Tensor, end: torch.Tensor, span: float) -> torch.Tensor:
    """Linear resampling of NaderNemati/ecg-multilabel-classifier: t multiplied by a line from 1 to
    `end` (c > 0.5) and scaled back to the window, t (1 + (c - 1) t / span) / c: its speed runs
    along a line, both ends stay."""
    return position * (1.0 + (end - 1.0) * position / span) / end


def _end(batch: Batch) -> torch.Tensor:
    """The drawn end of the line, 1 where the recording is left alone."""
    end = batch.draws.between(1, batch.settings["low"], batch.settings["high"])
    return end**batch.chosen


def _linear_resample(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    return linear_resampled(position, _end(batch), batch.span)


LINEAR_RESAMPLE = Augmentation(
    name="linear_resample",
    stream=9,
    kind=Kind.WINDOW,
    turn=2,
    fractional=True,
    contract=Contract("linear resampling", all_but("R-peaks", "RR"), DURATION + RHYTHM),
    caption="time runs ever faster, or ever slower, from end to end.",
    act=_linear_resample,
    settings={"low": (float, Field(0.8, gt=0.5)), "high": (float, Field(1.2, gt=0.5))},
)


def triangle_resampled(position: torch.Tensor, end: torch.Tensor, span: int) -> torch.Tensor:
    """Triangle resampling: linear resampling up to the window's middle and its mirror image from
    there on, so that the speed runs along a triangle. (The published code resamples the halves by
    two factors apart.)"""
    half = span / 2
    mirrored = torch.minimum(position, span - position)
    read = linear_resampled(mirrored, end, half)
    return torch.where(position <= half, read, span - read)


def _triangle_resample(batch: Batch, position: torch.Tensor) -> torch.Tensor:
    return triangle_resampled(position, _end(batch), batch.span)


TRIANGLE_RESAMPLE = Augmentation(
    name="triangle_resample",
    stream=10,
    kind=Kind.WINDOW,
    turn=2,
    fractional=True,
    contract=Contract("triangle resampling", all_but("R-peaks", "RR"), DURATION + RHYTHM),
    caption="the same up to the middle, and mirrored from there on.",
    act=_triangle_resample,
    settings=LINEAR_RESAMPLE.settings,
)

AUGMENTATIONS = (
    CROP,
    JITTER,
    ROLL,
    STRETCH,
    SINE_RESAMPLE,
    LINEAR_RESAMPLE,
    TRIANGLE_RESAMPLE,
)
