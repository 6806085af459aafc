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
