"""A corpus of good-form and bad recordings, made from one simulated recording, each with the verdict it must get.

`python -m tests.corpus FOLDER` writes it and says of each case what the reader says; the test is test_corpus.py.
Every case lies in a folder of its own. Good forms must read bit-identical to the plain form.
"""

import io
import os
import pickle
import socket
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from ecgpipe import records, simulating, writers
from ecgpipe.leads import LEADS

RATE_HZ = 500


@dataclass(frozen=True)
class Case:
    """One recording `file`: its one `verdict`, ok, flagged or refused, and the one `reason` of that (the flags of a
    flagged recording, all of them, joined by |). `like` is the file that it reads as, bit for bit."""

    name: str
    file: Path
    verdict: str
    reason: str = ""
    like: Path | None = None


class Corpus:
    """Makes cases below `root`; `steps` is the plain recording [time, 12] in microvolts, which fits 12 bits as well."""

    def __init__(self, root: Path) -> None:
        self.root, self.cases = root, []
        made = simulating.simulate_recording(np.random.default_rng(5), seconds=6.0, rate_hz=RATE_HZ, clean=True)
        self.steps = np.rint(made.signal_mv * 1000).clip(-2000, 2000).astype(np.int16)
        self.steps[:, 1] = self.steps[:, 0] + self.steps[:, 2]
        self.samples = len(self.steps)

    def folder(self, name: str) -> Path:
        """A new folder for the case `name`."""
        folder = self.root / f"{len(self.cases):03d}"
        folder.mkdir(parents=True)
        return folder

    def plain(self, folder: Path, name: str = "rec", steps: np.ndarray | None = None, **said: object) -> Path:
        """The plain form: .hea and level 4 .mat; its header."""
        about = {"age": 61, "sex": "F", "labels": ["426783006", "164889003"], **said}
        steps = self.steps if steps is None else steps
        writers.write_challenge(folder, name, steps / 1000, RATE_HZ, **about)
        return folder / f"{name}.hea"

    def add(self, name: str, verdict: str, reason: str, change: Callable[[Path], Path | None], **plain: object) -> None:
        """A case of the plain form changed by `change(header)`, which may give another file to read."""
        header = self.plain(self.folder(name), **plain)
        made = change(header)
        self.cases.append(Case(name, made or header, verdict, reason))

    def good(self, name: str, change: Callable[[Path], Path | None], reason: str = "", **plain: object) -> None:
        """A form that must read as the plain one does."""
        self.add(name, "flagged" if reason else "ok", reason, change, **plain)
        self.cases[-1] = replace(self.cases[-1], like=self.cases[0].file)

    def bad(self, name: str, reason: str, change: Callable[[Path], Path | None], **plain: object) -> None:
        """A recording that must be refused."""
        self.add(name, "refused", reason, change, **plain)

    def flagged(self, name: str, reason: str, change: Callable[[Path], Path | None], **plain: object) -> None:
        """A recording that is usable, with a doubt."""
        self.add(name, "flagged", reason, change, **plain)


def edit(old: str, new: str, count: int = -1) -> Callable[[Path], None]:
    """A change of a header's text."""

    def change(header: Path) -> None:
        text = header.read_text(encoding="utf-8")
        assert old in text, (old, text)
        header.write_bytes(text.replace(old, new, count).encode())

    return change


def text(make: Callable[[str], str | bytes]) -> Callable[[Path], None]:
    """A change of a whole header."""

    def change(header: Path) -> None:
        made = make(header.read_text(encoding="utf-8"))
        header.write_bytes(made if isinstance(made, bytes) else made.encode())

    return change


