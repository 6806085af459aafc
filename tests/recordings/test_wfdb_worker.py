"""The wfdb package reads the same files with their own headers: it is the outside oracle."""

import os

import numpy as np
import pytest
import wfdb

from ecgpipe.recordings import safe_files, wfdb_signals, wfdb_worker
from ecgpipe.recordings.refusals import Refused
from tests.fixtures.corpus import encoded
from tests.fixtures.signal_files import STEPS, read, write


@pytest.mark.parametrize("fmt", ["310", "311", "8", "16x2", "16:3"])
def test_other_formats_are_read_by_wfdb_in_a_process_of_its_own(tmp_path, fmt):
    steps = np.cumsum(np.random.default_rng(2).integers(-3, 4, (600, 3)), axis=0)
    steps -= steps[0]
    if fmt == "8":
        raw = np.diff(steps, axis=0, prepend=steps[:1]).astype(np.int8).tobytes()
    else:
        framed = STEPS[:600].reshape(300, 2, 3).transpose(0, 2, 1) if fmt == "16x2" else STEPS[:600]
        raw = encoded(framed, "16") if fmt.startswith("16") else bytes(2400)
    zeros = np.zeros((600, 3), dtype=np.int16)
    told = {"8": steps, "310": zeros, "311": zeros}.get(fmt, STEPS[:600])
    header = write(tmp_path, fmt, raw, told, count=300 if fmt == "16x2" else 600)
    oracle = wfdb.rdrecord(str(tmp_path / "A"), physical=False)
    digital, missing = read(header)
    assert digital.shape == oracle.d_signal.shape
    assert (
        np.abs(digital - oracle.d_signal)[~missing].max() < 1
    )  # means of a frame lose their fraction
    assert missing.sum() == (9 if fmt == "16:3" else 0)


def told_by(path, most=safe_files.MOST_BYTES, root=None):
    """What the other process says of a file of one lead in format 310, asked in this one."""
    with wfdb_worker.own_record(path, "310", 0, [(1, 0, 0)]) as record:
        about = (str(path), str(root or path.parent), record, "310", 0, 0, most, "0")
        return wfdb_worker.handle_request("wfdb", *about, 1, 0, 0)


def test_what_wfdb_decodes_is_small_and_lies_in_the_folder_for_both_processes(tmp_path):
    (tmp_path / "in").mkdir()
    header = write(tmp_path / "in", "310", bytes(2400), np.zeros((600, 3), dtype=np.int16))
    file = header.with_suffix(".dat")
    assert read(header)[0].shape == (600, 3) and told_by(file)[0].shape == (1, 1800)
    reasons = []
    for most, target in ((2399, None), (safe_files.MOST_BYTES, tmp_path / "outside.dat")):
        if target:
            file.rename(target)
            file.symlink_to(target)
        with pytest.raises(Refused) as caught:
            told_by(file, most)
        reasons.append(caught.value.reason)
    with pytest.raises(Refused) as caught:
        read(header)
    assert [*reasons, caught.value.reason] == ["oversized", "outside", "outside"]
    assert told_by(file, root=tmp_path)[0].shape == (1, 1800)
    file.unlink()
    file.touch()
    os.truncate(file, safe_files.MOST_BYTES + 4)
    with pytest.raises(Refused, match="holds 67108864 bytes at most, found 67108868"):
        read(header)


@pytest.mark.parametrize("fmt", ["508", "516", "524"])
def test_flac_files_of_wfdb_read_as_it_reads_them_and_are_as_long_as_told(tmp_path, fmt):
    steps = STEPS // (20 if fmt == "508" else 1)
    how = {"adc_gain": [200.0] * 3, "baseline": [0] * 3, "write_dir": str(tmp_path)}
    wfdb.wrsamp(
        "A",
        500,
        ["mV"] * 3,
        ["I", "II", "III"],
        d_signal=steps.astype(np.int64),
        fmt=[fmt] * 3,
        **how,
    )
    header = tmp_path / "A.hea"
    assert np.array_equal(read(header)[0], steps)
    text = header.read_text()
    for count, reason in (("500 699", "oversized"), ("500 701", "truncated"), ("500 0", None)):
        header.write_text(text.replace("500 700", count))
        try:
            assert np.array_equal(read(header)[0], steps) and reason is None
        except Refused as refusal:
            assert refusal.reason == reason


def test_frames_of_several_samples_are_summed_whole_and_one_missing_sample_loses_the_frame(
    tmp_path,
):
    steps = STEPS[:600].astype(np.int64)
    steps[4, 1] = -32768
    framed = steps.reshape(300, 2, 3).transpose(0, 2, 1)
    header = write(tmp_path, "16x2", encoded(framed, "16"), steps, count=300)
    digital, missing = read(header)
    assert np.argwhere(missing).tolist() == [[2, 1]]
    assert np.array_equal(digital[~missing], np.trunc(framed.mean(axis=2))[~missing])
    header.write_text(header.read_text().replace(f" {steps[:, 2].sum() % 65536} 0 L2", " 1 0 L2"))
    with pytest.raises(Refused, match="lead L2: checksum: the header says 1, found"):
        read(header)


def test_a_link_that_leads_out_is_refused_before_any_other_process_is_asked(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    header = write(tmp_path / "in", "310", bytes(2400), np.zeros((600, 3), dtype=np.int16))
    header.with_suffix(".dat").rename(tmp_path / "outside.dat")
    header.with_suffix(".dat").symlink_to(tmp_path / "outside.dat")
    monkeypatch.setattr(wfdb_signals, "wfdb_library", lambda: pytest.fail("asked"))
    with pytest.raises(Refused) as caught:
        read(header)
    assert caught.value.reason == "outside"
