import json

import numpy as np
import pandas as pd
import pytest

from ecgpipe.audit import audit
from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import select
from ecgpipe.labels import mapping
from ecgpipe.labels import report as labels_report
from ecgpipe.project import paths, tables
from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import descriptions
from ecgpipe.recordings import sources as recordings_sources
from ecgpipe.recordings.sources import DataParams, Source
from ecgpipe.simulation import writers
from ecgpipe.snomed import concepts
from tests.fixtures.sealed import write_sealed, write_sealed_text

NSR, SB, AF, AFL, PRWP, PVC = (
    "426783006",
    "426177001",
    "164889003",
    "164890007",
    "365413008",
    "427172004",
)
CODES = [NSR, SB, AF, AFL, PRWP, PVC]
VOCABULARIES = {"georgia": "Georgia", "xl": "PTB-XL", "ningbo": "Ningbo"}
EACH = 30
WRONG = ("georgia", "georgia00003")


def values(root):
    """What a params file would say."""
    return {"data": {"root": str(root / "raw"), "sources": list(VOCABULARIES), "max_refused": 0.05}}


def write_catalogue(root):
    entry = {"form": "wfdb", "codes": "snomed"}
    entries = {
        name: entry | {"vocabulary": vocabulary} for name, vocabulary in VOCABULARIES.items()
    }
    (root / SOURCES).parent.mkdir(exist_ok=True)
    (root / SOURCES).write_text(json.dumps({"sources": entries}))  # JSON is YAML


def made(root):
    """A project after label-map: 30 recordings of each source; Ningbo has flutter where the others
    have fibrillation; the first of xl carries NSR and SB, all of xl also the ventricular ectopics
    that no class counts."""
    rng = np.random.default_rng(1)
    for name in VOCABULARIES:
        for number in range(EACH):
            rhythm = (AFL if name == "ningbo" else AF) if number % 2 else NSR
            labels = [rhythm, *([concepts.VENTRICULAR_ECTOPICS] if name == "xl" else [])]
            labels += [SB] if (name, number) == ("xl", 0) else []
            signal_mv = rng.normal(0, 0.1, (300, 12))
            writers.write_challenge(
                root / "raw" / name,
                f"{name}{number:05d}",
                signal_mv,
                100,
                age=60,
                sex="F",
                labels=labels,
            )
    write_catalogue(root)
    mapped(root)
    return values(root)


