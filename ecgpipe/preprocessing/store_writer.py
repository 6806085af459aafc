"""Writes a signal store: the format stands in `ecgpipe.signals.store`."""

import functools
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ecgpipe.project import csv_files, digests
from ecgpipe.project.leads import LEADS
from ecgpipe.signals import store

# Added before rounding to whole microvolts. With 0, a step of 0.5 microvolts (gains 320, 400, 2000,
# 4000 a mV and all their kin) lies where rounding tips, and one unit in the last place of two forms
# of a recording gives two digests. Rounding tips at a fraction of 0.49902 so: above 0.48828, which
# float16 takes from whole microvolts below 2 mV, and at least 0.0009 microvolts from multiples of
# 1000 / gain for denominators up to 64 and the powers of two up to 512: more than float32 takes
# from a value, up to 8 mV.
_OFFSET_UV = 0.00098
_HEADER_BYTES = 128
_DIGITS = 32


def to_microvolts(signal_mv: np.ndarray) -> np.ndarray:
    """mV of any float type to int16 microvolts, rounded to nearest and clipped at the type's range;
    time-major."""
    microvolts = signal_mv * 1000.0
    np.clip(np.rint(microvolts, out=microvolts), -32768, 32767, out=microvolts)
    return microvolts.astype(np.int16).astype(np.int16, order="C", copy=False)


def raw_digest(signal_mv: np.ndarray, rate_hz: float) -> str:
    """A hash of a raw recording [time, lead] in whole microvolts and of its rate: equal for exact
    duplicates, whatever the units and the file format they are stored in.

    The microvolts are rounded where no step of a converter in use lies (`_OFFSET_UV`), and hashed
    lead by lead in 16 bits, or in 64 where one of them does not fit into 16."""
    microvolts = np.multiply(signal_mv.T, np.float32(1000), dtype=np.float32, order="C")
    microvolts += np.float32(_OFFSET_UV)
    np.rint(microvolts, out=microvolts)
    fits = microvolts.size == 0 or max(microvolts.max(), -microvolts.min()) <= 32767
    made = hashlib.sha256(f"{_exact(rate_hz)} {signal_mv.shape}".encode())
    made.update(microvolts.astype("<i2" if fits else "<i8"))
    return made.hexdigest()[:_DIGITS]


@functools.lru_cache(maxsize=32)
def _exact(rate_hz: float) -> str:
    """A rate as the fraction that it means, the same for 500 and 500.0."""
    return str(Fraction(rate_hz).limit_denominator(1000))


class _Stored(NamedTuple):
    """A row of the index; the names are those of `store.INDEX_COLUMNS`."""

    record: str
    first: int
    samples: int
    flags: str
    digest: str
    first_peak: int
    peaks: int


class _Refused(NamedTuple):
    """A row of the refused; the names are those of `store.REFUSED_COLUMNS`."""

    record: str
    path: str
    reason: str
    message: str


