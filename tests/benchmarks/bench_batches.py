"""Batches and augmentation, on one core, beside the published code's way (`published`)."""

import tempfile
from pathlib import Path

import numpy as np
import scipy.io
import torch

from ecgpipe.augmentation import augmenter
from ecgpipe.augmentation.all_augmentations import BY_NAME
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.dataset import examples
from ecgpipe.project import params
from tests.benchmarks import published
from tests.benchmarks.measuring import Row, seconds
from tests.benchmarks.published import WINDOW
from tests.benchmarks.stored_recordings import CLASSES, RECORDINGS, recordings

ROOT = Path(__file__).parents[2]
BATCH = 64
SAMPLES = 7500  # of a recording, half a minute


def rows() -> list[Row]:
    """The rows of this part of the table."""
    cores = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as scratch:
        data = recordings(Path(scratch), samples=SAMPLES)
        torch.set_num_threads(1)
        measured = [crops(data, Path(scratch)), augmented(data)]
        torch.set_num_threads(cores)
    return measured


def crops(data: examples.Examples, folder: Path) -> Row:
    """A batch cropped and normalised, on one core."""
    stored = data.signals_uv[0].numpy().reshape(RECORDINGS, -1, 12)
    for number in range(8):
        scipy.io.savemat(folder / f"{number}.mat", {"val": stored[number].T / 1000})
    rng = np.random.default_rng(2)

    def theirs() -> None:
        for number in range(8):
            published.crop(scipy.io.loadmat(folder / f"{number}.mat")["val"], rng)

    def slices() -> None:
        windows = []
        for row, begin in enumerate(rng.integers(0, SAMPLES - WINDOW, BATCH)):
            windows.append(stored[row, begin : begin + WINDOW].astype(np.float32))
        np.stack(windows)

    ours, rows = engine(data, "crop"), torch.arange(BATCH)
    theirs_s, slices_s, ours_s = seconds(theirs, slices, lambda: ours.batch(rows, 0), rounds=15)
    return Row(
        step="batch of 64 x 12 x 4096, crop, normalise",
        unit="samples/s",
        reference_name="published loader",
        reference=8 / theirs_s,
        ours=BATCH / ours_s,
        aim=">= 10,000/s",
        limit=BATCH / slices_s,
        limited_by="memory-map slices as float32, not normalised",
    )


def augmented(data: examples.Examples) -> Row:
    """The same with STAR, Multiply-Triangle, noise and lead dropout, each acting on every
    recording; one core."""
    stored = data.signals_uv[0].numpy().reshape(RECORDINGS, -1, 12)
    rng = np.random.default_rng(3)
    ours = engine(data, "crop", "star", "triangle", "noise", "lead_dropout")
    rows = torch.arange(BATCH)

    def theirs() -> None:
        for number in range(16):
            published.chain(stored[number].T / 1000, rng)

    def slices() -> None:
        np.stack([stored[row, :WINDOW].astype(np.float32) for row in range(BATCH)])

    theirs_s, slices_s, ours_s = seconds(theirs, slices, lambda: ours.batch(rows, 0), rounds=10)
    return Row(
        step="the same with STAR, triangle, noise, lead dropout",
        unit="samples/s",
        reference_name="published chain, from memory",
        reference=16 / theirs_s,
        ours=BATCH / ours_s,
        aim=">= 2,000/s",
        limit=BATCH / slices_s,
        limited_by="memory-map slices as float32",
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
