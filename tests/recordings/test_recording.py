"""The wfdb package reads the same recordings: it is the outside oracle."""

import pickle
import shutil

import h5py
import numpy as np
import pytest
import wfdb

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import recording as recordings_recording
from ecgpipe.recordings import refusals, sources
from ecgpipe.simulation import writers
from tests.fixtures.limbs import lawful

SPH_COLUMNS = {
    "record": "ECG_ID",
    "labels": "AHA_Code",
    "patient": "Patient_ID",
    "age": "Age",
    "sex": "Sex",
}
WFDB = sources.Source(form="wfdb", vocabulary="PTB-XL", codes="snomed")
H5 = sources.Source(
    form="h5", vocabulary="SPH", codes="aha", rate_hz=500, table="metadata.csv", columns=SPH_COLUMNS
)


@pytest.fixture
def signal_mv():
    """[1000, 12] in whole microvolts, no fault."""
    return lawful(np.random.default_rng(2).integers(-2000, 2000, (1000, 12)) / 1000)


@pytest.fixture
def good(tmp_path, signal_mv):
    """A header whose recording reads."""
    writers.write_challenge(tmp_path, "A0001", signal_mv, 500, age=74, sex="M", labels=["59118001"])
    return tmp_path / "A0001.hea"


def edit(header, old, new, count=-1):
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new, count))


def wfdb_signal(header):
    return wfdb.rdrecord(str(header.with_suffix(""))).p_signal


def test_a_recording_equals_what_wfdb_reads(good):
    recording = recordings_recording.read(good)
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
        recordings_recording.read(good.with_suffix(".mat")).signal_mv,
        recordings_recording.read(good).signal_mv,
    )


@pytest.mark.parametrize("gain", ["1000/mv", "1000.0(0)/mV", "500(12)/mV", "1/uV", "1e6/V"])
def test_gain_baseline_and_units(good, gain):
    edit(good, "1000/mV", gain)
    scale = {"uV": 1e-3, "V": 1e3}.get(gain.partition("/")[2], 1)
    assert np.allclose(
        recordings_recording.read(good).signal_mv, wfdb_signal(good) * scale, atol=2e-6
    )


def test_leads_come_in_the_standard_order_whatever_theirs(tmp_path, signal_mv):
    order = np.random.default_rng(3).permutation(12)
    writers.write_challenge(tmp_path, "A", signal_mv[:, order], 500, age=None, sex=None, labels=[])
    lines = (tmp_path / "A.hea").read_text().splitlines()
    lines[1:13] = [
        line.rpartition(" ")[0] + " " + LEADS[o].lower()
        for line, o in zip(lines[1:13], order, strict=True)
    ]
    (tmp_path / "A.hea").write_text("\n".join(lines))
    assert np.allclose(
        recordings_recording.read(tmp_path / "A.hea").signal_mv, signal_mv, atol=1e-6
    )


