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

_MATRIX, _PACKED = 14, 15  # types of elements
_COMPLEX = 0x800
_INT16_CLASS = 10
_STORED = {1: "i1", 2: "u1", 3: "i2"}
_NAMED = 1 << 12  # bytes that a matrix takes beside its samples
_CLASSES = {
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
}
# Types MOPT of level 4 but int16: double, single, int32, uint16 or uint8 (P) that is full, text or
# sparse (T); and int16 that is text or sparse.
_OTHERS = {10 * kind + form for kind in (0, 1, 2, 4, 5) for form in (0, 1, 2)} | {31, 32}


def int16(raw: bytes, path: Path, most: int = safe_files.MOST_BYTES) -> np.ndarray:
    """int16 [time, lead] of the matrix in the bytes of a .mat file, in the file's own byte order.

    Refused 'format' (no MATLAB file, or another matrix), 'truncated' or 'oversized' (a packed one
    has more than `most` bytes of samples); `path` names it.
    """
    if raw[:4] in (b"\x1e\0\0\0", b"\0\0\x04\x06"):
        return _level_4(raw, "<" if raw[0] else ">", path)
    if raw[126:128] in (b"IM", b"MI") and raw[:6] == b"MATLAB":
        return _level_5(memoryview(raw), "<" if raw[126:128] == b"IM" else ">", path, most)
    if len(raw) >= 20 and _other_of_level_4(raw[:4]):
        rule = "a matrix of int16 [lead, time] is read, found another type of level 4"
        raise Refused("format", f"{path}: {rule}; convert it")
    rule = "a .mat file holds one MATLAB matrix (level 4 or 5) of int16 [lead, time]"
    refusal = Refused("format", f"{path}: {rule}; convert it")
    raise safe_files.foreign_bytes(raw, path) or refusal


def _other_of_level_4(head: bytes) -> bool:
    """Whether four bytes are a type of level 4, in either byte order, but those that are read."""
    little, big = int.from_bytes(head, "little"), int.from_bytes(head, "big")
    return little in _OTHERS or big - 1000 in _OTHERS


def _level_4(raw: bytes, order: str, path: Path) -> np.ndarray:
    if len(raw) < 20:
        rule = f"20 bytes tell of a matrix, found {len(raw)}"
        raise Refused("truncated", f"{path}: {rule}; fetch it anew")
    _, rows, columns, imaginary, name = struct.unpack(f"{order}5i", raw[:20])
    if rows < 1 or columns < 0 or imaginary or not 0 < name < 64:
        rule = f"no matrix of int16 [lead, time]: {rows} x {columns}"
        raise Refused("format", f"{path}: {rule}; convert it")
    begin = 20 + name
    _check_size(len(raw), begin + 2 * rows * columns, path)
    return np.frombuffer(raw, dtype=f"{order}i2", offset=begin).reshape(columns, rows)


def _check_size(size: int, expected: int, path: Path) -> None:
    """Refused where a file has fewer bytes, or more, than its header tells of."""
    if size != expected:
        reason = "truncated" if size < expected else "oversized"
        rule = f"the header tells of {expected} bytes, found {size}"
        raise Refused(reason, f"{path}: {rule}; fetch it anew")


def _level_5(raw: memoryview, order: str, path: Path, most: int) -> np.ndarray:
    kind, body, _ = _element(raw, 128, order, path)
    if kind == _PACKED:
        kind, body, _ = _element(_unpacked(body, path, most), 0, order, path)
    if kind != _MATRIX:
        raise Refused("format", f"{path}: its first element is no matrix; keep `val` alone in it")
    return _matrix(body, order, path)


def _unpacked(body: memoryview, path: Path, most: int) -> memoryview:
    """The elements of a zlib stream, which are a matrix of `most` bytes of samples at most."""
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(body, most + _NAMED)
    except zlib.error as error:
        rule = f"its packed matrix is damaged ({error})"
        raise Refused("truncated", f"{path}: {rule}; fetch it anew") from error
    if unpacking.unconsumed_tail:
        rule = f"the samples of this recording unpack to {most} bytes at most"
        raise Refused("oversized", f"{path}: {rule}, found more; remove it")
    return memoryview(unpacked)


def _matrix(body: memoryview, order: str, path: Path) -> np.ndarray:
    """int16 [time, lead] of the body of a matrix element."""
    parts, start = [], 0
    for _ in range(4):  # flags, dimensions, name, samples
        kind, part, start = _element(body, start, order, path)
        parts.append((kind, part))
    (_, flags), (_, dimensions), _, (stored, samples) = parts
    number = struct.unpack(f"{order}I", bytes(flags[:4]).ljust(4, b"\0"))[0]
    whole = len(dimensions) // 4 * 4
    shape = np.frombuffer(dimensions[:whole], dtype=f"{order}i4").tolist()
    is_int16 = number & 0xFF == _INT16_CLASS and not number & _COMPLEX and stored in _STORED
    if not is_int16 or len(shape) != 2 or min(shape) < 0:
        found = _CLASSES.get(number & 0xFF, f"class {number & 0xFF}")
        rule = f"a matrix of int16 [lead, time] is read, found {found} {shape}"
        raise Refused("format", f"{path}: {rule}; convert it")
    leads, time = shape
    dtype = np.dtype(f"{order}{_STORED[stored]}")
    if len(samples) != leads * time * dtype.itemsize:
        rule = f"its matrix is {leads} x {time}, found {len(samples)} bytes of samples"
        raise Refused("truncated", f"{path}: {rule}; fetch it anew")
    return np.frombuffer(samples, dtype=dtype).reshape(time, leads)


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
        rule = f"an element of {length} bytes, {len(raw) - start - 8} are left"
        raise Refused("truncated", f"{path}: {rule}; fetch anew")
    padding = 0 if kind == _PACKED else -length % 8
    return kind, raw[start + 8 : end], end + padding
