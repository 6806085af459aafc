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

from ecgpipe import __main__
from ecgpipe.model import network, saved_model
from ecgpipe.prediction import vendor_formats
from ecgpipe.project import atomic, tables
from ecgpipe.simulation import writers
from tests.audit.test_audit import made, predicted
from tests.fixtures.limbs import lawful

ROOT = Path(__file__).parents[1]
NETWORK = network.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)


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
    saved_model.save(tmp_path / "models/fold-0", network.SEResNet18(2, NETWORK), about)
    point = {"slope": [1, 1], "shift": [0, 0], "threshold": [0.0, 1.1], "validation_auroc": [0.9, 0.6]}
    said = {"classes": about["classes"], "folds": {"0": {**point, "validation": "v"}}, "ensemble": point}
    (tmp_path / "models/operating.json").write_text(json.dumps(said))
    atomic.seal(tmp_path / "models/operating.json")
    return tmp_path / "models"


def test_check_says_one_verdict_per_recording_and_fails_when_any_is_refused(raw, capsys):
    report = raw.parent / "report.csv"
    assert __main__.main(["check", str(raw), "--csv", str(report)]) == 0
    assert "2 recordings: 2 ok, 0 flagged, 0 refused" in capsys.readouterr().out
    (raw / "A2.mat").write_bytes((raw / "A2.mat").read_bytes()[:-100])
    assert __main__.main(["check", str(raw), "--csv", str(report)]) == 1
    with report.open() as handle:
        rows = list(csv.DictReader(handle))
    assert [(Path(row["path"]).name, row["verdict"]) for row in rows] == [("A1.hea", "ok"), ("A2.hea", "refused")]
    assert rows[1]["reason"] == "truncated" and "the header tells of" in rows[1]["sentence"]
    assert list(rows[0]) == ["path", "verdict", "reason", "sentence"]


def test_predict_writes_probabilities_and_decisions_and_prints_them(raw, models, capsys):
    out = raw.parent / "p.csv"
    assert __main__.main(["predict", str(raw), "--model", str(models), "--out", str(out)]) == 0
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
    assert "validation showed little skill (AUROC below 0.7) in: CLBBB/LBBB (0.60)" in said


def test_predict_says_when_no_class_is_present(raw, models, capsys):
    path = models / "operating.json"
    path.write_text(path.read_text().replace("[0.0, 1.1]", "[1.1, 1.1]"))
    atomic.seal(path)
    assert __main__.main(["predict", str(raw / "A1"), "--model", str(models), "--out", str(raw / "p.csv")]) == 0
    assert "A1.hea: none of the 2 classes\n" in capsys.readouterr().out


@pytest.fixture
def west(tmp_path):
    writers.write_h5(tmp_path / "west", "W1", lawful(np.random.default_rng(2).normal(0, 0.2, (3000, 12))))
    (tmp_path / "west/metadata.csv").write_text("ECG_ID,AHA_Code,Patient_ID,Age,Sex\nW1,1,S1,50,F\n")
    return str(tmp_path / "west")


def test_h5_recordings_need_their_source_or_their_rate(west, models, tmp_path, capsys):
    named = ["--source", "sim-west", "--params", str(ROOT / "params.yaml")]
    assert __main__.main(["check", west]) == 1
    assert "--source NAME" in capsys.readouterr().out
    assert __main__.main(["check", west, *named]) == 0
    assert __main__.main(["check", west, "--rate-hz", "500"]) == 0
    to = ["--model", str(models), "--out", str(tmp_path / "p.csv")]
    capsys.readouterr()
    assert __main__.main(["predict", west, *named, *to]) == 0
    assert "age-unknown" not in capsys.readouterr().out
    assert __main__.main(["predict", west, "--rate-hz", "500", *to]) == 0
    assert "(age-unknown|sex-unknown)\n" in capsys.readouterr().out


