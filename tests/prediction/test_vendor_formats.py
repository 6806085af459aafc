"""Recordings written by public writers (pydicom, pyedflib) against the signal that went into
them."""

import contextlib
import datetime
import importlib.util
import os
import socket

import numpy as np
import pytest

from ecgpipe.prediction import check, reading, vendor_formats
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import refusals
from tests.fixtures.resting_ecg import EIGHT, RATE_HZ, signal


def dicom(path, signal_mv, leads=LEADS, rate_hz=RATE_HZ, unit="uV", sensitivity=2.5, age="061Y"):
    """A 12-lead ECG as pydicom writes it (DICOM PS3.3, A.34.3)."""
    pydicom = pytest.importorskip(
        "pydicom", reason="pydicom writes DICOM; requirements-formats.txt has it"
    )
    pytest.importorskip("ecgdatakit", reason="ecgdatakit reads it; requirements-formats.txt has it")
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    made = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.Modality = "ECG"
    made.PatientID, made.PatientSex, made.PatientAge = "00017", "F", age

    def code(value, scheme, meaning):
        one = Dataset()
        one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = value, scheme, meaning
        return [one]

    factor = {"uV": 1000, "mV": 1, "mmHg": 1}[unit] / sensitivity
    wave = Dataset()
    wave.MultiplexGroupTimeOffset, wave.WaveformOriginality = "0", "ORIGINAL"
    wave.NumberOfWaveformChannels, wave.NumberOfWaveformSamples = len(leads), len(signal_mv)
    wave.SamplingFrequency = rate_hz
    wave.WaveformBitsAllocated, wave.WaveformSampleInterpretation = 16, "SS"
    channels = []
    for lead in leads:
        one = Dataset()
        one.ChannelSourceSequence = code(f"MDC_ECG_LEAD_{lead.upper()}", "MDC", f"Lead {lead}")
        one.ChannelSensitivity, one.ChannelBaseline = str(sensitivity), "0"
        one.ChannelSensitivityCorrectionFactor = "1"
        one.ChannelSensitivityUnitsSequence = code(unit, "UCUM", unit)
        one.ChannelSampleSkew, one.WaveformBitsStored = "0", 16
        channels.append(one)
    wave.ChannelDefinitionSequence = channels
    columns = [LEADS.index(lead) for lead in leads]
    wave.WaveformData = np.rint(signal_mv[:, columns] * factor).astype("<i2").tobytes()
    made.WaveformSequence = [wave]
    pydicom.dcmwrite(path, made, enforce_file_format=True)
    return path


def edf(path, signal_mv, leads=LEADS, unit="mV", rate_hz=RATE_HZ):
    """EDF+ as pyedflib writes it; its steps are 20 mV / 65536."""
    pyedflib = pytest.importorskip(
        "pyedflib", reason="pyedflib writes EDF; requirements-dev.txt has it"
    )
    pytest.importorskip("ecgdatakit", reason="ecgdatakit reads it; requirements-formats.txt has it")
    scale = {"mV": 1, "uV": 1000, "degC": 1}[unit]
    about = {
        "dimension": unit,
        "sample_frequency": rate_hz,
        "physical_min": -10 * scale,
        "physical_max": 10 * scale,
        "digital_min": -32768,
        "digital_max": 32767,
        "transducer": "",
        "prefilter": "",
    }
    with contextlib.closing(
        pyedflib.EdfWriter(str(path), len(leads), file_type=pyedflib.FILETYPE_EDFPLUS)
    ) as writer:
        writer.setSignalHeaders([{"label": f"ECG {lead}", **about} for lead in leads])
        writer.setStartdatetime(datetime.datetime(2020, 5, 1, 12))
        writer.setBirthdate(datetime.date(1950, 1, 1))
        writer.setSex(0)
        writer.writeSamples(
            [np.ascontiguousarray(signal_mv[:, LEADS.index(lead)] * scale) for lead in leads]
        )
    return path


def reason(path):
    with pytest.raises(refusals.Refused) as caught:
        vendor_formats.read(path)
    assert str(path) in str(caught.value)
    return caught.value.reason


