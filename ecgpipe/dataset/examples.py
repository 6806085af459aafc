"""Recordings as a network sees them: rows of the split table joined to their stores, and batches
gathered from them.

A batch is made by one gather: for every recording a time map tau (in samples from its start, may be
fractional) says where each sample of the window is read; outside the recording the signal is zero.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike

from ecgpipe.dataset.demographics import demographics
from ecgpipe.project import paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.signals.store import Store, open_store

NO_PEAK = 1 << 40  # pads R-peaks: later than any sample
_PER_RECORDING = ("place", "labels", "demographics", "keys", "peak_place")


@dataclass(frozen=True)
class Examples:
    """Recordings of a split table, in its order, with everything but their signals in memory.

    signals_uv: one int16 tensor [samples, 12] per source (memory-mapped), or a single one on a
    device. place: int64 [recording, 3]: source, first sample, samples. labels: float32 [recording,
    class], NaN where not annotated. demographics: float32 [recording, 4]: `demographics()`. keys:
    int64 [recording], the same for a recording whatever the table. peaks: int32 [all peaks],
    R-peaks in samples from their recording's start; peak_place: int64 [recording, 2]: the first of
    a recording's peaks, and their number.
    """

    signals_uv: list[torch.Tensor]
    place: torch.Tensor
    labels: torch.Tensor
    demographics: torch.Tensor
    keys: torch.Tensor
    peaks: torch.Tensor
    peak_place: torch.Tensor
    rate_hz: float

    def __len__(self) -> int:
        return len(self.place)

    def to(self, device: torch.device, cache: str = "auto") -> "Examples":
        """The same examples on a GPU, all sources one after another in one tensor. `cache`:
        'device' moves the signals too, 'host' moves nothing (batches are made here and moved),
        'auto' moves all where the signals fit into 6 tenths of the device's free memory."""
        if device.type == "cpu" or cache == "host":
            return self
        wanted = sum(tensor.nbytes for tensor in self.signals_uv)
        if cache == "auto" and wanted > 0.6 * torch.cuda.mem_get_info(device)[0]:
            return self
        return self.joined(device)

    def joined(self, device: torch.device) -> "Examples":
        """The same examples on `device`, their signals in one tensor."""
        lengths = torch.tensor([0, *(len(tensor) for tensor in self.signals_uv)])
        whole = torch.empty((int(lengths.sum()), len(LEADS)), dtype=torch.int16, device=device)
        for begin, tensor in zip(lengths.cumsum(0).tolist(), self.signals_uv, strict=False):
            whole[begin : begin + len(tensor)].copy_(tensor)
        place = self.place.clone()
        place[:, 1] += lengths.cumsum(0)[place[:, 0]]
        place[:, 0] = 0
        moved = {name: getattr(self, name).to(device) for name in (*_PER_RECORDING, "peaks")}
        return replace(self, signals_uv=[whole], **(moved | {"place": place.to(device)}))

    def take(self, rows: np.ndarray) -> "Examples":
        """Some of the recordings; the signals are shared."""
        index = torch.as_tensor(np.array(rows, np.int64), device=self.place.device)
        return replace(self, **{name: getattr(self, name)[index] for name in _PER_RECORDING})

    def peaks_of(self, rows: torch.Tensor, most: int) -> torch.Tensor:
        """The R-peaks of the recordings `rows` [batch] in samples: int64 [batch, most], padded with
        NO_PEAK."""
        first, count = self.peak_place[rows].T
        order = torch.arange(most, device=rows.device)
        index = (first[:, None] + order).clamp(max=max(len(self.peaks) - 1, 0))
        return torch.where(order < count[:, None], self.peaks[index].to(torch.int64), NO_PEAK)

    def most_peaks(self) -> int:
        """The largest number of R-peaks that any of these recordings has."""
        return int(self.peak_place[:, 1].max()) if len(self) and len(self.peaks) else 0


def recording_key(source: str, record: str) -> int:
    """A 63-bit number that names a recording, from which its random draws are made."""
    return (
        int.from_bytes(
            hashlib.blake2b(f"{source}/{record}".encode(), digest_size=8).digest(), "little"
        )
        >> 1
    )


def open_stores(sources: list[str], root: Path = paths.SIGNALS) -> dict[str, Store]:
    """The stores of `sources`. UserError where their rates or conditioning differ."""
    stores = {source: open_store(Path(root) / source) for source in sources}
    kinds = {
        (store.rate_hz, tuple(sorted(store.conditioning.items()))) for store in stores.values()
    }
    if len(kinds) > 1:
        raise UserError(
            f"{root}: stores were conditioned in different ways: {sorted(kinds)}; run `dvc repro`"
        )
    return stores


