"""Finding a source's files, and joining the tables beside them, through
`recordings.recording.describe`."""

import shutil

import numpy as np
import pytest

from ecgpipe.project import params
from ecgpipe.recordings import recording
from ecgpipe.recordings.sources import DataParams, Patients, Source, find, in_use, patient
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


def test_describe_joins_the_metadata_table(tmp_path, signal_mv):
    for name in ("A00001", "A00002", "A00003"):
        writers.write_h5(tmp_path, name, signal_mv)
    (tmp_path / "metadata.csv").write_text(
        "\ufeffECG_ID,AHA_Code,Patient_ID,Age,Sex\nA00001,60+310;147 ;,S1,55,M\nA00003,1,S3,NaN,F\n"
        "A00003,22,S3,30,F\nA00009,1,S9,30,F\n",
        encoding="utf-8",
    )
    first, second, third, ninth = recording.describe(tmp_path, H5)
    assert first == recording.Description(
        "A00001", "A00001.h5", "S1", 55, "M", 500, None, ("60+310", "147"), ""
    )
    assert second.fault.startswith(
        "no-metadata: A00002.h5: metadata.csv has no row of record 'A00002'"
    )
    assert third.fault.startswith("metadata: A00003.h5: metadata.csv has 2 rows")
    assert (ninth.record, ninth.path) == ("A00009", "")
    assert ninth.fault.startswith("missing: metadata.csv: record 'A00009' has no .h5 file")


def test_a_table_without_its_columns_or_itself_is_named(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A00001", signal_mv)
    with pytest.raises(ValueError, match=r"metadata\.csv: no such table"):
        list(recording.describe(tmp_path, H5))
    (tmp_path / "metadata.csv").write_text("ECG_ID,Age,Patient_ID,Sex\n")
    with pytest.raises(ValueError, match=r"metadata\.csv: no column AHA_Code \(there: ECG_ID, Age"):
        list(recording.describe(tmp_path, H5))


def test_ptb_xls_patients_come_from_its_table(tmp_path, signal_mv, caplog):
    source = WFDB.model_copy(
        update={
            "patients": Patients(table="ptbxl_database.csv", record="ecg_id", patient="patient_id")
        }
    )
    for name in ("HR00017", "HR00018"):
        writers.write_challenge(tmp_path, name, signal_mv, 500, age=1, sex=None, labels=["1"])
    assert [d.patient for d in recording.describe(tmp_path, source)] == [None, None]
    assert "no such table of patients" in caplog.text
    (tmp_path / "ptbxl_database.csv").write_text("ecg_id,patient_id,age\n17,15709.0,56.0\n")
    assert [d.patient for d in recording.describe(tmp_path, source)] == ["15709", None]
    (tmp_path / "ptbxl_database.csv").write_text("ecg_id,patient_id,age\n19,15709.0,56.0\n")
    with pytest.raises(
        ValueError,
        match=r"patient of no recording: the first is 'HR00017', .* begins with '19'; give",
    ):
        list(recording.describe(tmp_path, source))


def test_ages_and_sexes_beyond_sense_in_a_table_are_flagged(tmp_path, signal_mv):
    rows = {"A": ("61", "F"), "B": ("150", "X"), "C": ("", "Unknown"), "D": ("NaN", "2")}
    for name in rows:
        writers.write_h5(tmp_path, name, signal_mv)
    lines = [f"{name},1,{name},{age},{sex}" for name, (age, sex) in rows.items()]
    (tmp_path / "metadata.csv").write_text(
        "\n".join(["ECG_ID,AHA_Code,Patient_ID,Age,Sex", *lines]) + "\n"
    )
    found = {one.record: one.flags for one in recording.describe(tmp_path, H5)}
    assert found == {"A": (), "B": ("odd-age", "odd-sex"), "C": (), "D": ("odd-sex",)}


def test_labels_are_split_as_the_source_writes_them(tmp_path, signal_mv):
    writers.write_challenge(
        tmp_path, "A", signal_mv, 500, age=1, sex=None, labels=["60+310;147", "1"]
    )
    aha = Source(form="wfdb", vocabulary="SPH", codes="aha")
    assert recording.read(tmp_path / "A.hea", aha).labels == ("60+310", "147", "1")
    assert next(recording.describe(tmp_path, aha)).labels == ("60+310", "147", "1")


def test_sources_are_checked_at_the_door():
    values = {
        "data": {"root": "data/raw", "sources": ["a", "b.c", "d"], "max_refused": 0.05},
        "sources": {
            "a": {"form": "wfdb", "vocabulary": "PTB", "codes": "snomed"},
            "b.c": {"form": "h5"},
        },
    }
    with pytest.raises(
        ValueError, match=r"'d' has no entry under sources \(there: a, b\.c\)"
    ) as caught:
        in_use(values)
    assert "sources.b.c.vocabulary: Field required" in str(caught.value)
    values["data"]["sources"] = ["a"]
    assert list(in_use(values)) == ["a"]
    assert params.section(DataParams, values, "data").folder("a").as_posix() == "data/raw/a"


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


TABLES = {
    "plain": lambda text: text.encode(),
    "BOM": lambda text: ("\ufeff" + text).encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "Latin-1": lambda text: text.encode("latin-1"),
    "quoted": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ).encode(),
}


