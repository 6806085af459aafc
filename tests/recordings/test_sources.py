"""The catalogue's entries, and finding a source's files; what labels they hold, through
`recordings.recording.describe`."""

import shutil

import numpy as np
import pytest

from ecgpipe.project import params
from ecgpipe.recordings import recording
from ecgpipe.recordings.sources import DataParams, Source, find, read, select
from ecgpipe.simulation import writers

SPH_COLUMNS = {
    "record": "ECG_ID",
    "labels": "AHA_Code",
    "patient": "Patient_ID",
    "age": "Age",
    "sex": "Sex",
}
WFDB = Source(form="wfdb", vocabulary="PTB-XL", codes="snomed")
H5 = Source(
    form="h5", vocabulary="SPH", codes="aha", rate_hz=500, table="metadata.csv", columns=SPH_COLUMNS
)


@pytest.fixture
def signal_mv():
    """[600, 12], no fault."""
    return np.random.default_rng(2).normal(0, 0.1, (600, 12))


@pytest.fixture
def good(tmp_path, signal_mv):
    """A header whose recording reads."""
    writers.write_challenge(tmp_path, "A0001", signal_mv, 500, age=74, sex="M", labels=["59118001"])
    return tmp_path / "A0001.hea"


def test_find_goes_to_any_depth_and_sorts_by_record(tmp_path, good):
    (tmp_path / "g2").mkdir()
    shutil.copy(good, tmp_path / "g2" / "A0000.hea")
    shutil.copy(good, tmp_path / "g2" / "._A0000.hea")
    (tmp_path / ".snapshot").mkdir()
    shutil.copy(good, tmp_path / ".snapshot" / "A0001.hea")
    assert find(tmp_path, WFDB) == [("A0000", tmp_path / "g2" / "A0000.hea"), ("A0001", good)]
    with pytest.raises(ValueError, match=r"a source of form h5 holds \.h5 files, found none"):
        find(tmp_path, H5)
    with pytest.raises(ValueError, match=r"nowhere: no such folder; put the source there"):
        find(tmp_path / "nowhere", WFDB)


def test_labels_are_split_as_the_source_writes_them(tmp_path, signal_mv):
    writers.write_challenge(
        tmp_path, "A", signal_mv, 500, age=1, sex=None, labels=["60+310;147", "1"]
    )
    aha = Source(form="wfdb", vocabulary="SPH", codes="aha")
    assert recording.read(tmp_path / "A.hea", aha).labels == ("60+310", "147", "1")
    assert next(recording.describe(tmp_path, aha)).labels == ("60+310", "147", "1")


CATALOGUE = """
sources:
  a: {form: wfdb, vocabulary: PTB, codes: snomed}
  b.c: {form: h5}
  faulty: {form: edf}
"""


@pytest.fixture
def catalogue(tmp_path):
    (tmp_path / "sources.yaml").write_text(CATALOGUE)
    return tmp_path / "sources.yaml"


def test_sources_are_checked_at_the_door(catalogue):
    missing = r"sources\.yaml:\n  sources\.d: no such entry \(there: a, b\.c, faulty\); add it"
    with pytest.raises(ValueError, match=missing) as caught:
        select(["a", "d", "b.c"], catalogue)
    assert "\n  sources.b.c.vocabulary: Field required" in str(caught.value)
    assert "sources.faulty" not in str(caught.value)
    assert select(["a"], catalogue) == {"a": Source(form="wfdb", vocabulary="PTB", codes="snomed")}


def test_faults_of_the_catalogues_file_are_told_with_those_of_its_entries(catalogue):
    catalogue.write_text(CATALOGUE + "  a: {form: h5}\nmine: {form: wfdb}\n")
    entries, problems = read(catalogue)
    assert list(entries) == ["a", "b.c", "faulty"]
    assert problems == [
        "sources.a: it stands twice, in lines 3 and 6; leave one",
        "mine: entries stand below 'sources:'; move it there",
    ]
    with pytest.raises(ValueError, match=r"(?s)sources\.a: it stands twice.*sources\.b\.c\.voc"):
        select(["b.c"], catalogue)


@pytest.mark.parametrize("text", ["", "sources:\n", "sources: [a]\n", "a: {form: wfdb}\n", "- a\n"])
def test_a_catalogue_without_entries_is_named(catalogue, text):
    catalogue.write_text(text)
    with pytest.raises(
        ValueError, match=r"sources\.yaml: expected entries below 'sources:', found"
    ):
        read(catalogue)


