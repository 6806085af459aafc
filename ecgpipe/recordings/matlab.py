"""The one matrix of a MATLAB file (.mat), as the recordings of the Challenge come: `val` [lead,
time] of int16.

- Level 4: five int32 (type, rows, columns, imaginary part, length of the name), the name, the
  samples in column order, which is sample by sample in time. The type's decimal digits are MOPT: M
  is 0 for little and 1 for big endian, P is 3 for int16, O and T are 0.
- Level 5: 128 bytes of text with version and endianness at the end, then elements of a type and a
  length. The first element is the matrix (type 14), or is packed (type 15, a zlib stream that holds
  it). A matrix holds its class, dimensions, name and samples as elements; int16 is class 10.
  Smaller samples may be stored as int8, uint8 or int16.

Source: MAT-File Format, https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf. We read
these bytes ourselves as the format is small, every declared size is held against the bytes that are
there before memory is taken, and a packed stream is unpacked to the size of a recording at most.
Nothing else of a MATLAB file is looked at.
"""

import struct
import zlib
from pathlib import Path

import numpy as np

from ecgpipe.recordings import safe_files
from ecgpipe.recordings.refusals import Refused

_INT16_CLASS = 10
_STORED = {1: "i1", 2: "u1", 3: "i2"}
# Types MOPT of level 4 but int16: of double, single, int32, uint16, uint8; full, text or sparse.
_OTHERS = {10 * kind + form for kind in (0, 1, 2, 4, 5) for form in (0, 1, 2)} | {31, 32}
_NAMED = 1 << 12  # bytes that a matrix takes beside its samples
_WHOLE_CLASSES = {
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    6: "double",
    7: "single",
}


def int16(raw: bytes, path: Path, most: int = safe_files.MOST_BYTES) -> np.ndarray:
    """int16 [time, lead] of the matrix in the bytes of a .mat file, in the file's own byte order.

    Refused 'format' (no MATLAB file, or another matrix), 'truncated' or 'oversized' (a packed one
    has more than `most` bytes of samples); `path` names it.
    """
    if raw[:4] in (b"\x1e\0\0\0", b"\0\0\x04\x06"):
        return _level_4(raw, "<" if raw[0] else ">", path)
    if len(raw) >= 20 and (
        _OTHERS & {int.from_bytes(raw[:4], "little"), int.from_bytes(raw[:4], "big") - 1000}
    ):
        rule = "a matrix of int16 [lead, time] is read, found another type of level 4"
        raise Refused("format", f"{path}: {rule}; convert it")
    if raw[126:128] in (b"IM", b"MI") and raw[:6] == b"MATLAB":
        return _level_5(memoryview(raw), "<" if raw[126:128] == b"IM" else ">", path, most)
    rule = "a .mat file holds one MATLAB matrix (level 4 or 5) of int16 [lead, time]"
    raise safe_files.foreign_bytes(raw[:512], path) or Refused(
        "format", f"{path}: {rule}; convert it"
    )


def _level_4(raw: bytes, order: str, path: Path) -> np.ndarray:
    if len(raw) < 20:
        raise Refused(
            "truncated", f"{path}: 20 bytes tell of a matrix, found {len(raw)}; fetch it anew"
        )
    _, rows, columns, imaginary, name = struct.unpack(f"{order}5i", raw[:20])
    if rows < 1 or columns < 0 or imaginary or not 0 < name < 64:
        raise Refused(
            "format", f"{path}: no matrix of int16 [lead, time]: {rows} x {columns}; convert it"
        )
    _fits(len(raw), 20 + name + 2 * rows * columns, path)
    return np.frombuffer(raw, dtype=f"{order}i2", offset=20 + name).reshape(columns, rows)


def _fits(found: int, told: int, path: Path) -> None:
    """Refused where a file has fewer bytes, or more, than its header tells of."""
    if found != told:
        reason = "truncated" if found < told else "oversized"
        raise Refused(
            reason, f"{path}: the header tells of {told} bytes, found {found}; fetch it anew"
        )


def _level_5(raw: memoryview, order: str, path: Path, most: int) -> np.ndarray:
    kind, body, _ = _element(raw, 128, order, path)
    if kind == 15:
        unpacked = zlib.decompressobj()
        try:
            body = memoryview(unpacked.decompress(body, most + _NAMED))
        except zlib.error as error:
            raise Refused(
                "truncated", f"{path}: its packed matrix is damaged ({error}); fetch it anew"
            ) from error
        if unpacked.unconsumed_tail:
            rule = f"the samples of this recording unpack to {most} bytes at most"
            raise Refused("oversized", f"{path}: {rule}, found more; remove it")
        kind, body, _ = _element(body, 0, order, path)
    if kind != 14:
        raise Refused("format", f"{path}: its first element is no matrix; keep `val` alone in it")
    return _matrix(body, order, path)


def _matrix(body: memoryview, order: str, path: Path) -> np.ndarray:
    """int16 [time, lead] of the body of a matrix element."""
    parts, start = [], 0
    for _ in range(4):  # flags, dimensions, name, samples
        kind, part, start = _element(body, start, order, path)
        parts.append((kind, part))
    (_, flags), (_, dimensions), _, (stored, samples) = parts
    number = struct.unpack(f"{order}I", bytes(flags[:4]).ljust(4, b"\0"))[0]
    shape = np.frombuffer(dimensions[: len(dimensions) // 4 * 4], dtype=f"{order}i4").tolist()
    if (
        number & 0xFF != _INT16_CLASS
        or number & 0x800
        or stored not in _STORED
        or len(shape) != 2
        or min(shape) < 0
    ):
        found = _WHOLE_CLASSES.get(number & 0xFF, f"class {number & 0xFF}")
        raise Refused(
            "format",
            f"{path}: a matrix of int16 [lead, time] is read, found {found} {shape}; convert it",
        )
    values = (
        np.frombuffer(samples, dtype=f"{order}{_STORED[stored]}")
        if stored < 3 or len(samples) % 2 == 0
        else None
    )
    if values is None or len(values) != shape[0] * shape[1]:
        rule = f"its matrix is {shape[0]} x {shape[1]}"
        raise Refused(
            "truncated", f"{path}: {rule}, found {len(samples)} bytes of samples; fetch it anew"
        )
    return values.reshape(shape[1], shape[0])


def _element(raw: memoryview, start: int, order: str, path: Path) -> tuple[int, memoryview, int]:
    """(type, bytes, where the next begins) of the element at `start`; a short one has its bytes in
    its own tag."""
    if start + 8 > len(raw):
        raise Refused("truncated", f"{path}: it ends within its matrix; fetch it anew")
    kind, length = struct.unpack_from(f"{order}2I", raw, start)
    if kind >> 16:  # type and length share the first four bytes
        length, kind = kind >> 16, kind & 0xFFFF
        if length > 4:
            raise Refused("format", f"{path}: a short element of {length} bytes; fetch it anew")
        return kind, raw[start + 4 : start + 4 + length], start + 8
    end = start + 8 + length
    if end > len(raw):
        raise Refused(
            "truncated",
            f"{path}: an element of {length} bytes, {len(raw) - start - 8} are left; fetch anew",
        )
    return kind, raw[start + 8 : end], end if kind == 15 else end + -length % 8
