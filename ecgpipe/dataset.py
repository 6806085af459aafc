"""Recordings as a network sees them: rows of the split table joined to their stores, and batches gathered from them.

A batch is made by one gather: for every recording a time map tau (in samples from its start, may be fractional) says
where each sample of the window is read; outside the recording the signal is zero.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ecgpipe import layout, signals, tables
from ecgpipe.leads import LEADS

NO_PEAK = 1 << 40  # pads R-peaks: later than any sample
_PER_RECORDING = ("place", "labels", "demographics", "keys", "peak_place")


@dataclass(frozen=True)
class Examples:
    """Recordings of a split table, in its order, with everything but their signals in memory.

    signals_uv: one int16 tensor [samples, 12] per source (memory-mapped, or on a device).
    place: int64 [recording, 3]: source, first sample, samples.
    labels: float32 [recording, class], NaN where not annotated.
    demographics: float32 [recording, 4]: `demographics()`.
    keys: int64 [recording], the same for a recording whatever the table.
    peaks: int32 [all peaks], R-peaks in samples from their recording's start; peak_place: int64 [recording, 2]: the
    first of a recording's peaks, and their number.
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

    def to(self, device: torch.device) -> "Examples":
        """The same examples on `device`; the signals too where they fit into 8 tenths of its free memory, else they
        stay mapped from disk and batches are moved."""
        if device.type == "cpu":
            return self
        wanted = sum(tensor.nbytes for tensor in self.signals_uv)
        fits = wanted < 0.8 * torch.cuda.mem_get_info(device)[0]
        moved = {name: getattr(self, name).to(device) for name in (*_PER_RECORDING, "peaks")}
        signals_uv = [tensor.to(device) for tensor in self.signals_uv] if fits else self.signals_uv
        return replace(self, signals_uv=signals_uv, **moved)

    def take(self, rows: np.ndarray) -> "Examples":
        """Some of the recordings; the signals are shared."""
        index = torch.as_tensor(np.array(rows, np.int64), device=self.place.device)
        return replace(self, **{name: getattr(self, name)[index] for name in _PER_RECORDING})

    def peaks_of(self, rows: torch.Tensor) -> torch.Tensor:
        """The R-peaks of the recordings `rows` [batch] in samples: int64 [batch, most peaks], padded with NO_PEAK."""
        first, count = self.peak_place[rows].T
        order = torch.arange(int(count.max()) if len(rows) else 0, device=rows.device)
        index = (first[:, None] + order).clamp(max=max(len(self.peaks) - 1, 0))
        return torch.where(order < count[:, None], self.peaks[index].to(torch.int64), NO_PEAK)


def demographics(age: np.ndarray, gender: np.ndarray) -> np.ndarray:
    """[age / 100, age known, female, male] per recording, float32: an unknown age is (0, 0), a newborn's (0, 1).

    age: years, NaN where unknown; gender: 'F', 'M' or ''.
    """
    known = np.isfinite(age)
    columns = [np.where(known, age, 0.0) / 100.0, known, gender == "F", gender == "M"]
    return np.stack(columns, axis=1).astype(np.float32)


def recording_key(source: str, record: str) -> int:
    """A 63-bit number that names a recording, from which its random draws are made."""
    return int.from_bytes(hashlib.blake2b(f"{source}/{record}".encode(), digest_size=8).digest(), "little") >> 1


def open_stores(sources: list[str], root: Path = layout.SIGNALS) -> dict[str, signals.Store]:
    """The stores of `sources`. ValueError where their rates or conditioning differ."""
    stores = {source: signals.open_store(Path(root) / source) for source in sources}
    kinds = {(store.rate_hz, tuple(sorted(store.conditioning.items()))) for store in stores.values()}
    if len(kinds) > 1:
        raise ValueError(f"{root}: stores were conditioned in different ways: {sorted(kinds)}; run `dvc repro`")
    return stores


