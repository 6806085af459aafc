"""Each fault is found in the files themselves."""

import h5py
import numpy as np
import pandas as pd

from ecgpipe.simulation import faults, hospitals


def test_every_fault_is_at_a_recording_that_the_smallest_demo_has():
    for name, number in [*faults.FAULTS, faults.COPIED]:
        assert number < hospitals.size(name, 60)


def test_every_fault_is_in_the_files(raw):
    north, west = raw / "sim-north", raw / "sim-west"
    assert "Age: -1" in (north / "g1/NO00004.hea").read_text()
    assert "1000.0(0)/mV" in (north / "g1/NO00008.hea").read_text()
    assert any(
        line.startswith("#Dx") and line.endswith(",")
        for line in (north / "g1/NO00010.hea").read_text().split("\n")
    )
    assert (north / "g1/NO00012.mat").stat().st_size < 0.7 * (
        north / "g1/NO00001.mat"
    ).stat().st_size
    assert "Age: NaN" in (north / "g1/NO00014.hea").read_text()
    assert len(list(west.glob("*.h5"))) == 1 + len(pd.read_csv(west / "metadata.csv"))
    flat = np.frombuffer((north / "g1/NO00006.mat").read_bytes()[24:], "<i2").reshape(-1, 12)
    assert (np.ptp(flat, axis=0) == 0).sum() == 1


def test_the_copy_is_equal_in_microvolts(raw):
    north = np.frombuffer((raw / "sim-north/g1/NO00016.mat").read_bytes()[24:], "<i2").reshape(
        -1, 12
    )
    with h5py.File(raw / "sim-west/WE00010.h5") as file:
        west = np.rint(file["ecg"][:].astype(np.float64).T * 1000)
    np.testing.assert_array_equal(north, west)
