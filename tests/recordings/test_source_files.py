"""Every file below a folder is accounted for once."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgpipe.recordings import source_files
from ecgpipe.recordings.source_files import account, find
from ecgpipe.recordings.sources import Source
from tests.fixtures import folder_corpus
from tests.recordings.conftest import H5, WFDB


def test_find_goes_to_any_depth_and_sorts_by_record(tmp_path, good):
    (tmp_path / "g2").mkdir()
    shutil.copy(good, tmp_path / "g2" / "A0000.hea")
    shutil.copy(good, tmp_path / "g2" / "._A0000.hea")
    (tmp_path / ".snapshot").mkdir()
    shutil.copy(good, tmp_path / ".snapshot" / "A0001.hea")
    assert find(tmp_path, WFDB) == [("A0000", tmp_path / "g2" / "A0000.hea"), ("A0001", good)]
    with pytest.raises(ValueError, match=r"nowhere: no such folder; put the source there"):
        find(tmp_path / "nowhere", WFDB)


def test_a_folder_that_the_stage_simulate_makes_is_missing_with_that_stage(tmp_path, monkeypatch):
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(Path(__file__).parents[2] / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"no such folder; run `dvc repro simulate@sim-east` first"
    ):
        find(Path("data/raw/sim-east"), WFDB)
    with pytest.raises(ValueError, match="no such folder; put the source there"):
        find(Path("data/raw/mine"), WFDB)


def test_a_source_without_recordings_is_told_what_lies_there(tmp_path, good):
    none = r"a source of form h5 holds \.h5 files, found none among 2 files \(2 form, the first is"
    with pytest.raises(ValueError, match=none):
        find(tmp_path, H5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"found none, the folder is empty; check the folder"):
        find(tmp_path / "empty", WFDB)


LEFT_OUT = {
    "upper.HEA": "suffix",
    "stray.mat": "no-header",
    "g1/stray.DAT": "no-header",
    "packed.hea.gz": "archive",
    "all.zip": "archive",
    "all.tar.gz": "archive",
    "other.h5": "form",
    "cart.XML": "form",
    "linked": "linked-folder",
}
OF_THEM = ["upper.mat", "packed.mat.gz"]  # signal files of headers that are left out
NO_RECORDINGS = ["README.md", "RECORDS", "SHA256SUMS", "notes.csv", "notes.csv.gz", ".hidden.hea"]


@pytest.fixture
def full(tmp_path, good):
    """A source's folder with one recording, one of two signal files, a table, and all sorts."""
    (tmp_path / "g1").mkdir()
    for name in (*LEFT_OUT, *OF_THEM, *NO_RECORDINGS):
        if name != "linked":
            (tmp_path / name).write_text("x")
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / "linked").symlink_to("/usr")
    (tmp_path / "patients.csv").write_text("id,patient\nA0001,1\n")
    text = good.read_text().replace("A0001.mat", "part one.bin").replace("part one", "part_1")
    (tmp_path / "g1/two files.hea").write_text(text)
    (tmp_path / "g1/part_1.bin").write_text("x")
    return tmp_path


def test_what_lies_in_a_sources_folder_is_named_by_reason(full):
    patients = {"table": "./patients.csv", "record": "id", "patient": "patient"}
    source = Source.model_validate(WFDB.model_dump() | {"patients": patients})
    found = account(full, source)
    assert [record for record, _ in found.recordings] == ["A0001", "two files"]
    assert sorted(found.signals) == sorted(["A0001.mat", "g1/part_1.bin", *OF_THEM])
    assert found.tables == ["patients.csv"]
    assert found.left_out == LEFT_OUT
    assert sorted(found.no_recordings) == sorted([*NO_RECORDINGS, ".git"])
    summary = found.summary()
    assert summary["total"] == 2 + 4 + 1 + len(LEFT_OUT) + len(NO_RECORDINGS) + 1
    assert summary["left_out"]["no-header"] == {
        "files": 2,
        "names": ["g1/stray.DAT", "stray.mat"],
    }
    assert found.unread() == {"suffix": 1, "no-header": 2, "archive": 1}


