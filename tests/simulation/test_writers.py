"""scipy.io reads MATLAB files and the wfdb package reads WFDB records: they are the outside
oracles."""

import h5py
import numpy as np
import pytest
import scipy.io
import wfdb

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings.recording import read
from ecgpipe.simulation import writers


@pytest.fixture
def signal_mv():
    """[700, 12], whole microvolts."""
    return np.random.default_rng(1).integers(-9000, 9000, (700, 12)) / 1000


ABOUT = {"age": 74.0, "sex": "F", "labels": ["426783006", "164889003"]}


def test_the_challenge_form_is_a_matlab_file_and_a_wfdb_record(tmp_path, signal_mv):
    writers.write_challenge(tmp_path / "g1", "A0001", signal_mv, 500, **ABOUT)
    matrix = scipy.io.loadmat(tmp_path / "g1" / "A0001.mat")["val"]
    assert matrix.dtype == np.int16
    assert np.array_equal(matrix.T, np.rint(signal_mv * 1000))
    record = wfdb.rdrecord(str(tmp_path / "g1" / "A0001"), physical=False)
    assert np.array_equal(record.d_signal, matrix.T)
    assert [total % 65536 for total in record.checksum] == record.calc_checksum()
    assert record.init_value == record.d_signal[0].tolist()
    assert (record.sig_name, record.comments) == (
        list(LEADS),
        ["Age: 74", "Sex: Female", "Dx: 426783006,164889003"],
    )


def test_what_is_unknown_of_people_is_written_as_the_challenge_does(tmp_path, signal_mv):
    writers.write_challenge(tmp_path, "A", signal_mv, 500, age=None, sex=None, labels=["1"])
    assert (tmp_path / "A.hea").read_text().splitlines()[-3:] == [
        "#Age: NaN",
        "#Sex: Unknown",
        "#Dx: 1",
    ]


def test_the_wfdb_form_is_read_back_by_wfdb(tmp_path, signal_mv):
    writers.write_wfdb(tmp_path, "A0001", signal_mv, 257, **ABOUT)
    record = wfdb.rdrecord(str(tmp_path / "A0001"))
    assert np.allclose(record.p_signal, signal_mv, atol=1e-9)
    assert (record.fs, record.fmt) == (257, ["16"] * 12)
    assert "# Age: 74" in (tmp_path / "A0001.hea").read_text()


def test_the_hdf5_form(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A00001", signal_mv, 500)
    with h5py.File(tmp_path / "A00001.h5") as file:
        assert (file["ecg"].shape, file["ecg"].dtype, file.attrs["rate_hz"]) == (
            (12, 700),
            np.float16,
            500,
        )
        assert np.allclose(file["ecg"][:].T, signal_mv, rtol=1e-3)


def test_every_form_is_read_back_by_us(tmp_path, signal_mv):
    writers.write_challenge(tmp_path, "A", signal_mv, 500, **ABOUT)
    writers.write_wfdb(tmp_path, "B", signal_mv, 500, **ABOUT)
    writers.write_h5(tmp_path, "C", signal_mv, 500)
    for name, exact in (("A.hea", True), ("B.hea", True), ("C.h5", False)):
        recording = read(tmp_path / name)
        assert recording.rate_hz == 500
        assert np.allclose(
            recording.signal_mv, signal_mv, rtol=0 if exact else 1e-3, atol=1e-6 if exact else 1e-3
        )
        if exact:
            assert (recording.age, recording.sex, recording.labels) == (
                74.0,
                "F",
                ("426783006", "164889003"),
            )


def test_missing_samples_are_written_as_wfdb_writes_them(tmp_path, signal_mv):
    signal_mv[3, 4] = np.nan
    writers.write_challenge(tmp_path, "A", signal_mv, 500, **ABOUT)
    assert np.argwhere(np.isnan(wfdb.rdrecord(str(tmp_path / "A")).p_signal)).tolist() == [[3, 4]]


def test_what_16_bits_cannot_hold_is_refused(tmp_path, signal_mv):
    signal_mv[0, 0] = 33
    with pytest.raises(ValueError, match=r"A: 16 bits hold \+-32\.767 mV, found 33 mV"):
        writers.write_challenge(tmp_path, "A", signal_mv, 500, **ABOUT)
    with pytest.raises(
        ValueError, match=r"a signal is \[time, 12\] with one sample at least, found \(700, 11\)"
    ):
        writers.write_wfdb(tmp_path, "A", signal_mv[:, :11], 500, **ABOUT)