def test_a_dicom_recording_reads_as_it_was_written(tmp_path):
    made = signal()
    recording = vendor_formats.read(dicom(tmp_path / "a.dcm", made))
    assert np.abs(recording.signal_mv - made).max() < 1e-3 * 1.26
    assert (recording.rate_hz, recording.age, recording.sex, recording.patient) == (
        500,
        61,
        "F",
        "00017",
    )
    assert recording.faults == ()
    assert recording.signal_mv.dtype == np.float32
    assert recording.signal_mv.T.flags.c_contiguous
    shuffled = vendor_formats.read(
        dicom(tmp_path / "b.dcm", made, leads=LEADS[::-1], unit="mV", sensitivity=0.0025)
    )
    assert np.array_equal(shuffled.signal_mv, recording.signal_mv)


def test_a_dicom_recording_of_a_cart_reads_as_pydicom_reads_it():
    pydicom = pytest.importorskip(
        "pydicom", reason="pydicom has it; requirements-formats.txt has pydicom"
    )
    from pydicom.data import get_testdata_file

    pytest.importorskip("ecgdatakit", reason="ecgdatakit reads it; requirements-formats.txt has it")
    path = get_testdata_file("waveform_ecg.dcm", download=False)
    if path is None:
        pytest.skip("this pydicom comes without its sample recording")
    dataset = pydicom.dcmread(path)
    group = dataset.WaveformSequence[0]
    units = {
        one.ChannelSensitivityUnitsSequence[0].CodeValue for one in group.ChannelDefinitionSequence
    }
    names = [one.ChannelSourceSequence[0].CodeMeaning for one in group.ChannelDefinitionSequence]
    assert units == {"uV"}
    recording = vendor_formats.read(path)
    for column, name in enumerate(names):
        lead = LEADS.index(name.removeprefix("Lead ").split(",")[0].split(" (")[0].strip())
        assert np.allclose(
            recording.signal_mv[:, lead], dataset.waveform_array(0)[:, column] / 1000, atol=1e-5
        )
    assert recording.rate_hz == float(group.SamplingFrequency)
    assert recording.sex == dataset.PatientSex


def test_an_edf_recording_reads_as_it_was_written(tmp_path):
    made = signal(seed=2)
    recording = vendor_formats.read(edf(tmp_path / "a.edf", made))
    assert np.abs(recording.signal_mv - made).max() <= 20 / 65535
    assert (recording.rate_hz, recording.age, recording.sex, recording.faults) == (500, 70, "F", ())
    assert (
        np.abs(vendor_formats.read(edf(tmp_path / "b.edf", made, unit="uV")).signal_mv - made).max()
        <= 20 / 65535
    )


def test_limb_leads_that_were_not_stored_are_computed_and_flagged(tmp_path):
    made = signal(seed=3)
    recording = vendor_formats.read(dicom(tmp_path / "a.dcm", made, leads=EIGHT))
    assert np.abs(recording.signal_mv - made).max() < 2e-3
    assert recording.faults == ("derived-leads",)


def test_what_cannot_be_trusted_is_refused_with_its_reason(tmp_path):
    made = signal(seed=4)
    assert reason(dicom(tmp_path / "v6.dcm", made, leads=LEADS[:-1])) == "leads"
    assert (
        reason(dicom(tmp_path / "ii.dcm", made, leads=[lead for lead in LEADS if lead != "II"]))
        == "leads"
    )
    assert reason(dicom(tmp_path / "twice.dcm", made, leads=(*LEADS[:-1], "V5"))) == "leads"
    assert reason(dicom(tmp_path / "more.dcm", made, leads=(*LEADS, "V5"))) == "leads"
    assert reason(dicom(tmp_path / "unit.dcm", made, unit="mmHg", sensitivity=0.0025)) == "units"
    assert reason(edf(tmp_path / "unit.edf", made, unit="degC")) == "units"
    assert reason(dicom(tmp_path / "rate.dcm", made, rate_hz=0)) in ("rate", "unreadable")
    assert reason(dicom(tmp_path / "half.dcm", made, rate_hz=62.5)) == "rate"
    assert reason(dicom(tmp_path / "flat.dcm", made * 0)) == "flat"
    assert reason(dicom(tmp_path / "short.dcm", made[:400])) == "short"