@pytest.mark.parametrize("fmt", ["16", "24", "32", "212", "80"])
def test_other_formats_and_leads_beside_the_twelve(tmp_path, signal_mv, fmt):
    steps = np.rint(signal_mv * 25).astype(np.int64)
    steps = np.concatenate([steps[:, ::-1], steps[:, :1] // 2], axis=1)
    names = [*LEADS[::-1], "Vx"]
    wfdb.wrsamp("A", 500, ["mV"] * 13, names, d_signal=steps, fmt=[fmt] * 13, adc_gain=[50.0] * 13, baseline=[3] * 13,
                write_dir=str(tmp_path))  # fmt: skip
    read = recordings_recording.read(tmp_path / "A.hea").signal_mv
    assert np.allclose(read, wfdb_signal(tmp_path / "A.hea")[:, 11::-1], atol=1e-6)


def test_twelve_leads_in_two_files(tmp_path, signal_mv):
    steps = np.rint(signal_mv * 1000).astype("<i2")
    (tmp_path / "A.dat").write_bytes(steps[:, :6].tobytes())
    (tmp_path / "A.xyz").write_bytes(b"1234" + steps[:, 6:].tobytes())
    files = ["A.dat 16"] * 6 + ["A.xyz 16+4"] * 6
    lines = [
        f"{file} 1000/mV 16 0 {first} 0 0 {lead}"
        for file, first, lead in zip(files, steps[0], LEADS, strict=True)
    ]
    sums = steps.sum(axis=0, dtype=np.int64)
    lines = [
        line.replace(" 0 0 ", f" {total % 65536} 0 ")
        for line, total in zip(lines, sums, strict=True)
    ]
    (tmp_path / "A.hea").write_text("\n".join(["A 12 500 1000", *lines]))
    assert np.allclose(
        recordings_recording.read(tmp_path / "A.hea").signal_mv, signal_mv, atol=1e-6
    )


def test_the_signal_file_tells_the_length_where_the_header_does_not(good, signal_mv):
    edit(good, "500 1000\n", "500\n")
    assert len(recordings_recording.read(good).signal_mv) == len(signal_mv)


def test_a_header_that_names_another_record_reads_under_its_files_name(good):
    edit(good, "A0001 12", "A0002 12")
    assert [record for record, _ in sources.find(good.parent, WFDB)] == ["A0001"]
    assert len(recordings_recording.read(good).signal_mv) == 1000


def test_a_few_missing_samples_are_bridged_and_flagged(tmp_path, signal_mv):
    signal_mv[5:8, 2] = np.nan
    writers.write_challenge(tmp_path, "A", signal_mv, 500, age=None, sex=None, labels=["1"])
    recording = recordings_recording.read(tmp_path / "A.hea")
    assert recording.faults == ("non-finite",)
    assert np.allclose(
        recording.signal_mv[4:9, 2], np.linspace(signal_mv[4, 2], signal_mv[8, 2], 5), atol=1e-6
    )


def cut(good):
    good.with_suffix(".mat").write_bytes(good.with_suffix(".mat").read_bytes()[:-2])


def lengthen(good):
    good.with_suffix(".mat").write_bytes(good.with_suffix(".mat").read_bytes() + b"\0\0")


def flip(good):
    raw = bytearray(good.with_suffix(".mat").read_bytes())
    raw[1000] ^= 1
    good.with_suffix(".mat").write_bytes(raw)


BREAKS = {
    "truncated": (cut, "the header tells of 24024 bytes, found 24022; fetch it anew"),
    "oversized": (lengthen, "the header tells of 24024 bytes, found 24026"),
    "checksum": (flip, "checksum: the header says .*, found"),
    "missing": (
        lambda good: good.with_suffix(".mat").unlink(),
        "A0001.mat: no such file; fetch it",
    ),
    "header": (
        lambda good: good.write_text("no header"),
        "the number of signals is a count, found 'header'",
    ),
    "leads": (lambda good: edit(good, " V6\n", " V7\n"), "missing V6"),
    "gain": (
        lambda good: edit(good, "1000/mV", "0/mV"),
        "lead I: the gain is a number but 0, .*, found 0.0 a mV",
    ),
    "units": (
        lambda good: edit(good, "1000/mV", "1000/mmHg"),
        "units are mV, uV or V, found 'mmHg'",
    ),
    "format": (
        lambda good: edit(good, "A0001.mat", "../A0001.mat"),
        "signal file '../A0001.mat' is not in the header's",
    ),
}


@pytest.mark.parametrize("reason", BREAKS)
def test_what_cannot_be_trusted_is_refused_with_its_reason(good, reason):
    change, says = BREAKS[reason]
    change(good)
    with pytest.raises(refusals.Refused, match=says) as caught:
        recordings_recording.read(good)
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
        with pytest.raises(refusals.Refused) as caught:
            recordings_recording.read(good)
        good.write_text(whole)
        assert caught.value.reason == reason, (old, new, str(caught.value))
    for name, reason in [("none.hea", "missing"), ("none.h5", "missing"), ("A0001.txt", "format")]:
        with pytest.raises(refusals.Refused) as caught:
            recordings_recording.read(tmp_path / name)
        assert caught.value.reason == reason


def test_a_wrong_first_value_is_refused(good, signal_mv):
    edit(good, f" {round(signal_mv[0, 0] * 1000)} ", " 32000 ", 1)
    with pytest.raises(refusals.Refused, match="lead I: first value: the header says 32000"):
        recordings_recording.read(good)


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
        with pytest.raises(refusals.Refused, match=file) as caught:
            recordings_recording.read(tmp_path / file)
        assert caught.value.reason == reason


def test_broken_signals_of_other_formats_are_refused(tmp_path, signal_mv):
    steps = np.rint(signal_mv * 1000).astype(np.int64)
    wfdb.wrsamp("A", 500, ["mV"] * 12, list(LEADS), d_signal=steps, fmt=["32"] * 12, adc_gain=[1000.0] * 12,
                baseline=[0] * 12, write_dir=str(tmp_path))  # fmt: skip
    raw = (tmp_path / "A.dat").read_bytes()
    for broken, reason in ((raw[:-40], "truncated"), (raw[:400] + b"\1" + raw[401:], "checksum")):
        (tmp_path / "A.dat").write_bytes(broken)
        with pytest.raises(refusals.Refused) as caught:
            recordings_recording.read(tmp_path / "A.hea")
        assert caught.value.reason == reason


def test_hdf5_files(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    recording = recordings_recording.read(tmp_path / "A.h5", H5)
    assert np.array_equal(recording.signal_mv, signal_mv.astype(np.float16).astype(np.float32))
    assert (recording.rate_hz, recording.labels, recording.age) == (500, (), None)
    with pytest.raises(refusals.Refused, match="the rate in Hz is unknown") as caught:
        recordings_recording.read(tmp_path / "A.h5")
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
    with pytest.raises(refusals.Refused, match="convert it") as caught:
        recordings_recording.read(tmp_path / "A.h5", H5)
    assert caught.value.reason == reason
    (tmp_path / "A.h5").write_bytes(b"no HDF5")
    with pytest.raises(refusals.Refused, match="no readable HDF5 file"):
        recordings_recording.read(tmp_path / "A.h5", H5)


def test_describe_reads_no_signal(good):
    good.with_suffix(".mat").unlink()
    assert list(recordings_recording.describe(good.parent, WFDB)) == [
        recordings_recording.Description(
            "A0001", "A0001.hea", None, 74, "M", 500, 1000, ("59118001",), ""
        )
    ]


@pytest.mark.parametrize("reason", ["header", "leads", "gain", "units", "format"])
def test_describe_reports_what_a_header_alone_can_tell(good, reason):
    BREAKS[reason][0](good)
    (description,) = recordings_recording.describe(good.parent, WFDB)
    assert description.fault.startswith(f"{reason}: A0001.hea: ")


def test_describe_reports_short_recordings_and_both_of_two_with_one_name(tmp_path, good):
    edit(good, "500 1000\n", "500 499\n")
    assert next(recordings_recording.describe(tmp_path, WFDB)).fault.startswith(
        "short: A0001.hea: a recording lasts 1 s or longer"
    )
    (tmp_path / "g2").mkdir()
    shutil.copy(good, tmp_path / "g2" / "A0001.hea")
    both = list(recordings_recording.describe(tmp_path, WFDB))
    assert [d.path for d in both] == ["A0001.hea", "g2/A0001.hea"]
    assert all(d.fault.startswith("duplicate-record: ") for d in both)


def test_a_refusal_travels_between_processes():
    refusal = pickle.loads(pickle.dumps(refusals.Refused("short", "A.hea: too short")))
    assert (refusal.reason, str(refusal)) == ("short", "A.hea: too short")


def test_every_real_recording_reads_as_wfdb_reads_it(real_data):
    folders = [
        folder for folder in sorted(real_data.iterdir()) if folder.is_dir() and folder.name != "sph"
    ]
    assert folders
    flagged = {}
    for folder in folders:
        for record, file in sources.find(folder, WFDB):
            recording = recordings_recording.read(file)
            oracle = wfdb.rdrecord(str(file.with_suffix("")))
            assert recording.rate_hz == oracle.fs, file
            assert np.allclose(recording.signal_mv, oracle.p_signal, rtol=1e-6, atol=1e-6), file
            for fault in recording.faults:
                flagged.setdefault(fault, []).append(record)
    assert flagged == {
        "flat-lead": ["JS20004", "JS20008", "JS45542", "JS45551"],
        "out-of-range": ["A0061", "E00006", "JS20011"],
    }


def test_every_real_hdf5_recording_reads_and_one_has_no_metadata(real_data):
    described = list(recordings_recording.describe(real_data / "sph", H5))
    assert [d.record for d in described if d.fault] == ["SPH00005"]
    assert described[0].labels == ("22", "23")
    for description in described:
        file = real_data / "sph" / description.path
        with h5py.File(file) as opened:
            assert np.array_equal(
                recordings_recording.read(file, H5).signal_mv.T, opened["ecg"][:].astype(np.float32)
            )


def in_format_32(folder, steps, gain):
    (folder / "B.dat").write_bytes(steps.astype("<i4").tobytes())
    lines = [
        f"B.dat 32 {gain} 16 0 {steps[0, i]} {steps[:, i].sum() % 65536} 0 {lead}"
        for i, lead in enumerate(LEADS)
    ]
    (folder / "B.hea").write_text("\n".join([f"B 12 500 {len(steps)}", *lines]))
    return recordings_recording.read(folder / "B.hea").signal_mv


@pytest.mark.parametrize("gain", [200, 333.33, 400, 1000, 4880])
def test_the_same_steps_read_the_same_whatever_the_format_and_the_baseline(good, signal_mv, gain):
    edit(good, "1000/mV", f"{gain}/mV")
    plain = recordings_recording.read(good).signal_mv
    steps = np.rint(signal_mv * 1000).astype(np.int64)
    assert np.array_equal(in_format_32(good.parent, steps, f"{gain}/mV"), plain)
    assert np.array_equal(in_format_32(good.parent, steps + 100_000, f"{gain}(100000)/mV"), plain)


def test_steps_beyond_what_float32_holds_are_whole_until_they_are_mv(good, signal_mv):
    steps = np.rint(signal_mv * 1e7).astype(np.int64)
    far = in_format_32(good.parent, steps + 1_000_000_001, "10000000(1000000001)/mV")
    assert np.array_equal(far, (steps * np.float64(1 / 1e7)).astype(np.float32))


def test_a_coarse_step_is_for_a_constant_lead_alone(tmp_path, signal_mv):
    for constant in (0.0, 0.1, -1.0):
        signal_mv[:, 4] = constant
        wfdb.wrsamp("A", 500, ["mV"] * 12, list(LEADS), p_signal=signal_mv.astype(float), fmt=["16"] * 12,
                    write_dir=str(tmp_path))  # fmt: skip
        recording = recordings_recording.read(tmp_path / "A.hea")
        assert recording.faults == ("flat-lead",)
        assert np.allclose(recording.signal_mv, signal_mv, atol=1e-4)
    edit(tmp_path / "A.hea", " V6\n", " aVL\n")
    text = (tmp_path / "A.hea").read_text().replace(" aVL\n", " V6\n", 1)
    (tmp_path / "A.hea").write_text(text)
    edit(tmp_path / "A.hea", text.split("\n")[12].split(" ")[2], "5(1)/mV")
    with pytest.raises(
        refusals.Refused, match=r"lead aVL: the gain is .*, found 5\.0 a mV"
    ) as caught:
        recordings_recording.read(tmp_path / "A.hea")
    assert caught.value.reason == "gain"


def test_an_hdf5_file_and_its_source_agree_on_the_rate(tmp_path, signal_mv):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["ecg"] = signal_mv.T
        file.attrs["rate_hz"] = 500
    assert recordings_recording.read(tmp_path / "a.h5", H5).rate_hz == 500
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.attrs["rate_hz"] = 250
    with pytest.raises(
        refusals.Refused, match="attribute rate_hz says 250 Hz, its source 500 Hz"
    ) as caught:
        recordings_recording.read(tmp_path / "a.h5", H5)
    assert caught.value.reason == "rate"


@pytest.mark.parametrize("fmt", ["24", "32"])
def test_a_record_that_wfdb_stretches_over_the_whole_range_of_its_format_reads(
    tmp_path, signal_mv, fmt
):
    made = np.asarray(signal_mv, dtype=np.float64)
    wfdb.wrsamp(
        "s",
        fs=500,
        units=["mV"] * 12,
        sig_name=list(LEADS),
        p_signal=made,
        fmt=[fmt] * 12,
        write_dir=str(tmp_path),
    )
    found = recordings_recording.read(tmp_path / "s.hea").signal_mv
    assert np.abs(found - wfdb.rdrecord(str(tmp_path / "s")).p_signal).max() < 1e-6
    assert np.abs(found - made).max() < 1e-6