def lines(make: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """A change of a header's lines; the record line is the first, the twelve of the leads follow."""
    return text(lambda old: "\n".join(make(old.rstrip("\n").split("\n"))) + "\n")


def fields(make: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    """A change of the fields of each of the twelve signal lines."""
    return lines(lambda all_: [all_[0], *(" ".join(make(line.split(" "))) for line in all_[1:13]), *all_[13:]])


def field(number: int, value: str, only: int | None = None) -> Callable[[Path], None]:
    """A change of one field of all signal lines, or of one line."""

    def of_line(all_: list[str]) -> list[str]:
        for index in range(1, 13) if only is None else [only]:
            parts = all_[index].split(" ")
            parts[number] = value
            all_[index] = " ".join(parts)
        return all_

    return lines(of_line)


def signal(make: Callable[[bytes], bytes], suffix: str = ".mat") -> Callable[[Path], None]:
    """A change of the bytes of the signal file."""

    def change(header: Path) -> None:
        file = header.with_suffix(suffix)
        made = make(file.read_bytes())
        file.unlink()
        file.write_bytes(made)

    return change


def then(*changes: Callable[[Path], Path | None]) -> Callable[[Path], Path | None]:
    """Changes one after the other; the last says what is read."""

    def change(header: Path) -> Path | None:
        return [one(header) for one in changes][-1]

    return change


def header_forms(corpus: Corpus) -> None:
    """Variants of the header that WFDB allows, or that files in the wild have."""
    good = corpus.good
    for count in (1, 3):
        good(f"{count} leading comments", text(lambda old, count=count: "# made by hand\n" * count + old))
    good("blank lines", text(lambda old: old.replace("\n", "\n\n")))
    good("comments between the signal lines", lines(lambda all_: [*all_[:5], "# a note", *all_[5:]]))
    good("tabs", lines(lambda all_: [line.replace(" ", "\t") for line in all_[:13]] + all_[13:]))
    good("several blanks", lines(lambda all_: [line.replace(" ", "   ") for line in all_[:13]] + all_[13:]))
    good("blanks at the ends", lines(lambda all_: [f"  {line}  " for line in all_]))
    for name, end in (("CR", "\r"), ("CRLF", "\r\n"), ("CRCRLF", "\r\r\n"), ("LFCR", "\n\r")):
        good(f"lines end in {name}", text(lambda old, end=end: old.replace("\n", end)))
    good("no end of the last line", text(lambda old: old.rstrip("\n")))
    good("BOM", text(lambda old: "\ufeff" + old))
    good("BOM and CRLF", text(lambda old: "\ufeff" + old.replace("\n", "\r\n")))
    good("Latin-1 comment", text(lambda old: (old + "# Klinik Zürich\n").encode("latin-1")))
    good("UTF-8 comment", text(lambda old: old + "# Klinik Zürich, 心电图\n"))
    good("BOM and Latin-1", text(lambda old: b"\xef\xbb\xbf" + (old + "# Zürich\n").encode("latin-1")))
    for form in ("16x1+24", "16:0+24", "16x1:0+24"):
        good(f"format {form}", field(1, form))
    for gain in ("1000.0(0)/mV", "1000(0)/mV", "1e3/mV", "1000.000/mV", "1000/mv", "1000/MV", "+1000/mV", "1000"):
        good(f"gain {gain}", field(2, gain))
    for gain in ("1/uV", "1/UV", "1/µV", "1.0(0)/uV", "1e6/V"):
        good(f"gain {gain}", field(2, gain))
    shifted = lambda parts: [*parts[:2], "1000(7)/mV", parts[3], parts[4], *parts[5:]]  # noqa: E731
    good("baseline in brackets", then(fields(shifted), shift(7)))
    good("baseline from the converter's zero", then(field(4, "7"), shift(7)))
    good("baseline beside another zero", then(fields(lambda p: [*p[:2], "1000(7)/mV", "16", "99", *p[5:]]), shift(7)))
    for rate in ("500/500", "500/360(0)", "500.0", "5e2", "500/1000.5(-3.5)", "500.000"):
        good(f"rate {rate}", edit("rec 12 500 ", f"rec 12 {rate} "))
    first = f"rec 12 500 {corpus.samples}"
    good("no sample count", edit(first, "rec 12 500"))
    good("sample count 0", edit(first, "rec 12 500 0"))
    good("time and date", edit(first, f"{first} 12:33:59 12/05/2020"))
    good("date first", edit(first, f"{first} 12-May-2020 12:33:59"))
    good("another record's name", edit("rec 12", "A0009 12"))
    good("no checksums", fields(lambda p: [*p[:5], p[5], str(int(p[6]) % 65536), *p[7:]]))
    good("unsigned checksums", fields(lambda p: [*p[:6], str(int(p[6]) % 65536), *p[7:]]))
    good("block size", field(7, "512"))
    good("resolution 12", field(3, "12"))
    for line in ("#Age: 61", "# Age: 61", "#age:61", "#<age>: 61", "# Age : 61 ", "#Age:\t61"):
        good(f"comment {line!r}", edit("#Age: 61", line))
    for word in ("F", "female", "FEMALE", "f", " Female "):
        good(f"sex {word!r}", edit("#Sex: Female", f"#Sex: {word}"))
    for unknown in ("NaN", "-1", "", "Unknown", "nan", "N/A", "300"):
        good(f"age {unknown!r}", edit("#Age: 61", f"#Age: {unknown}"))
        good(f"sex {unknown!r}", edit("#Sex: Female", "#Sex: " + ("" if unknown == "300" else unknown)))
    for labels in ("426783006,164889003,", "426783006,,164889003", "426783006, 164889003", "426783006,426783006"):
        good(f"labels {labels!r}", edit("#Dx: 426783006,164889003", f"#Dx: {labels}"))
    good("the same labels twice", text(lambda old: old + "#Dx: 164889003,426783006\n"))
    good("no labels", edit("#Dx: 426783006,164889003", "#Dx: "))


def of_lead(name: str, gain: str) -> Callable[[Path], None]:
    """Another gain of one lead."""
    return lines(lambda all_: [one.replace("1000/mV", gain) if one.endswith(f" {name}") else one for one in all_])


def noise_in_headers(corpus: Corpus) -> None:
    """What editors leave in headers, what a lead that nobody wants may say, and numbers that only Python takes."""
    for end in ("\0", "\x1a", "\x1a\r\n"):
        corpus.good(f"{end!r} at the end", text(lambda old, end=end: old + end))
    corpus.good("a mark within", edit("#Age", "\ufeff#Age"))
    for gain in ("n/a", "NaN/bpm", "0/mV", "much"):
        corpus.good(f"a lead more with gain {gain}", then(more(1), of_lead("X0", gain)))
    null = lambda all_: [all_[0].replace(" 12 ", " 13 "), *all_[1:13], "~ 0 200/mV 8 0 0 0 0 RESP", *all_[13:]]  # noqa: E731
    corpus.good("a null signal more", lines(null))
    for number in ("1_000/mV", "\uff11\uff10\uff10\uff10/mV", "1000(0_0)/mV"):
        corpus.bad(f"gain {number}", "gain", field(2, number))
    for number in (3, 5):
        corpus.bad(f"1_6 in field {number + 1}", "header", field(number + 1, "1_6", only=2))
    corpus.bad("rate 5_00", "rate", edit("rec 12 500 ", "rec 12 5_00 "))
    corpus.bad("rate of wide digits", "rate", edit("rec 12 500 ", "rec 12 \uff15\uff10\uff10 "))
    corpus.bad("a line of 5000 characters", "header", edit(" V6\n", " V6" + "x" * 5000 + "\n"))
    coarse = of_lead("aVL", "1(1)/mV")
    off = corpus.steps.copy()
    off[:, 4] = 1
    corpus.flagged("an electrode off, as wfdb-python writes it", "flat-lead", coarse, steps=off)
    corpus.bad("a coarse step", "gain", coarse)


def shift(steps: int) -> Callable[[Path], None]:
    """Adds to every sample; header's first values and checksums are made to fit."""

    def change(header: Path) -> None:
        raw = header.with_suffix(".mat").read_bytes()
        moved = (np.frombuffer(raw, "<i2", offset=24) + steps).astype("<i2")
        header.with_suffix(".mat").write_bytes(raw[:24] + moved.tobytes())
        resum(header, moved.reshape(-1, 12))

    return change


def resum(header: Path, values: np.ndarray) -> None:
    """First values and checksums of the steps [time, 12] in a header."""
    all_ = header.read_text().split("\n")
    for index in range(12):
        parts = all_[index + 1].split(" ")
        total = (int(values[:, index].sum(dtype=np.int64)) + 0x8000) % 0x10000 - 0x8000
        parts[5:7] = [str(int(values[0, index])), str(total)]
        all_[index + 1] = " ".join(parts)
    header.write_text("\n".join(all_))


def lead_forms(corpus: Corpus) -> None:
    """Names, order and number of the leads."""
    for name, spelt in (("lower", str.lower), ("upper", str.upper), ("swapped", str.swapcase)):
        corpus.good(f"leads in {name} case", fields(lambda p, spelt=spelt: [*p[:8], spelt(p[8])]))
    for seed in range(3):
        corpus.good(f"leads in order {seed}", reorder(np.random.default_rng(seed).permutation(12)))
    for extra in (1, 3):
        corpus.good(f"{extra} leads more", more(extra))
    for name in ("V7", "Lead V6", "", "V 6", "v6x"):
        corpus.bad(f"lead named {name!r}", "leads", edit(" V6\n", f" {name}\n"))
    corpus.bad("a lead twice", "leads", edit(" V6\n", " V5\n"))
    corpus.bad("a lead twice in another case", "leads", edit(" V6\n", " v5\n"))
    for count in (1, 2, 3, 8, 11):
        cut = lambda all_, count=count: [all_[0].replace(" 12 ", f" {count} "), *all_[1 : count + 1], *all_[13:]]  # noqa: E731
        corpus.bad(f"{count} leads", "leads", lines(cut))
    corpus.bad("fewer lines than announced", "header", lines(lambda all_: all_[:11] + all_[13:]))
    corpus.bad("more lines than announced", "header", lines(lambda all_: [*all_[:13], all_[12], *all_[13:]]))
    corpus.bad("no leads", "leads", lambda header: header.write_text("rec 0 500 3000\n") and None)


def reorder(order: np.ndarray) -> Callable[[Path], None]:
    """The leads in another order, in header and file."""

    def change(header: Path) -> None:
        file = header.with_suffix(".mat")
        raw = file.read_bytes()
        values = np.frombuffer(raw, "<i2", offset=24).reshape(-1, 12)[:, order]
        file.write_bytes(raw[:24] + values.tobytes())
        lines(lambda all_: [all_[0], *(all_[1 + index] for index in order), *all_[13:]])(header)

    return change


def more(extra: int) -> Callable[[Path], None]:
    """Leads beside the twelve, before and after them."""

    def change(header: Path) -> None:
        file = header.with_suffix(".mat")
        values = np.frombuffer(file.read_bytes(), "<i2", offset=24).reshape(-1, 12)
        added = np.repeat(values[:, :1], extra, axis=1)
        head = struct.pack("<5i4s", 30, 12 + extra, len(values), 0, 4, b"val\0")
        file.write_bytes(head + np.concatenate([added[:, :1], values, added[:, 1:]], axis=1).tobytes())

        def of(all_: list[str]) -> list[str]:
            other = [all_[1].rpartition(" ")[0] + f" X{number}" for number in range(extra)]
            return [all_[0].replace(" 12 ", f" {12 + extra} "), other[0], *all_[1:13], *other[1:], *all_[13:]]

        lines(of)(header)

    return change


def mat_forms(corpus: Corpus) -> None:
    """MATLAB files of either level and endianness, and what only looks like them."""
    values = corpus.steps

    def level_4(order: str, kind: int, header: Path) -> None:
        head = struct.pack(f"{order}5i4s", kind, 12, len(values), 0, 4, b"val\0")
        header.with_suffix(".mat").write_bytes(head + values.astype(f"{order}i2").tobytes())

    def level_5(header: Path, made: dict | None = None, **how: object) -> None:
        scipy.io.savemat(header.with_suffix(".mat"), {"val": values.T} if made is None else made, **how)

    corpus.good("mat level 4 big endian", lambda header: level_4(">", 1030, header))
    corpus.good("mat level 4 big endian, format 61", then(field(1, "61+24"), lambda h: level_4(">", 1030, h)))
    corpus.good("mat level 4 by scipy", lambda header: level_5(header, format="4"))
    corpus.good("mat level 5 plain", level_5)
    corpus.good("mat level 5 packed", lambda header: level_5(header, do_compression=True))
    corpus.good("mat level 5 packed, no sample count", then(
        edit(f" 500 {corpus.samples}\n", " 500\n"), lambda header: level_5(header, do_compression=True)))  # fmt: skip
    corpus.good("mat level 5, format 16", then(field(1, "16"), level_5))
    corpus.good("mat level 5 big endian", signal(lambda _: big_5(values)))
    corpus.good("mat level 5 big endian packed", signal(lambda _: big_5(values, packed=True)))
    for name, kind in (("double", np.float64), ("single", np.float32), ("int32", np.int32), ("uint16", np.uint16)):
        wrong = lambda header, kind=kind: level_5(header, {"val": values.T.astype(kind)})  # noqa: E731
        corpus.bad(f"mat level 5 of {name}", "format", wrong)
        four = lambda header, kind=kind: level_5(header, {"val": values.T.astype(kind)}, format="4")  # noqa: E731
        corpus.bad(f"mat level 4 of {name}", "format", four)
    for name, made in (
        ("transposed", {"val": values}), ("of text", {"val": "abc"}), ("of cells", {"val": np.array([1, "a"], object)}),
        ("of a struct", {"val": {"a": 1}}), ("complex", {"val": values.T * 1j}), ("empty", {"val": np.zeros((0, 0))}),
        ("three axes", {"val": values.T[None]}), ("of fewer leads", {"val": values.T[:8]}),
        ("of fewer samples", {"val": values.T[:, :-7]}), ("of nothing", {}),
    ):  # fmt: skip
        reason = "truncated" if name in ("of fewer samples", "of nothing") else "format"
        corpus.bad(f"mat level 5 {name}", reason, lambda header, made=made: level_5(header, made))
    level_4_of = lambda v: lambda header: level_5(header, {"val": v.T}, format="4")  # noqa: E731
    corpus.bad("mat level 4 of fewer leads", "format", level_4_of(values[:, :8]))
    corpus.bad("mat level 4 of fewer samples", "truncated", level_4_of(values[:-7]))
    corpus.bad("mat level 4 of more samples", "oversized", level_4_of(np.concatenate([values, values])))
    for count in (f" 500 {corpus.samples}\n", " 500\n"):
        corpus.good(f"mat level 4, format 16 without the offset,{count.strip()}", then(
            field(1, "16"), edit(f" 500 {corpus.samples}\n", count)))  # fmt: skip
    packed = lambda header: level_5(header, do_compression=True)  # noqa: E731
    for cut in (60, 130, 140, 1000):
        reason = "truncated" if cut > 128 else "format"
        corpus.bad(f"mat level 5 cut to {cut}", reason, then(packed, signal(lambda raw, c=cut: raw[:c])))
    corpus.bad("mat level 5 damaged", "truncated", then(packed, signal(lambda r: r[:400] + b"\1\2\3\4" * 9 + r[436:])))
    corpus.bad("mat bomb", "oversized", signal(lambda _: bomb()))
    corpus.bad("mat level 5 that declares 10^12", "truncated", signal(lambda _: declares_5()))
    corpus.bad("mat level 4 that declares 2^31", "truncated", then(
        edit(f" 500 {corpus.samples}\n", " 500\n"), signal(lambda r: r[:8] + struct.pack("<i", 2**31 - 1) + r[12:])
    ))  # fmt: skip
    corpus.bad("mat level 4 with negative sizes", "format", signal(lambda r: r[:4] + struct.pack("<i", -12) + r[8:]))
    corpus.bad("mat of another type, same bytes", "format", signal(lambda raw: struct.pack("<i", 20) + raw[4:]))


def big_5(values: np.ndarray, packed: bool = False) -> bytes:
    """A level 5 file in big endian, as MATLAB wrote it on such machines."""
    data = values.astype(">i2").tobytes()
    body = struct.pack(">4I", 6, 8, 10, 0) + struct.pack(">2I2i", 5, 8, 12, len(values))
    body += struct.pack(">2H4s", 3, 1, b"val\0") + struct.pack(">2I", 3, len(data)) + data + b"\0" * (-len(data) % 8)
    element = struct.pack(">2I", 14, len(body)) + body
    if packed:
        element = zlib.compress(element)
        element = struct.pack(">2I", 15, len(element)) + element
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(">H2s", 0x0100, b"MI") + element


def bomb() -> bytes:
    """A level 5 file of half a megabyte that unpacks to half a gigabyte."""
    packer = zlib.compressobj(9)
    size = 1 << 29
    parts = [packer.compress(struct.pack("<2I", 14, size))]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    packed = b"".join(parts) + packer.flush()
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    return head + struct.pack("<2I", 15, len(packed)) + packed


def declares_5() -> bytes:
    """A level 5 file whose matrix says it has 10^12 samples."""
    body = struct.pack("<4I", 6, 8, 10, 0) + struct.pack("<2I2i", 5, 8, 1_000_000, 1_000_000)
    body += struct.pack("<2H4s", 1, 3, b"val\0") + struct.pack("<2I", 3, 0xFFFFFFF0)
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    return head + struct.pack("<2I", 14, len(body)) + body


def dat_forms(corpus: Corpus) -> None:
    """Signal files .dat in several formats, and what does not fit them."""

    def as_dat(fmt: str, change: Callable[[Path], None] | None = None) -> Callable[[Path], Path | None]:
        def make(header: Path) -> Path | None:
            header.with_suffix(".mat").unlink()
            header.with_suffix(".dat").write_bytes(encoded(corpus.steps, fmt))
            edit("rec.mat 16+24", f"rec.dat {fmt}")(header)
            return change(header) if change else None

        return make

    for fmt in ("16", "24", "32", "61", "160", "212"):
        corpus.good(f"dat of format {fmt}", as_dat(fmt))
        corpus.bad(f"dat of format {fmt} cut", "truncated", as_dat(fmt, signal(lambda raw: raw[:-9], ".dat")))
        corpus.bad(f"dat of format {fmt} lengthened", "oversized", as_dat(fmt, signal(lambda r: r + b"\0" * 9, ".dat")))
        spoil = lambda raw: raw[:3000] + bytes([raw[3000] ^ 1]) + raw[3001:]  # noqa: E731
        corpus.bad(f"dat of format {fmt} with a bit flipped", "checksum", as_dat(fmt, signal(spoil, ".dat")))
    for fmt in ("16", "212"):
        tabs = lines(lambda all_: [line.replace(" ", "\t") for line in all_])
        corpus.good(f"dat of format {fmt}, tabs, BOM, CRLF", as_dat(fmt, then(
            tabs, text(lambda old: "\ufeff" + old.replace("\n", "\r\n")))))  # fmt: skip
    corpus.good("named by its .dat", as_dat("16", lambda header: header.with_suffix(".dat")))
    corpus.good("named by its .mat", lambda header: header.with_suffix(".mat"))
    for fmt in ("8", "212", "32", "24", "0", "1", "17", "508", "999"):
        corpus.bad(f"plain .mat called format {fmt}", "format", field(1, f"{fmt}+24"))
    for fmt in ("sixteen", "-16", "16+-24", "16x0+24", "1e1", "16++24"):
        corpus.bad(f"format {fmt}", "format", field(1, fmt))
    corpus.bad("formats differ within a file", "format", field(1, "16+26", only=3))
    corpus.bad("a byte offset beyond the file", "truncated", field(1, "16+999999999999"))


def encoded(steps: np.ndarray, fmt: str) -> bytes:
    """Steps [time, lead] as a format of WFDB has them."""
    values = steps.astype(np.int64).reshape(-1)
    if fmt == "212":
        low, high = values.reshape(-1, 2).T
        three = [low & 0xFF, (low >> 8 & 0x0F) | (high >> 4 & 0xF0), high & 0xFF]
        return np.stack(three, axis=1).astype(np.uint8).tobytes()
    if fmt == "24":
        return values.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    if fmt == "160":
        return (values + 32768).astype("<u2").tobytes()
    return values.astype({"16": "<i2", "61": ">i2", "32": "<i4"}[fmt]).tobytes()


def blocks_of_10(steps: np.ndarray, fmt: str) -> bytes:
    """Steps of 10 bits as formats 310 and 311 have them, three in four bytes (their number is a multiple of three)."""
    one, two, three = (steps.astype(np.int64).reshape(-1, 3) & 0x3FF).T
    if fmt == "310":
        low, high = one << 1 | (three & 0x1F) << 11, two << 1 | (three >> 5) << 11
        return np.stack([low, high], axis=1).astype("<u2").tobytes()
    return (one | two << 10 | three << 20).astype("<u4").tobytes()


def decoded(corpus: Corpus) -> None:
    """Files that wfdb decodes, in a process of its own: each as long as the header tells, and no header is its own."""
    small = corpus.steps // 8  # fits 10 bits, and its differences 8
    small = small[np.cumsum(np.abs(np.diff(small, axis=0, prepend=small[:1])).max(axis=1) > 127) == 0][:2400]
    small[:, 1] = small[:, 0] + small[:, 2]
    assert len(small) == 2400
    plain = corpus.plain(corpus.folder("small"), steps=small)
    corpus.cases.append(Case("plain of few bits", plain, "ok"))

    def stored(raw: bytes, fmt: str, change: Callable[[Path], object] = lambda _: None) -> Callable[[Path], None]:
        def make(header: Path) -> None:
            header.with_suffix(".mat").unlink()
            (header.parent / f"{header.stem}.dat").write_bytes(raw)
            edit(f"{header.stem}.mat 16+24", f"{header.stem}.dat {fmt}")(header)
            change(header)

        return make

    differences = np.diff(small, axis=0, prepend=small[:1]).astype(np.int8).tobytes()
    raws = {"8": differences, "310": blocks_of_10(small, "310"), "311": blocks_of_10(small, "311")}
    raws["16:0"] = encoded(small, "16")
    bare = edit(" 500 2400\n", " 500\n")
    for fmt, raw in raws.items():
        for name, change in (
            ("", lambda _: None),
            (", no count", bare),
            (", CR", text(lambda o: o.replace("\n", "\r"))),
        ):
            corpus.add(f"format {fmt}{name}", "ok", "", stored(raw, fmt, change), steps=small)
            corpus.cases[-1] = replace(corpus.cases[-1], like=plain)
        corpus.bad(f"format {fmt} less its end", "truncated", stored(raw[:-48], fmt), steps=small)
        corpus.bad(f"format {fmt} lengthened", "oversized", stored(raw + bytes(480), fmt), steps=small)
        spoilt = raw[:300] + bytes([raw[300] ^ 2]) + raw[301:]
        corpus.bad(f"format {fmt} with a bit flipped", "checksum", stored(spoilt, fmt), steps=small)
        corpus.bad(f"a page called format {fmt}", "web-page", stored(b"<html>".ljust(len(raw), b"x"), fmt), steps=small)
    twice = np.repeat(corpus.steps[:, :, None], 2, axis=2)
    doubled = fields(lambda p: [*p[:6], str(int(p[6]) * 2 % 65536), *p[7:]])
    corpus.good("two samples a frame", stored(encoded(twice, "16"), "16x2", doubled))
    corpus.bad("two samples a frame, a frame too many", "oversized", stored(encoded(twice, "16") + bytes(48), "16x2"))
    corpus.bad("two samples a frame, one wrong", "checksum", stored(encoded(twice, "16"), "16x2"))
    late = np.concatenate([corpus.steps, corpus.steps[-5:]])
    late[5:, 3], late[:5, 3] = corpus.steps[:, 3], 77
    skewed = then(field(1, "16"), field(1, "16:5", only=4))
    corpus.good("a lead five samples late", stored(encoded(late, "16"), "16", skewed))
    corpus.flagged(
        "a lead five samples late, without the last", "non-finite", stored(encoded(late[:-5], "16"), "16", skewed)
    )
    corpus.bad("a lead five samples late, six more", "oversized", stored(encoded(late, "16") + bytes(24), "16", skewed))
    corpus.bad("format 16x2 of a .mat", "format", field(1, "16x2+24"))
    corpus.bad("FLAC that is none", "format", stored(encoded(corpus.steps, "16"), "516"))
    for name in ("a b", "é", "a[1]", "$x", "a::b", "-f", "http:", "a%20b", "心"):
        file = corpus.plain(corpus.folder(name), name, steps=small)
        stored(raws["310"], "310")(file)
        corpus.cases.append(Case(f"format 310 named {name!r}", file, "ok", "", plain))
    for sign in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029":
        hidden = sign.join(f"../outside/rec.mat 16+24 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS)
        told = text(lambda old, s=sign, h=hidden: f"#x{s}rec 12 500 2400{s}{h}\n{old}")
        corpus.add(f"lines hidden in a comment by {sign!r}", "ok", "", stored(raws["310"], "310", told), steps=small)
        corpus.cases[-1] = replace(corpus.cases[-1], like=plain)
        inside = text(lambda old, s=sign: old.replace(" 500 ", f" 500{s} ", 1))
        corpus.bad(f"a line with {sign!r}", "header", stored(raws["310"], "310", inside), steps=small)


def several_files(corpus: Corpus) -> None:
    """Leads in several signal files, and files that are large while the header states no number of samples."""
    steps, bare = corpus.steps, edit(f" 500 {corpus.samples}\n", " 500\n")

    def split(count: int, make: Callable[[np.ndarray, Path], object] | None = None, fmt: str = "16", suffix: str = "dat"
              ) -> Callable[[Path], None]:  # fmt: skip
        def change(header: Path) -> None:
            header.with_suffix(".mat").unlink()
            each = 12 // count
            for number in range(count):
                own = steps[:, number * each : (number + 1) * each]
                file = header.parent / f"part {number}.{suffix}".replace(" ", "_")
                file.write_bytes(encoded(own, "16")) if make is None else make(own, file)
            named = lambda all_: [all_[0], *(f"part_{i // each}.{suffix} {fmt} {line.split(' ', 2)[2]}"  # noqa: E731
                                             for i, line in enumerate(all_[1:13])), *all_[13:]]  # fmt: skip
            lines(named)(header)

        return change

    def mat(own: np.ndarray, file: Path) -> None:
        scipy.io.savemat(file, {"val": own.T}, do_compression=True)

    packed = io.BytesIO()
    scipy.io.savemat(packed, {"val": np.zeros((1, (1 << 25) - 200), np.int16)}, do_compression=True)

    def long_mat(_: np.ndarray, file: Path) -> None:
        file.write_bytes(packed.getvalue())

    def hole(size: int) -> Callable[[np.ndarray, Path], None]:
        return lambda _, file: (file.touch(), os.truncate(file, size))[1]

    for count in (2, 12):
        corpus.good(f"{count} signal files", split(count))
        corpus.good(f"{count} signal files, no count", then(split(count), bare))
        corpus.good(f"{count} packed signal files", split(count, mat, "16+24", "mat"))
    lone = lambda own, file: file.write_bytes(encoded(own[: -100 * ("part_1" in file.name) or None], "16"))  # noqa: E731
    corpus.bad("signal files that differ in length", "truncated", then(split(2, lone), bare))
    corpus.bad("one signal file is missing", "missing", then(split(2), lambda h: (h.parent / "part_1.dat").unlink()))
    corpus.bad("12 packed files of 64 MB", "oversized", then(split(12, long_mat, "16+24", "mat"), bare))
    corpus.bad("12 packed files of 64 MB for 6 s", "oversized", split(12, long_mat, "16+24", "mat"))
    corpus.bad("12 sparse files of 64 MB", "oversized", then(split(12, hole(1 << 26)), bare))
    corpus.bad("12 sparse files of 4 MB", "checksum", then(split(12, hole(1 << 22)), bare))
    corpus.bad("2 sparse files of 48 MB in format 24", "oversized", then(split(2, hole(3 << 24), "24"), bare))
    for fmt, size in (("16", 1 << 26), ("24", (1 << 26) // 36 * 36), ("212", (1 << 26) // 18 * 18), ("80", 1 << 24),
                      ("310", 1 << 25), ("8", 1 << 26), ("16x16", (1 << 26) // 384 * 384)):  # fmt: skip
        reason = {"16": "oversized", "212": "oversized", "8": "oversized"}.get(fmt, "checksum")
        size -= size % 48 if fmt not in ("24", "212") else 0
        corpus.bad(f"a sparse file of format {fmt}", reason, then(split(1, hole(size), fmt), bare))


def names(corpus: Corpus) -> None:
    """File and folder names."""
    for name in (
        "a b",
        "心电图",
        "é",
        "a[1]",
        "a(2)",
        "$HOME",
        "-rf",
        "a'b",
        "a,b",
        "100%",
        "rec 12 500 7",
        "a.b",
        "~",
        "*",
        " lead",
        "trail ",
        "a  b",
    ):
        folder = corpus.folder(name)
        file = corpus.plain(folder, name)
        corpus.cases.append(Case(f"file named {name!r}", file, "ok", "", corpus.cases[0].file))
    for name in ("A0001 1", "A0001 12", "A0001 (1)", "A0001 12 500"):  # copies, whose lines name the original's files
        file = corpus.plain(corpus.folder(name), "A0001")
        corpus.cases.append(Case(f"a copy named {name!r}", file.rename(file.with_name(f"{name}.hea")), "ok", "",
                                 corpus.cases[0].file))  # fmt: skip
    for name in ("mat", "x.mat", "x.hea", "-x", "a b", "[x]", "$x", "ü"):
        file = corpus.plain(corpus.folder(name) / name)
        corpus.cases.append(Case(f"in a folder named {name!r}", file, "ok", "", corpus.cases[0].file))
    for name in ("a\nb", "a\tb", "a\x7fb"):
        file = corpus.plain(corpus.folder(name), "rec").rename(corpus.root / f"{len(corpus.cases):03d}" / f"{name}.hea")
        corpus.cases.append(Case(f"file named {name!r}", file, "refused", "name"))


def h5_forms(corpus: Corpus) -> None:
    """HDF5 files."""
    signal_mv = corpus.steps.astype(np.float32).T * np.float32(1 / 1000)  # as the plain form's steps become mV
    halves = corpus.root / "halves" / "rec.h5"  # float16 holds three digits: what they read as
    halves.parent.mkdir()
    with h5py.File(halves, "w") as opened:
        opened["ecg"] = signal_mv.astype(np.float16).astype(np.float32)
        opened.attrs["rate_hz"] = 500

    def add(name: str, verdict: str, reason: str, make: Callable[[h5py.File], None], rate_hz: object = 500.0) -> None:
        folder = corpus.folder(name)
        with h5py.File(folder / "rec.h5", "w") as opened:
            make(opened)
            if rate_hz is not None:
                opened.attrs["rate_hz"] = rate_hz
        like = None if verdict != "ok" else halves if "float16" in name else corpus.cases[0].file
        corpus.cases.append(Case(f"h5 {name}", folder / "rec.h5", verdict, reason, like))

    def put(**how: object) -> Callable[[h5py.File], None]:
        return lambda opened: opened.create_dataset("ecg", **{"data": signal_mv, **how}) and None

    ways = (
        ("plain", {}), ("gzip", {"compression": "gzip"}), ("lzf", {"compression": "lzf"}),
        ("chunks", {"chunks": (3, 99)}),
        ("shuffle", {"compression": "gzip", "shuffle": True}), ("fletcher32", {"fletcher32": True}),
        ("growing", {"maxshape": (12, None)}), ("of float64", {"dtype": "f8"}), ("of big endian", {"dtype": ">f4"}),
        ("of float16", {"dtype": "f2"}),
    )  # fmt: skip
    for name, how in ways:
        add(name, "ok", "", put(**how))
    for rate in (500, np.array([500.0]), np.array([[500]])):
        add(f"rate {rate!r}", "ok", "", put(), rate_hz=rate)
    add("something beside", "ok", "", lambda f: (put()(f), f.create_group("notes"))[1] and None)
    for rate in (0.0, -500.0, np.inf, np.nan, 1e9, "fast", "500 Hz", 500 + 0j, [1.0, 2.0], None):
        add(f"rate {rate}", "refused", "rate", put(), rate_hz=rate)
    for name, data in (("8 leads", signal_mv[:8]), ("time first", signal_mv.T), ("one axis", signal_mv[0]),
                       ("three axes", signal_mv[None]), ("a scalar", np.float32(1))):  # fmt: skip
        add(name, "refused", "leads", put(data=data))
    for kind in ("i2", "i4", "S4", "c8", "?"):
        add(f"of type {kind}", "refused", "format", put(data=np.zeros((12, 3000), kind)))
    add("without a dataset", "refused", "format", lambda _: None)
    add("a group", "refused", "format", lambda f: f.create_group("ecg") and None)
    add("an external link", "refused", "format", lambda f: f.__setitem__("ecg", h5py.ExternalLink("/etc/passwd", "x")))
    add("a soft link", "refused", "format", lambda f: f.__setitem__("ecg", h5py.SoftLink("/ecg")))
    add("external storage", "refused", "format", put(data=None, shape=(12, 9), dtype="f4", external="/etc/passwd"))

    def virtual(opened: h5py.File) -> None:
        layout = h5py.VirtualLayout((12, 9), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "ecg", (12, 9))
        opened.create_virtual_dataset("ecg", layout)

    add("a virtual dataset", "refused", "format", virtual)
    huge = {"data": None, "dtype": "f4", "compression": "gzip"}
    add("of 10^12 samples", "refused", "oversized", put(shape=(12, 10**12 // 12), chunks=(12, 1000), **huge))
    add("of 200 million samples", "refused", "oversized", put(shape=(12, 200_000_000), chunks=(12, 1000), **huge))
    add("no samples", "refused", "short", put(data=np.zeros((12, 0), "f4")))
    add("with a nan", "flagged", "non-finite", put(data=holed(signal_mv, np.nan)))
    add("with an infinity", "flagged", "non-finite", put(data=holed(signal_mv, np.inf)))
    add("all nan", "refused", "non-finite", put(data=np.full((12, 3000), np.nan)))
    add("all zero", "refused", "flat", put(data=np.zeros((12, 3000), "f4")))
    add("of huge values", "refused", "non-finite", put(data=signal_mv.astype("f8") * 1e300))
    for name, spoil in (("cut", lambda r: r[: len(r) // 2]), ("no hdf5", lambda _: b"no HDF5 at all" * 9),
                        ("zeroed", lambda r: r[:200] + bytes(len(r) - 200)), ("empty", lambda _: b"")):  # fmt: skip
        add(name, "refused", "empty" if name == "empty" else "unreadable", put(compression="gzip"))
        file = corpus.cases[-1].file
        file.write_bytes(spoil(file.read_bytes()))


def holed(signal_mv: np.ndarray, value: float) -> np.ndarray:
    """[lead, time] with a few samples of one value."""
    data = signal_mv.copy()
    data[7, 100:110] = value
    return data


def faults(corpus: Corpus) -> None:
    """Headers and signals that say what cannot be."""
    bad, flagged = corpus.bad, corpus.flagged
    for gain in ("0/mV", "-1000/mV", "inf/mV", "nan/mV", "much/mV", "1e-300/mV", "1e300/mV", "1000(x)/mV", "1000(0/mV",
                 "1000(99999999999999)/mV", "/mV", "()/mV"):  # fmt: skip
        bad(f"gain {gain}", "gain", field(2, gain))
    bad("no gain and no names", "leads", fields(lambda p: p[:2]))
    bad("the gain of one lead 0", "gain", field(2, "0/mV", only=5))
    for unit in ("mmHg", "nV", "bpm", "m", "mV2"):
        bad(f"units {unit}", "units", field(2, f"1000/{unit}"))
    for rate in ("0", "-500", "inf", "nan", "fast", "1e9", "1e-9", "1e999", "/500"):
        bad(f"rate {rate}", "rate", edit("rec 12 500 ", f"rec 12 {rate} "))
    for count in ("-1", "3000.5", "many", "1e3", "0x10"):
        bad(f"sample count {count}", "header", edit(f" 500 {corpus.samples}", f" 500 {count}"))
    bad("10^12 samples", "oversized", edit(f" 500 {corpus.samples}", " 500 1000000000000"))
    bad("10^12 samples of format 212", "oversized", then(
        field(1, "212"), edit(f" 500 {corpus.samples}", " 500 1000000000000")))  # fmt: skip
    bad("10^12 signals", "header", edit("rec 12 ", "rec 1000000000000 "))
    bad("a digit more of samples", "truncated", edit(f" 500 {corpus.samples}", f" 500 {corpus.samples}1"))
    bad("one sample more told", "truncated", edit(f" 500 {corpus.samples}", f" 500 {corpus.samples + 1}"))
    bad("one sample fewer told", "oversized", edit(f" 500 {corpus.samples}", f" 500 {corpus.samples - 1}"))
    bad("a first value that does not fit", "checksum", field(5, "31000", only=2))
    bad("a checksum that does not fit", "checksum", field(6, "1", only=2))
    bad("another record's signal under its name", "checksum", other_signal(corpus))
    bad("another record's signal by name", "signal", then(
        lambda h: corpus.plain(h.parent, "A2", steps=corpus.steps[::-1]) and None,
        lambda h: h.write_text((h.parent / "A2.hea").read_text().replace("A2 12", "rec 12")) and None))  # fmt: skip
    bad("segments", "segments", edit("rec 12", "rec/3 12"))
    bad(
        "a multi-segment layout",
        "segments",
        lambda h: h.write_text("rec/2 12 500 3000\nrec_1 1500\nrec_2 1500\n") and None,
    )
    for end in (0, 10, 24, 26, 1000, -1, -2):
        bad(f"signal cut to {end}", "truncated" if end else "empty", signal(lambda raw, end=end: raw[:end]))
    bad("signal lengthened by a byte", "oversized", signal(lambda raw: raw + b"\0"))
    bad("signal twice", "oversized", signal(lambda raw: raw + raw[24:]))
    bad("signal missing", "missing", lambda header: header.with_suffix(".mat").unlink())
    bad("signal file in another case", "missing", edit("rec.mat", "REC.mat"))
    bad("half a second", "short", lambda _: None, steps=corpus.steps[:250])
    bad("all flat", "flat", lambda _: None, steps=corpus.steps * 0)
    bad("all missing", "non-finite", lambda _: None, steps=corpus.steps * 0 + writers.MISSING / 1.0)

    def made(change: Callable[[np.ndarray], None]) -> np.ndarray:
        steps = corpus.steps.astype(float)
        change(steps)
        return steps

    part = slice(500, 700)
    flagged("a flat lead", "flat-lead", lambda _: None, steps=made(lambda s: s.__setitem__((slice(None), 7), 3)))
    flagged("a flat limb lead", "flat-lead", lambda _: None, steps=made(lambda s: s.__setitem__((slice(None), 1), 0)))
    flagged("saturated", "saturated", lambda _: None, steps=made(lambda s: s.__setitem__((part, 8), 9000)))
    flagged("a saturated limb lead", "saturated", lambda _: None, steps=made(lambda s: s.__setitem__((part, 0), 9000)))
    flagged("out of range", "out-of-range", lambda _: None, steps=made(lambda s: s.__setitem__((50, 9), 15000)))
    flagged("missing samples", "non-finite", lambda _: None, steps=made(lambda s: s.__setitem__((part, 9), -32768)))
    flagged("limb leads exchanged", "limb-leads", edit_leads({"I": "II", "II": "I"}))
    flagged(
        "lead III turned", "limb-leads", lambda _: None, steps=made(lambda s: s.__setitem__((slice(None), 2), -s[:, 2]))
    )
    flagged("lead I from another heart", "limb-leads", lambda _: None, steps=made(
        lambda s: s.__setitem__((slice(None), 0), s[::-1, 0])))  # fmt: skip
    for age in ("150", "-5", "abc", "1e5", "301", "61 years", "inf"):
        flagged(f"age {age}", "odd-age", edit("#Age: 61", f"#Age: {age}"))
    for sex in ("X", "1", "0", "Mann", "F/M"):
        flagged(f"sex {sex}", "odd-sex", edit("#Sex: Female", f"#Sex: {sex}"))
    flagged("two ages", "odd-age", text(lambda old: old + "#Age: 17\n"))
    flagged("two sexes", "odd-sex", text(lambda old: old + "#Sex: Male\n"))
    flagged("two lines of labels", "odd-labels", text(lambda old: old + "#Dx: 270492004\n"))
    for labels in ("426783006;164889003", "426783006 164889003", "426783006|164889003", "426783006.0", "4.26783006e8",
                   "[426783006]", "'426783006'", "0426783006", "426783006,164889003.0", "SCTID426783006"):  # fmt: skip
        flagged(f"labels {labels}", "odd-labels", edit("426783006,164889003", labels))


def edit_leads(renamed: dict[str, str]) -> Callable[[Path], None]:
    """Leads under each other's names."""
    return fields(lambda p: [*p[:8], renamed.get(p[8], p[8])])


def other_signal(corpus: Corpus) -> Callable[[Path], None]:
    """The signal file replaced by one of the same size."""
    return signal(lambda raw: raw[:24] + corpus.steps[::-1].astype("<i2").tobytes())


def hostile(corpus: Corpus) -> None:
    """What lies under a recording's name, and where names lead."""
    bad, outside = corpus.bad, corpus.root / "outside"
    corpus.plain(outside, "rec")
    page, pointer = b"<!DOCTYPE html><html>404</html>", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    for name, made, reason in (("web page", page, "web-page"), ("LFS pointer", pointer, "lfs-pointer"),
                               ("pickle", pickle.dumps({"a": [1, 2]}), "pickle"), ("zip", b"PK\x03\x04" * 9, "archive"),
                               ("gzip", b"\x1f\x8b" * 9, "archive"), ("empty file", b"", "empty")):  # fmt: skip
        bad(f"{name} as signal", reason, signal(lambda _, made=made: made))
        bad(f"{name} as header", reason, text(lambda _, made=made: made))
        folder = corpus.folder(name)
        (folder / "rec.h5").write_bytes(made)
        corpus.cases.append(Case(f"{name} as h5", folder / "rec.h5", "refused", reason))
    for name in ("../outside/rec.mat", str(outside / "rec.mat"), "..\\outside\\rec.mat", "http://example.org/rec.mat",
                 "file:///etc/passwd", "s3://bucket/rec.mat", "..", ".", "/dev/zero",
                 "./rec.mat", "sub/rec.mat"):  # fmt: skip
        bad(f"signal file {name}", "format", field(0, name))
    bad("a NUL in the signal file's name", "name", field(0, "rec\0.mat"))
    bad("a very long signal file's name", "header", field(0, "x" * 5000))

    def link(target: object, which: str = ".mat") -> Callable[[Path], None]:
        def change(header: Path) -> None:
            header.with_suffix(which).unlink()
            header.with_suffix(which).symlink_to(str(target))

        return change

    bad("signal linked outside", "outside", link("../outside/rec.mat"))
    bad("header linked outside", "outside", link("../outside/rec.hea", ".hea"))
    bad("signal linked to /dev/zero", "outside", link("/dev/zero"))
    bad("signal linked to itself", "no-file", link("rec.mat"))
    bad("header linked to itself", "no-file", link("rec.hea", ".hea"))
    bad("signal linked to nothing", "missing", link("nothing.mat"))
    corpus.good("signal linked within", lambda h: (h.with_suffix(".mat").rename(h.parent / "kept"), link_to(h))[1])

    def pipe(which: str) -> Callable[[Path], None]:
        return lambda h: (h.with_suffix(which).unlink(), os.mkfifo(h.with_suffix(which)))[1]

    for which in (".mat", ".hea"):
        bad(f"a named pipe as {which}", "no-file", pipe(which))
        bad(
            f"a folder as {which}",
            "no-file",
            lambda h, w=which: (h.with_suffix(w).unlink(), h.with_suffix(w).mkdir())[1],
        )
    bad("a socket as signal", "no-file", as_socket)
    bad("a sparse signal of 10^12 bytes", "oversized", sparse(10**12, ""))
    bad("a sparse signal of 10^12 bytes and no count", "oversized", sparse(10**12, f" {corpus.samples}"))
    bad("a header of 64 MB", "oversized", text(lambda old: old + "# x\n" * (1 << 24)))
    bad("a header of noise", "header", text(
        lambda _: np.random.default_rng(1).integers(0, 256, 5000).astype(np.uint8).tobytes()))  # fmt: skip
    bad("numbers of 5000 digits", "header", fields(lambda p: [*p[:4], "9" * 5000, *p[5:]]))
    folder = corpus.folder("h5 pipe")
    os.mkfifo(folder / "rec.h5")
    corpus.cases.append(Case("h5 named pipe", folder / "rec.h5", "refused", "no-file"))
    folder = corpus.folder("h5 link")
    (folder / "rec.h5").symlink_to("../outside/rec.mat")
    corpus.cases.append(Case("h5 linked outside", folder / "rec.h5", "refused", "outside"))


def link_to(header: Path) -> None:
    """The signal file as a link to its neighbour `kept`."""
    header.with_suffix(".mat").symlink_to("kept")


def as_socket(header: Path) -> None:
    """A socket under the signal's name (its path is kept short, as sockets need it)."""
    file, here = header.with_suffix(".mat"), Path.cwd()
    file.unlink()
    os.chdir(file.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(file.name)
    os.chdir(here)


def sparse(size: int, count: str) -> Callable[[Path], None]:
    """A signal file that claims a size without holding it."""

    def change(header: Path) -> None:
        if count:
            edit(f" 500{count}\n", " 500\n")(header)
        with header.with_suffix(".mat").open("r+b") as handle:
            handle.truncate(size)

    return change


def make(root: Path) -> list[Case]:
    """Writes the corpus below `root`; the first case is the plain form."""
    corpus = Corpus(root)
    corpus.good("plain", lambda _: None)
    parts = (header_forms, noise_in_headers, lead_forms, mat_forms, dat_forms, decoded, several_files, names, h5_forms)
    for part in (*parts, faults, hostile):
        part(corpus)
    return corpus.cases


def verdict(case: Case) -> tuple[str, str, records.Recording | None]:
    """What the reader says of a case: verdict, reasons separated by |, and the recording."""
    try:
        recording = records.read(case.file)
    except records.Refused as refusal:
        assert str(refusal), case
        return "refused", refusal.reason, None
    return ("flagged" if recording.faults else "ok"), "|".join(recording.faults), recording


def wrong(case: Case) -> str:
    """What is not as the case says, or ''."""
    said, reasons, recording = verdict(case)
    if (said, reasons) != (case.verdict, case.reason):
        return f"{case.name}: {case.verdict} {case.reason} was expected, found {said} {reasons}"
    if case.like is not None:
        same = records.read(case.like)
        if recording.signal_mv.tobytes() != same.signal_mv.tobytes() or recording.rate_hz != same.rate_hz:
            return f"{case.name}: the signal differs from the plain form's"
    return ""


if __name__ == "__main__":
    found = make(Path(sys.argv[1]))
    for one in found:
        try:
            told = wrong(one)
        except Exception as error:  # what must never happen
            told = f"{one.name}: {type(error).__name__} {error}"
        if told:
            print(told)
    print(f"{len(found)} cases")
