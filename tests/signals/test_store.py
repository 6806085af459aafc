import json

import numpy as np
import pytest

from ecgpipe.preprocessing import store_writer
from ecgpipe.project.digests import write_digests
from ecgpipe.project.errors import UserError
from ecgpipe.signals.store import open_store, read_about, read_features
from tests.fixtures.sealed import write_sealed_text

UNITS = {"rate_bpm": "1/min", "pr_ms": "ms"}


def write(folder, recordings, conditioning=None, units=UNITS):
    writer = store_writer.Writer(folder, 100, conditioning or {"low_hz": 0.5}, units)
    for number, (signal, peaks) in enumerate(recordings):
        writer.append(
            f"0000{number}",
            signal,
            np.array(peaks),
            ("flat-lead",) * (number % 2),
            f"digest{number}",
            (60.0 + number, np.nan)[: len(units)],
        )
    writer.refuse("bad", "g1/bad.hea", "truncated", "g1/bad.hea: too short")
    return writer.close()


def recordings(lengths=(300, 200, 0, 500)):
    rng = np.random.default_rng(3)
    return [
        (rng.integers(-9000, 9000, (length, 12)).astype(np.int16), range(0, length, 90))
        for length in lengths
    ]


def test_what_is_written_is_read_back_and_plain_numpy_reads_it_too(tmp_path):
    made = recordings()
    report = write(tmp_path / "store", made)
    store = open_store(tmp_path / "store")
    assert list(store.index["record"]) == ["00000", "00001", "00002", "00003"]
    for row, (signal, peaks) in zip(store.index.itertuples(), made, strict=True):
        assert np.array_equal(store.signals_uv[row.first : row.first + row.samples], signal)
        assert list(store.peaks[row.first_peak : row.first_peak + row.peaks]) == list(peaks)
    assert np.array_equal(
        np.load(tmp_path / "store/signals.npy"), np.concatenate([signal for signal, _ in made])
    )
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
    digests = {
        name: read_about(tmp_path / name)["digest"] for name in ("a", "same", "sample", "peak")
    }
    assert digests["a"] == digests["same"]
    assert len(set(digests.values())) == 3


def test_an_empty_store_opens(tmp_path):
    write(tmp_path / "store", [])
    assert len(open_store(tmp_path / "store").index) == 0
    assert read_features(tmp_path / "store")[1].shape == (0, 2)


def test_features_are_read_back_with_their_units_and_no_digest_depends_on_them(tmp_path):
    write(tmp_path / "store", recordings())
    units, values = read_features(tmp_path / "store")
    assert list(units.items()) == list(UNITS.items())
    assert values.dtype == np.float32
    assert values[:, 0].tolist() == [60, 61, 62, 63]
    assert np.isnan(values[:, 1]).all()
    write(tmp_path / "without", recordings(), units={})
    digests = [read_about(tmp_path / name)["digest"] for name in ("store", "without")]
    assert digests[0] == digests[1]


def test_features_that_are_damaged_absent_or_of_other_recordings_say_what_to_do(tmp_path):
    write(tmp_path / "without", recordings(), units={})
    open_store(tmp_path / "without")
    with pytest.raises(UserError, match=r"without: this store has no features; make it again"):
        read_features(tmp_path / "without")
    write(tmp_path / "store", recordings())
    np.save(tmp_path / "store/features.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(UserError, match=r"features.npy: damaged or changed"):
        read_features(tmp_path / "store")
    write_digests(tmp_path / "store")
    with pytest.raises(UserError, match=r"its shape is \(3, 2\), .* say \(4, 2\); make it"):
        read_features(tmp_path / "store")


def test_a_cut_store_is_refused_by_name(tmp_path):
    write(tmp_path / "store", recordings())
    text = (tmp_path / "store/index.csv").read_text().splitlines(keepends=True)
    (tmp_path / "store/index.csv").write_text("".join(text[:-1]))
    with pytest.raises(ValueError, match=r"store/index.csv: damaged or changed"):
        open_store(tmp_path / "store")
    write_digests(tmp_path / "store")
    with pytest.raises(ValueError, match=r"index.csv counts 500 samples, signals.npy holds 1000"):
        open_store(tmp_path / "store")


def test_a_missing_store_and_another_format_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"no signal store here; run `dvc repro preprocess@absent`"
    ):
        open_store(tmp_path / "absent")
    write(tmp_path / "store", [])
    about = json.loads((tmp_path / "store/store.json").read_text())
    (tmp_path / "store/store.json").write_text(json.dumps(about | {"format": 99}))
    write_digests(tmp_path / "store")
    with pytest.raises(ValueError, match="store format 99 is not 4"):
        open_store(tmp_path / "store")
    for text in ("[" * 100_000, "{}", "[]"):
        write_sealed_text(text, tmp_path / "store/store.json")
        with pytest.raises(UserError, match=r"store\.json: .*; make it again with `dvc repro -s"):
            open_store(tmp_path / "store")
