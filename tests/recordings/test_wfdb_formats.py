"""The wfdb package reads the same bytes: it is the outside oracle."""

import numpy as np
import pytest
import wfdb

from ecgpipe.recordings import wfdb_formats
from tests.fixtures.corpus import blocks_of_10, encoded

LARGEST = {"80": 127, "212": 2047, "310": 511, "311": 511}


def read_by_wfdb(folder, fmt, steps, physical):
    """The bytes of steps [time] in a format, and what wfdb reads from them."""
    if fmt in ("310", "311"):
        raw = blocks_of_10(steps[:, None], fmt)
    elif fmt == "80":
        raw = (steps + 128).astype(np.uint8).tobytes()
    else:
        raw = encoded(steps[:, None], fmt)
    (folder / "A.dat").write_bytes(raw)
    (folder / "A.hea").write_text(f"A 1 500 {len(steps)}\nA.dat {fmt} 200/mV 16 0 0 0 0 I\n")
    record = wfdb.rdrecord(str(folder / "A"), physical=physical)
    return raw, (record.p_signal if physical else record.d_signal)[:, 0]


@pytest.mark.parametrize("fmt", wfdb_formats.DECODERS)
def test_bytes_become_the_steps_that_wfdb_reads(tmp_path, fmt):
    most = LARGEST.get(fmt, 32767)
    steps = np.random.default_rng(1).integers(-most, most + 1, 1400)
    raw, read = read_by_wfdb(tmp_path, fmt, steps, physical=False)
    decoded = wfdb_formats.DECODERS[fmt](np.frombuffer(raw, dtype=np.uint8))
    assert np.array_equal(decoded, read)
    assert np.array_equal(read, steps)


@pytest.mark.parametrize("fmt", [fmt for fmt in wfdb_formats.PACKED if fmt != "8"])
def test_widths_and_the_missing_step_are_those_of_wfdb(tmp_path, fmt):
    steps = np.zeros(600, dtype=np.int64)
    steps[7] = wfdb_formats.MISSING[fmt]
    raw, read = read_by_wfdb(tmp_path, fmt, steps, physical=True)
    assert wfdb_formats.stored_bytes(fmt, len(steps)) == len(raw)
    assert np.flatnonzero(np.isnan(read)).tolist() == [7]


def test_every_format_has_a_missing_step_and_those_that_are_not_flac_a_width():
    assert set(wfdb_formats.DECODERS) < set(wfdb_formats.PACKED) < set(wfdb_formats.MISSING)
    assert set(wfdb_formats.MISSING) - set(wfdb_formats.PACKED) == {"508", "516", "524"}
