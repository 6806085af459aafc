"""The formats in which WFDB signal files store samples, after
https://physionet.org/physiotools/wag/signal-5.htm, and how those that we read ourselves become
whole steps.

- 16 and 61: int16, little and big endian. 24 and 32: three and four bytes, little endian.
- 80 and 160: unsigned, less 128 or 32,768. 212: two samples of 12 bits in three bytes.
- 8: differences of one byte. 310 and 311: three samples of 10 bits in four bytes.
- 508, 516 and 524: FLAC with 8, 16 or 24 bits a sample.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_PIECE = 3 << 18  # bytes that are decoded at once, whole groups of three


class Packing(NamedTuple):
    """`samples` share `bytes`."""

    samples: int
    bytes: int


PACKED = {
    "8": Packing(1, 1),
    "16": Packing(1, 2),
    "24": Packing(1, 3),
    "32": Packing(1, 4),
    "61": Packing(1, 2),
    "80": Packing(1, 1),
    "160": Packing(1, 2),
    "212": Packing(2, 3),
    "310": Packing(3, 4),
    "311": Packing(3, 4),
}
# The step that stands for a missing sample, the least of each format; format 8 has none.
MISSING = {
    "8": None,
    "16": -(1 << 15),
    "24": -(1 << 23),
    "32": -(1 << 31),
    "61": -(1 << 15),
    "80": -(1 << 7),
    "160": -(1 << 15),
    "212": -(1 << 11),
    "310": -(1 << 9),
    "311": -(1 << 9),
    "508": -(1 << 7),
    "516": -(1 << 15),
    "524": -(1 << 23),
}


def stored_bytes(fmt: str, samples: int) -> int:
    """How many bytes so many samples take.

    >>> stored_bytes("212", 3), stored_bytes("16", 3)
    (5, 6)
    """
    packed = PACKED[fmt]
    return -(-samples * packed.bytes // packed.samples)


def _of_24(raw: np.ndarray) -> np.ndarray:
    """Bytes -> int32: three bytes a sample, the first the lowest."""
    steps = np.zeros(len(raw) // 3, dtype="<i4")
    steps.view(np.uint8).reshape(-1, 4)[:, 1:] = raw.reshape(-1, 3)
    steps >>= 8
    return steps


def _of_212(raw: np.ndarray) -> np.ndarray:
    """Bytes -> int16: the first byte and the low half of the second, then the third and the high
    half."""
    steps = np.empty((-(-len(raw) // 3), 2), dtype=np.int16)
    for start in range(0, len(raw), _PIECE):
        piece = raw[start : start + _PIECE]
        parts = np.pad(piece, (0, -len(piece) % 3)).reshape(-1, 3).astype(np.int16)
        into = steps[start // 3 : start // 3 + len(parts)]
        into[:, 0] = (parts[:, 1] & 0x0F) << 8 | parts[:, 0]
        into[:, 1] = (parts[:, 1] & 0xF0) << 4 | parts[:, 2]
    steps <<= 4
    steps >>= 4
    return steps.reshape(-1)


# Format -> bytes to samples, of those that we read ourselves.
DECODERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "16": lambda raw: raw.view("<i2"),
    "61": lambda raw: raw.view(">i2").astype("<i2"),
    "24": _of_24,
    "32": lambda raw: raw.view("<i4"),
    "80": lambda raw: raw.astype(np.int16) - np.int16(128),
    "160": lambda raw: (raw.view("<u2") ^ 0x8000).view("<i2"),
    "212": _of_212,
}
