import shutil
import unicodedata

import h5py
import numpy as np
import pytest

from ecgpipe.diagnoses import vocabularies
from ecgpipe.recordings.descriptions import Description, describe
from ecgpipe.recordings.recording import read
from ecgpipe.recordings.sources import Source
from ecgpipe.simulation import writers
from tests.recordings.conftest import BREAKS, H5, WFDB, edit


def test_describe_reads_no_signal(good):
    good.with_suffix(".mat").unlink()
    assert list(describe(good.parent, WFDB)) == [
        Description("A0001", "A0001.hea", None, 74, "M", 500, 1000, ("59118001",), "")
    ]


@pytest.mark.parametrize("reason", ["header", "leads", "gain", "units", "format"])
def test_describe_reports_what_a_header_alone_can_tell(good, reason):
    BREAKS[reason][0](good)
    (description,) = describe(good.parent, WFDB)
    assert description.fault.startswith(f"{reason}: A0001.hea: ")


def test_describe_reports_short_recordings_and_both_of_two_with_one_name(tmp_path, good):
    edit(good, "500 1000\n", "500 499\n")
    assert next(describe(tmp_path, WFDB)).fault.startswith(
        "short: A0001.hea: a recording lasts 1 s or longer"
    )
    (tmp_path / "g2").mkdir()
    shutil.copy(good, tmp_path / "g2" / "A0001.hea")
    both = list(describe(tmp_path, WFDB))
    assert [d.path for d in both] == ["A0001.hea", "g2/A0001.hea"]
    assert all(d.fault.startswith("duplicate-record: ") for d in both)


def test_labels_are_split_as_the_source_writes_them(tmp_path, signal_mv):
    writers.write_challenge(
        tmp_path, "A", signal_mv, 500, age=1, sex=None, labels=["60+310;147", "1"]
    )
    aha = Source(form="wfdb", vocabulary="SPH", codes="aha")
    assert read(tmp_path / "A.hea", aha).labels == ("60+310", "147", "1")
    assert next(describe(tmp_path, aha)).labels == ("60+310", "147", "1")


def test_a_vocabulary_among_the_recordings_is_no_recording(tmp_path, good):
    (tmp_path / "my_labels.csv").write_text("native_label,snomed_ct\nAF,164889003\n")
    own = WFDB.model_copy(update={"vocabulary": "my_labels.csv", "codes": "native"})
    assert [(d.record, d.fault) for d in describe(tmp_path, own)] == [("A0001", "")]


def test_ludbs_diagnoses_keep_their_commas(tmp_path, signal_mv):
    writers.write_challenge(tmp_path, "1", signal_mv, 500, age=1, sex=None, labels=[])
    header = tmp_path / "1.hea"
    header.write_text(
        header.read_text() + "#<diagnoses>:\n#Ventricular extrasystole, type: single PVC.\n"
    )
    source = Source(form="wfdb", vocabulary="LUDB", codes="native")
    assert next(describe(tmp_path, source)).labels == (
        "Ventricular extrasystole, type: single PVC",
    )


def test_native_labels_of_a_table_are_separated_by_commas(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    (tmp_path / "metadata.csv").write_text('id,dx\nA,"sinus rhythm, atrial flutter,"\n')
    source = Source(
        form="h5",
        vocabulary="sim-east",
        codes="native",
        rate_hz=500,
        table="metadata.csv",
        columns={"record": "id", "labels": "dx"},
    )
    assert next(describe(tmp_path, source)).labels == ("sinus rhythm", "atrial flutter")


def test_a_file_name_that_is_no_text_is_refused_and_named(tmp_path, good):
    (tmp_path / "b\udcff.hea").write_text(good.read_text())
    first, second = describe(tmp_path, WFDB)
    assert (first.record, first.fault) == ("A0001", "")
    assert second.record == "b\\udcff"
    assert second.fault.startswith("name: ")
    assert second.fault.encode()


def test_labels_that_cannot_be_codes_are_left_out_and_named(tmp_path, good):
    whole = good.read_text()
    for wrong in ("59118001;164889003", "59118001.0", "59118001\n#Dx: 426783006"):
        good.write_text(whole.replace("59118001", wrong))
        (one,) = describe(tmp_path, WFDB)
        assert one.fault.startswith(
            "labels: A0001.hea: labels are codes of SNOMED CT, separated by commas"
        ), wrong
    good.write_text(whole.replace("#Age: 74", "#Age: 174"))
    (one,) = describe(tmp_path, WFDB)
    assert (one.fault, one.flags, one.age) == ("", ("odd-age",), None)


@pytest.mark.parametrize(
    ("codes", "says"),
    [("native", "words of the source's vocabulary, "), ("aha", "AHA statements, ")],
)
def test_two_lines_of_labels_that_differ_are_told_in_the_words_of_codes(
    tmp_path, good, codes, says
):
    edit(good, "#Dx: 59118001", "#Dx: normal\n#Dx: block")
    (one,) = describe(tmp_path, WFDB.model_copy(update={"codes": codes}))
    assert one.fault.startswith(f"labels: A0001.hea: labels are {says}separated by commas, in one")
    assert "SNOMED" not in one.fault


def test_a_label_of_a_mac_is_that_of_its_vocabulary(tmp_path, good):
    """A letter with its mark as one sign or as two."""
    whole = good.read_text()
    labels = {}
    for form in ("NFC", "NFD"):
        label = unicodedata.normalize(form, "unregelm\u00e4\u00dfig")
        good.write_text(whole.replace("#Dx: 59118001", f"#Dx: {label}"), encoding="utf-8")
        (one,) = describe(tmp_path, WFDB.model_copy(update={"codes": "native"}))
        (tmp_path / "own.csv").write_text(
            f"native_label,snomed_ct\n{label},164889003\n", encoding="utf-8"
        )
        labels[form] = (*one.labels, *vocabularies.vocabulary(tmp_path / "own.csv"))
    assert set(labels["NFC"] + labels["NFD"]) == {"unregelm\u00e4\u00dfig"}


def test_every_real_hdf5_recording_reads_and_one_has_no_metadata(real_data):
    described = list(describe(real_data / "sph", H5))
    assert [d.record for d in described if d.fault] == ["SPH00005"]
    assert described[0].labels == ("22", "23")
    for description in described:
        file = real_data / "sph" / description.path
        with h5py.File(file) as opened:
            assert np.array_equal(read(file, H5).signal_mv.T, opened["ecg"][:].astype(np.float32))
