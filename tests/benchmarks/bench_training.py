"""Batches, augmentation, training steps and inference of the full network, beside the published
code's way.

The references are written here as plainly as they are published: one recording at a time, one lead
at a time, in float32, with torch's own layers.
"""

import contextlib
import itertools
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io
import torch
from torch import nn

from ecgpipe.augmentation import augmenter
from ecgpipe.augmentation.catalogue import BY_NAME
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.model import inference, saved_model
from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.project import params, paths, tables
from ecgpipe.project.leads import LEADS
from ecgpipe.training import trainer
from ecgpipe.training.distributed import Peers
from ecgpipe.training.params import TrainParams
from tests.benchmarks.measuring import Row, seconds

ROOT = Path(__file__).parents[2]
RATE_HZ, WINDOW, TEN_S = 250, 4096, 2500
RECORDINGS, BATCH, STEP_BATCH, CLASSES = 256, 64, 32, 26
FULL = ModelParams(width=64, stem_kernel=15, kernel=7, dropout=0.2, reduction=16, demographics=True)
# of one 12 x 4096 window, as counted in tests/model/test_network.py
STEP_GFLOP, FORWARD_GFLOP = 9.6, 3.2
PRODUCTS = "matrix products in bfloat16 alone"


def rows() -> list[Row]:
    """The rows of this part of the table."""
    cores = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as scratch:
        data = recordings(Path(scratch), samples=7500)
        torch.set_num_threads(1)
        measured = [crops(data, Path(scratch)), augmented(data)]
        torch.set_num_threads(cores)
        measured += [steps(), *predictions(), epoch(Path(scratch))]
    if torch.cuda.is_available():
        measured += gpu()
    return measured


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


def engine(
    data: examples.Examples, *names: str, normalise: str = "lead", window: int = WINDOW
) -> augmenter.Augmenter:
    """The engine with these augmentations, each always acting."""
    values = params.load(ROOT / "params.yaml")["augment"]
    values |= {name: name in names for name in BY_NAME}
    values |= {f"{name}_probability": 1.0 for name in names[1:]}
    settings = AugmentParams.model_validate(values)
    codes = [str(number) for number in range(CLASSES)]
    return augmenter.Augmenter(data, codes, settings, window=window, normalise=normalise, seed=1)


def crops(data: examples.Examples, folder: Path) -> Row:
    """A batch cropped and normalised, on one core."""
    stored = data.signals_uv[0].numpy().reshape(RECORDINGS, -1, 12)
    for number in range(8):
        scipy.io.savemat(folder / f"{number}.mat", {"val": stored[number].T / 1000})
    rng = np.random.default_rng(2)

    def published() -> None:
        for number in range(8):
            published_crop(scipy.io.loadmat(folder / f"{number}.mat")["val"], rng)

    def slices() -> None:
        windows = []
        for row, begin in enumerate(rng.integers(0, 7500 - WINDOW, BATCH)):
            windows.append(stored[row, begin : begin + WINDOW].astype(np.float32))
        np.stack(windows)

    ours, rows = engine(data, "crop"), torch.arange(BATCH)
    published_s, slices_s, ours_s = seconds(
        published, slices, lambda: ours.batch(rows, 0), rounds=15
    )
    return Row(
        step="batch of 64 x 12 x 4096, crop, normalise",
        unit="samples/s",
        reference_name="published loader",
        reference=8 / published_s,
        ours=BATCH / ours_s,
        aim=">= 10,000/s",
        limit=BATCH / slices_s,
        limited_by="memory-map slices as float32, not normalised",
    )


