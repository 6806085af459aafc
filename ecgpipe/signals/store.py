"""The signal store of one source: conditioned recordings in one memory-mapped file.

A store is a folder:

- `signals.store.npy`: int16 microvolts, [all samples of all recordings, 12], time-major, leads in
  `leads.LEADS` order.
- `peaks.npy`: int32, the R-peaks of all recordings, in samples from each recording's start.
- `index.csv`: `record, first, samples, flags, digest, first_peak, peaks`; a recording is
  `signals[first : first + samples]` and its R-peaks are `peaks[first_peak : first_peak + peaks]`;
  flags are joined by `|`; digest is the hash of the raw recording (`raw_digest`).
- `refused.csv`: `record, path, reason, message` of every recording that is not in the store.
- `store.json`: rate_hz, leads, unit, conditioning, format (version of this layout) and the store's
  digest, which is that of the digests of the first three.
- `SHA256SUMS`: the digests of these files (layout.py), checked when they are read.

Both digests are the first 32 hexadecimal digits of a SHA-256, for which processors have
instructions. This is format 3; formats 1 and 2 had the same files with other digests, so that
duplicates in two stores of different formats would not be seen: an older store is refused.

Why int16 microvolts: finer than every converter's step, half the bytes of float32, a range of +-32
mV. Why time-major: a crop is one contiguous read. The folder is written under a temporary name and
renamed.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecgpipe.project import digests, tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

FORMAT = 3
UNIT = "uV"
INDEX = ["record", "first", "samples", "flags", "digest", "first_peak", "peaks"]


@dataclass(frozen=True)
class Store:
    """A store opened for reading: `signals_uv` [samples, 12] is memory-mapped, `index` has one row
    per recording."""

    signals_uv: np.ndarray
    peaks: np.ndarray
    index: pd.DataFrame
    rate_hz: float
    conditioning: dict[str, Any]
    digest: str


def read_about(folder: Path) -> dict[str, Any]:
    """store.json of a store. UserError where it is missing, damaged or of another format."""
    path = Path(folder) / "store.json"
    if not path.exists():
        raise UserError(
            f"{path}: no signal store here; run `dvc repro preprocess@{Path(folder).name}`"
        )
    about = json.loads(digests.read_verified(path, required=True))
    if about["format"] != FORMAT or about["leads"] != list(LEADS) or about["unit"] != UNIT:
        raise UserError(
            f"{path}: store format {about['format']} is not {FORMAT}; run `dvc repro -f` to rebuild it"
        )
    return about


def open_store(folder: Path) -> Store:
    """Opens the store in `folder`. UserError where a file is damaged, or they do not fit each
    other."""
    about = read_about(folder)
    digests.verify(Path(folder) / "signals.npy", required=True)
    signals_uv = np.load(Path(folder) / "signals.npy", mmap_mode="r")
    index = read_index(folder)
    if int(index["samples"].sum()) != len(signals_uv):
        raise UserError(
            f"{folder}: index.csv counts {int(index['samples'].sum())} samples, signals.npy holds {len(signals_uv)}; "
            "rebuild the store with `dvc repro -f`"
        )
    peaks = np.load(io.BytesIO(digests.read_verified(Path(folder) / "peaks.npy", required=True)))
    return Store(signals_uv, peaks, index, about["rate_hz"], about["conditioning"], about["digest"])


def read_index(folder: Path) -> pd.DataFrame:
    """index.csv with whole numbers where they belong."""
    table = tables.read(Path(folder) / "index.csv")
    for column in ("first", "samples", "first_peak", "peaks"):
        table[column] = table[column].astype("int64")
    return table
