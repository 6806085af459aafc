"""XML recordings written here, by the published descriptions of their formats: no public writer of
them is known."""

import base64
import datetime
import warnings
import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from ecgpipe.prediction import check, reading, vendor_formats, vendor_worker
from ecgpipe.project.leads import LEADS
from ecgpipe.recordings import quality, refusals
from tests.fixtures.resting_ecg import EIGHT, RATE_HZ, signal

STEP_MV = 0.00488  # of MUSE


@pytest.fixture(autouse=True)
def library():
    pytest.importorskip("ecgdatakit", reason="ecgdatakit reads it; requirements-formats.txt has it")


def muse(
    path,
    signal_mv,
    leads=EIGHT,
    units="MICROVOLTS",
    rate_hz=RATE_HZ,
    age=("61", "YEARS"),
    spoil=0,
    beat=0,
    offset="",
):
    """A resting ECG as GE MUSE exports it (restecg.dtd): samples of 16 bits in Base64, with their
    CRC-32."""
    made = []
    for lead in leads:
        steps = np.rint(signal_mv[:, LEADS.index(lead)] / STEP_MV).astype("<i2").tobytes()
        made.append(
            f"<LeadData><LeadByteCountTotal>{len(steps)}</LeadByteCountTotal>"
            f"<LeadSampleCountTotal>{len(signal_mv)}</LeadSampleCountTotal>"
            f"<LeadAmplitudeUnitsPerBit>4.88</LeadAmplitudeUnitsPerBit>"
            f"<LeadAmplitudeUnits>{units}</LeadAmplitudeUnits><LeadID>{lead}</LeadID>"
            f"<LeadDataCRC32>{zlib.crc32(steps) + spoil}</LeadDataCRC32>{offset}"
            f"<WaveFormData>{base64.encodebytes(steps).decode()}</WaveFormData></LeadData>"
        )
    crc = "<LeadDataCRC32>"
    median = made[0].replace(crc, f"{crc}{beat}" if beat else crc)
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n'
        "<RestingECG><PatientDemographics><PatientID>00017</PatientID>"
        f"<PatientAge>{age[0]}</PatientAge><AgeUnits>{age[1]}</AgeUnits>"
        "<Gender>FEMALE</Gender></PatientDemographics><TestDemographics/>"
        "<Waveform><WaveformType>Median</WaveformType>"
        f"<SampleBase>{rate_hz}</SampleBase>{median}</Waveform>"
        f"<Waveform><WaveformType>Rhythm</WaveformType><SampleBase>{rate_hz}</SampleBase>"
        f"<SampleExponent>0</SampleExponent>{''.join(made)}</Waveform></RestingECG>\n",
        encoding="latin-1",
    )
    return path


def aecg(path, signal_mv, leads=LEADS, unit="uV", rate_hz=RATE_HZ):
    """An annotated ECG after HL7 V3 (PORT_MT020001): value = origin + scale * digit, time as an
    increment."""
    sequences = []
    for lead in leads:
        digits = " ".join(
            map(str, np.rint(signal_mv[:, LEADS.index(lead)] * 1000 / 2.5).astype(int).tolist())
        )
        sequences.append(
            "<component><sequence>"
            f'<code code="MDC_ECG_LEAD_{lead.upper()}" codeSystem="2.16.840.1.113883.6.24"/>'
            f'<value xsi:type="SLIST_PQ"><origin value="0" unit="{unit}"/>'
            f'<scale value="2.5" unit="{unit}"/>'
            f"<digits>{digits}</digits></value></sequence></component>"
        )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2.3"/>'
        '<component><series><code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/>'
        "<component><sequenceSet>"
        '<component><sequence><code code="TIME_RELATIVE" codeSystem="2.16.840.1.113883.5.4"/>'
        '<value xsi:type="GLIST_PQ"><head value="0" unit="s"/>'
        f'<increment value="{1 / rate_hz}" unit="s"/></value>'
        f"</sequence></component>{''.join(sequences)}</sequenceSet></component></series></component>"
        "</AnnotatedECG>\n",
        encoding="utf-8",
    )
    return path


def reason(path):
    with pytest.raises(refusals.Refused) as caught:
        vendor_formats.read(path)
    return caught.value.reason


def test_a_muse_recording_reads_as_it_was_written_and_its_limb_leads_are_computed(tmp_path):
    made = signal()
    recording = vendor_formats.read(muse(tmp_path / "a.xml", made))
    assert np.abs(recording.signal_mv - made).max() < 2 * STEP_MV
    assert (
        np.abs(
            recording.signal_mv[:, [LEADS.index(lead) for lead in EIGHT]]
            - made[:, [0, 1, *range(6, 12)]]
        ).max()
        < STEP_MV
    )
    assert (recording.rate_hz, recording.age, recording.sex, recording.patient) == (
        500,
        61,
        "F",
        "00017",
    )
    assert recording.faults == ("derived-leads",)
    assert vendor_formats.read(muse(tmp_path / "b.xml", made, age=("", ""))).age is None


