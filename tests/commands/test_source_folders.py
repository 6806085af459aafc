"""Folders and tables that the params and the catalogue name, and that are not there."""

import copy

import pytest

from ecgpipe.commands.source_folders import faults
from ecgpipe.project import params
from tests.commands.conftest import ROOT

VALUES = params.load(ROOT / "params.yaml")
ENTRIES = {
    "mine": {
        "form": "wfdb",
        "vocabulary": "own.csv",
        "codes": "native",
        "patients": {"table": "t/patients.csv", "record": "r", "patient": "p"},
    },
    "other": {
        "form": "h5",
        "vocabulary": "SPH",
        "codes": "aha",
        "rate_hz": 500,
        "table": "metadata.csv",
        "columns": {"record": "r", "labels": "l"},
    },
    "sim-north": {"form": "wfdb", "vocabulary": "sim-north", "codes": "native"},
}


def values(sources, root="data/raw"):
    changed = copy.deepcopy(VALUES)
    changed["data"] |= {"sources": sources, "root": str(root)}
    return changed


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw/mine/t").mkdir(parents=True)
    (tmp_path / "raw/other").mkdir()
    return tmp_path / "raw"


def test_what_lies_there_has_no_fault(root):
    for name in ("mine/own.csv", "mine/t/patients.csv", "other/metadata.csv"):
        (root / name).write_text("")
    assert faults(values(["mine", "other"], root), ENTRIES) == ([], [])


def test_tables_that_are_missing_are_faults_of_their_entries(root):
    step = "put it there, or correct its name"
    assert faults(values(["mine", "other"], root), ENTRIES) == (
        [],
        [
            f"sources.mine.vocabulary: no such file {root}/mine/own.csv; {step}",
            f"sources.mine.patients.table: no such file {root}/mine/t/patients.csv; {step}",
            f"sources.other.table: no such file {root}/other/metadata.csv; {step}",
        ],
    )


def test_a_table_of_patients_that_is_not_required_may_be_absent(root):
    (root / "mine/own.csv").write_text("")
    patients = ENTRIES["mine"]["patients"] | {"required": False}
    entries = {"mine": ENTRIES["mine"] | {"patients": patients}}
    assert faults(values(["mine"], root), entries) == ([], [])


def test_a_folder_that_is_missing_is_named_with_the_one_that_is_close(root):
    entries = ENTRIES | {"mien": ENTRIES["mine"], "afar": ENTRIES["mine"]}
    assert faults(values(["mien", "afar"], root), entries) == (
        [
            f"data.sources: 'mien' has no folder {root}/mien; did you mean 'mine'?",
            f"data.sources: 'afar' has no folder {root}/afar; put it there, or correct data.root",
        ],
        [],
    )


def test_a_root_that_is_missing_is_one_fault(root):
    assert faults(values(["mine", "other"], "nowhere"), ENTRIES) == (
        ["data.root: no such folder; put the recordings there, or name theirs (found 'nowhere')"],
        [],
    )


@pytest.mark.parametrize("root_is", ["data/raw", "data/raw/", "absolute"])
def test_what_the_stage_simulate_makes_is_never_missing(root, root_is):
    where = root.parent / "data/raw" if root_is == "absolute" else root_is
    assert faults(values(["sim-north"], where), ENTRIES) == ([], [])
    elsewhere = faults(values(["sim-north"], root), ENTRIES)
    assert elsewhere[0][0].startswith("data.sources: 'sim-north' has no folder")
    unmade = values(["sim-north"], where)
    unmade["simulate"]["sources"] = []
    assert faults(unmade, ENTRIES)[0][0].startswith("data.root: no such folder")


def test_what_has_faults_of_its_own_is_not_looked_for(root):
    assert faults({}, ENTRIES) == faults(values([3], root), ENTRIES) == ([], [])
    assert faults(values(["nowhere"], root), ENTRIES) == ([], []), "the catalogue lacks it"
    broken = {"mine": {"form": "edf"}}
    assert faults(values(["mine"], root), broken) == ([], [])
    assert faults(values(["mine"], root), None) == ([], [])
