"""Recordings changed at random: they read, or are refused; nothing else leaves the reader, and
nothing crashes it.

`python -m pytest -m campaign -s tests/campaigns/test_fuzzing.py` changes 100,000 headers, 100,000
signals and 10,000 .h5 files, or as many as the environment variable ECGPIPE_FUZZ says.
"""

import collections
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from ecgpipe.preprocessing import build_store
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.recordings import refusals, safe_files, sources, wfdb_header, wfdb_signals
from ecgpipe.recordings.recording import read
from ecgpipe.simulation import writers
from tests.fixtures.corpus import blocks_of_10, encoded
from tests.fixtures.limbs import lawful

MARKS = [
    *(bytes([byte]) for byte in b" \t\r\n#/()+:x,;-.\0\xff\x800"),
    b"9" * 30,
    b"1e999",
    b"nan",
    b"-1",
    b"..",
    b"212",
]
MARKS += [b"/etc/passwd", b"http://a/b", b"\xef\xbb\xbf", b"#Dx: 1"]


@pytest.fixture
def steps():
    """[600, 12] whole microvolts."""
    drawn = np.random.default_rng(1).integers(-900, 900, (600, 12))
    return lawful(drawn).astype(np.int16)


@pytest.fixture
def plain(tmp_path, steps):
    """A header whose recording reads."""
    writers.write_challenge(
        tmp_path, "rec", steps / 1000, 500, age=61, sex="F", labels=["426783006", "164889003"]
    )
    return tmp_path / "rec.hea"


