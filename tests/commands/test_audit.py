import json

from ecgpipe.__main__ import main
from ecgpipe.audit import page
from ecgpipe.commands import audit
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


def test_audit_replaces_an_earlier_one_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(json.dumps(mapped_project(tmp_path)))
    (tmp_path / "empty").mkdir()
    for out in ("empty", "empty", "plots/audit", "plots/audit"):
        assert main(["audit", "--out", out]) == 0
        assert (tmp_path / out / "README.md").is_file()
    (tmp_path / "empty/mine.txt").write_text("mine")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/README.md").write_text("# Notes\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()
    for out in ("empty", ".", "raw", "data", "notes", "metrics/labels.json"):
        assert main(["audit", "--out", out]) == 2
        assert f"ecgpipe: {out}: --out is replaced whole, found " in capsys.readouterr().err
    assert main(["audit", "--out", "none/page"]) == 2
    assert "none/page: --out lies in a folder that is there" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_audit_is_known_by_its_title():
    assert audit.TITLE == page.TITLE


def test_audit_of_a_folder_without_labels_says_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "--params", str(ROOT / "params.yaml")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ecgpipe: data/labels/labels.csv: ")
    assert error.endswith("run `dvc repro label-map`\n")
