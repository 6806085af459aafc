import json

from ecgpipe.__main__ import main
from tests.commands.conftest import ROOT
from tests.fixtures.mapped_project import mapped_project, predict


def test_audit_says_what_it_found_and_where_the_page_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(json.dumps(mapped_project(tmp_path)))
    predict(tmp_path)
    assert main(["audit", "--out", "page", "--plots", "1", "--most", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "90 usable recordings of 3 sources, 6 classes."
    assert lines[-1] == "-> page/README.md"
    assert 5 <= len(lines) <= 10
    assert len(list((tmp_path / "page").glob("*.png"))) == 1


def test_audit_of_a_folder_without_labels_says_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "--params", str(ROOT / "params.yaml")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ecgpipe: data/labels/labels.csv: ")
    assert error.endswith("run `dvc repro label-map`\n")
