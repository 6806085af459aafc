import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgpipe import __main__ as command
from ecgpipe import checkpoint, layout, model, tables, writers
from tests.limbs import lawful
from tests.test_auditing import made, predicted

ROOT = Path(__file__).parents[1]
NETWORK = model.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)


@pytest.fixture
def raw(tmp_path):
    rng = np.random.default_rng(1)
    for name in ("A1", "A2"):
        writers.write_challenge(
            tmp_path / "raw", name, lawful(rng.normal(0, 0.2, (3000, 12))), 500, age=60, sex="M", labels=["426783006"]
        )
    return tmp_path / "raw"


@pytest.fixture
def models(tmp_path):
    torch.manual_seed(1)
    about = {
        "classes": ["426783006", "164909002"], "rate_hz": 100.0, "window": 400, "normalise": "none", "folds": [0],
        "names": ["NSR", "CLBBB/LBBB"], "full_names": ["sinus rhythm", "left bundle branch block"],
        "conditioning": {"to_rate_hz": 100.0, "low_hz": 0.5, "high_hz": 40.0, "order": 2}, "split": "s",
        "network": NETWORK.model_dump(), "validation": "v",
    }  # fmt: skip
    checkpoint.save(tmp_path / "models/fold-0", model.SEResNet18(2, NETWORK), about)
    point = {"slope": [1, 1], "shift": [0, 0], "threshold": [0.0, 1.1], "validation_auroc": [0.9, 0.6]}
    said = {"classes": about["classes"], "folds": {"0": {**point, "validation": "v"}}, "ensemble": point}
    (tmp_path / "models/operating.json").write_text(json.dumps(said))
    layout.seal(tmp_path / "models/operating.json")
    return tmp_path / "models"


def test_check_says_one_verdict_per_recording_and_fails_when_any_is_refused(raw, capsys):
    report = raw.parent / "report.csv"
    assert command.main(["check", str(raw), "--csv", str(report)]) == 0
    assert "2 recordings: 2 ok, 0 flagged, 0 refused" in capsys.readouterr().out
    (raw / "A2.mat").write_bytes((raw / "A2.mat").read_bytes()[:-100])
    assert command.main(["check", str(raw), "--csv", str(report)]) == 1
    with report.open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(Path(row["path"]).name, row["verdict"]) for row in rows] == [("A1.hea", "ok"), ("A2.hea", "refused")]
    assert rows[1]["reason"] == "truncated" and "the header tells of" in rows[1]["sentence"]
    assert list(rows[0]) == ["path", "verdict", "reason", "sentence"]


def test_predict_writes_probabilities_and_decisions_and_prints_them(raw, models, capsys):
    out = raw.parent / "p.csv"
    assert command.main(["predict", str(raw), "--model", str(models), "--out", str(out)]) == 0
    table = tables.read(out, sealed=False)
    assert list(table.columns) == [
        "path",
        "verdict",
        "reason",
        "NSR",
        "CLBBB/LBBB",
        "NSR_present",
        "CLBBB/LBBB_present",
    ]
    assert list(table["NSR_present"].astype(int)) == [1, 1]
    assert list(table["CLBBB/LBBB_present"].astype(int)) == [0, 0]
    said = capsys.readouterr().out
    assert f"A1.hea: NSR sinus rhythm {float(table['NSR'].iloc[0]):.2f}\n" in said
    assert "2 recordings, 0 refused, 2 classes, 1 models" in said
    assert "validation showed little skill (AUROC below 0.7, or unknown) in: CLBBB/LBBB (0.60)" in said


def test_predict_says_when_no_class_is_present(raw, models, capsys):
    path = models / "operating.json"
    path.write_text(path.read_text().replace("[0.0, 1.1]", "[1.1, 1.1]"))
    layout.seal(path)
    assert command.main(["predict", str(raw / "A1"), "--model", str(models), "--out", str(raw / "p.csv")]) == 0
    assert "A1.hea: none of the 2 classes\n" in capsys.readouterr().out


@pytest.fixture
def west(tmp_path):
    writers.write_h5(tmp_path / "west", "W1", lawful(np.random.default_rng(2).normal(0, 0.2, (3000, 12))))
    (tmp_path / "west/metadata.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\nW1,1,S1,50,F\n")
    return str(tmp_path / "west")


def test_h5_recordings_need_their_source_or_their_rate(west, models, tmp_path, capsys):
    named = ["--source", "sim-west", "--params", str(ROOT / "params.yaml")]
    assert command.main(["check", west]) == 1
    assert "--source NAME" in capsys.readouterr().out
    assert command.main(["check", west, *named]) == 0
    assert command.main(["check", west, "--rate-hz", "500"]) == 0
    to = ["--model", str(models), "--out", str(tmp_path / "p.csv")]
    capsys.readouterr()
    assert command.main(["predict", west, *named, *to]) == 0
    assert "age-unknown" not in capsys.readouterr().out
    assert command.main(["predict", west, "--rate-hz", "500", *to]) == 0
    assert "(age-unknown|sex-unknown)\n" in capsys.readouterr().out