def examples(table: pd.DataFrame, stores: dict[str, Store]) -> Examples:
    """The recordings of a split table (tables.py), read from `stores`. UserError where a store
    lacks one."""
    names = sorted(stores)
    place, peak_place = np.zeros((len(table), 3), np.int64), np.zeros((len(table), 2), np.int64)
    peaks_before = 0
    for number, name in enumerate(names):
        index = stores[name].index.set_index("record")
        rows = np.flatnonzero((table["source"] == name).to_numpy())
        wanted = table["record"].iloc[rows]
        missing = wanted[~wanted.isin(index.index)]
        if len(missing):
            rule = f"lacks {len(missing)} recordings of the table, such as {missing.iloc[0]}"
            raise UserError(f"data/signals/{name}: {rule}; run `dvc repro split`")
        found = index.loc[wanted]
        place[rows] = np.stack(
            [np.full(len(rows), number), found["first"], found["samples"]], axis=1
        )
        peak_place[rows] = np.stack([peaks_before + found["first_peak"], found["peaks"]], axis=1)
        peaks_before += len(stores[name].peaks)
    keys = [recording_key(*pair) for pair in zip(table["source"], table["record"], strict=True)]
    return Examples(
        signals_uv=[_tensor(stores[name]) for name in names],
        place=torch.from_numpy(place),
        labels=torch.from_numpy(table[tables.class_codes(table)].to_numpy(np.float32)),
        demographics=torch.from_numpy(demographics(table["age"], table["gender"])),
        keys=torch.tensor(keys, dtype=torch.int64),
        peaks=torch.from_numpy(np.concatenate([stores[name].peaks for name in names])),
        peak_place=torch.from_numpy(peak_place),
        rate_hz=next(iter(stores.values())).rate_hz,
    )


def parts(table: pd.DataFrame, fold: str) -> dict[str, pd.DataFrame]:
    """The split table's rows for fold `fold`: 'train' (all other folds), 'val' (this fold) and
    'test'; their index says where in the table they stand.

    UserError where there is nothing to train on or to validate with.
    """
    validation, test = table["fold"] == fold, table["fold"] == tables.TEST
    found = {"train": table[~validation & ~test], "val": table[validation], "test": table[test]}
    for name in ("train", "val"):
        if found[name].empty:
            raise UserError(
                f"{paths.FOLDS}: no '{name}' recordings for fold {fold}; folds are {sorted(set(table['fold']))}"
            )
    return found


def read(
    fold: str, sources: list[str], device: torch.device, cache: str
) -> tuple[dict[str, pd.DataFrame], dict[str, Examples], dict[str, Any]]:
    """For the training of `fold`: the rows of data/folds.csv by part (`parts`), their examples
    (`Examples.to`), and how the stores of `sources` were conditioned. UserError where one of these
    is damaged, or they do not fit."""
    table, stores = tables.read(paths.FOLDS), open_stores(sorted(sources))
    rows = parts(table, fold)
    whole = examples(table, stores).to(device, cache)
    conditioning = next(iter(stores.values())).conditioning
    return rows, {name: whole.take(part.index) for name, part in rows.items()}, conditioning


def of_signals(
    signals_uv: list[np.ndarray],
    age: ArrayLike,
    sex: ArrayLike,
    *,
    rate_hz: float,
    classes: int,
) -> Examples:
    """New recordings that stand in no table: int16 microvolts [time, 12] each, `age` and `sex` as
    `demographics` takes them; their labels are all unknown."""
    lengths = np.array([len(signal) for signal in signals_uv], np.int64)
    first = np.cumsum(lengths) - lengths
    return Examples(
        signals_uv=[torch.from_numpy(np.concatenate(signals_uv))],
        place=torch.from_numpy(np.stack([np.zeros_like(first), first, lengths], axis=1)),
        labels=torch.full((len(lengths), classes), torch.nan),
        demographics=torch.from_numpy(demographics(age, sex)),
        keys=torch.zeros(len(lengths), dtype=torch.int64),
        peaks=torch.zeros(0, dtype=torch.int32),
        peak_place=torch.zeros((len(lengths), 2), dtype=torch.int64),
        rate_hz=rate_hz,
    )


def _tensor(store: Store) -> torch.Tensor:
    # Copy-on-write, because torch warns of arrays that may not be written; nothing writes to it.
    path = store.signals_uv.filename
    return (
        torch.from_numpy(np.load(path, mmap_mode="c"))
        if len(store.signals_uv)
        else torch.zeros((0, 12), dtype=torch.int16)
    )