def changed(
    rng: np.random.Generator, raw: bytes, marks: list[bytes], head: int | None = None
) -> bytes:
    """Bytes with one to three changes, half of them among the first `head`: flipped, set, cut, put
    in, doubled."""
    made = bytearray(raw)
    for _ in range(rng.integers(1, 4)):
        most = min(len(made), head) if head and rng.random() < 0.5 else len(made)
        at = int(rng.integers(0, most)) if most else 0
        kind = rng.integers(0, 7)
        if kind == 0 and made:
            made[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1 and made:
            made[at] = int(rng.integers(0, 256))
        elif kind == 2:
            del made[at : at + int(rng.integers(1, 20))]
        elif kind == 3:
            made[at:at] = marks[int(rng.integers(0, len(marks)))]
        elif kind == 4:
            made[at : at + 4] = rng.bytes(4)
        elif kind == 5:
            made[at:at] = made[at : at + int(rng.integers(1, 80))]
        elif rng.random() < 0.2:
            del made[at:]
    return bytes(made)


def put(file: Path, raw: bytes) -> None:
    """Other bytes in a file; to empty it first is slow on many disks."""
    with file.open("r+b" if file.exists() else "wb") as handle:
        handle.write(raw)
        handle.truncate()


def outcome(file: Path) -> str:
    """'read' with finite samples, or the reason of a refusal; any other error is a failure of the
    test."""
    try:
        recording = read(file)
    except refusals.Refused as refusal:
        assert str(refusal).startswith(str(file.parent)), str(refusal)
        return refusal.reason
    assert np.isfinite(recording.signal_mv).all() and recording.signal_mv.shape[1] == 12
    return "read"


def fuzz_headers(plain, count):
    rng, raw, outcomes = np.random.default_rng(11), plain.read_bytes(), collections.Counter()
    for _ in range(count):
        put(plain, changed(rng, raw, MARKS))
        outcomes[outcome(plain)] += 1
    put(plain, raw)
    return outcomes


def fitting(header: Path, header_text: str) -> str:
    """A header without a count, with the first values and sums of the samples that are there now:
    nothing but the format itself guards them. As it is where they do not decode."""
    lines = header_text.split("\n")
    lines[0] = "rec 12 500"
    signals = list(wfdb_header.parse("\n".join(lines), str(header)).signals)
    try:
        values, _ = wfdb_signals.decode_file(
            header.parent / signals[0].file, None, signals, header.parent, safe_files.MOST_BYTES
        )
    except refusals.Refused:
        return "\n".join(lines)
    for number in range(12 if len(values) else 0):
        parts = lines[number + 1].split(" ")
        parts[5:7] = [str(values[0, number]), str(values[:, number].sum(dtype=np.int64) % 65536)]
        lines[number + 1] = " ".join(parts)
    return "\n".join(lines)


def fuzz_signals(plain, steps, count):
    """Signals of five forms, each with its header and with one that fits whatever the samples
    became."""
    folder, text, forms = plain.parent, plain.read_text(), []
    scipy.io.savemat(folder / "v5.mat", {"val": steps.T})
    scipy.io.savemat(folder / "v5z.mat", {"val": steps.T}, do_compression=True)
    for name, suffix, fmt, raw in (
        ("v4", ".mat", "16+24", plain.with_suffix(".mat").read_bytes()),
        ("v5", ".mat", "16+24", (folder / "v5.mat").read_bytes()),
        ("v5z", ".mat", "16+24", (folder / "v5z.mat").read_bytes()),
        ("f16", ".dat", "16", encoded(steps, "16")),
        ("f212", ".dat", "212", encoded(steps, "212")),
    ):
        header = folder / f"{name}.hea"
        header_text = text.replace("rec.mat 16+24", f"{name}{suffix} {fmt}")
        for loose in (False, True):
            forms.append((header, header.with_suffix(suffix), raw, header_text, loose))
        for form in forms[-2:]:  # unchanged, each must read
            put(form[1], raw)
            put(header, (fitting(header, header_text) if form[4] else header_text).encode())
            assert outcome(header) == "read", form
    rng = np.random.default_rng(12)
    outcomes = {False: collections.Counter(), True: collections.Counter()}
    for number in range(count):
        header, file, raw, header_text, loose = forms[number % len(forms)]
        put(file, changed(rng, raw, MARKS, head=200))
        put(header, (fitting(header, header_text) if loose else header_text).encode())
        outcomes[loose][outcome(header)] += 1
    assert outcomes[True]["read"] > outcomes[False]["read"]
    return outcomes[False] + outcomes[True]


def fuzz_decoded(folder, count):
    """Files that wfdb decodes, with their header: three of four are changed, of the fourth the
    header."""
    steps = lawful(np.random.default_rng(2).integers(-120, 120, (600, 12))).astype(np.int16)
    writers.write_challenge(folder, "rec", steps / 1000, 500, age=61, sex="F", labels=["426783006"])
    header, file, text = folder / "rec.hea", folder / "rec.dat", (folder / "rec.hea").read_text()
    framed = encoded(steps.reshape(300, 2, 12).transpose(0, 2, 1), "16")
    forms = [(fmt, blocks_of_10(steps, fmt)) for fmt in ("310", "311")]
    forms += [("16:3", encoded(steps, "16")), ("16x2", framed)]
    rng, outcomes = np.random.default_rng(15), collections.Counter()
    for number in range(count):
        fmt, raw = forms[number % len(forms)]
        header_text = text.replace("rec.mat 16+24", f"rec.dat {fmt}")
        if fmt == "16x2":
            header_text = header_text.replace(" 500 600\n", " 250 300\n")
        if number < len(forms):
            put(file, raw)
            put(header, header_text.encode())
            assert outcome(header) == "read", fmt
        kind = number // len(forms) % 4
        put(file, changed(rng, raw, MARKS, head=200) if kind else raw)
        put(header, header_text.encode() if kind else changed(rng, header_text.encode(), MARKS))
        outcomes[outcome(header)] += 1
    return outcomes


def fuzz_h5(folder, steps, count):
    ways = [
        {},
        {"compression": "gzip"},
        {"compression": "lzf", "shuffle": True},
        {"chunks": (3, 100)},
        {"fletcher32": True},
        {"maxshape": (None, None)},
    ]
    rng, outcomes, raws = np.random.default_rng(13), collections.Counter(), []
    for how in ways:
        for version in ("earliest", "latest"):
            with h5py.File(folder / "rec.h5", "w", libver=version) as file:
                file.create_dataset("ecg", data=(steps.T / 1000).astype(np.float16), **how)
                file.attrs["rate_hz"] = 500.0
            raws.append((folder / "rec.h5").read_bytes())
    for number in range(count):
        put(folder / "rec.h5", changed(rng, raws[number % len(raws)], MARKS, head=3000))
        outcomes[outcome(folder / "rec.h5")] += 1
    return outcomes


def test_changed_headers(plain):
    outcomes = fuzz_headers(plain, 5000)
    assert sum(outcomes.values()) == 5000
    refused = {"header", "leads", "gain", "rate", "checksum", "missing", "format"}
    assert refused | {"read"} <= set(outcomes)


def test_changed_signals(plain, steps):
    outcomes = fuzz_signals(plain, steps, 5000)
    assert sum(outcomes.values()) == 5000
    assert {"read", "checksum", "truncated", "oversized", "format"} <= set(outcomes)


def test_changed_files_that_wfdb_decodes(tmp_path):
    outcomes = fuzz_decoded(tmp_path, 1000)
    assert sum(outcomes.values()) == 1000
    assert {"read", "checksum", "truncated", "oversized", "header"} <= set(outcomes)


def test_changed_h5_files(tmp_path, steps):
    outcomes = fuzz_h5(tmp_path, steps, 1000)
    assert sum(outcomes.values()) == 1000
    assert {"read", "unreadable"} <= set(outcomes)


@pytest.mark.campaign
def test_many_changed_recordings(plain, steps, tmp_path):
    count = int(os.environ.get("ECGPIPE_FUZZ", "100000"))
    ways = {
        "headers": lambda: fuzz_headers(plain, count),
        "signals": lambda: fuzz_signals(plain, steps, count),
        "decoded": lambda: fuzz_decoded(tmp_path, count // 10),
        "h5": lambda: fuzz_h5(tmp_path, steps, count // 10),
    }
    for name, way in ways.items():
        outcomes = way()
        print(f"\n{name}: {sum(outcomes.values())}: {dict(outcomes.most_common())}")


def test_what_reads_conditions_too(plain):
    params = PreprocessParams(rate_hz=100, low_hz=0.5, high_hz=40, order=2, min_duration_s=1)
    source = sources.Source(form="wfdb", vocabulary="PTB-XL", codes="snomed")
    rng, raw = np.random.default_rng(14), plain.read_bytes()
    for _ in range(500):
        put(plain, changed(rng, raw, MARKS))
        verdict, *rest = build_store.condition_file(plain, source, params)
        assert verdict in ("ok", "refused") and len(rest) == (6 if verdict == "ok" else 2)