def mapped(root):
    """data/labels/labels.csv and metrics/labels.json, as the stage label-map writes them."""
    said = values(root)
    sources = recordings_sources.select(VOCABULARIES, root / SOURCES)
    data = DataParams.model_validate(said["data"])
    classes = select(CODES)
    described = {
        name: list(descriptions.describe(data.folder(name), source))
        for name, source in sources.items()
    }
    words = {
        name: mapping.vocabulary(source, data.folder(name)) for name, source in sources.items()
    }
    parts = [
        mapping.map_source(name, described[name], each, words[name], classes)
        for name, each in sources.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    write_sealed(table, root / paths.LABELS)
    report = labels_report.report(table, described, sources, words, classes)
    (root / "metrics").mkdir(exist_ok=True)
    (root / audit.REPORT).write_text(json.dumps(report))


def predicted(root):
    """Folds 0 and 1 and their out-of-fold predictions, right but for one recording."""
    table = tables.read(root / paths.LABELS)
    fold = (np.arange(len(table)) // 2 % 2).astype(str)
    write_sealed(table.assign(group=table["record"], fold=fold), root / paths.FOLDS)
    write_sealed_text(json.dumps({"folds": [0, 1]}), root / paths.FOLDS_INFO)
    rng = np.random.default_rng(2)
    answered = np.clip(
        table[CODES].fillna(0) * 0.8 + 0.1 + rng.normal(0, 0.02, (len(table), len(CODES))), 0, 1
    )
    wrong = (table["source"] == WRONG[0]) & (table["record"] == WRONG[1])
    answered.loc[wrong, [NSR, AF]] = 0.97, 0.03
    answered = pd.concat([table[["source", "record"]], answered], axis=1)
    for name in ("0", "1"):
        write_sealed(answered[fold == name], root / paths.predictions(name) / "val.csv")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return made(tmp_path)


def audited(project, most=3, draw=2):
    return audit.write("plots/audit", project, most, draw, list), (
        paths.PLOTS / "audit/README.md"
    ).read_text()


def test_without_predictions_the_rest_of_the_audit_is_there(project, tmp_path):
    said, page = audited(project)
    assert (
        said[-1]
        == "No data/folds/folds.csv: single recordings are judged from out-of-fold predictions; run `dvc repro`."
    )
    assert said[-1] in page
    assert said[0] == "90 usable recordings of 3 sources, 6 classes."
    assert (
        said[1]
        == "2 of 12 cells of class and source suspicious (AF at ningbo 0, AFL at ningbo 15)."
    )
    assert "| AF | 15 | 15 | **0 \u2193** |" in page
    assert "native label `AF` is atrial flutter" in page
    assert "NSR with SB 1" in page
    assert "164884008 ventricular ectopics 30" in said[2]
    assert {path.name for path in (tmp_path / "plots/audit").iterdir()} == {
        "README.md", "cells.csv", "unscored.csv", "contradictions.csv", "suspects.csv",
    }  # fmt: skip
    found = tables.read(tmp_path / "plots/audit/contradictions.csv", sealed=False)
    assert found[["source", "record", "labels"]].to_numpy().tolist() == [
        ["xl", "xl00000", "NSR SB"]
    ]


def test_the_recording_whose_label_is_wrong_is_drawn_first(project, tmp_path):
    predicted(tmp_path)
    said, page = audited(project, draw=1)
    found = tables.read(tmp_path / "plots/audit/suspects.csv", sealed=False)
    assert set(found["record"]) == {WRONG[1]}
    assert dict(zip(found["class"], found["label"], strict=True)) == {"AF": "1", "NSR": "0"}
    assert set(found["plot"]) == {f"001-{WRONG[0]}-{WRONG[1]}.png"}
    assert dict(zip(found["class"], found["others"], strict=True)) == {"AF": "", "NSR": "AF"}
    assert set(found["fold"]) == {"1"}
    assert (tmp_path / "plots/audit" / found["plot"].iloc[0]).stat().st_size > 10_000
    assert f"![{WRONG[1]} on ECG paper]({found['plot'].iloc[0]})" in page
    assert "The models doubt 2 labels of 1 recording" in page
    assert any(line.startswith("Too rare or too hard") and "SB" in line for line in said)


def test_nothing_is_drawn_or_named_where_nothing_is_asked_for(project, tmp_path):
    predicted(tmp_path)
    _, page = audited(project, most=0, draw=0)
    assert not list((tmp_path / "plots/audit").glob("*.png"))
    assert "None." in page
    assert len(tables.read(tmp_path / "plots/audit/suspects.csv", sealed=False)) == 2


def test_a_recording_that_cannot_be_read_is_named(project, tmp_path):
    predicted(tmp_path)
    (tmp_path / f"raw/{WRONG[0]}/{WRONG[1]}.mat").unlink()
    _, page = audited(project)
    assert f"No plot of {WRONG[0]} {WRONG[1]}: " in page
    assert "no such file" in page


def test_an_audit_replaces_an_earlier_one_and_nothing_else(project, tmp_path):
    audited(project)
    audited(project)
    (tmp_path / "plots/audit/mine.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"--out is replaced whole, found mine\.txt there"):
        audit.write("plots/audit", project, 3, 2, list)
    assert (tmp_path / "plots/audit/mine.txt").exists()
    for taken in (".", "raw", "metrics/labels.json"):
        with pytest.raises(ValueError, match="--out is replaced whole"):
            audit.write(taken, project, 3, 2, list)
    (tmp_path / "empty").mkdir()
    audit.write("empty", project, 3, 2, list)
    assert (tmp_path / "empty/README.md").exists()


def test_numbers_below_zero_are_refused(project):
    with pytest.raises(ValueError, match="--most: it is 0 or more, found -1"):
        audit.write("plots/audit", project, -1, 0, list)
    with pytest.raises(ValueError, match="--plots: it is 0 or more, found -2"):
        audit.write("plots/audit", project, 1, -2, list)


def test_a_project_that_was_not_mapped_or_with_other_sources_is_refused(project, tmp_path):
    fewer = project | {"data": project["data"] | {"sources": ["xl"]}}
    with pytest.raises(
        ValueError, match="found xl and georgia, xl, ningbo; run `dvc repro label-map`"
    ):
        audit.read(fewer)
    write_sealed_text(
        (tmp_path / paths.LABELS).read_text().rsplit("\n", 2)[0] + "\n", tmp_path / paths.LABELS
    )
    with pytest.raises(ValueError, match=r"metrics/labels\.json: it counts the recordings"):
        audit.read(project)
    (tmp_path / paths.LABELS).unlink()
    with pytest.raises(ValueError, match=r"data/labels/labels\.csv: the audit reads"):
        audit.read(project)


def test_folds_of_other_classes_are_refused_and_a_missing_prediction_is_named(project, tmp_path):
    predicted(tmp_path)
    (tmp_path / paths.predictions(1) / "val.csv").unlink()
    said, _ = audited(project)
    assert said[-1].startswith("No data/predictions/fold-1/val.csv: ")
    table = tables.read(tmp_path / paths.FOLDS)
    write_sealed(table.drop(columns=[AFL]), tmp_path / paths.FOLDS)
    with pytest.raises(
        ValueError, match=r"data/folds/folds\.csv: its classes are those of data/labels/labels\.csv"
    ):
        audited(project)


def test_a_native_label_is_understood_as_its_source_writes_it():
    def understood(label, codes, vocabulary):
        source = Source(form="wfdb", vocabulary=vocabulary, codes=codes)
        return audit._codes(label, source, vocabularies.vocabulary(vocabulary))

    assert understood("164884008 ventricular ectopics", "snomed", "Georgia") == {"164884008"}
    assert understood("106068003", "snomed", "Ningbo") == {"106068003"}
    assert understood("Rhythm: Sinus rhythm", "snomed", "LUDB") == {NSR}
    assert understood("AFIB", "native", "Ningbo") == {AF}
    assert understood("147+367", "aha", "SPH") == {"59931005"}
    assert understood("nobody says this", "native", "Ningbo") == frozenset()


@pytest.mark.parametrize(
    "broken",
    ["{", "[]", '{"sources": {}}', '{"sources": {}, "classes": [], "recordings": 1}', "\x00"],
)
def test_a_damaged_report_of_label_map_is_named_with_the_next_step(tmp_path, monkeypatch, broken):
    monkeypatch.chdir(tmp_path)
    said = made(tmp_path)
    audit.REPORT.write_text(broken)
    with pytest.raises(
        ValueError,
        match=r"^metrics/labels\.json: not what the stage label-map writes .*label-map`$",
    ):
        audit.read(said)


def test_a_class_without_its_codes_in_the_report_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = made(tmp_path)
    report = json.loads(audit.REPORT.read_text())
    del next(iter(report["classes"].values()))["codes"]
    audit.REPORT.write_text(json.dumps(report))
    with pytest.raises(
        ValueError,
        match=r"labels\.json: not what the stage label-map writes \(KeyError\('codes'\)\)",
    ):
        audit.read(said)