@pytest.mark.parametrize("form", TABLES)
def test_ids_stay_text_in_tables_of_every_form(tmp_path, signal_mv, form):
    ids = ["00017", "NA", "1e5", "nan", "None", "1.0", "M\u00fcller"]
    for name in ids:
        writers.write_h5(tmp_path, name, signal_mv)
    rows = "".join(f"{name},1,00{number},55,M\n" for number, name in enumerate(ids))
    (tmp_path / "metadata.csv").write_bytes(
        TABLES[form]("ECG_ID,AHA_Code,Patient_ID,Age,Sex\n" + rows)
    )
    described = {one.record: one for one in recording.describe(tmp_path, H5)}
    assert sorted(described) == sorted(ids)
    assert [described[name].patient for name in ids] == [
        f"00{number}" for number in range(len(ids))
    ]
    assert {one.fault for one in described.values()} == {""}


def test_quoted_newlines_are_part_of_their_cell(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    (tmp_path / "metadata.csv").write_text(
        'ECG_ID,AHA_Code,note,Patient_ID,Age,Sex\nA,1,"two\nlines, a comma",S,5,F\n'
    )
    (one,) = recording.describe(tmp_path, H5)
    assert (one.record, one.patient, one.age, one.fault) == ("A", "S", 5, "")


def test_a_table_outside_the_sources_folder_is_not_opened(tmp_path, signal_mv):
    writers.write_h5(tmp_path / "in", "A", signal_mv)
    (tmp_path / "out.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\nA,1,S,5,F\n")
    (tmp_path / "in/metadata.csv").symlink_to("../out.csv")
    with pytest.raises(ValueError, match="a link that leads out of"):
        list(recording.describe(tmp_path / "in", H5))
    faulty = H5.model_dump() | {"table": "../out.csv"}
    assert (
        "a table lies below its source's folder, found ../out.csv"
        in params.faults(Source, faulty, "s")[0]
    )
    patients = {"table": "/out.csv", "record": "id", "patient": "who"}
    faulty = WFDB.model_dump() | {"patients": patients}
    assert (
        "a table lies below its source's folder, found /out.csv"
        in params.faults(Source, faulty, "s")[0]
    )


def test_a_table_that_is_no_csv_is_named(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    (tmp_path / "metadata.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\n" + "x" * 200_000)
    with pytest.raises(ValueError, match=r"metadata\.csv: no readable CSV table"):
        list(recording.describe(tmp_path, H5))


def test_numbers_of_patients_tables_count_with_and_without_leading_zeros():
    assert patient("HR00017", {"00017": "p"}) == "p"
    assert patient("HR00017", {"17": "p"}) == "p"


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
