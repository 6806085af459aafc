import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.project import tables
from ecgpipe.project.params import SOURCES
from ecgpipe.simulation import writers
from stages import label_map

PARAMS = """
data: {root: data/raw, sources: [b, a], max_refused: 0.5}
labels: {classes: study, merge_ectopics: false, unscored: keep}
"""
CATALOGUE = """
sources:
  a: {form: wfdb, vocabulary: CPSC2018, codes: snomed}
  b:
    {form: h5, vocabulary: SPH, codes: aha, rate_hz: 500, table: t.csv,
     columns: {record: id, labels: dx, age: years}}
  unused: {form: wfdb, vocabulary: PTB, codes: snomed}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A root with params.yaml and two sources of two recordings each; the working directory is
    moved there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    (tmp_path / "configs").mkdir()
    (tmp_path / SOURCES).write_text(CATALOGUE)
    signal_mv = np.random.default_rng(0).normal(0, 0.1, (600, 12))
    for record, age, labels in (
        ("A1", 74, ["164889003", "429622005"]),
        ("A2", None, ["713427006"]),
    ):
        writers.write_challenge(
            tmp_path / "data/raw/a/g1", record, signal_mv, 500, age=age, sex="M", labels=labels
        )
    for record in ("S1", "S2"):
        writers.write_h5(tmp_path / "data/raw/b", record, signal_mv)
    (tmp_path / "data/raw/b/t.csv").write_text("id,dx,years\nS1,147+367;60+310,300\n")
    return tmp_path


def test_headers_and_tables_become_one_table_and_a_report(project):
    label_map.main()
    table = tables.read(project / "data/labels/labels.csv")
    assert (table["source"] + "/" + table["record"]).tolist() == ["b/S1", "b/S2", "a/A1", "a/A2"]
    assert table["path"].tolist() == ["S1.h5", "S2.h5", "g1/A1.hea", "g1/A2.hea"]
    assert table["age"].tolist() == pytest.approx([90, np.nan, 74, np.nan], nan_ok=True)
    assert table["fault"].str.partition(":")[0].tolist() == ["", "no-metadata", "", ""]
    assert table["59931005"].tolist() == pytest.approx([1, np.nan, np.nan, np.nan], nan_ok=True)
    assert table["164889003"].tolist() == pytest.approx([0, np.nan, 1, 0], nan_ok=True)
    assert table["59118001"].tolist() == pytest.approx([0, np.nan, 0, 1], nan_ok=True)
    report = json.loads((project / "metrics/labels.json").read_text())
    assert (report["recordings"], report["usable"]) == (4, 3)
    assert report["sources"]["b"]["left_out"] == {
        "no-metadata": {"recordings": 1, "records": ["S2"]}
    }
    assert report["sources"]["a"]["unscored"] == {"429622005 st depression": 1}


def test_a_vocabulary_of_ones_own_lies_beside_the_recordings(project):
    words = "{form: wfdb, vocabulary: my_labels.csv, codes: native}"
    (project / SOURCES).write_text(
        CATALOGUE.replace("{form: wfdb, vocabulary: CPSC2018, codes: snomed}", words)
    )
    with pytest.raises(
        ValueError, match=r"data/raw/a/my_labels\.csv: no such vocabulary; put it there"
    ):
        label_map.main()
    (project / "data/raw/a/my_labels.csv").write_text(
        "native_label,snomed_ct\n164889003,164889003\n713427006,713427006\n429622005,\n"
    )
    label_map.main()
    table = tables.read(project / "data/labels/labels.csv").set_index("record")
    labels = table.loc[["A1", "A2"], ["164889003", "59118001"]]
    assert labels.to_numpy().tolist() == [[1, 0], [0, 1]]
    assert np.isnan(table.loc["A1", "426783006"]), "not in the vocabulary: not annotated"


def test_native_text_under_snomed_stops_the_stage(project):
    for path in (project / "data/raw/a").rglob("*.hea"):
        path.write_text(
            path.read_text().replace("164889003,429622005", "AFIB").replace("713427006", "CRBBB")
        )
    with pytest.raises(
        ValueError, match=r"source 'a': 2 of 2 labelled recordings .* 'AFIB' of record A1; correct"
    ):
        label_map.main()
    assert not (project / "data/labels/labels.csv").exists()


def test_real_recordings_map_without_an_unknown_source(real_data, tmp_path, monkeypatch):
    names = sorted(path.name for path in real_data.iterdir() if path.is_dir())
    values = {
        "data": {"root": str(real_data), "sources": names, "max_refused": 0.05},
        "labels": {"classes": "official", "merge_ectopics": False, "unscored": "keep"},
    }
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(json.dumps(values))
    (tmp_path / "configs").mkdir()
    shutil.copy(Path(__file__).parents[2] / SOURCES, tmp_path / SOURCES)
    label_map.main()
    report = json.loads((tmp_path / "metrics/labels.json").read_text())
    assert report["usable"] > 0
    for name, source in report["sources"].items():
        assert "unknown-labels" not in source["left_out"], name
    table = tables.read(tmp_path / "data/labels/labels.csv")
    # 251238007 of Ningbo is a code that no table knows; beside it the other classes are blank.
    assert report["sources"]["ningbo"]["unknown"] == {"251238007": 1}
    assert sum(source["partly_unknown"] for source in report["sources"].values()) == 1
    good = table[(table["fault"] == "") & (table["record"] != "JS20006")]
    for code in tables.class_codes(table):
        annotated = good[code].notna().groupby(good["source"]).mean()
        assert annotated.isin([0, 1]).all(), code


def test_patients_that_are_none_are_flagged_counted_and_told(project, caplog):
    entry = "columns: {record: id, labels: dx, age: years, patient: who}}"
    (project / SOURCES).write_text(
        CATALOGUE.replace("columns: {record: id, labels: dx, age: years}}", entry)
    )
    (project / "data/raw/b/t.csv").write_text("id,dx,years,who\nS1,1,30,NA\nS2,1,70,NA\n")
    label_map.main()
    table = tables.read(project / "data/labels/labels.csv").set_index("record")
    assert table.loc[["S1", "S2"], "patient"].tolist() == ["", ""]
    source = json.loads((project / "metrics/labels.json").read_text())["sources"]["b"]
    assert (source["flags"], source["patient_unknown"]) == ({"no-patient": 2}, 2)
    assert "b: 2 recordings: their patient's id is none" in caplog.text


def test_no_signal_byte_is_needed_and_two_runs_are_equal(project):
    label_map.main()
    outputs = [project / "data/labels/labels.csv", project / "metrics/labels.json"]
    before = [path.read_bytes() for path in outputs]
    for path in project.rglob("*.mat"):
        path.write_bytes(b"")
    label_map.main()
    assert [path.read_bytes() for path in outputs] == before


def test_every_file_is_accounted_for_and_what_looks_like_a_recording_is_left_out(project, caplog):
    caplog.set_level("INFO")
    folder = project / "data/raw/a"
    for name in ("stray.mat", "UPPER.HEA", "g1/more.hea.gz", "g1/A1.mat.gz", "README", "RECORDS"):
        (folder / name).write_text("x")
    (project / "params.yaml").write_text(PARAMS.replace("0.5", "0.6"))
    (folder / "away").symlink_to(project)
    label_map.main()
    report = json.loads((project / "metrics/labels.json").read_text())["sources"]["a"]
    files = report["files"]
    left_out = {reason: one["names"] for reason, one in files["left_out"].items()}
    assert left_out == {
        "archive": ["g1/A1.mat.gz", "g1/more.hea.gz"],
        "linked-folder": ["away"],
        "no-header": ["stray.mat"],
        "suffix": ["UPPER.HEA"],
    }
    assert (files["total"], files["recordings"], files["signal_files"]) == (11, 2, 2)
    assert files["no_recordings"] == {"files": 2, "names": ["README", "RECORDS"]}
    assert report["recordings"] == report["usable"] + 5
    assert files["unread"] == {"archive": 1, "no-header": 1, "suffix": 1}
    # Each recording once, whatever files it has; what a link leads to is not counted.
    assert "a: 2 of 5 usable; left out" in caplog.text
    table = tables.read(project / "data/labels/labels.csv").set_index("path")
    fault = "no-header: stray.mat: a signal file that no header (.hea) beside it names"
    assert table.loc["stray.mat", "fault"].startswith(fault)


def test_a_source_most_of_whose_recordings_are_in_capitals_stops_and_says_why(project):
    folder = project / "data/raw/a/g1"
    for number in range(3):
        for suffix in (".HEA", ".MAT"):
            shutil.copy(folder / f"A1{suffix.lower()}", folder / f"EKG{number}{suffix}")
    told = (
        r"data/raw/a: 3 of 5 recordings are refused or left out unread \(3 suffix\), more than "
        r"data\.max_refused 0\.5 \(the names of recordings end in small letters; rename it\); "
        r"`python -m ecgpipe check data/raw/a --source a` says why"
    )
    with pytest.raises(ValueError, match=told):
        label_map.main()
    (folder / "EKG2.HEA").unlink()
    (folder / "EKG2.MAT").unlink()
    label_map.main()
    source = json.loads((project / "metrics/labels.json").read_text())["sources"]["a"]
    assert (source["recordings"], source["usable"]) == (4, 2)


def test_a_source_without_recordings_stops_and_is_named(project):
    shutil.rmtree(project / "data/raw/a/g1")
    with pytest.raises(ValueError, match=r"raw/a: a source of form wfdb holds .* folder is empty"):
        label_map.main()


def test_the_stage_prints_nothing(project, capsys):
    label_map.main()
    assert capsys.readouterr().out == ""


def test_a_wrong_source_is_named(project):
    (project / "params.yaml").write_text(PARAMS.replace("[b, a]", "[b, c]"))
    fault = r"sources\.c: no such entry \(there: a, b, unused\); add it"
    with pytest.raises(ValueError, match=rf"configs/sources\.yaml:\n  {fault}"):
        label_map.main()
    assert not (project / "data/labels/labels.csv").exists()


def test_an_entry_that_is_not_in_use_changes_nothing(project):
    label_map.main()
    before = (project / "data/labels/labels.csv").read_bytes()
    (project / SOURCES).write_text(CATALOGUE.replace("vocabulary: PTB", "vocabulary: 7"))
    label_map.main()
    assert (project / "data/labels/labels.csv").read_bytes() == before


def test_a_catalogue_left_in_the_params_is_refused(project):
    (project / "params.yaml").write_text(PARAMS + CATALOGUE)
    with pytest.raises(ValueError, match=r"params\.yaml: sources: .* configs/sources\.yaml"):
        label_map.main()
