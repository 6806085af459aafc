"""Recordings as a network sees them: rows of the split table joined to their stores, and batches
gathered from them.

A batch is made by one gather: for every recording a time map tau (in samples from its start, may be
fractional) says where each sample of the window is read; outside the recording the signal is zero.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from ecgpipe.dataset.demographics import demographics
from ecgpipe.project import paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.signals.store import Store, open_store

if TYPE_CHECKING:
    import pandas as pd

NO_PEAK = 1 << 40  # pads R-peaks: later than any sample
_PER_RECORDING = ("place", "labels", "demographics", "keys", "peak_place")


@dataclass(frozen=True)
class Examples:
    """Recordings of a split table, in its order, with everything but their signals in memory.

    The signals are one tensor per source (memory-mapped), or a single one on a device.
    """

    signals_uv: list[torch.Tensor]  # int16 [samples, 12] each, in microvolts
    place: torch.Tensor  # int64 [recording, 3]: source, first sample, samples
    labels: torch.Tensor  # float32 [recording, class], NaN where not annotated
    demographics: torch.Tensor  # float32 [recording, 4], as `demographics` makes it
    keys: torch.Tensor  # int64 [recording], the same for a recording whatever the table
    peaks: torch.Tensor  # int32 [all peaks]: R-peaks in samples from their recording's start
    peak_place: torch.Tensor  # int64 [recording, 2]: the first of its peaks, their number
    rate_hz: float

    def __len__(self) -> int:
        return len(self.place)

    def to(self, device: torch.device, cache: str = "auto") -> Examples:
        """The same examples on a GPU, all sources one after another in one tensor. `cache`:
        'device' moves the signals too, 'host' moves nothing (batches are made here and moved),
        'auto' moves all where the signals fit into 6 tenths of the device's free memory."""
        if device.type == "cpu" or cache == "host":
            return self
        wanted = sum(tensor.nbytes for tensor in self.signals_uv)
        if cache == "auto" and wanted > 0.6 * torch.cuda.mem_get_info(device)[0]:
            return self
        return self.joined(device)

    def joined(self, device: torch.device) -> Examples:
        """The same examples on `device`, their signals in one tensor."""
        lengths = torch.tensor([len(tensor) for tensor in self.signals_uv])
        begins = lengths.cumsum(0) - lengths
        whole = torch.empty((int(lengths.sum()), len(LEADS)), dtype=torch.int16, device=device)
        for begin, tensor in zip(begins.tolist(), self.signals_uv, strict=True):
            whole[begin : begin + len(tensor)].copy_(tensor)
        place = self.place.clone()
        place[:, 1] += begins[place[:, 0]]
        place[:, 0] = 0
        moved = {name: getattr(self, name).to(device) for name in (*_PER_RECORDING, "peaks")}
        moved["place"] = place.to(device)
        return replace(self, signals_uv=[whole], **moved)

    def take(self, rows: np.ndarray) -> Examples:
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
    name = hashlib.blake2b(f"{source}/{record}".encode(), digest_size=8)
    return int.from_bytes(name.digest(), "little") >> 1


def open_stores(sources: list[str], root: Path = paths.SIGNALS) -> dict[str, Store]:
    """The stores of `sources`. UserError where their rates or conditioning differ."""
    stores = {source: open_store(Path(root) / source) for source in sources}
    ways = {(store.rate_hz, tuple(sorted(store.conditioning.items()))) for store in stores.values()}
    if len(ways) > 1:
        fault = f"stores were conditioned in different ways: {sorted(ways)}"
        raise UserError(f"{root}: {fault}; run `dvc repro`")
    return stores


def examples(table: pd.DataFrame, stores: dict[str, Store]) -> Examples:
    """The recordings of a split table (`project.tables`), read from `stores`. UserError where a
    store lacks one."""
    names = sorted(stores)
    place, peak_place = np.zeros((len(table), 3), np.int64), np.zeros((len(table), 2), np.int64)
    peaks_before = 0
    for number, name in enumerate(names):
        rows = np.flatnonzero((table["source"] == name).to_numpy())
        index = _index_rows(stores[name], name, table["record"].iloc[rows])
        source, first_peak = np.full(len(rows), number), peaks_before + index["first_peak"]
        place[rows] = np.stack([source, index["first"], index["samples"]], axis=1)
        peak_place[rows] = np.stack([first_peak, index["peaks"]], axis=1)
        peaks_before += len(stores[name].peaks)
    keys = [recording_key(*pair) for pair in zip(table["source"], table["record"], strict=True)]
    return Examples(
        signals_uv=[_tensor(stores[name]) for name in names],
        place=torch.from_numpy(place),
        labels=torch.from_numpy(table[tables.class_codes(table)].to_numpy(np.float32, copy=True)),
        demographics=torch.from_numpy(demographics(table["age"], table["gender"])),
        keys=torch.tensor(keys, dtype=torch.int64),
        peaks=torch.from_numpy(np.concatenate([stores[name].peaks for name in names])),
        peak_place=torch.from_numpy(peak_place),
        rate_hz=next(iter(stores.values())).rate_hz,
    )


def _index_rows(store: Store, name: str, records: pd.Series) -> pd.DataFrame:
    """The rows of a store's index that belong to the `records`, in their order. UserError where
    there is none."""
    index = store.index.set_index("record")
    missing = records[~records.isin(index.index)]
    if len(missing):
        fault = f"lacks {len(missing)} recordings of the table, such as {missing.iloc[0]}"
        raise UserError(f"{paths.store(name)}: {fault}; run `dvc repro split`")
    return index.loc[records]


def parts(table: pd.DataFrame, fold: str) -> dict[str, pd.DataFrame]:
    """The split table's rows for fold `fold`: 'train' (all other folds), 'val' (this fold) and
    'test'; their index says where in the table they stand.

    UserError where there is nothing to train on or to validate with.
    """
    validation, test = table["fold"] == fold, table["fold"] == tables.TEST
    rows = {"train": table[~validation & ~test], "val": table[validation], "test": table[test]}
    for name in ("train", "val"):
        if rows[name].empty:
            folds = sorted(set(table["fold"]))
            fault = f"no '{name}' recordings for fold {fold}"
            raise UserError(f"{paths.FOLDS}: {fault}; folds are {folds}")
    return rows


def read(
    fold: str, sources: list[str], device: torch.device, cache: str
) -> tuple[dict[str, pd.DataFrame], dict[str, Examples], dict[str, Any]]:
    """For the training of `fold`: the rows of the split table by part (`parts`), their examples
    (`Examples.to`), and how the stores of `sources` were conditioned. UserError where one of these
    is damaged, or they do not fit."""
    table, stores = tables.read(paths.FOLDS), open_stores(sorted(sources))
    rows = parts(table, fold)
    whole = examples(table, stores).to(device, cache)
    data = {name: whole.take(part.index) for name, part in rows.items()}
    return rows, data, next(iter(stores.values())).conditioning


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
    """int16 [samples, 12]: the signals of a store, memory-mapped."""
    if not len(store.signals_uv):
        return torch.zeros((0, len(LEADS)), dtype=torch.int16)
    # Copy-on-write, because torch warns of arrays that may not be written; nothing writes to it.
    return torch.from_numpy(np.load(store.signals_uv.filename, mmap_mode="c"))
