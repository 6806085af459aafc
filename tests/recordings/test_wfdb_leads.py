"""The twelve leads of a header in mV; the wfdb package is the outside oracle."""

import re

import numpy as np
import pytest
import wfdb

from ecgpipe.project.leads import LEADS
from ecgpipe.recordings.recording import read
from ecgpipe.recordings.refusals import Refused
from ecgpipe.simulation import writers
from tests.recordings.conftest import edit, wfdb_signal


@pytest.mark.parametrize("gain", ["1000/mv", "1000.0(0)/mV", "500(12)/mV", "1/uV", "1e6/V"])
def test_gain_baseline_and_units(good, gain):
    edit(good, "1000/mV", gain)
    scale = {"uV": 1e-3, "V": 1e3}.get(gain.partition("/")[2], 1)
    assert np.allclose(read(good).signal_mv, wfdb_signal(good) * scale, atol=2e-6)


def test_leads_come_in_the_standard_order_whatever_theirs(tmp_path, signal_mv):
    order = np.random.default_rng(3).permutation(12)
    writers.write_challenge(tmp_path, "A", signal_mv[:, order], 500, age=None, sex=None, labels=[])
    lines = (tmp_path / "A.hea").read_text().splitlines()
    lines[1:13] = [
        line.rpartition(" ")[0] + " " + LEADS[o].lower()
        for line, o in zip(lines[1:13], order, strict=True)
    ]
    (tmp_path / "A.hea").write_text("\n".join(lines))
    assert np.allclose(read(tmp_path / "A.hea").signal_mv, signal_mv, atol=1e-6)


@pytest.mark.parametrize("fmt", ["16", "24", "32", "212", "80"])
def test_other_formats_and_leads_beside_the_twelve(tmp_path, signal_mv, fmt):
    steps = np.rint(signal_mv * 25).astype(np.int64)
    steps = np.concatenate([steps[:, ::-1], steps[:, :1] // 2], axis=1)
    names = [*LEADS[::-1], "Vx"]
    wfdb.wrsamp(
        "A",
        500,
        ["mV"] * 13,
        names,
        d_signal=steps,
        fmt=[fmt] * 13,
        adc_gain=[50.0] * 13,
        baseline=[3] * 13,
        write_dir=str(tmp_path),
    )
    signal_mv = read(tmp_path / "A.hea").signal_mv
    assert np.allclose(signal_mv, wfdb_signal(tmp_path / "A.hea")[:, 11::-1], atol=1e-6)


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
    assert np.allclose(read(tmp_path / "A.hea").signal_mv, signal_mv, atol=1e-6)


def in_format_32(folder, steps, gain):
    (folder / "B.dat").write_bytes(steps.astype("<i4").tobytes())
    lines = [
        f"B.dat 32 {gain} 16 0 {steps[0, i]} {steps[:, i].sum() % 65536} 0 {lead}"
        for i, lead in enumerate(LEADS)
    ]
    (folder / "B.hea").write_text("\n".join([f"B 12 500 {len(steps)}", *lines]))
    return read(folder / "B.hea").signal_mv


@pytest.mark.parametrize("gain", [200, 333.33, 400, 1000, 4880])
def test_the_same_steps_read_the_same_whatever_the_format_and_the_baseline(good, signal_mv, gain):
    edit(good, "1000/mV", f"{gain}/mV")
    plain = read(good).signal_mv
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
        wfdb.wrsamp(
            "A",
            500,
            ["mV"] * 12,
            list(LEADS),
            p_signal=signal_mv.astype(float),
            fmt=["16"] * 12,
            write_dir=str(tmp_path),
        )
        recording = read(tmp_path / "A.hea")
        assert recording.faults == ("flat-lead",)
        assert np.allclose(recording.signal_mv, signal_mv, atol=1e-4)
    edit(tmp_path / "A.hea", " V6\n", " aVL\n")
    text = (tmp_path / "A.hea").read_text().replace(" aVL\n", " V6\n", 1)
    (tmp_path / "A.hea").write_text(text)
    edit(tmp_path / "A.hea", text.split("\n")[12].split(" ")[2], "5(1)/mV")
    with pytest.raises(Refused, match=r"lead aVL: the gain is .*, found 5\.0 a mV") as caught:
        read(tmp_path / "A.hea")
    assert caught.value.reason == "gain"


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
    found = read(tmp_path / "s.hea").signal_mv
    assert np.abs(found - wfdb.rdrecord(str(tmp_path / "s")).p_signal).max() < 1e-6
    assert np.abs(found - made).max() < 1e-6


def test_a_lead_turned_over_is_not_to_be_renamed_alone(good):
    edit(good, " aVR\n", " -aVR\n")
    with pytest.raises(Refused, match=r"found '-aVR'; rename .* over: its signal changes sign"):
        read(good)


def test_names_that_are_no_leads_are_shown_beside_what_is_missing(good):
    good.write_text(re.sub(r" (I|II|aVR|V\d)\n", r" Ableitung \1\n", good.read_text()))
    told = (
        r"missing I, II, aVR, V1, V2, V3, V4, V5, V6; found 'Ableitung I', 'Ableitung II', .*'"
        r"Ableitung V3' and 3 more; rename them in the header, or leave it out"
    )
    with pytest.raises(Refused, match=told):
        read(good)
