"""The signal store of one source: conditioned recordings in one memory-mapped file.

A store is a folder:

- `signals.npy`: int16 microvolts, [all samples of all recordings, 12], time-major, leads in
  `leads.LEADS` order.
- `peaks.npy`: int32, the R-peaks of all recordings, in samples from each recording's start.
- `index.csv`: `record, first, samples, flags, digest, first_peak, peaks`; a recording is
  `signals[first : first + samples]` and its R-peaks are `peaks[first_peak : first_peak + peaks]`;
  flags are joined by `|`; digest is the hash of the raw recording (`store_writer.raw_digest`).
- `features.npy`: float32 [recording, feature], measured on the conditioned signals
  (`features.measure`), NaN where one cannot be; absent where nobody asks for them.
- `refused.csv`: `record, path, reason, message` of every recording that is not in the store.
- `store.json`: rate_hz, leads, unit, conditioning, format (version of this layout), `features`
  (name -> unit, in the order of their columns; empty without the file) and the store's digest,
  which is that of the digests of the first three: no model depends on features.
- `SHA256SUMS`: the digests of these files (`ecgpipe.project.digests`), checked when they are read.

Both digests are the first 32 hexadecimal digits of a SHA-256, for which processors have
instructions. This is format 4; formats 1 and 2 had other digests, so that duplicates in two stores
of different formats would not be seen, and 3 had no features: an older store is refused.

Why int16 microvolts: finer than every converter's step, half the bytes of float32, a range of +-32
mV. Why time-major: a crop is one contiguous read. The folder is written under a temporary name and
renamed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgpipe.project import digests, json_objects, tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.project.remedies import again
from ecgpipe.project.yaml_files import short

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 4
UNIT = "uV"
SIGNALS = "signals.npy"
PEAKS = "peaks.npy"
FEATURES = "features.npy"
INDEX = "index.csv"
REFUSED = "refused.csv"
ABOUT = "store.json"
INDEX_COLUMNS = ["record", "first", "samples", "flags", "digest", "first_peak", "peaks"]
REFUSED_COLUMNS = ["record", "path", "reason", "message"]
_COUNTS = ["first", "samples", "first_peak", "peaks"]


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
    path = Path(folder) / ABOUT
    if not path.exists():
        raise UserError(
            f"{path}: no signal store here; run `dvc repro preprocess@{Path(folder).name}`"
        )
    about = json_objects.parse(digests.read_verified(path), path, _step(folder))
    said = (about.get("format"), about.get("leads"), about.get("unit"))
    if said != (FORMAT, list(LEADS), UNIT):
        rule = f"store format {short(said[0])} is not {FORMAT}"
        raise UserError(f"{path}: {rule}; {_step(folder)}")
    return about


def _step(folder: Path) -> str:
    """How a store that cannot be read comes back."""
    return again(folder, f"preprocess@{Path(folder).name}")


def open_store(folder: Path) -> Store:
    """Opens the store in `folder`. UserError where a file is damaged, or they do not fit each
    other."""
    about = read_about(folder)
    digests.verify(Path(folder) / SIGNALS)
    signals_uv = np.load(Path(folder) / SIGNALS, mmap_mode="r")
    index = read_index(folder)
    counted = int(index["samples"].sum())
    if counted != len(signals_uv):
        raise UserError(
            f"{folder}: {INDEX} counts {counted} samples, {SIGNALS} holds {len(signals_uv)}; "
            f"{_step(folder)}"
        )
    peaks = np.load(io.BytesIO(digests.read_verified(Path(folder) / PEAKS)))
    return Store(signals_uv, peaks, index, about["rate_hz"], about["conditioning"], about["digest"])


def read_index(folder: Path) -> pd.DataFrame:
    """index.csv with whole numbers where they belong. UserError where it is missing or damaged."""
    table = _read_table(Path(folder) / INDEX)
    for column in table.columns.intersection(_COUNTS):
        table[column] = table[column].astype("int64")
    return table


def read_features(folder: Path) -> tuple[dict[str, str], np.ndarray]:
    """Name -> unit of the features of a store, and their values [recording, feature] in the order
    of its index. UserError where they are damaged, do not fit, or nobody measured them."""
    folder = Path(folder)
    units = read_about(folder)["features"]
    if not units:
        raise UserError(f"{folder}: this store has no features; {_step(folder)}")
    values = np.load(io.BytesIO(digests.read_verified(folder / FEATURES)))
    expected = (len(read_index(folder)), len(units))
    if values.shape != expected:
        raise UserError(
            f"{folder / FEATURES}: its shape is {values.shape}, {INDEX} and {ABOUT} say {expected};"
            f" {_step(folder)}"
        )
    return units, values


def read_refused(folder: Path) -> pd.DataFrame:
    """refused.csv. UserError where it is missing or damaged."""
    return _read_table(Path(folder) / REFUSED)


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path} is missing; run `dvc repro preprocess@{path.parent.name}` first")
    return tables.read(path)