def test_a_source_lies_in_the_folder_of_its_name():
    assert (
        DataParams(root="data/raw", max_refused=0.05, sources=["b.c"]).folder("b.c").as_posix()
        == "data/raw/b.c"
    )


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        ([], "at least 1 item"),
        (["a", "a"], "a stands more than once"),
        (["a b"], "should match pattern"),
    ],
)
def test_the_list_of_sources_is_checked(sources, says):
    with pytest.raises(ValueError, match=says):
        params.section(
            DataParams,
            {"data": {"root": "data/raw", "max_refused": 0.05, "sources": sources}},
            "data",
        )


def test_a_form_has_its_keys():
    assert "form h5 needs rate_hz, table, columns" in params.faults(
        Source, {"form": "h5", "vocabulary": "SPH", "codes": "aha"}, "sources.sph"
    )[0]  # fmt: skip
    assert "form wfdb has no table" in params.faults(
        Source, {"form": "wfdb", "vocabulary": "SPH", "codes": "aha", "table": "t.csv"}, "sources.sph"
    )[0]  # fmt: skip


@pytest.mark.parametrize("name", ["/data/my.csv", "../my.csv", "a/../../my.csv"])
def test_a_vocabulary_outside_the_sources_folder_is_a_fault(name):
    entry = {"form": "wfdb", "vocabulary": name, "codes": "native"}
    (fault,) = params.faults(Source, entry, "sources.mine")
    assert fault.startswith("sources.mine.vocabulary: ")
    assert "lies below its source's folder" in fault and f"found '{name}'" in fault


def test_a_vocabulary_is_no_table():
    columns = {"record": "id", "labels": "dx"}
    h5 = {
        "form": "h5",
        "vocabulary": "t.csv",
        "codes": "native",
        "rate_hz": 500,
        "table": "./t.csv",
        "columns": columns,
    }
    patients = {"table": "t.csv", "record": "id", "patient": "who"}
    for entry in (
        h5,
        {"form": "wfdb", "vocabulary": "t.csv", "codes": "native", "patients": patients},
    ):
        assert (
            "vocabulary and table are two files, found t.csv"
            in params.faults(Source, entry, "s")[0]
        )
    assert params.faults(Source, h5 | {"vocabulary": "words.csv"}, "s") == []


def test_a_vocabulary_among_the_recordings_is_no_recording(tmp_path, good):
    (tmp_path / "my_labels.csv").write_text("native_label,snomed_ct\nAF,164889003\n")
    own = WFDB.model_copy(update={"vocabulary": "my_labels.csv", "codes": "native"})
    assert [(d.record, d.fault) for d in recording.describe(tmp_path, own)] == [("A0001", "")]


def test_ludbs_diagnoses_keep_their_commas(tmp_path, signal_mv):
    writers.write_challenge(tmp_path, "1", signal_mv, 500, age=1, sex=None, labels=[])
    header = tmp_path / "1.hea"
    header.write_text(
        header.read_text() + "#<diagnoses>:\n#Ventricular extrasystole, type: single PVC.\n"
    )
    source = Source(form="wfdb", vocabulary="LUDB", codes="native")
    assert next(recording.describe(tmp_path, source)).labels == (
        "Ventricular extrasystole, type: single PVC",
    )


def test_native_labels_of_a_table_are_separated_by_commas(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    (tmp_path / "metadata.csv").write_text('id,dx\nA,"sinus rhythm, atrial flutter,"\n')
    source = Source(form="h5", vocabulary="sim-east", codes="native", rate_hz=500, table="metadata.csv",
                            columns={"record": "id", "labels": "dx"})  # fmt: skip
    assert next(recording.describe(tmp_path, source)).labels == ("sinus rhythm", "atrial flutter")


def test_a_file_name_that_is_no_text_is_refused_and_named(tmp_path, good):
    (tmp_path / "b\udcff.hea").write_text(good.read_text())
    first, second = recording.describe(tmp_path, WFDB)
    assert (first.record, first.fault) == ("A0001", "")
    assert second.record == "b\\udcff"
    assert second.fault.startswith("name: ")
    assert second.fault.encode()


def test_labels_that_cannot_be_codes_are_left_out_and_named(tmp_path, good):
    whole = good.read_text()
    for wrong in ("59118001;164889003", "59118001.0", "59118001\n#Dx: 426783006"):
        good.write_text(whole.replace("59118001", wrong))
        (one,) = recording.describe(tmp_path, WFDB)
        assert one.fault.startswith(
            "labels: A0001.hea: labels are codes of SNOMED CT, separated by commas"
        ), wrong
    good.write_text(whole.replace("#Age: 74", "#Age: 174"))
    (one,) = recording.describe(tmp_path, WFDB)
    assert (one.fault, one.flags, one.age) == ("", ("odd-age",), None)
