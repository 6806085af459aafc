"""The published code's way, written as plainly as it is published: one recording and one lead at a
time, in float32, with torch's own layers."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

WINDOW = 4096  # samples


def crop(leads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random window, each lead scaled to 0-1 unless it holds a zero (as published)."""
    begin = int(rng.integers(0, leads.shape[1] - WINDOW))
    window = leads[:, begin : begin + WINDOW].copy()
    for number, lead in enumerate(window):
        if not sum(lead == 0):
            window[number] = (lead - np.min(lead)) / (np.max(lead) - np.min(lead))
    return window.astype(np.float32)


def chain(leads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One recording, lead by lead: crop and scale, beats resampled by np.interp, a triangle, noise,
    dropped leads."""
    window = crop(leads, rng)
    peaks = np.arange(100, WINDOW, 200)
    time = np.arange(WINDOW, dtype=float)
    for first, last in itertools.pairwise(peaks):
        u = (time[first:last] - first) / (last - first)
        time[first:last] = first + (last - first) * (
            u + rng.uniform(-0.2, 0.2) * np.sin(2 * np.pi * u) / (2 * np.pi)
        )
    for number, lead in enumerate(window):
        warped = np.interp(time, np.arange(WINDOW), lead)
        turn = int(rng.uniform(0, 1) * WINDOW)
        top = rng.uniform(0.25, 4)
        window[number] = warped * np.concatenate(
            [np.linspace(1, top, turn), np.linspace(top, 1, WINDOW - turn)]
        )
    window = window + rng.normal(0, rng.uniform(0, 0.3), window.shape)
    return np.where(rng.random(12) < 0.25, 0, window.T).T


class Block(nn.Module):
    """A residual block with torch's own layers in one dimension."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(inputs, outputs, 7, stride, 3, bias=False)
        self.norm = nn.BatchNorm1d(outputs)
        self.second = nn.Conv1d(outputs, outputs, 7, 1, 3, bias=False)
        self.again = nn.BatchNorm1d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.2)
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.gate = nn.Sequential(
            nn.Linear(outputs, outputs // 16, bias=False),
            nn.ReLU(),
            nn.Linear(outputs // 16, outputs, bias=False),
            nn.Sigmoid(),
        )
        self.skip = nn.Identity()
        if stride > 1:
            self.skip = nn.Sequential(
                nn.Conv1d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm1d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.again(self.second(self.dropout(self.relu(self.norm(self.first(x))))))
        weight = self.gate(self.pool(inner).flatten(1))[:, :, None]
        return self.relu(inner * weight.expand_as(inner) + self.skip(x))


class Network(nn.Module):
    """The published network."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(12, 64, 15, 2, 7, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
            Block(64, 64, 1),
            Block(64, 64, 1),
            Block(64, 128, 2),
            Block(128, 128, 1),
            Block(128, 256, 2),
            Block(256, 256, 1),
            Block(256, 512, 2),
            Block(512, 512, 1),
        )
        self.known = nn.Linear(3, 10)
        self.classifier = nn.Linear(522, classes)

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.cat([self.known(known), self.body(x).mean(dim=2)], dim=1))


def training_step(window: int, batch: int, classes: int) -> Callable[[], None]:
    """One step of the published training on a fixed batch."""
    network = Network(classes).train()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    signal, known = torch.randn(batch, 12, window), torch.rand(batch, 3)
    target = (torch.rand(batch, classes) < 0.2).float()

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(signal, known), target).backward()
        optimizer.step()

    return step