def test_an_edf_recording_that_is_cut_or_has_gaps_is_refused(tmp_path):
    whole = edf(tmp_path / "a.edf", signal()).read_bytes()
    for share in (1 / 3, 0.9, 0.999):
        (tmp_path / "cut.edf").write_bytes(whole[: int(len(whole) * share)])
        assert reason(tmp_path / "cut.edf") == "truncated"
    parted = whole.replace(b"EDF+C", b"EDF+D")
    (tmp_path / "whole.edf").write_bytes(parted)
    assert vendor_formats.read(tmp_path / "whole.edf").faults == ()
    assert parted.count(b"+4\x14\x14") == 1
    (tmp_path / "gap.edf").write_bytes(parted.replace(b"+4\x14\x14", b"+5\x14\x14"))
    assert reason(tmp_path / "gap.edf") == "truncated"


def test_files_that_are_none_are_refused(tmp_path):
    whole = dicom(tmp_path / "a.dcm", signal()).read_bytes()
    assert reason(tmp_path / "gone.dcm") == "missing"
    for name, data, why in (
        ("empty.dcm", b"", "empty"),
        ("cut.dcm", whole[: len(whole) // 2], "unreadable"),
        ("page.xml", b"<html><body>404</body></html>", "web-page"),
        ("text.scp", b"hello", "format"),
        ("lfs.edf", b"version https://git-lfs.github.com/spec/v1\n", "lfs-pointer"),
        ("other.xml", b'<?xml version="1.0"?><invoice/>', "format"),
        ("a.ecg", b"\x80\x04\x95" + b"." * 90, "pickle"),
    ):
        (tmp_path / name).write_bytes(data)
        assert reason(tmp_path / name) == why
    os.mkfifo(tmp_path / "pipe.dcm")
    assert reason(tmp_path / "pipe.dcm") == "no-file"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as one, contextlib.chdir(tmp_path):
        one.bind("s.dcm")
    assert reason(tmp_path / "s.dcm") == "no-file"
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link.dcm").symlink_to(tmp_path / "cut.dcm")
    assert reason(tmp_path / "in/link.dcm") == "outside"


@pytest.mark.parametrize("write", [dicom, edf])
def test_a_mutated_file_is_read_or_refused_and_nothing_else(tmp_path, write):
    whole, rng = write(tmp_path / "whole", signal(2)).read_bytes(), np.random.default_rng(1)
    path, seen = tmp_path / f"m.{write.__name__.replace('dicom', 'dcm')}", set()
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.integers(0, 4000, rng.integers(1, 6)).tolist():
            change = rng.integers(0, 256, rng.integers(0, 12), dtype=np.uint8).tobytes()
            data[place : place + int(rng.integers(0, 12))] = change
        path.write_bytes(data)
        try:
            vendor_formats.read(path)
            seen.add("read")
        except refusals.Refused as refusal:
            seen.add(refusal.reason)
    assert {"read", "unreadable"} <= seen


def test_no_file_leads_to_another(tmp_path):
    pytest.importorskip("ecgdatakit", reason="ecgdatakit reads it; requirements-formats.txt has it")
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.dat").write_bytes(b"\1\0" * 12000)
    lines = ["a 12 500 1000", *(f"../secret.dat 16 1000/mV 16 0 1 1000 0 {lead}" for lead in LEADS)]
    (tmp_path / "in/a.xml").write_text("\n".join(lines) + "\n")
    assert reason(tmp_path / "in/a.xml") == "format"
    entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    (tmp_path / "in/e.xml").write_text(
        f"{entity}<RestingECG><PatientID>&e;</PatientID></RestingECG>"
    )
    assert reason(tmp_path / "in/e.xml") in ("format", "unreadable")


def test_a_recording_of_many_bytes_is_not_opened(tmp_path):
    with (tmp_path / "big.edf").open("wb") as handle:
        handle.truncate(1 << 40)
    assert reason(tmp_path / "big.edf") == "oversized"


def test_a_missing_package_is_named_and_costs_one_recording(tmp_path, monkeypatch):
    (tmp_path / "a.dcm").write_bytes(b"DICM")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    verdict, why, _ = reading.read(tmp_path / "a.dcm")
    assert verdict == "refused"
    assert why.endswith(
        ".dcm is read with the package ecgdatakit; pip install -r requirements-formats.txt"
    )


def test_check_and_predict_find_them_in_folders(tmp_path):
    dicom(tmp_path / "A.DCM", signal())
    edf(tmp_path / "b.edf", signal())
    (tmp_path / ".hidden.dcm").write_bytes(b"")
    rows = list(check.check(reading.expand([tmp_path])))
    assert [row[1] for row in rows] == ["ok", "ok"]