def published_crop(leads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random window, each lead scaled to 0-1 unless it holds a zero (as published)."""
    begin = int(rng.integers(0, leads.shape[1] - WINDOW))
    window = leads[:, begin : begin + WINDOW].copy()
    for number, lead in enumerate(window):
        if not sum(lead == 0):
            window[number] = (lead - np.min(lead)) / (np.max(lead) - np.min(lead))
    return window.astype(np.float32)


def augmented(data: examples.Examples) -> Row:
    """The same with STAR, Multiply-Triangle, noise and lead dropout, each acting on every
    recording; one core."""
    stored = data.signals_uv[0].numpy().reshape(RECORDINGS, -1, 12)
    rng = np.random.default_rng(3)
    ours = engine(data, "crop", "star", "triangle", "noise", "lead_dropout")
    rows = torch.arange(BATCH)

    def published() -> None:
        for number in range(16):
            published_chain(stored[number].T / 1000, rng)

    def slices() -> None:
        np.stack([stored[row, :WINDOW].astype(np.float32) for row in range(BATCH)])

    published_s, slices_s, ours_s = seconds(
        published, slices, lambda: ours.batch(rows, 0), rounds=10
    )
    return Row(
        step="the same with STAR, triangle, noise, lead dropout",
        unit="samples/s",
        reference_name="published chain, from memory",
        reference=16 / published_s,
        ours=BATCH / ours_s,
        aim=">= 2,000/s",
        limit=BATCH / slices_s,
        limited_by="memory-map slices as float32",
    )


def published_chain(leads: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One recording, lead by lead: crop and scale, beats resampled by np.interp, a triangle, noise,
    dropped leads."""
    window = published_crop(leads, rng)
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


class PublishedBlock(nn.Module):
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


class Published(nn.Module):
    """The published network."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(12, 64, 15, 2, 7, bias=False),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
            PublishedBlock(64, 64, 1),
            PublishedBlock(64, 64, 1),
            PublishedBlock(64, 128, 2),
            PublishedBlock(128, 128, 1),
            PublishedBlock(128, 256, 2),
            PublishedBlock(256, 256, 1),
            PublishedBlock(256, 512, 2),
            PublishedBlock(512, 512, 1),
        )
        self.known = nn.Linear(3, 10)
        self.classifier = nn.Linear(522, CLASSES)

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return self.classifier(torch.cat([self.known(known), self.body(x).mean(dim=2)], dim=1))


def bf16_limit(gflop: float) -> float:
    """Windows a second if the processor did nothing but multiply matrices in bfloat16, at the best
    rate it shows."""
    left, right = (torch.randn(4096, 4096).bfloat16() for _ in range(2))
    best_s = seconds(lambda: left @ right, rounds=5)[0]
    return 2 * 4096**3 / best_s / (gflop * 1e9)


def fold_of(
    data: examples.Examples, window_s: float, folder: Path, device: str = "cpu"
) -> trainer.Trainer:
    """A fold of the full network, trained with the params of configs/cinc2021.yaml."""
    values = params.load(ROOT / "configs/cinc2021.yaml")
    changes = {
        "batch": STEP_BATCH,
        "window_s": window_s,
        "threads": torch.get_num_threads(),
        "epochs": 1000,
    }
    return trainer.Trainer(
        data,
        data.take(np.arange(4)),
        FULL,
        TrainParams.model_validate(values["train"] | changes),
        AugmentParams.model_validate(values["augment"]),
        codes=[str(number) for number in range(CLASSES)],
        peers=Peers(0, 1, torch.device(device)),
        state_path=folder / "state.pt",
        key="",
    )


def published_step(window: int) -> Callable[[], None]:
    """One step of the published training on a fixed batch."""
    network = Published().train()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    signal, known = torch.randn(STEP_BATCH, 12, window), torch.rand(STEP_BATCH, 3)
    target = (torch.rand(STEP_BATCH, CLASSES) < 0.2).float()

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(network(signal, known), target).backward()
        optimizer.step()

    return step


def steps() -> Row:
    """Training steps of the full network on all cores, batch 32 of 12 x 4096."""
    with tempfile.TemporaryDirectory() as scratch:
        fold = fold_of(recordings(Path(scratch), samples=5000), WINDOW / RATE_HZ, Path(scratch))
        fold.state.network.train()
        batch = torch.arange(STEP_BATCH)
        signal = fold.augmenter.batch(batch, 0)
        published_s, ours_s = seconds(
            published_step(WINDOW), lambda: fold.step(fold.state.network, batch, signal), rounds=4
        )
    return Row(
        step="training step, full network, 12 x 4096, batch 32",
        unit="samples/s",
        reference_name="published network, fp32",
        reference=STEP_BATCH / published_s,
        ours=STEP_BATCH / ours_s,
        aim=">= x2.1",
        limit=bf16_limit(STEP_GFLOP),
        limited_by=PRODUCTS,
    )


def predictions() -> list[Row]:
    """Inference of the full network on all cores, 12 x 4096."""
    torch.manual_seed(1)
    published, network = Published().eval(), SEResNet18(CLASSES, FULL).eval()
    with tempfile.TemporaryDirectory() as scratch:
        data = recordings(Path(scratch), samples=WINDOW).take(np.arange(BATCH))
        signal, known = torch.randn(1, 12, WINDOW), torch.rand(1, 3)

        def loop() -> None:
            with torch.no_grad():
                for _ in range(16):
                    torch.sigmoid(published(signal, known)).numpy()

        exact, rounded = (
            partial(inference.probabilities_of, network, data, WINDOW, "lead", bf16=bf16)
            for bf16 in (False, True)
        )
        loop_s, exact_s, rounded_s = seconds(loop, exact, rounded, rounds=4)
    same = {
        "unit": "samples/s",
        "reference_name": "published loop, batch 1",
        "reference": 16 / loop_s,
        "limit": bf16_limit(FORWARD_GFLOP),
        "limited_by": PRODUCTS,
    }
    step = "inference, 12 x 4096"
    return [
        Row(step=f"{step}, float32", ours=BATCH / exact_s, aim="", **same),
        Row(
            step=f"{step}, bfloat16; {distance()}",
            ours=BATCH / rounded_s,
            aim=">= x2.7, within .002 of float32",
            **same,
        ),
    ]


def distance() -> str:
    """How far bfloat16 is from float32 with trained networks: the demo's, on its test part."""
    if not (ROOT / paths.OPERATING).exists():  # which is made last
        return "distance from float32 unknown without the demo's models"
    exact, rounded = [], []  # of each fold [row, class]
    with contextlib.chdir(ROOT):
        table = tables.read(paths.FOLDS)
        info = json.loads(paths.FOLDS_INFO.read_text(encoding="utf-8"))
        whole = examples.examples(table, examples.open_stores(sorted(info["sources"])))
        test = whole.take(np.flatnonzero(table["fold"] == tables.TEST))
        for fold in info["folds"]:
            network, about = saved_model.load(paths.model(fold))
            predict = partial(
                inference.probabilities_of, network, test, about["window"], about["normalise"]
            )
            exact.append(predict(bf16=False))
            rounded.append(predict(bf16=True))
    difference = torch.stack(exact) - torch.stack(rounded)  # [fold, row, class]
    alone, together = difference.abs(), difference.mean(dim=0).abs()
    return (
        f"on the demo (width 20) off by {float(alone.max()):.4f} at most, "
        f"{float(alone.mean()):.4f} in the mean; "
        f"the folds' mean by {float(together.max()):.4f} at most"
    )


def epoch(folder: Path) -> Row:
    """Training on ten-second recordings: the published windows of 4,096 samples against windows of
    ten seconds, each with the making of its batches."""
    data = recordings(folder, samples=TEN_S)
    stored = data.signals_uv[0].numpy().reshape(RECORDINGS, -1, 12)
    fold = fold_of(data, 10.0, folder)
    fold.state.network.train()
    batch, rng = torch.arange(STEP_BATCH), np.random.default_rng(4)
    train = published_step(WINDOW)

    def published() -> None:
        for row in range(STEP_BATCH):
            published_crop(np.pad(stored[row].T / 1000, ((0, 0), (0, WINDOW + 1 - TEN_S))), rng)
        train()

    def make() -> None:
        fold.augmenter.batch(batch, 0)

    published_s, ours_s, making_s = seconds(
        published,
        lambda: fold.step(fold.state.network, batch, fold.augmenter.batch(batch, 0)),
        make,
        rounds=4,
    )
    return Row(
        step="steps of an epoch of ten-second recordings, batches made, no validation",
        unit="recordings/s",
        reference_name="published, 39 % padding",
        reference=STEP_BATCH / published_s,
        ours=STEP_BATCH / ours_s,
        aim=f">= x3.2; batches take {making_s / ours_s:.1%} of the time",
        limit=bf16_limit(STEP_GFLOP * TEN_S / WINDOW),
        limited_by=PRODUCTS,
    )


def gpu() -> list[Row]:
    """Training with all signals in a GPU's memory, 12 x 4096, against the network on a fixed
    batch."""
    return [on_gpu(size, compiled) for size in (64, 256) for compiled in (False, True)]


def on_gpu(size: int, compiled: bool) -> Row:
    """One size of batch, with the augmentations of configs/cinc2021.yaml."""
    torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as scratch:
        data = recordings(Path(scratch), samples=5000).joined(torch.device("cuda"))
        fold = fold_of(data, WINDOW / RATE_HZ, Path(scratch), "cuda")
        network = fold.state.network.train()
        if compiled:
            network = torch.compile(network)
            fold.augmenter.compile()
        batch = torch.arange(size, device="cuda") % RECORDINGS
        signal = fold.augmenter.batch(batch, 0)

        def many(made: bool) -> None:
            for number in range(50):
                fold.step(network, batch, fold.augmenter.batch(batch, number) if made else signal)
            torch.cuda.synchronize()

        alone_s, whole_s = seconds(lambda: many(False), lambda: many(True), rounds=3)
    peak_gib, count = torch.cuda.max_memory_allocated() / 2**30, 50 * size
    mode = "compiled" if compiled else "eager"
    settings = f"{mode}, batch {size}, peak {peak_gib:.1f} GiB"
    return Row(
        step=f"training on {torch.cuda.get_device_name()}, {settings}",
        unit="samples/s",
        reference_name="network on a fixed batch",
        reference=count / alone_s,
        ours=count / whole_s,
        aim=">= 12,000/s; >= x0.77",
    )
