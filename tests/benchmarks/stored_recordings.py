"""Made-up recordings in a memory-mapped store: what batches are made of."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ecgpipe.dataset import examples
from ecgpipe.project.leads import LEADS

RATE_HZ = 250
RECORDINGS, CLASSES = 256, 26


def recordings(folder: Path, samples: int) -> examples.Examples:
    """Recordings in a memory-mapped store, R-peaks every 200 samples, some labels."""
    rng = np.random.default_rng(1)
    lead = np.cumsum(rng.normal(0, 20, (RECORDINGS * samples, len(LEADS))), axis=0)
    level = lead - np.linspace(lead[0], lead[-1], len(lead))
    path = folder / f"{samples}.npy"
    np.save(path, np.rint(level).astype(np.int16))
    stored = torch.from_numpy(np.load(path, mmap_mode="c"))
    data = examples.of_signals(
        [np.zeros((samples, len(LEADS)), np.int16)] * RECORDINGS,
        np.full(RECORDINGS, 60.0),
        np.full(RECORDINGS, "F"),
        rate_hz=RATE_HZ,
        classes=CLASSES,
    )
    count = len(range(100, samples, 200))
    peaks = torch.arange(100, samples, 200, dtype=torch.int32).repeat(RECORDINGS)
    place = torch.stack([torch.arange(RECORDINGS) * count, torch.full((RECORDINGS,), count)], dim=1)
    labels = torch.from_numpy((rng.random((RECORDINGS, CLASSES)) < 0.2).astype(np.float32))
    keys = torch.from_numpy(rng.integers(0, 2**62, RECORDINGS))
    return replace(
        data, signals_uv=[stored], peaks=peaks, peak_place=place, labels=labels, keys=keys
    )