@dataclass
class Writer:
    """Fills the store folder `folder` recording by recording; memory does not grow with the number
    of samples. `units`: name -> unit of the features that every recording comes with."""

    folder: Path
    rate_hz: float
    conditioning: dict[str, Any]
    units: Mapping[str, str] = field(default_factory=dict)
    _samples: int = 0
    _peaks_before: int = 0
    _index: list[_Stored] = field(default_factory=list)
    _peaks: list[np.ndarray] = field(default_factory=list)
    _features: list[np.ndarray] = field(default_factory=list)
    _refused: list[_Refused] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self._file: BinaryIO = (self.folder / store.SIGNALS).open("wb")
        self._file.write(b"\0" * _HEADER_BYTES)  # the shape is known at the end

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        """Lets go of the file, whether or not `close` finished the store."""
        self._file.close()

    def append(
        self,
        record: str,
        signal_uv: np.ndarray,
        peaks: np.ndarray,
        flags: tuple[str, ...],
        digest: str,
        features: Sequence[float] | np.ndarray = (),
    ) -> None:
        """Adds one conditioned recording: int16 [time, 12], its R-peaks in samples, its features
        in the order of `units`."""
        assert len(features) == len(self.units), (len(features), len(self.units))
        assert signal_uv.dtype == np.int16, signal_uv.dtype
        assert signal_uv.shape[1] == len(LEADS), signal_uv.shape
        self._file.write(np.ascontiguousarray(signal_uv, dtype="<i2").data)
        row = _Stored(
            record,
            first=self._samples,
            samples=len(signal_uv),
            flags="|".join(flags),
            digest=digest,
            first_peak=self._peaks_before,
            peaks=len(peaks),
        )
        self._index.append(row)
        self._peaks.append(peaks.astype(np.int32))
        self._features.append(np.asarray(features, np.float32))
        self._samples += row.samples
        self._peaks_before += row.peaks

    def refuse(self, record: str, path: str, reason: str, message: str) -> None:
        """Lists a recording that could not be stored."""
        self._refused.append(_Refused(record, path, reason, message))

    def close(self) -> dict[str, Any]:
        """Writes what is left; the report: recordings in, stored, refused by reason, flags."""
        self._write_header()
        _save(self.folder / store.PEAKS, np.concatenate([np.zeros(0, np.int32), *self._peaks]))
        if self.units:
            none = np.zeros((0, len(self.units)), np.float32)
            _save(self.folder / store.FEATURES, np.vstack([none, *self._features]))
        _write_rows(self.folder / store.INDEX, store.INDEX_COLUMNS, self._index)
        _write_rows(self.folder / store.REFUSED, store.REFUSED_COLUMNS, self._refused)
        seal(self.folder, self.rate_hz, self.conditioning, self.units)
        return self._report()

    def _write_header(self) -> None:
        """Ends the file of signals by what it begins with, its shape."""
        shape = (self._samples, len(LEADS))
        about = {"descr": "<i2", "fortran_order": False, "shape": shape}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, about)
        assert self._file.tell() == _HEADER_BYTES, self._file.tell()
        self._file.close()

    def _report(self) -> dict[str, Any]:
        flags = [flag for row in self._index for flag in row.flags.split("|") if flag]
        reasons = [row.reason for row in self._refused]
        return {
            "recordings": len(self._index) + len(self._refused),
            "stored": len(self._index),
            "duration_h": round(self._samples / self.rate_hz / 3600, 3),
            "refused": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
            "flags": {flag: flags.count(flag) for flag in sorted(set(flags))},
        }


def seal(
    folder: Path,
    rate_hz: float,
    conditioning: dict[str, Any],
    units: Mapping[str, str] | None = None,
) -> None:
    """Writes store.json and the digests of a folder that holds all else of a store; `units` are
    those of its features, where it has some."""
    named = (store.SIGNALS, store.INDEX, store.PEAKS)
    sums = {name: digests.digest(folder / name) for name in named}
    whole = hashlib.sha256("".join(sums.values()).encode()).hexdigest()[:_DIGITS]
    if units:
        sums[store.FEATURES] = digests.digest(folder / store.FEATURES)
    about = {
        "format": store.FORMAT,
        "rate_hz": rate_hz,
        "leads": list(LEADS),
        "unit": store.UNIT,
        "conditioning": conditioning,
        "features": dict(units or {}),
        "digest": whole,
    }
    (folder / store.ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    digests.write_digests(folder, sums)


def _save(path: Path, values: np.ndarray) -> None:
    """Writes an array; numpy's own writing to a file does not say that a disk is full."""
    content = io.BytesIO()
    np.save(content, values)
    path.write_bytes(content.getvalue())


def _write_rows(path: Path, head: list[str], rows: Sequence[tuple]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv_files.writer(handle)
        writer.writerow(head)
        writer.writerows(rows)
