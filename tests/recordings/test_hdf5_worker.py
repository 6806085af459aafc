import h5py
import numpy as np
import pytest

from ecgpipe.recordings import hdf5_worker
from ecgpipe.recordings.recording import read
from ecgpipe.recordings.refusals import Refused


def test_a_library_without_memory_is_no_broken_file(tmp_path, monkeypatch):
    def short_of_memory(*_):
        raise OSError("Can't synchronously read data (memory allocation failed for chunk)")

    monkeypatch.setattr(h5py, "File", short_of_memory)
    with pytest.raises(MemoryError):
        hdf5_worker.handle_request("h5", str(tmp_path / "a.h5"))


def test_a_dataset_of_floats_comes_as_stored_with_its_rate(tmp_path):
    values = np.random.default_rng(1).normal(size=(12, 700)).astype(np.float16)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ecg"] = values
        file.attrs["rate_hz"] = 257
    found, said = hdf5_worker.handle_request("h5", str(tmp_path / "a.h5"))
    assert np.array_equal(found, values.astype(np.float32)) and found.dtype == np.float32
    assert said == {"rate_hz": 257.0}


def test_filters_that_do_not_come_with_the_library_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((12, 100))
        plist.set_filter(1, h5py.h5z.FLAG_OPTIONAL, (4,))
        plist.set_shuffle()
        plist.set_scaleoffset(h5py.h5z.SO_FLOAT_DSCALE, 2)
        space = h5py.h5s.create_simple((12, 700))
        h5py.h5d.create(file.id, b"ecg", h5py.h5t.IEEE_F32LE, space, plist)
    with pytest.raises(Refused, match=r"unknown filters \[6\]") as caught:
        hdf5_worker.handle_request("h5", str(tmp_path / "a.h5"))
    assert caught.value.reason == "format"


def test_a_chunk_larger_than_a_recording_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(
            "ecg", (12, 1000), "f4", chunks=(12, 1 << 24), maxshape=(12, None), compression="gzip"
        )
    with pytest.raises(Refused, match="found 1000 in chunks") as caught:
        hdf5_worker.handle_request("h5", str(tmp_path / "a.h5"))
    assert caught.value.reason == "oversized"


def test_a_chunk_for_which_memory_lacks_is_oversized_and_a_whole_recording_is_a_good_one(
    tmp_path,
):
    values = np.zeros((12, 1 << 20), dtype=np.float32)
    for name, chunks, told in (
        ("a", (12, 1 << 20), "found 1048576 in chunks"),
        ("b", (12, 300_000), ""),
    ):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            length = 2 << 20 if told else 300_000
            file.create_dataset("ecg", (12, length), "f4", chunks=chunks, compression="gzip")
            file["ecg"][:, : chunks[1]] = values[:, : chunks[1]]
            file.attrs["rate_hz"] = 500
        with pytest.raises(Refused) as caught:
            read(tmp_path / f"{name}.h5")
        assert caught.value.reason == ("oversized" if told else "flat")
