import json

import h5py
import numpy as np
import pytest

from ecgpipe.project import atomic
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import recording
from ecgpipe.signals.store import Writer, open_store, raw_digest, read_about, to_microvolts


def write(folder, recordings, conditioning=None):
    writer = Writer(folder, 100, conditioning or {"low_hz": 0.5})
    for number, (signal, peaks) in enumerate(recordings):
        writer.append(f"0000{number}", signal, np.array(peaks), ("flat-lead",) * (number % 2), f"digest{number}")
    writer.refuse("bad", "g1/bad.hea", "truncated", "g1/bad.hea: too short")
    return writer.close()


def recordings(lengths=(300, 200, 0, 500)):
    rng = np.random.default_rng(3)
    return [(rng.integers(-9000, 9000, (length, 12)).astype(np.int16), range(0, length, 90)) for length in lengths]


def test_what_is_written_is_read_back_and_plain_numpy_reads_it_too(tmp_path):
    made = recordings()
    report = write(tmp_path / "store", made)
    store = open_store(tmp_path / "store")
    assert list(store.index["record"]) == ["00000", "00001", "00002", "00003"]
    for row, (signal, peaks) in zip(store.index.itertuples(), made, strict=True):
        assert np.array_equal(store.signals_uv[row.first : row.first + row.samples], signal)
        assert list(store.peaks[row.first_peak : row.first_peak + row.peaks]) == list(peaks)
    assert np.array_equal(np.load(tmp_path / "store/signals.npy"), np.concatenate([signal for signal, _ in made]))
    assert report["recordings"] == 5
    assert report["stored"] == 4
    assert report["refused"] == {"truncated": 1}
    assert report["flags"] == {"flat-lead": 2}


def test_the_digest_changes_with_one_sample_one_peak_and_one_id(tmp_path):
    made = recordings()
    write(tmp_path / "a", made)
    write(tmp_path / "same", recordings())
    made[0][0][7, 3] += 1
    write(tmp_path / "sample", made)
    other = recordings()
    other[0] = (other[0][0], [5])
    write(tmp_path / "peak", other)
    digests = {name: read_about(tmp_path / name)["digest"] for name in ("a", "same", "sample", "peak")}
    assert digests["a"] == digests["same"]
    assert len(set(digests.values())) == 3


def test_an_empty_store_opens(tmp_path):
    write(tmp_path / "store", [])
    assert len(open_store(tmp_path / "store").index) == 0


def test_a_cut_store_is_refused_by_name(tmp_path):
    write(tmp_path / "store", recordings())
    text = (tmp_path / "store/index.csv").read_text().splitlines(keepends=True)
    (tmp_path / "store/index.csv").write_text("".join(text[:-1]))
    with pytest.raises(ValueError, match=r"store/index.csv: damaged or changed"):
        open_store(tmp_path / "store")
    atomic.seal(tmp_path / "store")
    with pytest.raises(ValueError, match=r"index.csv counts 500 samples, signals.npy holds 1000"):
        open_store(tmp_path / "store")


def test_a_missing_store_and_another_format_say_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"no signal store here; run `dvc repro preprocess@absent`"):
        open_store(tmp_path / "absent")
    write(tmp_path / "store", [])
    about = json.loads((tmp_path / "store/store.json").read_text())
    (tmp_path / "store/store.json").write_text(json.dumps(about | {"format": 99}))
    atomic.seal(tmp_path / "store")
    with pytest.raises(ValueError, match="store format 99 is not 3"):
        open_store(tmp_path / "store")


def test_microvolts_round_to_nearest_and_clip_at_the_range():
    assert to_microvolts(np.array([0.0004, 0.0006, -1.2345, 40.0, -40.0])).tolist() == [
        0,
        1,
        -1234,
        32767,
        -32768,
    ]


def test_raw_digests_are_equal_for_equal_recordings_in_other_types_and_differ_for_another_rate():
    rng = np.random.default_rng(4)
    whole = rng.integers(-3000, 3000, (50, 12))
    as_float = (whole / 1000).astype(np.float32)
    assert raw_digest(as_float, 500) == raw_digest(whole / 1000, 500.0)
    assert raw_digest(as_float, 500) != raw_digest(as_float, 250)
    assert raw_digest(as_float, 500) != raw_digest(as_float[:-1], 500)
    assert raw_digest(as_float, 500) == raw_digest(np.asfortranarray(as_float), 500)


def test_raw_digests_tell_values_beyond_16_bits_apart():
    signal_mv = np.zeros((50, 12))
    digests = set()
    for value in (0, 32.767, 32.768, 65.536, -32.768, -65.536):
        signal_mv[7, 3] = value
        digests.add(raw_digest(signal_mv, 500))
    assert len(digests) == 6


@pytest.mark.parametrize("gain", [100, 200, 204.8, 250, 306, 320, 400, 409.6, 488, 500, 1000, 1024, 1600, 2000, 2048,
                                  4000, 4096, 4880, 5000, 8000, 10000])  # fmt: skip
def test_raw_digests_are_equal_for_a_header_with_a_gain_and_for_floats_in_mv(tmp_path, gain):
    steps = np.random.default_rng(4).integers(-8000, 8000, (600, 12)).astype("<i2")
    steps = np.clip(steps, -8 * gain, 8 * gain).astype("<i2")  # within 8 mV
    (tmp_path / "A.dat").write_bytes(steps.tobytes())
    found = []
    for spelt in (f"{gain}/mV", f"{gain / 1000}/uV", f"{gain * 1000}/V"):
        lines = [f"A.dat 16 {spelt} 16 0 {steps[0, i]} {steps[:, i].sum()} 0 {lead}" for i, lead in enumerate(LEADS)]
        (tmp_path / "A.hea").write_text("\n".join(["A 12 500 600", *lines]))
        found.append(recording.read(tmp_path / "A.hea"))
    for dtype in ("f4", "f8"):
        with h5py.File(tmp_path / "A.h5", "w") as file:
            file["ecg"] = (steps.T / float(gain)).astype(dtype)
            file.attrs["rate_hz"] = 500
        found.append(recording.read(tmp_path / "A.h5"))
    assert len({raw_digest(one.signal_mv, one.rate_hz) for one in found}) == 1