def test_a_muse_recording_that_cannot_be_trusted_is_refused(tmp_path):
    made = signal()
    assert reason(muse(tmp_path / "crc.xml", made, spoil=1)) == "checksum"
    assert reason(muse(tmp_path / "unit.xml", made, units="COUNTS")) == "units"
    assert reason(muse(tmp_path / "v6.xml", made, leads=EIGHT[:-1])) == "leads"
    assert reason(muse(tmp_path / "rate.xml", made, rate_hz=10)) == "rate"
    whole = muse(tmp_path / "a.xml", made).read_text()
    (tmp_path / "cut.xml").write_text(whole[: len(whole) // 2])
    assert reason(tmp_path / "cut.xml") == "unreadable"


def test_what_the_library_warns_of_is_said(tmp_path):
    made = signal()
    recording = vendor_formats.read(
        muse(tmp_path / "a.xml", made, offset="<FirstSampleBaseline>7</FirstSampleBaseline>")
    )
    assert recording.faults[0] == "derived-leads"
    assert recording.faults[1].startswith(
        "parser-warning (GE MUSE: FirstSampleBaseline is non-zero for ["
    )
    assert len(recording.faults[1]) < 240 and "|" not in recording.faults[1]
    verdict, reason, _ = reading.read(tmp_path / "a.xml")
    assert (verdict, reason) == ("flagged", "derived-leads|parser-warning")
    assert [row[1:3] for row in check.check([tmp_path / "a.xml"])] == [("flagged", reason)]


def test_a_checksum_of_the_averaged_beat_alone_refuses_nothing(tmp_path):
    recording = vendor_formats.read(muse(tmp_path / "a.xml", signal(), beat=1))
    assert recording.faults[1].startswith("parser-warning (CRC32 mismatch in lead I (median)")


class Lead:
    """What a parser of the library gives, made by hand for faults that no writer writes."""

    def __init__(self, label, **about):
        usual = {"samples": np.zeros(5000), "sampling_rate": 500, "units": "mV", "is_raw": False}
        vars(self).update(usual | about, label=label)


def record(leads, **about):
    about = {"raw_metadata": {}, "duration": None, "version": "1.0"} | about
    return SimpleNamespace(
        leads=leads,
        raw_metadata=about["raw_metadata"],
        recording=SimpleNamespace(duration=about["duration"]),
        patient=SimpleNamespace(age="", sex="", patient_id=""),
        file_format=SimpleNamespace(version=about["version"]),
    )


@pytest.mark.parametrize(
    ("change", "about", "why"),
    [
        ({"samples": np.zeros(4999)}, {}, "truncated"),
        ({"sampling_rate": 250}, {}, "rate"),
        ({"is_raw": True}, {}, "units"),
        ({"units": "uV"}, {}, "units"),
        ({}, {"raw_metadata": {"scale_warning": "none"}}, "gain"),
        ({}, {"version": "EDF+D"}, "truncated"),
        ({}, {"duration": datetime.timedelta(seconds=20)}, "rate"),
    ],
)
def test_a_record_that_does_not_fit_itself_is_refused(tmp_path, monkeypatch, change, about, why):
    import ecgdatakit

    leads = [Lead(name, **(change if name == "V3" else {})) for name in EIGHT]
    monkeypatch.setattr(
        ecgdatakit.FileParser, "detect_format", lambda file: {"parser": "EDFParser", "name": "EDF"}
    )
    monkeypatch.setattr(ecgdatakit.FileParser, "parse", lambda file, units: record(leads, **about))
    with pytest.raises(refusals.Refused) as caught:
        vendor_worker.handle_request("other", str(tmp_path / "a.edf"))
    assert caught.value.reason == why
    monkeypatch.setattr(
        ecgdatakit.FileParser, "parse", lambda file, units: record([Lead(name) for name in EIGHT])
    )
    assert vendor_worker.handle_request("other", str(tmp_path / "a.edf"))[0].shape == (8, 5000)


@pytest.mark.parametrize("raised", [True, False])
def test_a_checksum_that_does_not_fit_is_refused_whether_the_library_raises_or_warns(
    tmp_path, monkeypatch, raised
):
    import ecgdatakit

    def parse(file, units):
        if raised:
            raise ecgdatakit.ChecksumError("of section 6")
        warnings.warn("of section 6", ecgdatakit.ChecksumWarning, stacklevel=1)
        return record([Lead(name) for name in EIGHT])

    monkeypatch.setattr(
        ecgdatakit.FileParser,
        "detect_format",
        lambda file: {"parser": "SCPECGParser", "name": "SCP"},
    )
    monkeypatch.setattr(ecgdatakit.FileParser, "parse", parse)
    with pytest.raises(refusals.Refused, match=r"of section 6; fetch it anew") as caught:
        vendor_worker.handle_request("other", str(tmp_path / "a.scp"))
    assert caught.value.reason == "checksum"


def test_an_annotated_ecg_reads_as_it_was_written(tmp_path):
    made = signal()
    recording = vendor_formats.read(aecg(tmp_path / "a.xml", made))
    assert np.abs(recording.signal_mv - made).max() <= 0.00125 + 1e-6
    assert (recording.rate_hz, recording.age, recording.sex) == (500, None, None)
    assert [fault for fault in recording.faults if fault in quality.SENTENCES] == []
    assert reason(aecg(tmp_path / "unit.xml", made, unit="mmHg")) == "units"


def test_entities_that_expand_without_end_are_refused(tmp_path):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE RestingECG [<!ENTITY e0 "boom">{entities}]>'
    bomb = f'<?xml version="1.0"?>{doctype}<RestingECG>&e11;</RestingECG>'
    (tmp_path / "bomb.xml").write_text(bomb)
    assert reason(tmp_path / "bomb.xml") == "unreadable"


def test_the_reply_says_what_the_file_does(tmp_path):
    values, about = vendor_worker.handle_request("other", str(muse(tmp_path / "a.xml", signal())))
    assert values.shape == (8, 5000) and values.dtype == np.float32
    assert about == {
        "leads": list(EIGHT),
        "rate_hz": 500.0,
        "warned": "",
        "age": "61",
        "sex": "F",
        "patient": "00017",
    }