def test_an_unknown_or_faulty_source_is_named(west, tmp_path, capsys):
    assert __main__.main(["check", west, "--source", "nobody", "--params", str(ROOT / "params.yaml")]) == 2
    assert "no entry 'nobody' under sources (there: sim-north, " in capsys.readouterr().err
    (tmp_path / "p.yaml").write_text("sources:\n  mine:\n    form: h5\n    codes: aha\n")
    assert __main__.main(["check", west, "--source", "mine", "--params", str(tmp_path / "p.yaml")]) == 2
    assert "sources.mine.vocabulary: Field required" in capsys.readouterr().err
    assert __main__.main(["check", west, "--source", "mine", "--params", str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        __main__.main(["check", west, "--source", "mine", "--rate-hz", "500"])


def test_predict_takes_a_list_and_writes_the_challenges_files(raw, models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("raw/A1\nraw/gone\n")
    to = ["--model", str(models), "--format", "challenge"]
    assert __main__.main(["predict", "--list", "list.txt", *to]) == 1
    assert sorted(path.name for path in (tmp_path / "predictions").iterdir()) == ["A1.csv", "gone.csv"]
    said = capsys.readouterr().out
    assert "raw/gone: refused, " in said
    assert "2 recordings, 1 refused, 2 classes, 1 models -> predictions\n" in said
    assert __main__.main(["predict", "raw", *to]) == 2
    assert "predictions: --out writes a new folder" in capsys.readouterr().err
    assert __main__.main(["predict", "--model", str(models)]) == 2
    assert "no recording named" in capsys.readouterr().err


def test_predict_draws_what_it_found_beside_its_table(raw, models, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{raw}/A1\0{raw}/gone\0".encode())))
    out = ["--model", str(models), "--out", str(tmp_path / "p.csv"), "--plot"]
    assert __main__.main(["predict", "--list", "-", *out]) == 1
    assert [path.name for path in (tmp_path / "p-sheets").iterdir()] == ["A1.png"]
    assert f"{tmp_path}/p-sheets" in capsys.readouterr().out
    assert __main__.main(["predict", str(raw), *out]) == 2
    assert "p-sheets: --plot writes a new folder" in capsys.readouterr().err


def test_predict_replaces_nothing_but_plain_files(raw, models, tmp_path, capsys):
    to = ["predict", str(raw), "--model", str(models), "--out"]
    (tmp_path / "there.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    assert __main__.main([*to, str(tmp_path / "link.csv")]) == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(tables.read(tmp_path / "there.csv", sealed=False)) == 2
    assert __main__.main([*to, "/dev/full"]) == 2
    assert __main__.main([*to, str(tmp_path / "none/p.csv")]) == 2
    said = capsys.readouterr().err
    assert "/dev/full: --out names a regular file, found a device" in said
    assert f"none/p.csv: --out lies in a folder that is there, {tmp_path}/none is none; make it first" in said
    assert Path("/dev/full").is_char_device()
    assert __main__.main(["export", "--onnx", str(tmp_path), "--model", str(tmp_path / "no models")]) == 2
    assert "--onnx names a file, found a folder" in capsys.readouterr().err


def test_recordings_of_one_name_are_no_challenge(raw, models, tmp_path, capsys):
    (tmp_path / "raw/sub").mkdir()
    for suffix in (".hea", ".mat"):
        (raw / f"sub/A1{suffix}").write_bytes((raw / f"A1{suffix}").read_bytes())
    out = ["--out", str(tmp_path / "new"), "--format", "challenge"]
    assert __main__.main(["predict", str(raw), "--model", str(models), *out]) == 2
    assert "predict them apart" in capsys.readouterr().err


def test_the_table_is_written_though_nobody_reads_what_is_printed(raw, models, tmp_path):
    """On a terminal that has no letter for the recording's name either."""
    for suffix in (".hea", ".mat"):
        (raw / f"A1{suffix}").rename(raw / f"\u5fc3{suffix}")
    header = raw / "\u5fc3.hea"
    header.write_text(header.read_text().replace("A1", "\u5fc3"))
    out = ["predict", str(raw), "--model", str(models), "--out", str(tmp_path / "p.csv")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    reader, writer = os.pipe()
    os.close(reader)
    deaf = subprocess.run(
        [sys.executable, "-m", "ecgpipe", *out], stdout=writer, stderr=subprocess.PIPE, env=environment, text=True
    )
    os.close(writer)
    assert (deaf.returncode, deaf.stderr) == (0, "")
    assert len(tables.read(tmp_path / "p.csv", sealed=False)) == 2
    heard = subprocess.run([sys.executable, "-m", "ecgpipe", *out], capture_output=True, env=environment, text=True)
    assert (heard.returncode, heard.stderr) == (0, "")
    assert "\\u5fc3.hea: " in heard.stdout


def test_the_help_names_every_suffix_that_is_read(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["predict", "--help"])
    said = capsys.readouterr().out
    assert [suffix for suffix in (".hea", ".mat", ".dat", ".h5", *vendor_formats.SUFFIXES) if suffix not in said] == []


def test_predict_parts_what_was_not_learnt_from_what_was_learnt_badly(raw, models, capsys):
    path = models / "operating.json"
    path.write_text(path.read_text().replace("[0.9, 0.6]", "[null, 0.6]"))
    atomic.seal(path)
    out = raw / "p.csv"
    assert __main__.main(["predict", str(raw), "--model", str(models), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "A1.hea: none of the 1 classes\n" in said
    assert "not learnt, so never answered (no recording to tell it by): NSR\n" in said
    assert "validation showed little skill (AUROC below 0.7) in: CLBBB/LBBB (0.60)\n" in said
    table = tables.read(out, sealed=False)
    assert list(table["NSR"]) == list(table["NSR_present"]) == ["", ""]


def test_export_writes_one_file_of_the_folds(models, tmp_path, capsys):
    pytest.importorskip("onnx", reason="export needs requirements-export.txt")
    assert __main__.main(["export", "--onnx", str(tmp_path / "m.onnx"), "--model", str(models)]) == 0
    assert capsys.readouterr().out.startswith("2 classes, folds 0, ")
    assert (tmp_path / "m.onnx").stat().st_size > 10000
    assert __main__.main(["export", "--onnx", str(tmp_path / "m.onnx"), "--model", str(models), "--fold", "3"]) == 2
    assert "no fold 3 here" in capsys.readouterr().err


def test_predict_fails_when_any_recording_is_refused(raw, models):
    (raw / "A1.mat").unlink()
    assert __main__.main(["predict", str(raw), "--model", str(models), "--out", str(raw / "p.csv")]) == 1
    assert list(tables.read(raw / "p.csv", sealed=False)["verdict"]) == ["refused", "ok"]


def test_a_users_fault_is_one_line_and_status_2(tmp_path, capsys):
    assert __main__.main(["predict", str(tmp_path / "none"), "--model", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ecgpipe: ")
    assert said.count("\n") == 1


def test_params_lists_all_faults(tmp_path, capsys):
    assert __main__.main(["params", str(ROOT / "params.yaml")]) == 0
    text = (ROOT / "params.yaml").read_text().replace("epochs: ", "epochs: x").replace("kernel: 7", "kernel: 7.5")
    (tmp_path / "p.yaml").write_text(text)
    assert __main__.main(["params", str(tmp_path / "p.yaml")]) == 1
    said = capsys.readouterr().out
    assert "train.epochs" in said
    assert "model.kernel" in said


def test_audit_says_what_it_found_and_where_the_page_is(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(json.dumps(made(tmp_path)))
    predicted(tmp_path)
    assert __main__.main(["audit", "--out", "page", "--draw", "1", "--most", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "90 usable recordings of 3 sources, 6 classes."
    assert said[-1] == "-> page/README.md"
    assert 5 <= len(said) <= 10
    assert len(list((tmp_path / "page").glob("*.png"))) == 1


def test_audit_of_a_folder_without_labels_says_what_to_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert __main__.main(["audit", "--params", str(ROOT / "params.yaml")]) == 2
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
