"""The tables beside recordings, through `recordings.descriptions`, which joins them."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import sources
from ecgpipe.recordings.descriptions import Description, describe
from ecgpipe.recordings.sources import Patients
from ecgpipe.simulation import writers
from tests.recordings.conftest import H5, WFDB

ROOT = Path(__file__).parents[2]


def test_describe_joins_the_metadata_table(tmp_path, signal_mv):
    for name in ("A00001", "A00002", "A00003"):
        writers.write_h5(tmp_path, name, signal_mv)
    (tmp_path / "metadata.csv").write_text(
        "\ufeffECG_ID,AHA_Code,Patient_ID,Age,Sex\nA00001,60+310;147 ;,S1,55,M\nA00003,1,S3,NaN,F\n"
        "A00003,22,S3,30,F\nA00009,1,S9,30,F\n",
        encoding="utf-8",
    )
    first, second, third, ninth = describe(tmp_path, H5)
    assert first == Description(
        "A00001", "A00001.h5", "S1", 55, "M", 500, None, ("60+310", "147"), ""
    )
    assert second.fault.startswith(
        "no-metadata: A00002.h5: metadata.csv has no row of record 'A00002'"
    )
    assert third.fault.startswith("metadata: A00003.h5: metadata.csv has 2 rows")
    assert (ninth.record, ninth.path) == ("A00009", "")
    assert ninth.fault.startswith("missing: metadata.csv: record 'A00009' has no .h5 file")


@pytest.mark.parametrize(
    ("files", "ids", "faults"),
    [
        (("001", "002", "100"), ("1", "2.0", "100"), ["", "", ""]),
        (("001", "1"), ("1", "001"), ["", ""]),
        (("001", "01"), ("1", "01"), ["no-metadata", "", "missing"]),
        (("001",), ("1", "001"), ["", "missing"]),
        (("001", "002"), ("1", "1", "002"), ["metadata", ""]),
    ],
)
def test_numbers_that_lost_the_zeros_in_front_find_their_recordings(
    tmp_path, signal_mv, files, ids, faults
):
    for name in files:
        writers.write_h5(tmp_path, name, signal_mv)
    rows = "".join(f"{name},1,S{name},50,M\n" for name in ids)
    (tmp_path / "metadata.csv").write_text(f"ECG_ID,AHA_Code,Patient_ID,Age,Sex\n{rows}")
    assert [one.fault.partition(":")[0] for one in describe(tmp_path, H5)] == faults


def test_a_table_without_its_columns_or_itself_is_named(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A00001", signal_mv)
    with pytest.raises(ValueError, match=r"metadata\.csv: no such table"):
        list(describe(tmp_path, H5))
    (tmp_path / "metadata.csv").write_text("ECG_ID,Age,Patient_ID,Sex\n")
    with pytest.raises(ValueError, match=r"metadata\.csv: no column AHA_Code \(there: ECG_ID, Age"):
        list(describe(tmp_path, H5))


def test_a_table_of_patients_that_is_required_and_absent_is_named(tmp_path, signal_mv):
    named = Patients(table="pateint.csv", record="id", patient="who")
    writers.write_challenge(tmp_path, "A1", signal_mv, 500, age=1, sex=None, labels=["1"])
    with pytest.raises(ValueError, match=r"pateint\.csv: no such table; put it there or correct"):
        list(describe(tmp_path, WFDB.model_copy(update={"patients": named})))


def test_ptb_xls_patients_come_from_its_table(tmp_path, signal_mv, caplog):
    source = sources.select(["ptb-xl"], ROOT / SOURCES)["ptb-xl"]
    for name in ("HR00017", "HR00018"):
        writers.write_challenge(tmp_path, name, signal_mv, 500, age=1, sex=None, labels=["1"])
    assert [d.patient for d in describe(tmp_path, source)] == [None, None]
    assert "no such table of patients" in caplog.text
    (tmp_path / "ptbxl_database.csv").write_text("ecg_id,patient_id,age\n17,15709.0,56.0\n")
    assert [d.patient for d in describe(tmp_path, source)] == ["15709", None]
    (tmp_path / "ptbxl_database.csv").write_text("ecg_id,patient_id,age\n19,15709.0,56.0\n")
    with pytest.raises(
        ValueError,
        match=r"patient of no recording: the first is 'HR00017', .* begins with '19'; give",
    ):
        list(describe(tmp_path, source))


def test_ages_and_sexes_beyond_sense_in_a_table_are_flagged(tmp_path, signal_mv):
    rows = {"A": ("61", "F"), "B": ("150", "X"), "C": ("", "Unknown"), "D": ("NaN", "2")}
    for name in rows:
        writers.write_h5(tmp_path, name, signal_mv)
    lines = [f"{name},1,{name},{age},{sex}" for name, (age, sex) in rows.items()]
    (tmp_path / "metadata.csv").write_text(
        "\n".join(["ECG_ID,AHA_Code,Patient_ID,Age,Sex", *lines]) + "\n"
    )
    found = {one.record: one.flags for one in describe(tmp_path, H5)}
    assert found == {"A": (), "B": ("odd-age", "odd-sex"), "C": (), "D": ("odd-sex",)}


TABLES = {
    "plain": lambda text: text.encode(),
    "BOM": lambda text: ("\ufeff" + text).encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "semicolons": lambda text: text.replace(",", ";").encode(),
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
    described = {one.record: one for one in describe(tmp_path, H5)}
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
    (one,) = describe(tmp_path, H5)
    assert (one.record, one.patient, one.age, one.fault) == ("A", "S", 5, "")


def test_a_table_outside_the_sources_folder_is_not_opened(tmp_path, signal_mv):
    writers.write_h5(tmp_path / "in", "A", signal_mv)
    (tmp_path / "out.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\nA,1,S,5,F\n")
    (tmp_path / "in/metadata.csv").symlink_to("../out.csv")
    with pytest.raises(ValueError, match="a link that leads out of"):
        list(describe(tmp_path / "in", H5))


def test_a_table_that_is_no_csv_is_named(tmp_path, signal_mv):
    writers.write_h5(tmp_path, "A", signal_mv)
    (tmp_path / "metadata.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\n" + "x" * 200_000)
    with pytest.raises(ValueError, match=r"metadata\.csv: line 2: no readable CSV table"):
        list(describe(tmp_path, H5))


@pytest.fixture
def of_patients(tmp_path, signal_mv):
    """Record -> patient of three recordings whose table of patients holds some rows."""
    for name in ("HR00017", "HR00018", "017"):
        writers.write_challenge(tmp_path, name, signal_mv, 500, age=1, sex=None, labels=["1"])
    named = Patients(table="p.csv", record="id", patient="who")
    source = WFDB.model_copy(update={"patients": named})

    def known(rows):
        (tmp_path / "p.csv").write_text(f"id,who\n{rows}")
        return {one.record: one.patient for one in describe(tmp_path, source)}

    return known


def test_numbers_of_patients_tables_count_with_and_without_leading_zeros(of_patients):
    for number in ("00018", "18", "018", "18.0"):
        assert of_patients(f"{number},p\n")["HR00018"] == "p"


def test_a_row_that_names_a_recording_speaks_of_it_alone(of_patients):
    assert of_patients("017,p\nHR00017,q\n") == {"017": "p", "HR00017": "q", "HR00018": None}
    assert of_patients("017,p\n")["HR00017"] is None


@pytest.mark.parametrize(
    ("rows", "record"),
    [
        ("HR00018,p\nHR00018,q\n", "HR00018"),
        ("18,p\nHR00018,q\n", "HR00018"),
        ("18,p\n018,q\n", "HR00018"),
        ("99,p\n99,q\nHR00018,p\n", "99"),
    ],
)
def test_a_recording_of_two_patients_is_refused_with_both_lines(of_patients, rows, record):
    says = rf"p\.csv: record '{record}' is of patient 'p' in line 2 and of 'q' in line 3; a"
    with pytest.raises(ValueError, match=says):
        of_patients(rows)


def test_a_recording_that_stands_twice_with_one_patient_or_once_without_is_of_that_one(of_patients):
    assert of_patients("HR00018,p\nHR00018,p\n18,\n")["HR00018"] == "p"


def test_an_id_with_a_decimal_point_is_the_recording_of_that_name_where_there_is_one(
    tmp_path, signal_mv
):
    for name in ("1", "2.0"):
        writers.write_h5(tmp_path, name, signal_mv)
    (tmp_path / "metadata.csv").write_text(
        "ECG_ID;AHA_Code;Patient_ID;Age;Sex\n1.0;22.0;7,0;63,5;F\n2.0;022;8;1;F\n"
    )
    one, two = describe(tmp_path, H5)
    assert (one.record, one.labels, one.patient, one.age) == ("1", ("22",), "7", 63.5)
    assert (two.record, two.labels, two.fault) == ("2.0", ("022",), "")


NAMES = st.sampled_from(["1", "2", "01", "A1", "a1", "A 1", "1-Mar", "NA", "x,y"])


@settings(deadline=None)
@given(st.sets(NAMES, min_size=1), st.lists(NAMES, min_size=1))
def test_every_file_and_every_row_is_accounted_for_once(tmp_path_factory, files, rows):
    """Recordings are files, and rows without a file; a row that stands twice tells of nobody."""
    folder = tmp_path_factory.mktemp("source")
    for name in files:
        (folder / f"{name}.h5").touch()
    lines = [f'"{name}",1,P{number},60,F\n' for number, name in enumerate(rows)]
    if "01" in files and not {"1"} & files | {"01"} & set(rows):
        rows = ["01" if name == "1" else name for name in rows]  # no other can be meant
    times = Counter(rows)
    (folder / "metadata.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\n" + "".join(lines))
    if not files & times.keys() or ("1-Mar" in times and "1-Mar" not in files):
        with pytest.raises(
            ValueError, match=r"metadata\.csv: (it has a row of no|line \d+: no rec)"
        ):
            list(describe(folder, H5))
        return
    described = {one.record: one for one in describe(folder, H5)}
    assert described.keys() == files | times.keys()
    for name, one in described.items():
        reason = {0: "no-metadata", 1: ""}.get(times[name], "metadata")
        assert one.fault.partition(":")[0] == (reason if name in files else "missing")
        assert (one.patient is not None) == (reason == "" and name in files)
        if one.patient:
            assert rows[int(one.patient[1:])] == name