def test_an_unknown_or_faulty_source_is_named(west, tmp_path, capsys):
    assert command.main(["check", west, "--source", "nobody", "--params", str(ROOT / "params.yaml")]) == 2
    assert "no entry 'nobody' under sources (there: sim-north, " in capsys.readouterr().err
    (tmp_path / "p.yaml").write_text("sources:\n  mine:\n    form: h5\n    codes: aha\n")
    assert command.main(["check", west, "--source", "mine", "--params", str(tmp_path / "p.yaml")]) == 2
    assert "sources.mine.vocabulary: Field required" in capsys.readouterr().err
    assert command.main(["check", west, "--source", "mine", "--params", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        command.main(["check", west, "--source", "mine", "--rate-hz", "500"])


def test_predict_takes_a_list_and_writes_the_challenges_files(raw, models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("raw/A1\nraw/gone\n")
    to = ["--model", str(models), "--format", "challenge"]
    assert command.main(["predict", "--list", "list.txt", *to]) == 0
    assert sorted(path.name for path in (tmp_path / "predictions").iterdir()) == ["A1.csv", "gone.csv"]
    said = capsys.readouterr().out
    assert "raw/gone: refused, " in said
    assert "2 recordings, 1 refused, 2 classes, 1 models -> predictions\n" in said
    assert command.main(["predict", "raw", *to]) == 2
    assert "--format challenge writes a new folder" in capsys.readouterr().err
    assert command.main(["predict", "--model", str(models)]) == 2
    assert "no recording named" in capsys.readouterr().err


def test_predict_draws_what_it_found_beside_its_table(raw, models, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{raw}/A1\n{raw}/gone\n"))
    out = ["--model", str(models), "--out", str(tmp_path / "p.csv"), "--list", "-", "--plot"]
    assert command.main(["predict", *out]) == 0
    assert [path.name for path in (tmp_path / "p-sheets").iterdir()] == ["A1.png"]
    assert f"{tmp_path}/p-sheets" in capsys.readouterr().out


def test_export_writes_one_file_of_the_folds(models, tmp_path, capsys):
    pytest.importorskip("onnx", reason="export needs requirements-export.txt")
    assert command.main(["export", "--onnx", str(tmp_path / "m.onnx"), "--model", str(models)]) == 0
    assert capsys.readouterr().out.startswith("2 classes, folds 0, ")
    assert (tmp_path / "m.onnx").stat().st_size > 10000
    assert command.main(["export", "--onnx", str(tmp_path / "m.onnx"), "--model", str(models), "--fold", "3"]) == 2
    assert "no fold 3 here" in capsys.readouterr().err


def test_predict_fails_when_nothing_could_be_read(raw, models):
    for path in raw.glob("*.mat"):
        path.unlink()
    assert command.main(["predict", str(raw), "--model", str(models), "--out", str(raw / "p.csv")]) == 1


def test_a_users_fault_is_one_line_and_status_2(tmp_path, capsys):
    assert command.main(["predict", str(tmp_path / "none"), "--model", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ecgpipe: ")
    assert said.count("\n") == 1


def test_params_lists_all_faults(tmp_path, capsys):
    assert command.main(["params", str(ROOT / "params.yaml")]) == 0
    text = (ROOT / "params.yaml").read_text().replace("epochs: ", "epochs: x").replace("kernel: 7", "kernel: 7.5")
    (tmp_path / "p.yaml").write_text(text)
    assert command.main(["params", str(tmp_path / "p.yaml")]) == 1
    said = capsys.readouterr().out
    assert "train.epochs" in said
    assert "model.kernel" in said


def test_audit_says_what_it_found_and_where_the_page_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(json.dumps(made(tmp_path)))
    predicted(tmp_path)
    assert command.main(["audit", "--out", "page", "--draw", "1", "--most", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "90 usable recordings of 3 sources, 6 classes."
    assert said[-1] == "-> page/README.md"
    assert 5 <= len(said) <= 10
    assert len(list((tmp_path / "page").glob("*.png"))) == 1


def test_audit_of_a_folder_without_labels_says_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["audit", "--params", str(ROOT / "params.yaml")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ecgpipe: data/labels.csv: ")
    assert said.endswith("run `dvc repro label-map`\n")


def test_the_module_runs_as_a_command(raw):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "ecgpipe", "check", str(raw)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert run.stdout == "2 recordings: 2 ok, 0 flagged, 0 refused\n"
    assert run.stderr == ""