def test_recordings_that_are_left_out_are_counted_once_whatever_files_they_have(tmp_path, good):
    assert account(tmp_path, WFDB).unread() == {}
    packed = ("A0001.hea.gz", "A0001.mat.gz", "B.dat.gz", "all.zip", "all.tar.gz", "t.csv.gz")
    capitals = ("E1.HEA", "E1.MAT", "A0001.MAT", "E2.HEA", "E2.DAT", "E2.XYZ")
    for name in (*packed, *capitals, "x.h5", "x.xml"):
        (tmp_path / name).write_text("x")
    (tmp_path / "g1").mkdir()
    for name in ("A0001.mat", "A0001.dat", "E1.HEA"):
        (tmp_path / "g1" / name).write_text("x")
    assert account(tmp_path, WFDB).unread() == {"archive": 1, "suffix": 3, "no-header": 1}


def test_a_source_of_h5_files_takes_no_headers_and_check_takes_all(full):
    of_h5, of_none = account(full, H5), account(full, None)
    assert [record for record, _ in of_h5.recordings] == ["other"]
    assert of_h5.left_out["A0001.hea"] == of_h5.left_out["A0001.mat"] == "form"
    assert of_h5.left_out["upper.HEA"] == "form"
    assert {record for record, _ in of_none.recordings} == {"A0001", "two files", "other", "cart"}
    assert "form" not in of_none.left_out.values()


def test_a_folder_that_cannot_be_read_stops_and_is_named(full, monkeypatch):
    listed = os.scandir

    def refusing(path):
        if str(path).endswith("g1"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(source_files.os, "scandir", refusing)
    for look in (find, account):
        with pytest.raises(ValueError, match=r"g1: this folder cannot be read \(Permission denied"):
            look(full, WFDB)


def test_a_header_whose_name_is_no_text_keeps_its_signal_file(tmp_path, good):
    good.rename(tmp_path / "a\nb.hea")
    found = account(tmp_path, WFDB)
    assert [record for record, _ in found.recordings] == ["a\\nb"]
    assert (found.signals, found.left_out) == (["A0001.mat"], {})


def test_no_header_outside_the_folder_is_read_for_the_account(tmp_path, good):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "B.hea").symlink_to(good)
    (inside / "A0001.mat").write_text("x")
    os.mkfifo(inside / "C.hea")
    assert account(inside, WFDB).left_out == {"A0001.mat": "no-header"}


NAMES = st.sampled_from(
    [
        *("A.hea", "A.mat", "A.dat", "A.HEA", "A.Mat", "B.hea", "B.dat", "B.h5", "B.H5"),
        *("A.hea.gz", "x.zip", "x.tar.gz", "y.xml", "z.dcm", "README", ".x", "t.csv", "a b.hea"),
    ]
)
FOLDERS = st.sampled_from([".", "g1", "g1/deep", ".hidden", "g 2"])
LINKS = st.sampled_from(["to-folder", "to-nothing", "to-file.mat", "out.hea"])


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sets(st.tuples(FOLDERS, NAMES), max_size=25),
    st.sets(LINKS),
    st.sampled_from([None, WFDB, H5]),
)
def test_the_account_is_exact_for_any_folder(tmp_path, files, links, source):
    root = tmp_path / "tree"
    shutil.rmtree(root, ignore_errors=True)
    for folder, name in files:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / name).write_text("A 12 500\nA.dat 16\nB.dat 16\n")
    root.mkdir(exist_ok=True)
    (tmp_path / "away").mkdir(exist_ok=True)
    for name in links:
        (root / name).symlink_to({"to-folder": "../away", "out.hea": "../x"}.get(name, "A.hea"))
    found = account(root, source)
    assert found.total == folder_corpus.counted(root)
    parts = [
        *(file.relative_to(root).as_posix() for _, file in found.recordings),
        *found.signals,
        *found.tables,
        *found.left_out,
        *found.no_recordings,
    ]
    assert len(parts) == len(set(parts)) == found.total
    assert all(os.path.lexists(root / part) for part in parts)
    assert set(found.left_out.values()) <= set(source_files.REASONS)


@pytest.mark.parametrize("case", folder_corpus.CASES, ids=lambda case: case.name)
def test_every_folder_of_the_corpus_is_told_as_it_must_be(tmp_path, case):
    folder_corpus.write(case, tmp_path / "folder")
    assert folder_corpus.wrong(case, tmp_path / "folder") == ""