def examples(table: pd.DataFrame, stores: dict[str, signals.Store]) -> Examples:
    """The recordings of a split table (tables.py), read from `stores`. ValueError where a store lacks one."""
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
            raise ValueError(f"data/signals/{name}: {rule}; run `dvc repro split`")
        found = index.loc[wanted]
        place[rows] = np.stack([np.full(len(rows), number), found["first"], found["samples"]], axis=1)
        peak_place[rows] = np.stack([peaks_before + found["first_peak"], found["peaks"]], axis=1)
        peaks_before += len(stores[name].peaks)
    keys = [recording_key(*pair) for pair in zip(table["source"], table["record"], strict=True)]
    return Examples(
        signals_uv=[_tensor(stores[name]) for name in names],
        place=torch.from_numpy(place),
        labels=torch.from_numpy(table[tables.class_codes(table)].to_numpy(np.float32)),
        demographics=torch.from_numpy(demographics(table["age"].to_numpy(float), table["gender"].to_numpy(str))),
        keys=torch.tensor(keys, dtype=torch.int64),
        peaks=torch.from_numpy(np.concatenate([stores[name].peaks for name in names])),
        peak_place=torch.from_numpy(peak_place),
        rate_hz=next(iter(stores.values())).rate_hz,
    )


def of_signals(
    signals_uv: list[np.ndarray], age: np.ndarray, gender: np.ndarray, *, rate_hz: float, classes: int
) -> Examples:
    """New recordings that stand in no table: int16 microvolts [time, 12] each; their labels are all unknown."""
    lengths = np.array([len(signal) for signal in signals_uv], np.int64)
    first = np.cumsum(lengths) - lengths
    return Examples(
        signals_uv=[torch.from_numpy(np.concatenate(signals_uv))],
        place=torch.from_numpy(np.stack([np.zeros_like(first), first, lengths], axis=1)),
        labels=torch.full((len(lengths), classes), torch.nan),
        demographics=torch.from_numpy(demographics(age, gender)),
        keys=torch.zeros(len(lengths), dtype=torch.int64),
        peaks=torch.zeros(0, dtype=torch.int32),
        peak_place=torch.zeros((len(lengths), 2), dtype=torch.int64),
        rate_hz=rate_hz,
    )


def gather(data: Examples, rows: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
    """The signals of `rows` [batch] read at tau [batch, time] samples, in mV: float32 [batch, lead, time].

    Linear between samples, zero outside the recording.
    """
    source, first, samples = data.place[rows].T
    low = tau.floor()
    share = (tau - low).to(torch.float32)
    low = low.to(torch.int64)
    signal = _at(data, source, first, samples, low)
    if bool((share > 0).any()):
        signal = torch.lerp(signal, _at(data, source, first, samples, low + 1), share[..., None])
    return (signal * 1e-3).transpose(1, 2)  # [batch, time, lead] uV -> [batch, lead, time] mV


def inside(data: Examples, rows: torch.Tensor, tau: torch.Tensor) -> torch.Tensor:
    """Whether each of tau [batch, time] lies within its recording: bool [batch, time]."""
    return (tau >= 0) & (tau <= data.place[rows, 2:] - 1)


def window_starts(samples: int, window: int) -> list[int]:
    """The windows that cover a recording in evaluation: half overlapping, the last flush with the end; [0] where the
    recording is not longer than the window (it is padded with zeros at its end).

    >>> window_starts(900, 1000), window_starts(2300, 1000)
    ([0], [0, 500, 1000, 1300])
    """
    if samples <= window:
        return [0]
    return [*range(0, samples - window, max(1, window // 2)), samples - window]


def _at(data: Examples, source: torch.Tensor, first: torch.Tensor, samples: torch.Tensor, index: torch.Tensor):
    inside = (index >= 0) & (index < samples[:, None])
    where = torch.where(inside, index, torch.zeros_like(index)) + first[:, None]
    out = torch.zeros((*index.shape, len(LEADS)), dtype=torch.float32, device=index.device)
    for number, signals_uv in enumerate(data.signals_uv):
        mine = torch.nonzero(source == number)[:, 0]
        if len(mine):
            taken = where[mine].to(signals_uv.device)
            out[mine] = signals_uv[taken].to(out.device, torch.float32)
    return out * inside[..., None]


def _tensor(store: signals.Store) -> torch.Tensor:
    # Copy-on-write, because torch warns of arrays that may not be written; nothing writes to it.
    path = store.signals_uv.filename
    return (
        torch.from_numpy(np.load(path, mmap_mode="c"))
        if len(store.signals_uv)
        else torch.zeros((0, 12), dtype=torch.int16)
    )
