"""Additions: what is added to an augmented window, as disturbances arise at electrodes.

Each stands here with its formula, on given draws; its record is in `voltage_records`. Noise, wander
and hum are drawn for the nine electrodes of the leads (`project.leads`) and differenced into the
twelve leads as an electrocardiograph does, so the lead algebra holds in them as in a real
recording.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch

from ecgpipe.augmentation.acts import Act, Batch
from ecgpipe.dataset.examples import Examples
from ecgpipe.project import leads
from ecgpipe.project.errors import UserError

ELECTRODES = len(leads.ELECTRODES)
BANK = 1 << 22  # numbers of noise that are made once


def lead_weights(device: torch.device) -> torch.Tensor:
    """float32 [electrode, lead]: each lead as a sum of electrodes (`leads.of_electrodes`),
    scaled so that independent electrodes of unit power give leads of unit mean power."""
    columns = [torch.tensor(leads.of_electrodes(lead)) for lead in leads.LEADS]
    weights = torch.stack(columns, dim=1)
    return (weights / weights.square().sum(dim=0).mean().sqrt()).to(device)


def noise_bank(device: torch.device) -> torch.Tensor:
    """float32 [2^22] standard normal, always the same: a window of noise is a stretch of it that
    begins anywhere.

    Fresh normals for every sample would take longer than all the rest of a batch.
    """
    return torch.randn(BANK, generator=torch.Generator().manual_seed(1)).to(device)


def noise(bank: torch.Tensor, place: torch.Tensor, window: int) -> torch.Tensor:
    """White Gaussian noise of unit power: float32 [batch, window, electrode], from uniform draws
    [batch, 1] of where it begins in the bank."""
    count = window * ELECTRODES
    starts = bank.as_strided((len(bank) - count + 1, count), (1, 1))
    index = (place[:, 0] * len(starts)).to(torch.int64)
    return starts.index_select(0, index).view(-1, window, ELECTRODES)


def _bank_and_weights(
    data: Examples, window: int, _: Mapping[str, Any]
) -> tuple[torch.Tensor, torch.Tensor]:
    if window * ELECTRODES > BANK:
        rule = "is longer than the bank of noise; shorten it"
        raise UserError(f"augment.noise: a window of {window} samples {rule}")
    device = data.place.device
    return noise_bank(device), lead_weights(device)


def _noise(batch: Batch, signal: torch.Tensor, inside: torch.Tensor | None) -> torch.Tensor:
    bank, weights = batch.prepared
    draws, settings = batch.draws, batch.settings
    snr_db = draws.between(1, settings["snr_low_db"], settings["snr_high_db"])
    power = signal.square().mean(dim=(1, 2))[:, None]
    if inside is not None:  # of what is recorded
        power = power / inside.mean(dim=1).clamp(min=1e-9)
    size = (power * 10.0 ** (-snr_db / 10.0)).sqrt()
    size = (size * batch.chosen * draws.sign(3)).float()[..., None]
    # [batch, time, electrode] @ [batch, electrode, lead]
    return noise(bank, draws.uniform(2, 1), batch.window) @ (weights * size)


def sines(window: int, frequency: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    """sin(2 pi (f t + phase)), f per sample, phase in turns, both [batch, sine]: float32 [batch,
    window, sine]."""
    time = torch.arange(window, device=frequency.device, dtype=torch.float64)[None, :, None]
    return torch.sin(2.0 * math.pi * (frequency[:, None] * time + phase[:, None])).to(torch.float32)


def shares(normal: torch.Tensor, size_mv: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """How much of each sine stands in each lead: float32 [batch, sine, lead], from standard normal
    draws [batch, sine, electrode], so that the root mean square over time and leads is `size_mv`
    [batch, 1]."""
    voltages = normal.to(torch.float32) @ weights
    # The power of a sine is half its squared amplitude.
    power = voltages.square().sum(dim=1).mean(dim=1)[:, None] / 2.0
    return voltages * (size_mv.to(torch.float32) / power.sqrt().clamp(min=1e-9))[..., None]


def _weights(data: Examples, *_: object) -> torch.Tensor:
    return lead_weights(data.place.device)


def _waves(batch: Batch, count: int) -> torch.Tensor:
    """`count` sines at drawn frequencies; their root mean square over time and leads is drawn from
    0 to `mv`."""
    draws, settings = batch.draws, batch.settings
    frequency_hz = draws.between(1, settings["low_hz"], settings["high_hz"], count)
    phase = draws.uniform(1 + count, count)
    size_mv = draws.between(1 + 2 * count, 0.0, settings["mv"]) * batch.chosen
    normal = draws.normal(2 + 2 * count, count * ELECTRODES).view(-1, count, ELECTRODES)
    waves = sines(batch.window, frequency_hz / batch.data.rate_hz, phase)
    # [batch, time, sine] @ [batch, sine, lead]
    return waves @ shares(normal, size_mv, batch.prepared)


def _wander(batch: Batch, *_: object) -> torch.Tensor:
    return _waves(batch, 3)


def _hum(batch: Batch, *_: object) -> torch.Tensor:
    return _waves(batch, 1)


def band_stop(signal: torch.Tensor, frequency: torch.Tensor, quality: float) -> torch.Tensor:
    """What a zero-phase notch filter takes away, as an addition: [batch, time, lead] to the same.

    The response is that of a second-order notch at `frequency` (per sample, [batch, 1]) with
    quality factor `quality`, run forwards and backwards (scipy.signal.iirnotch and filtfilt), on
    the window taken as one period: a step from its end to its start rings at both.
    """
    samples = signal.shape[1]
    order = torch.arange(samples // 2 + 1, device=signal.device, dtype=torch.float64)
    angle, centre = 2.0 * math.pi * (order / samples)[None], 2.0 * math.pi * frequency
    width = torch.tan(centre / (2.0 * quality))
    # |H|^2 of iirnotch = (cos w - cos w0)^2 / ((cos w - cos w0)^2 + (tan(bandwidth / 2) sin w)^2)
    passed = (torch.cos(angle) - torch.cos(centre)).square()
    passed = passed / (passed + (width * torch.sin(angle)).square()).clamp(min=1e-300)
    taken = (passed - 1.0).to(torch.float32)[..., None]
    return torch.fft.irfft(torch.fft.rfft(signal, dim=1) * taken, n=samples, dim=1)


def _notch(batch: Batch, signal: torch.Tensor, _: torch.Tensor | None) -> torch.Tensor:
    settings = batch.settings
    frequency_hz = batch.draws.between(1, settings["low_hz"], settings["high_hz"])
    taken = band_stop(signal, frequency_hz / batch.data.rate_hz, settings["quality"])
    return taken * batch.chosen[..., None]


ACTS = {
    "noise": Act(_noise, prepare=_bank_and_weights),
    "wander": Act(_wander, prepare=_weights),
    "hum": Act(_hum, prepare=_weights),
    "notch": Act(_notch),
}
