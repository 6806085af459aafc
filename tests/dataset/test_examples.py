import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.dataset import examples
from ecgpipe.project import atomic, tables


@pytest.fixture
def loaded(split_project):
    table = tables.read(split_project / "data/folds.csv")
    stores = examples.open_stores(["a", "b"])
    return table, stores, examples.examples(table, stores)


def test_examples_follow_the_table_with_their_labels_demographics_and_peaks(loaded):
    table, stores, data = loaded
    assert len(data) == len(table) == 96
    assert torch.isnan(data.labels[:, 2]).tolist() == (table["source"] == "b").tolist()
    row = 70
    index = stores["b"].index.iloc[row - 64]
    peaks = stores["b"].peaks[index["first_peak"] : index["first_peak"] + index["peaks"]]
    found = data.peaks_of(torch.tensor([0, row, 3]), data.most_peaks())[1]
    assert found[: len(peaks)].tolist() == peaks.tolist()
    assert (found[len(peaks) :] == examples.NO_PEAK).all()


def test_taking_some_recordings_shares_the_signals_and_keeps_each_recordings_own(loaded):
    _, _, data = loaded
    some = data.take(np.array([70, 2]))
    assert some.signals_uv[0] is data.signals_uv[0]
    time = torch.arange(100, dtype=torch.float64).repeat(2, 1)
    assert torch.equal(
        examples.gather(some, torch.tensor([0, 1]), time)[0], examples.gather(data, torch.tensor([70, 2]), time)[0]
    )
    assert torch.equal(some.peaks_of(torch.tensor([1]), 9), data.peaks_of(torch.tensor([2]), 9))
    assert torch.equal(some.keys, data.keys[[70, 2]])


def test_whole_steps_read_the_stored_samples_and_zeros_outside(loaded):
    _, stores, data = loaded
    index = stores["b"].index.iloc[2]
    stored = stores["b"].signals_uv[index["first"] : index["first"] + index["samples"]] * np.float32(1e-3)
    for dtype in (torch.int64, torch.float64):
        time = torch.arange(-3, len(stored) + 5, dtype=dtype)[None]
        signal, inside = examples.gather(data, torch.tensor([66]), time)
        assert np.allclose(signal[0, 3:-5], stored)
        assert not signal[0, :3].any()
        assert not signal[0, -5:].any()
        assert torch.equal(inside[0, :, 0].bool(), (time[0] >= 0) & (time[0] < len(stored)))
        assert examples.gather(data, torch.tensor([66]), time[:, 3:-5])[1] is None


def test_fractions_are_linear_as_numpy_interpolates(loaded):
    _, stores, data = loaded
    stored = stores["a"].signals_uv[: stores["a"].index["samples"][0]].astype(float) / 1000
    time = np.random.default_rng(1).uniform(0, len(stored) - 1.001, 50)
    signal = examples.gather(data, torch.tensor([0]), torch.from_numpy(time)[None])[0][0].numpy()
    for lead in range(12):
        assert np.allclose(signal[:, lead], np.interp(time, np.arange(len(stored)), stored[:, lead]), atol=1e-5)


@given(samples=st.integers(1, 5000), window=st.integers(2, 1500))
def test_windows_cover_every_sample_and_stay_inside(samples, window):
    starts = examples.window_starts(samples, window)
    covered = np.zeros(max(samples, window), bool)
    for start in starts:
        covered[start : start + window] = True
        assert start >= 0
        assert start == 0 or start + window <= samples
    assert covered[:samples].all()
    assert len(set(starts)) == len(starts)


def test_an_unknown_age_is_not_a_newborn():
    made = examples.demographics(np.array([np.nan, 0.0, 50.0]), np.array(["", "F", "M"]))
    assert made.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0.5, 1, 0, 1]]


def test_a_recording_missing_from_its_store_is_named(loaded):
    table, stores, _ = loaded
    table.loc[3, "record"] = "ghost"
    with pytest.raises(ValueError, match="lacks 1 recordings of the table, such as ghost"):
        examples.examples(table, stores)


def test_stores_of_different_conditioning_are_not_mixed(split_project):
    path = split_project / "data/signals/b/store.json"
    path.write_text(path.read_text().replace('"low_hz": 0.5', '"low_hz": 0.05'))
    atomic.seal(path.parent)
    with pytest.raises(ValueError, match="stores were conditioned in different ways"):
        examples.open_stores(["a", "b"])


def test_new_recordings_are_read_like_stored_ones(loaded):
    table, stores, data = loaded
    signals_uv = [
        np.array(stores["a"].signals_uv[row.first : row.first + row.samples]) for row in stores["a"].index.itertuples()
    ]
    loose = examples.of_signals(
        signals_uv, table["age"][:64].to_numpy(), table["gender"][:64].to_numpy(str), rate_hz=100, classes=3
    )
    rows, time = torch.arange(64), torch.arange(200, dtype=torch.float64).repeat(64, 1)
    assert torch.equal(examples.gather(loose, rows, time)[0], examples.gather(data, rows, time)[0])
    assert torch.equal(loose.demographics, data.demographics[:64])
