import numpy as np
import pytest
import torch

from ecgpipe.dataset import examples, gather
from ecgpipe.project import digests


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


def test_a_recording_missing_from_its_store_is_named(loaded):
    table, stores, _ = loaded
    table.loc[3, "record"] = "ghost"
    with pytest.raises(ValueError, match="lacks 1 recordings of the table, such as ghost"):
        examples.examples(table, stores)


def test_stores_of_different_conditioning_are_not_mixed(split_project):
    path = split_project / "data/signals/b/store.json"
    path.write_text(path.read_text().replace('"low_hz": 0.5', '"low_hz": 0.05'))
    digests.write_digests(path.parent)
    with pytest.raises(ValueError, match="stores were conditioned in different ways"):
        examples.open_stores(["a", "b"])


def test_new_recordings_are_read_like_stored_ones(loaded):
    table, stores, data = loaded
    signals_uv = [
        np.array(stores["a"].signals_uv[row.first : row.first + row.samples])
        for row in stores["a"].index.itertuples()
    ]
    loose = examples.of_signals(
        signals_uv,
        table["age"][:64].to_numpy(),
        table["gender"][:64].to_numpy(str),
        rate_hz=100,
        classes=3,
    )
    rows, time = torch.arange(64), torch.arange(200, dtype=torch.float64).repeat(64, 1)
    assert torch.equal(gather.gather(loose, rows, time)[0], gather.gather(data, rows, time)[0])
    assert torch.equal(loose.demographics, data.demographics[:64])
