"""A recording that reads, for the tests to break, and the catalogue's entries for it."""

import numpy as np
import pytest
import wfdb

from ecgpipe.recordings.sources import Source
from ecgpipe.simulation import writers
from tests.fixtures.limbs import lawful

SPH_COLUMNS = {
    "record": "ECG_ID",
    "labels": "AHA_Code",
    "patient": "Patient_ID",
    "age": "Age",
    "sex": "Sex",
}
WFDB = Source(form="wfdb", vocabulary="PTB-XL", codes="snomed")
H5 = Source(
    form="h5", vocabulary="SPH", codes="aha", rate_hz=500, table="metadata.csv", columns=SPH_COLUMNS
)


@pytest.fixture
def signal_mv():
    """[1000, 12] in whole microvolts, no fault."""
    return lawful(np.random.default_rng(2).integers(-2000, 2000, (1000, 12)) / 1000)


@pytest.fixture
def good(tmp_path, signal_mv):
    """A header whose recording reads."""
    writers.write_challenge(tmp_path, "A0001", signal_mv, 500, age=74, sex="M", labels=["59118001"])
    return tmp_path / "A0001.hea"


def edit(header, old, new, count=-1):
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, count))


def wfdb_signal(header):
    return wfdb.rdrecord(str(header.with_suffix(""))).p_signal


def cut(good):
    good.with_suffix(".mat").write_bytes(good.with_suffix(".mat").read_bytes()[:-2])


def lengthen(good):
    good.with_suffix(".mat").write_bytes(good.with_suffix(".mat").read_bytes() + b"\0\0")


def flip(good):
    raw = bytearray(good.with_suffix(".mat").read_bytes())
    raw[1000] ^= 1
    good.with_suffix(".mat").write_bytes(raw)


# Reason of a refusal -> what brings it about in a recording that reads, and what the refusal says.
BREAKS = {
    "truncated": (cut, "the header tells of 24024 bytes, found 24022; fetch it anew"),
    "oversized": (lengthen, "the header tells of 24024 bytes, found 24026"),
    "checksum": (flip, "checksum: the header says .*, found"),
    "missing": (
        lambda good: good.with_suffix(".mat").unlink(),
        "A0001.mat: no such file; fetch it",
    ),
    "header": (
        lambda good: good.write_text("no header"),
        "the number of signals is a count, found 'header'",
    ),
    "leads": (lambda good: edit(good, " V6\n", " V7\n"), "missing V6"),
    "gain": (
        lambda good: edit(good, "1000/mV", "0/mV"),
        "lead I: the gain is a number but 0, .*, found 0.0 a mV",
    ),
    "units": (
        lambda good: edit(good, "1000/mV", "1000/mmHg"),
        "units are mV, uV or V, found 'mmHg'",
    ),
    "format": (
        lambda good: edit(good, "A0001.mat", "../A0001.mat"),
        "signal file '../A0001.mat' is not in the header's",
    ),
}
