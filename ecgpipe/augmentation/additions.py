"""Additions: what is added to an augmented window, as disturbances arise at electrodes.

Noise, wander and hum are drawn for the nine electrodes of the leads (`ecgpipe.project.leads`) and
differenced into the twelve leads as an electrocardiograph does, so the lead algebra holds in them
as in a real recording.
"""

import math

import torch

from ecgpipe.project import leads

ELECTRODES = len(leads.ELECTRODES)
BANK = 1 << 22


def lead_weights(device: torch.device) -> torch.Tensor:
    """float32 [electrode, lead]: each lead as a sum of electrode potentials (`leads.of_electrodes`),
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
    return starts.index_select(0, (place[:, 0] * len(starts)).to(torch.int64)).view(
        -1, window, ELECTRODES
    )


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


def band_stop(signal: torch.Tensor, frequency: torch.Tensor, quality: float) -> torch.Tensor:
    """What a zero-phase notch filter takes away, as an addition: [batch, time, lead] to the same.

    The response is that of a second-order notch at `frequency` (per sample, [batch, 1]) with
    quality factor `quality`, run forwards and backwards (scipy.signal.iirnotch and filtfilt), on
    the window taken as one period: a step from its end to its start rings at both.
    """
    steps = (
        torch.arange(signal.shape[1] // 2 + 1, device=signal.device, dtype=torch.float64)
        / signal.shape[1]
    )
    at, centre = 2.0 * math.pi * steps[None], 2.0 * math.pi * frequency
    width = torch.tan(centre / (2.0 * quality))
    # |H|^2 of iirnotch = (cos w - cos w0)^2 / ((cos w - cos w0)^2 + (tan(bandwidth / 2) sin w)^2)
    passed = (torch.cos(at) - torch.cos(centre)).square()
    passed = passed / (passed + (width * torch.sin(at)).square()).clamp(min=1e-300)
    taken = (passed - 1.0).to(torch.float32)[..., None]
    return torch.fft.irfft(torch.fft.rfft(signal, dim=1) * taken, n=signal.shape[1], dim=1)
