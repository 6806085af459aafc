"""The wfdb package reads the same signal files: it is the outside oracle."""

import numpy as np
import pytest
import wfdb

from ecgpipe import headers, samples
from ecgpipe.refusals import Refused
from tests.corpus import encoded

STEPS = np.random.default_rng(1).integers(-2047, 2048, (700, 3)).astype(np.int16)


def write(folder, fmt, raw, steps=STEPS, count=None):
    (folder / "A.dat").write_bytes(raw)
    count = len(steps) if count is None else count
    text = [f"A.dat {fmt} 200/mV 16 0 {steps[0, lead]} 0 0 L{lead}" for lead in range(steps.shape[1])]
    sums = (steps.sum(axis=0, dtype=np.int64) % 65536).tolist()
    text = [line.replace(" 0 0 L", f" {total} 0 L") for line, total in zip(text, sums, strict=True)]
    (folder / "A.hea").write_text("\n".join([f"A {steps.shape[1]} 500 {count or ''}", *text]) + "\n")
    return folder / "A.hea"


def read(header):
    found = headers.read(header)
    return samples.read(header, found, list(found.signals), header.parent)


@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("fmt", ["16", "61", "24", "32", "160", "212"])
def test_our_formats_read_as_wfdb_reads_them(tmp_path, fmt, odd):
    steps = STEPS[odd:] if fmt != "212" else STEPS[2 * odd :]
    header = write(tmp_path, fmt, encoded(steps, fmt), steps)
    digital, missing = read(header)
    assert np.array_equal(digital, steps) and not missing.any()
    assert digital.flags.f_contiguous
    assert np.array_equal(digital, wfdb.rdrecord(str(tmp_path / "A"), physical=False).d_signal)


def test_an_odd_number_of_samples_of_format_212(tmp_path):
    steps = STEPS[:7]
    even = np.concatenate([steps.reshape(-1), [0]]).reshape(-1, 2)
    header = write(tmp_path, "212", encoded(even, "212")[:-1], steps)
    assert np.array_equal(read(header)[0], steps)
    assert np.array_equal(wfdb.rdrecord(str(tmp_path / "A"), physical=False).d_signal, steps)


@pytest.mark.parametrize(("fmt", "code"), [("16", -32768), ("61", -32768), ("24", -(2**23)), ("212", -2048)])
def test_missing_samples_have_the_code_of_their_format(tmp_path, fmt, code):
    steps = STEPS.astype(np.int64)
    steps[5, 1] = code
    header = write(tmp_path, fmt, encoded(steps, fmt), steps)
    _, missing = read(header)
    assert np.argwhere(missing).tolist() == [[5, 1]]
    assert np.array_equal(np.isnan(wfdb.rdrecord(str(tmp_path / "A")).p_signal), missing)


@pytest.mark.parametrize("fmt", ["310", "311", "8", "16x2", "16:3"])
def test_other_formats_are_read_by_wfdb_in_a_process_of_its_own(tmp_path, fmt):
    steps = np.cumsum(np.random.default_rng(2).integers(-3, 4, (600, 3)), axis=0)
    steps -= steps[0]
    if fmt == "8":
        raw = np.diff(steps, axis=0, prepend=steps[:1]).astype(np.int8).tobytes()
    else:
        framed = STEPS[:600].reshape(300, 2, 3).transpose(0, 2, 1) if fmt == "16x2" else STEPS[:600]
        raw = encoded(framed, "16") if fmt.startswith("16") else bytes(2400)
    zeros = np.zeros((600, 3), dtype=np.int16)
    told = {"8": steps, "310": zeros, "311": zeros}.get(fmt, STEPS[:600])
    header = write(tmp_path, fmt, raw, told, count=300 if fmt == "16x2" else 600)
    oracle = wfdb.rdrecord(str(tmp_path / "A"), physical=False)
    digital, missing = read(header)
    assert digital.shape == oracle.d_signal.shape
    assert np.abs(digital - oracle.d_signal)[~missing].max() < 1  # means of a frame lose their fraction
    assert missing.sum() == (9 if fmt == "16:3" else 0)


def test_what_the_header_tells_is_held_against_the_file(tmp_path):
    raw = encoded(STEPS, "16")
    for broken, reason in ((raw[:-1], "truncated"), (raw + b"\0", "oversized"), (b"", "empty"), (raw[2:], "truncated")):
        with pytest.raises(Refused) as caught:
            read(write(tmp_path, "16", broken))
        assert caught.value.reason == reason
    with pytest.raises(Refused, match="a lead has 2097152 samples at most"):
        read(write(tmp_path, "310", raw, count=10**12))
