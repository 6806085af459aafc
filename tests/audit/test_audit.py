"""The audit of a small project with a known fault: its page, its tables, and what it refuses."""

import json

import pytest

from ecgpipe.audit import audit
from ecgpipe.diagnoses import vocabularies
from ecgpipe.project import paths, tables
from ecgpipe.recordings.sources import Source
from tests.fixtures.mapped_project import AF, NSR, WRONG, predict
from tests.fixtures.sealed import write_sealed_text


def audited(project, most=3, plots=2):
    gist = audit.write("plots/audit", project, most, plots, list)
    return gist, (paths.PLOTS / "audit/README.md").read_text()


def test_without_predictions_the_rest_of_the_audit_is_there(project, tmp_path):
    gist, page = audited(project)
    assert gist[-1] == (
        "No data/folds/folds.csv: single recordings are judged from out-of-fold predictions; "
        "run `dvc repro`."
    )
    assert gist[-1] in page
    assert gist[0] == "90 usable recordings of 3 sources, 6 classes."
    assert gist[1] == (
        "2 of 12 cells of class and source suspicious (AF at ningbo 0, AFL at ningbo 15)."
    )
    assert "| AF | 15 | 15 | **0 \u2193** |" in page
    assert "native label `AF` is atrial flutter" in page
    assert "NSR with SB 1" in page
    assert "164884008 ventricular ectopics 30" in gist[2]
    assert {path.name for path in (tmp_path / "plots/audit").iterdir()} == {
        "README.md",
        "cells.csv",
        "unscored.csv",
        "contradictions.csv",
        "suspects.csv",
    }
    pairs = tables.read(tmp_path / "plots/audit/contradictions.csv", sealed=False)
    recordings = pairs[["source", "record", "labels"]].to_numpy().tolist()
    assert recordings == [["xl", "xl00000", "NSR SB"]]


def test_the_recording_whose_label_is_wrong_is_drawn_first(project, tmp_path):
    predict(tmp_path)
    gist, page = audited(project, plots=1)
    suspects = tables.read(tmp_path / "plots/audit/suspects.csv", sealed=False)
    assert set(suspects["record"]) == {WRONG[1]}
    assert dict(zip(suspects["class"], suspects["label"], strict=True)) == {"AF": "1", "NSR": "0"}
    assert set(suspects["plot"]) == {f"001-{WRONG[0]}-{WRONG[1]}.png"}
    assert dict(zip(suspects["class"], suspects["others"], strict=True)) == {"AF": "", "NSR": "AF"}
    assert set(suspects["fold"]) == {"1"}
    assert (tmp_path / "plots/audit" / suspects["plot"].iloc[0]).stat().st_size > 10_000
    assert f"![{WRONG[1]} on ECG paper]({suspects['plot'].iloc[0]})" in page
    assert "The models doubt 2 labels of 1 recording" in page
    assert any(line.startswith("Too rare or too hard") and "SB" in line for line in gist)


def test_nothing_is_drawn_or_named_where_nothing_is_asked_for(project, tmp_path):
    predict(tmp_path)
    _, page = audited(project, most=0, plots=0)
    assert not list((tmp_path / "plots/audit").glob("*.png"))
    assert "None." in page
    assert len(tables.read(tmp_path / "plots/audit/suspects.csv", sealed=False)) == 2


def test_a_recording_that_cannot_be_read_is_named(project, tmp_path):
    predict(tmp_path)
    (tmp_path / f"raw/{WRONG[0]}/{WRONG[1]}.mat").unlink()
    _, page = audited(project)
    assert f"No plot of {WRONG[0]} {WRONG[1]}: " in page
    assert "no such file" in page


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
    without_the_last = (tmp_path / paths.LABELS).read_text().rsplit("\n", 2)[0] + "\n"
    write_sealed_text(without_the_last, tmp_path / paths.LABELS)
    with pytest.raises(ValueError, match=r"metrics/labels\.json: it counts the recordings"):
        audit.read(project)
    (tmp_path / paths.LABELS).unlink()
    with pytest.raises(ValueError, match=r"data/labels/labels\.csv: the audit reads"):
        audit.read(project)


def test_a_native_label_is_understood_as_its_source_writes_it():
    def understood(label, codes, vocabulary):
        source = Source(form="wfdb", vocabulary=vocabulary, codes=codes)
        return audit.label_codes(label, source, vocabularies.vocabulary(vocabulary))

    assert understood("164884008 ventricular ectopics", "snomed", "Georgia") == {"164884008"}
    assert understood("106068003", "snomed", "Ningbo") == {"106068003"}
    assert understood("Rhythm: Sinus rhythm", "snomed", "LUDB") == {NSR}
    assert understood("AFIB", "native", "Ningbo") == {AF}
    assert understood("147+367", "aha", "SPH") == {"59931005"}
    assert understood("nobody says this", "native", "Ningbo") == frozenset()


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        "[" * 100_000,
        '{"sources": {}}',
        '{"sources": {}, "classes": [], "recordings": 1}',
        "\x00",
    ],
)
def test_a_damaged_report_of_label_map_is_named_with_the_next_step(project, broken):
    paths.LABELS_REPORT.write_text(broken)
    with pytest.raises(
        ValueError,
        match=r"^metrics/labels\.json: (not what the stage|no readable|a JSON object).*label-map`$",
    ):
        audit.read(project)


def test_a_class_without_its_codes_in_the_report_is_named(project):
    report = json.loads(paths.LABELS_REPORT.read_text())
    del next(iter(report["classes"].values()))["codes"]
    paths.LABELS_REPORT.write_text(json.dumps(report))
    with pytest.raises(
        ValueError,
        match=r"labels\.json: not what the stage label-map writes \(KeyError\('codes'\)\)",
    ):
        audit.read(project)
