"""The store of simulated recordings: the same by any number of workers, stopped or not."""

import errno
import hashlib
import os

import numpy as np
import pytest
import torch

from ecgpipe.dataset import examples
from ecgpipe.pretraining import simulated_store, stream
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import paths, stage, tables
from tests.fixtures import small_pretraining

RECORDINGS = 40


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulated_store, "CHUNK", small_pretraining.CHUNK)
    return stream.of(PretrainParams.model_validate(small_pretraining.values()), seed=7)


def digests(folder):
    files = sorted(folder.iterdir())
    assert len(files) == 7
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_store_holds_the_stream_as_examples_read_it(drawn):
    folder = simulated_store.make(drawn, RECORDINGS, 1, "test")
    table, stores = simulated_store.read(folder)
    data = examples.examples(table, stores)
    assert len(data) == RECORDINGS
    assert len(tables.class_codes(table)) == 26
    for index in (0, 17, 39):
        recording = stream.draw(drawn, index)
        _, first, samples = data.place[index].tolist()
        np.testing.assert_array_equal(
            data.signals_uv[0][first : first + samples].numpy(), recording.signal_uv
        )
        np.testing.assert_array_equal(data.labels[index].numpy(), recording.labels)
        peaks = data.peaks_of(torch.tensor([index]), len(recording.peaks))[0]
        np.testing.assert_array_equal(peaks.numpy(), recording.peaks)
        assert data.demographics[index, 0] == pytest.approx(recording.age / 100)
        assert data.demographics[index, 2] == (recording.sex == "F")


def test_a_stopped_run_keeps_its_parts_and_goes_on_to_the_same_bytes(drawn, monkeypatch, caplog):
    whole = simulated_store.make(drawn, RECORDINGS, 1, "test")
    expected = digests(whole)
    whole.rename("aside")
    counted, draw = [], stream.draw

    def stopping(drawn, index):
        counted.append(index)
        if len(counted) == 20:
            raise KeyboardInterrupt
        return draw(drawn, index)

    monkeypatch.setattr(stream, "draw", stopping)
    with pytest.raises(stage.Stopped, match="1 of 3 parts of the recordings are saved"):
        simulated_store.make(drawn, RECORDINGS, 1, "test")
    again = simulated_store.make(drawn, RECORDINGS, 1, "test")
    assert counted[20:] == list(range(16, 40)), "the first part is not drawn again"
    assert again == whole and digests(again) == expected
    assert not list(whole.parent.glob("*-chunks"))
    with caplog.at_level("INFO"):
        simulated_store.make(drawn, RECORDINGS, 1, "test")
    assert "are there already" in caplog.text
    assert len(counted) == 44


@pytest.mark.campaign  # starts processes; a tiny pretraining in test_pretrain.py does in every run
def test_two_workers_make_the_same_store(drawn):
    whole = simulated_store.make(drawn, 80, 1, "test")
    expected = digests(whole)
    whole.rename("aside")
    assert digests(simulated_store.make(drawn, 80, 2, "test")) == expected


def test_another_stream_or_number_lies_elsewhere(drawn):
    keys = {
        simulated_store.key(drawn, 40),
        simulated_store.key(drawn, 41),
        simulated_store.key(drawn._replace(seed=8), 40),
        simulated_store.key(drawn._replace(seconds=5), 40),
    }
    assert len(keys) == 4


def test_a_disk_without_room_for_the_signals_is_told_before_any_is_drawn(drawn, monkeypatch):
    def full(descriptor, offset, size):
        assert (offset, size) == (0, 128 + RECORDINGS * drawn.samples * 12 * 2)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(stream, "draw", None)
    with pytest.raises(OSError, match="No space left") as told:
        simulated_store.make(drawn, RECORDINGS, 1, "test")
    assert "the disk is full or a limit is reached" in stage.message(told.value)
    assert not list(paths.CHECKPOINTS.rglob("*.npy"))


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="only where room can be taken")
def test_room_for_all_signals_is_taken_at_once(drawn, monkeypatch):
    def look(drawn, index):
        (signals,) = paths.CHECKPOINTS.rglob("signals.npy")
        found = signals.stat()
        assert found.st_blocks * 512 >= found.st_size > RECORDINGS * drawn.samples * 24
        raise KeyboardInterrupt

    monkeypatch.setattr(stream, "draw", look)
    with pytest.raises(stage.Stopped):
        simulated_store.make(drawn, RECORDINGS, 1, "test")
