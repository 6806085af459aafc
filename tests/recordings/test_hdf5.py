import h5py
import numpy as np
import pytest

from ecgpipe.recordings.recording import read
from ecgpipe.recordings.refusals import Refused
from ecgpipe.simulation import writers
from tests.recordings.conftest import H5


def test_hdf5_files(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    recording = read(tmp_path / "A.h5", H5)
    assert np.array_equal(recording.signal_mv, signal_mv.astype(np.float16).astype(np.float32))
    assert (recording.rate_hz, recording.labels, recording.age) == (500, (), None)
    with pytest.raises(Refused, match="the rate in Hz is unknown") as caught:
        read(tmp_path / "A.h5")
    assert caught.value.reason == "rate"


def broken_h5(path, kind):
    with h5py.File(path, "w") as file:
        if kind == "leads":
            file["ecg"] = np.zeros((1000, 12))
        elif kind == "whole numbers":
            file["ecg"] = np.zeros((12, 1000), dtype=int)
        elif kind == "elsewhere":
            file["ecg"] = h5py.ExternalLink("other.h5", "ecg")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("leads", "leads"), ("whole numbers", "format"), ("elsewhere", "format"), ("empty", "format")],
)
def test_broken_hdf5_files_are_refused(tmp_path, kind, reason):
    broken_h5(tmp_path / "A.h5", kind)
    with pytest.raises(Refused, match="convert it") as caught:
        read(tmp_path / "A.h5", H5)
    assert caught.value.reason == reason
    (tmp_path / "A.h5").write_bytes(b"no HDF5")
    with pytest.raises(Refused, match="no readable HDF5 file"):
        read(tmp_path / "A.h5", H5)


def test_an_hdf5_file_and_its_source_agree_on_the_rate(tmp_path, signal_mv):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ecg"] = signal_mv.T
        file.attrs["rate_hz"] = 500
    assert read(tmp_path / "a.h5", H5).rate_hz == 500
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.attrs["rate_hz"] = 250
    with pytest.raises(Refused, match="attribute rate_hz says 250 Hz, its source 500 Hz") as caught:
        read(tmp_path / "a.h5", H5)
    assert caught.value.reason == "rate"


def test_a_file_that_is_no_hdf5_is_refused(tmp_path):
    (tmp_path / "A.h5").write_bytes(b"no HDF5")
    with pytest.raises(Refused, match="no readable HDF5 file"):
        read(tmp_path / "A.h5", H5)
