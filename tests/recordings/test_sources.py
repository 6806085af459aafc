"""The catalogue's entries."""

import pytest

from ecgpipe.project import params
from ecgpipe.recordings.sources import DataParams, Source, read, select
from tests.recordings.conftest import H5, WFDB

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
    assert "\n  sources.b.c.vocabulary: it is missing" in str(caught.value)
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
        ([], "a list of 1 or more"),
        (["a", "a"], "a stands more than once"),
        (["a b"], "1 to 100 letters, digits"),
    ],
)
def test_the_list_of_sources_is_checked(sources, says):
    with pytest.raises(ValueError, match=says):
        params.section(
            DataParams,
            {"data": {"root": "data/raw", "max_refused": 0.05, "sources": sources}},
            "data",
        )


@pytest.mark.parametrize("share", [1.5, -0.1])
def test_the_limit_of_refused_recordings_is_a_share(share):
    values = {"data": {"root": "data/raw", "max_refused": share, "sources": ["a"]}}
    rule = rf"data\.max_refused: [01] or (more|less) \(found {share}\)"
    with pytest.raises(ValueError, match=rule):
        params.section(DataParams, values, "data")


def test_a_form_has_its_keys():
    assert (
        "form h5 needs rate_hz, table, columns"
        in params.faults(
            Source, {"form": "h5", "vocabulary": "SPH", "codes": "aha"}, "sources.sph"
        )[0]
    )
    assert (
        "form wfdb has no table; its labels are read from `#Dx` lines of headers; remove these keys"
        in params.faults(
            Source,
            {"form": "wfdb", "vocabulary": "SPH", "codes": "aha", "table": "t.csv"},
            "sources.sph",
        )[0]
    )


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


def test_a_table_outside_the_sources_folder_is_a_fault():
    faulty = H5.model_dump() | {"table": "../out.csv"}
    (fault,) = params.faults(Source, faulty, "s")
    assert "a table lies below its source's folder, found ../out.csv" in fault
    patients = {"table": "/out.csv", "record": "id", "patient": "who"}
    faulty = WFDB.model_dump() | {"patients": patients}
    (fault,) = params.faults(Source, faulty, "s")
    assert "a table lies below its source's folder, found /out.csv" in fault
