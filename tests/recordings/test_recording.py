"""The wfdb package reads the same recordings: it is the outside oracle."""

import pickle

import numpy as np
import pytest
import wfdb

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings.recording import read
from ecgpipe.recordings.refusals import Refused
from ecgpipe.recordings.source_files import find
from ecgpipe.simulation import writers
from tests.recordings.conftest import BREAKS, WFDB, edit, wfdb_signal


def test_a_recording_equals_what_wfdb_reads(good):
    recording = read(good)
    assert recording.signal_mv.dtype == np.float32
    assert np.abs(recording.signal_mv - wfdb_signal(good)).max() < 1e-6
    assert recording.signal_mv.T.flags.c_contiguous
    assert (recording.rate_hz, recording.age, recording.sex, recording.patient) == (
        500,
        74,
        "M",
        None,
    )
    assert (recording.labels, recording.faults) == (("59118001",), ())


def test_a_recording_is_named_by_any_of_its_files(good):
    assert np.array_equal(
        read(good.with_suffix(".mat")).signal_mv,
        read(good).signal_mv,
    )


def test_the_signal_file_tells_the_length_where_the_header_does_not(good, signal_mv):
    edit(good, "500 1000\n", "500\n")
    assert len(read(good).signal_mv) == len(signal_mv)


def test_a_header_that_names_another_record_reads_under_its_files_name(good):
    edit(good, "A0001 12", "A0002 12")
    assert [record for record, _ in find(good.parent, WFDB)] == ["A0001"]
    assert len(read(good).signal_mv) == 1000


def test_a_few_missing_samples_are_bridged_and_flagged(tmp_path, signal_mv):
    signal_mv[5:8, 2] = np.nan
    writers.write_challenge(tmp_path, "A", signal_mv, 500, age=None, sex=None, labels=["1"])
    recording = read(tmp_path / "A.hea")
    assert recording.faults == ("non-finite",)
    assert np.allclose(
        recording.signal_mv[4:9, 2], np.linspace(signal_mv[4, 2], signal_mv[8, 2], 5), atol=1e-6
    )


@pytest.mark.parametrize("reason", BREAKS)
def test_what_cannot_be_trusted_is_refused_with_its_reason(good, reason):
    change, says = BREAKS[reason]
    change(good)
    with pytest.raises(Refused, match=says) as caught:
        read(good)
    assert caught.value.reason == reason
    assert str(caught.value).startswith(str(good.with_suffix("")))


def test_more_refusals(good, tmp_path):
    for old, new, reason in [
        (" V6\n", " V5\n", "leads"),
        ("1000/mV", "nan/mV", "gain"),
        ("A0001.mat", "..\\A0001.mat", "format"),
        ("A0001.mat 16+24", "A0001.mat 16+22", "format"),
    ]:
        whole = good.read_text()
        good.write_text(whole.replace(old, new, 1 if "22" in new else -1))
        with pytest.raises(Refused) as caught:
            read(good)
        good.write_text(whole)
        assert caught.value.reason == reason, (old, new, str(caught.value))
    for name, reason in [("none.hea", "missing"), ("none.h5", "missing"), ("A0001.txt", "format")]:
        with pytest.raises(Refused) as caught:
            read(tmp_path / name)
        assert caught.value.reason == reason


def test_a_wrong_first_value_is_refused(good, signal_mv):
    edit(good, f" {round(signal_mv[0, 0] * 1000)} ", " 32000 ", 1)
    with pytest.raises(Refused, match="lead I: first value: the header says 32000"):
        read(good)


def holed(signal_mv):
    signal_mv[:100] = np.nan
    return signal_mv


@pytest.mark.parametrize(
    ("change", "reason"),
    [(lambda signal_mv: signal_mv[:499], "short"), (np.zeros_like, "flat"), (holed, "non-finite")],
    ids=["short", "flat", "non-finite"],
)
def test_signals_that_are_refused(tmp_path, signal_mv, change, reason):
    writers.write_challenge(tmp_path, "A", change(signal_mv), 500, age=None, sex=None, labels=["1"])
    writers.write_h5(tmp_path, "B", change(signal_mv), 500)
    for file in ("A.hea", "B.h5"):
        with pytest.raises(Refused, match=file) as caught:
            read(tmp_path / file)
        assert caught.value.reason == reason


def test_what_int16_cannot_hold_in_microvolts_is_refused_with_its_likely_cause(tmp_path, signal_mv):
    spike, held = signal_mv.copy(), signal_mv.copy()
    spike[500, 7], held[500, 7] = 40.0, 30.0
    signals = {"microvolts": signal_mv * 1000, "spike": spike, "held": held, "drift": held + 100}
    for name, made in signals.items():
        writers.write_h5(tmp_path, name, made, 500)
    unit = r"\.h5: a lead stays within 32\.767 mV of its median, found .* of all values beyond; "
    with pytest.raises(Refused, match=unit + "correct its unit or gain") as caught:
        read(tmp_path / "microvolts.h5")
    assert caught.value.reason == "range"
    with pytest.raises(Refused, match=unit + "cut it out"):
        read(tmp_path / "spike.h5")
    assert read(tmp_path / "held.h5").faults == ("out-of-range",)
    assert read(tmp_path / "drift.h5").faults == ("out-of-range",), "an offset is filtered away"
    writers.write_h5(tmp_path, "volts", signal_mv / 1000, 500)
    with pytest.raises(Refused, match="leave it out, or correct its unit or gain"):
        read(tmp_path / "volts.h5")


def test_broken_signals_of_other_formats_are_refused(tmp_path, signal_mv):
    steps = np.rint(signal_mv * 1000).astype(np.int64)
    wfdb.wrsamp(
        "A",
        500,
        ["mV"] * 12,
        list(LEADS),
        d_signal=steps,
        fmt=["32"] * 12,
        adc_gain=[1000.0] * 12,
        baseline=[0] * 12,
        write_dir=str(tmp_path),
    )
    raw = (tmp_path / "A.dat").read_bytes()
    for broken, reason in ((raw[:-40], "truncated"), (raw[:400] + b"\1" + raw[401:], "checksum")):
        (tmp_path / "A.dat").write_bytes(broken)
        with pytest.raises(Refused) as caught:
            read(tmp_path / "A.hea")
        assert caught.value.reason == reason


def test_a_refusal_travels_between_processes():
    refusal = pickle.loads(pickle.dumps(Refused("short", "A.hea: too short")))
    assert (refusal.reason, str(refusal)) == ("short", "A.hea: too short")


def test_every_real_recording_reads_as_wfdb_reads_it(real_data):
    folders = [
        folder for folder in sorted(real_data.iterdir()) if folder.is_dir() and folder.name != "sph"
    ]
    assert folders
    flagged = {}
    for folder in folders:
        for record, file in find(folder, WFDB):
            recording = read(file)
            oracle = wfdb.rdrecord(str(file.with_suffix("")))
            assert recording.rate_hz == oracle.fs, file
            assert np.allclose(recording.signal_mv, oracle.p_signal, rtol=1e-6, atol=1e-6), file
            for fault in recording.faults:
                flagged.setdefault(fault, []).append(record)
    assert flagged == {
        "flat-lead": ["JS20004", "JS20008", "JS45542", "JS45551"],
        "out-of-range": ["A0061", "E00006", "JS20011"],
    }
