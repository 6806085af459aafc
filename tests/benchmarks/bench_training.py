"""Training steps and inference of the full network on all cores, beside the published code's way
(`published`); in bfloat16 only where the processor multiplies it, since elsewhere one product of
large matrices takes minutes."""

import contextlib
import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.model import inference, saved_model
from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.project import params, paths, tables
from ecgpipe.training import trainer
from ecgpipe.training.distributed import Peers
from ecgpipe.training.params import TrainParams
from tests.benchmarks import published
from tests.benchmarks.measuring import LeftOut, Row, seconds
from tests.benchmarks.published import WINDOW
from tests.benchmarks.stored_recordings import CLASSES, RATE_HZ, RECORDINGS, recordings

ROOT = Path(__file__).parents[2]
TEN_S = 2500  # samples
BATCH, STEP_BATCH = 32, 32
FULL = ModelParams(width=64, stem_kernel=15, kernel=7, dropout=0.2, reduction=16, demographics=True)
# of one 12 x 4096 window, as counted in tests/model/test_network.py
STEP_GFLOP, FORWARD_GFLOP = 9.6, 3.2
SIDE = 2048  # of the matrices whose product is timed


def rows() -> list[Row | LeftOut]:
    """The rows of this part of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        measured = [steps(), *predictions(), epoch(Path(scratch))]
    return [*measured, *gpu()]


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16."""
    return inference.bf16_helps("auto", torch.device("cpu"))


def limit(gflop: float) -> dict:
    """The limit of a `Row`: windows a second if the processor did nothing but multiply matrices, in
    the type that `auto` computes in here."""
    name = "bfloat16" if has_bf16() else "float32"
    share = products_per_s(name) / (gflop * 1e9)
    return {"limit": share, "limited_by": f"matrix products in {name} alone"}


def products_per_s(name: str) -> float:
    """Floating point operations a second in products of matrices of one type, at the best rate that
    the processor shows."""
    left, right = (torch.randn(SIDE, SIDE).to(getattr(torch, name)) for _ in range(2))
    return 2 * SIDE**3 / seconds(lambda: left @ right, rounds=10)[0]


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


def steps() -> Row:
    """Training steps of the full network on all cores, batch 32 of 12 x 4096."""
    with tempfile.TemporaryDirectory() as scratch:
        fold = fold_of(recordings(Path(scratch), samples=5000), WINDOW / RATE_HZ, Path(scratch))
        fold.state.network.train()
        batch = torch.arange(STEP_BATCH)
        signal = fold.augmenter.batch(batch, 0)
        theirs = published.training_step(WINDOW, STEP_BATCH, CLASSES)
        theirs_s, ours_s = seconds(
            theirs, lambda: fold.step(fold.state.network, batch, signal), rounds=4
        )
    return Row(
        step="training step, full network, 12 x 4096, batch 32",
        unit="samples/s",
        reference_name="published network, fp32",
        reference=STEP_BATCH / theirs_s,
        ours=STEP_BATCH / ours_s,
        aim=">= x2.1" if has_bf16() else "",
        **limit(STEP_GFLOP),
    )


def predictions() -> list[Row | LeftOut]:
    """Inference of the full network on all cores, 12 x 4096."""
    torch.manual_seed(1)
    theirs, network = published.Network(CLASSES).eval(), SEResNet18(CLASSES, FULL).eval()
    with tempfile.TemporaryDirectory() as scratch:
        data = recordings(Path(scratch), samples=WINDOW).take(np.arange(BATCH))
        signal, known = torch.randn(1, 12, WINDOW), torch.rand(1, 3)

        def loop() -> None:
            with torch.no_grad():
                for _ in range(16):
                    torch.sigmoid(theirs(signal, known)).numpy()

        ours = partial(inference.probabilities_of, network, data, WINDOW, "lead")
        types = [False, True] if has_bf16() else [False]
        loop_s, *ours_s = seconds(loop, *(partial(ours, bf16=bf16) for bf16 in types), rounds=4)
    same = {
        "unit": "samples/s",
        "reference_name": "published loop, batch 1",
        "reference": 16 / loop_s,
        **limit(FORWARD_GFLOP),
    }
    step = "inference, 12 x 4096"
    exact = Row(step=f"{step}, float32", ours=BATCH / ours_s[0], aim="", **same)
    if not has_bf16():
        reason = "this processor does not multiply bfloat16 (no avx512_bf16)"
        return [exact, LeftOut(f"{step}, bfloat16", reason)]
    rounded = Row(
        step=f"{step}, bfloat16; {distance()}",
        ours=BATCH / ours_s[1],
        aim=">= x2.7, within .002 of float32",
        **same,
    )
    return [exact, rounded]


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
    train = published.training_step(WINDOW, STEP_BATCH, CLASSES)

    def theirs() -> None:
        for row in range(STEP_BATCH):
            published.crop(np.pad(stored[row].T / 1000, ((0, 0), (0, WINDOW + 1 - TEN_S))), rng)
        train()

    def make() -> None:
        fold.augmenter.batch(batch, 0)

    theirs_s, ours_s, making_s = seconds(
        theirs,
        lambda: fold.step(fold.state.network, batch, fold.augmenter.batch(batch, 0)),
        make,
        rounds=4,
    )
    aim = ">= x3.2; " if has_bf16() else ""
    return Row(
        step="steps of an epoch of ten-second recordings, batches made, no validation",
        unit="recordings/s",
        reference_name="published, 39 % padding",
        reference=STEP_BATCH / theirs_s,
        ours=STEP_BATCH / ours_s,
        aim=f"{aim}batches take {making_s / ours_s:.1%} of the time",
        **limit(STEP_GFLOP * TEN_S / WINDOW),
    )


def gpu() -> list[Row | LeftOut]:
    """Training with all signals in a GPU's memory, 12 x 4096, against the network on a fixed
    batch."""
    if not torch.cuda.is_available():
        return [LeftOut("training on a GPU, 12 x 4096", "no GPU is at hand")]
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
