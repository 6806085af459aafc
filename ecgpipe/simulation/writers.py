"""Writing one recording to disk in the three forms that `recordings` reads.

- Challenge form, as in the PhysioNet/CinC Challenge 2021 release: `<name>.hea` and `<name>.mat`.
  The `.mat` is a MATLAB level 4 matrix `val` [lead, time] of int16: five little-endian int32 (type
  30, rows, columns, no imaginary part, length of the name), the name `val` and a zero byte, 24
  bytes in all, then the samples in column order, which is sample by sample in time. Source:
  MAT-File Level 4 format, https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
- WFDB form: `<name>.hea` and `<name>.dat`, format 16, written by the wfdb package.
- HDF5 form, as in SPH: `<name>.h5` with the dataset `ecg` [lead, time] of float16 in mV.

Both WFDB forms keep 1 microvolt a step (1000/mV). A missing sample (NaN) is the value -32768.
"""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ecgpipe.project.leads import LEADS

GAIN = 1000.0
MISSING = -32768
_SEX = {"F": "Female", "M": "Male", None: "Unknown"}


def write_challenge(
    folder: Path,
    name: str,
    signal_mv: np.ndarray,
    rate_hz: float,
    *,
    age: float | None,
    sex: str | None,
    labels: Sequence[str],
) -> None:
    """Writes `signal_mv` [time, 12] in the standard lead order; sex is F, M or None; `labels` are
    joined by commas."""
    digital = _digital(signal_mv, name)  # int16 [time, lead]
    samples = len(digital)
    lines = [f"{name} {len(LEADS)} {rate_hz:g} {samples}"]
    for lead, first, total in zip(
        LEADS, digital[0], digital.sum(axis=0, dtype=np.int64), strict=True
    ):
        checksum = (int(total) + 0x8000) % 0x10000 - 0x8000  # the sum as a signed 16-bit number
        lines.append(f"{name}.mat 16+24 {GAIN:g}/mV 16 0 {first} {checksum} 0 {lead}")
    lines += ["#" + text for text in _comments(age, sex, labels)]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    head = struct.pack("<5i4s", 30, len(LEADS), samples, 0, 4, b"val\0")
    (folder / f"{name}.mat").write_bytes(head + digital.astype("<i2").tobytes())
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def write_wfdb(
    folder: Path,
    name: str,
    signal_mv: np.ndarray,
    rate_hz: float,
    *,
    age: float | None,
    sex: str | None,
    labels: Sequence[str],
) -> None:
    """Writes `signal_mv` [time, 12] in the standard lead order as .hea and .dat, with comments such
    as `# Age: 74`."""
    import wfdb

    digital = _digital(signal_mv, name)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wfdb.wrsamp(
        name,
        fs=rate_hz,
        units=["mV"] * len(LEADS),
        sig_name=list(LEADS),
        d_signal=digital.astype(np.int64),
        fmt=["16"] * len(LEADS),
        adc_gain=[GAIN] * len(LEADS),
        baseline=[0] * len(LEADS),
        comments=_comments(age, sex, labels),
        write_dir=str(folder),
    )


def write_h5(folder: Path, name: str, signal_mv: np.ndarray, rate_hz: float | None = None) -> None:
    """Writes `signal_mv` [time, 12] as the dataset `ecg` [lead, time]; the rate, where given, is
    the file's attribute.

    Age, sex and labels of an HDF5 source stand in its metadata table.
    """
    import h5py

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()  # HDF5 itself may end the process where a disk is full
    with h5py.File(content, "w") as file:
        file.create_dataset(
            "ecg", data=np.asarray(signal_mv).T.astype(np.float16), compression="gzip"
        )
        if rate_hz is not None:
            file.attrs["rate_hz"] = float(rate_hz)
    (folder / f"{name}.h5").write_bytes(content.getvalue())


def _digital(signal_mv: np.ndarray, name: str) -> np.ndarray:
    """[time, 12] in mV -> int16 steps of 1 microvolt; ValueError where they do not fit."""
    signal_mv = np.asarray(signal_mv, dtype=np.float64)
    if signal_mv.ndim != 2 or signal_mv.shape[1] != len(LEADS) or not len(signal_mv):
        raise ValueError(
            f"{name}: a signal is [time, {len(LEADS)}] with one sample at least, "
            f"found {signal_mv.shape}"
        )
    steps = np.where(np.isnan(signal_mv), MISSING, np.rint(signal_mv * GAIN))
    if np.abs(steps + 0.5).max() > 32767.5:  # the middle of -32768 to 32767 is -0.5
        largest_mv = np.nanmax(np.abs(signal_mv))
        raise ValueError(
            f"{name}: 16 bits hold +-32.767 mV, found {largest_mv:g} mV; scale it down"
        )
    return steps.astype(np.int16)


def _comments(age: float | None, sex: str | None, labels: Sequence[str]) -> list[str]:
    """The Challenge's three comments that we use: Age, Sex, Dx."""
    return [
        f"Age: {'NaN' if age is None else format(age, 'g')}",
        f"Sex: {_SEX[sex]}",
        f"Dx: {','.join(labels)}",
    ]
