"""The wfdb package reads the same signal files: it is the outside oracle."""

import os

import numpy as np
import pytest
import wfdb

from ecgpipe.recordings import safe_files, wfdb_header, wfdb_signals
from ecgpipe.recordings.refusals import Refused
from tests.fixtures.corpus import encoded
from tests.fixtures.signal_files import STEPS, read, write


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


@pytest.mark.parametrize(
    ("fmt", "code"), [("16", -32768), ("61", -32768), ("24", -(2**23)), ("212", -2048)]
)
def test_missing_samples_have_the_code_of_their_format(tmp_path, fmt, code):
    steps = STEPS.astype(np.int64)
    steps[5, 1] = code
    header = write(tmp_path, fmt, encoded(steps, fmt), steps)
    _, missing = read(header)
    assert np.argwhere(missing).tolist() == [[5, 1]]
    assert np.array_equal(np.isnan(wfdb.rdrecord(str(tmp_path / "A")).p_signal), missing)


def test_what_the_header_tells_is_held_against_the_file(tmp_path):
    raw = encoded(STEPS, "16")
    for broken, reason in (
        (raw[:-1], "truncated"),
        (raw + b"\0", "oversized"),
        (b"", "empty"),
        (raw[2:], "truncated"),
    ):
        with pytest.raises(Refused) as caught:
            read(write(tmp_path, "16", broken))
        assert caught.value.reason == reason
    with pytest.raises(Refused, match="a lead has 2097152 samples at most"):
        read(write(tmp_path, "310", raw, count=10**12))


def test_all_files_of_a_recording_share_one_limit(tmp_path):
    header = write(tmp_path, "16", encoded(STEPS, "16"), count=0)
    text = header.read_text().replace("A.dat", "B.dat", 1)
    header.write_text(text)
    for name, size in (("A", 4 * safe_files.MOST_SAMPLES), ("B", safe_files.MOST_BYTES)):
        (tmp_path / f"{name}.dat").touch()
        os.truncate(tmp_path / f"{name}.dat", size)
    found = wfdb_header.read(header)
    with pytest.raises(Refused) as caught:
        wfdb_signals.read(header, found, [*found.signals[1:], found.signals[0]], tmp_path)
    assert caught.value.reason == "oversized"
    assert f"{safe_files.MOST_BYTES - 4 * safe_files.MOST_SAMPLES} bytes at most" in str(
        caught.value
    )
