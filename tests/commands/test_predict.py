import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgpipe.__main__ import main
from ecgpipe.project import digests, tables
from ecgpipe.simulation import writers
from tests.commands.conftest import ROOT
from tests.fixtures.made_beats import leads_mv


def test_predict_writes_probabilities_and_decisions_and_prints_them(raw, models, capsys):
    out = raw.parent / "p.csv"
    assert main(["predict", str(raw), "--model", str(models), "--out", str(out)]) == 0
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
    printed = capsys.readouterr().out
    assert f"A1.hea: NSR sinus rhythm {float(table['NSR'].iloc[0]):.2f}\n" in printed
    assert "2 recordings, 0 refused, 2 classes, 1 models" in printed
    assert "validation showed little skill (AUROC below 0.7) in: CLBBB/LBBB (0.60)" in printed


def test_predict_measures_intervals_where_they_are_asked_for(models, tmp_path, capsys):
    peaks_s = np.arange(0.8, 9.5, 0.8)
    writers.write_challenge(
        tmp_path / "raw", "B1", leads_mv(peaks_s, 500, 10), 500, age=60, sex="M", labels=[]
    )
    out = tmp_path / "p.csv"
    settings = ["--intervals", "--model", str(models), "--out", str(out)]
    assert main(["predict", str(tmp_path / "raw"), *settings]) == 0
    row = tables.read(out, sealed=False).iloc[0]
    assert float(row["rate_bpm"]) == pytest.approx(75, abs=1)
    # Of waves whose begins and ends are known (`made_beats.WAVES`); the same in all leads is the
    # axis of I = aVF.
    assert float(row["pr_ms"]) == pytest.approx(160, abs=15)
    assert float(row["qrs_ms"]) == pytest.approx(100, abs=20)
    assert float(row["qt_ms"]) == pytest.approx(390, abs=20)
    assert float(row["qrs_axis_deg"]) == pytest.approx(49, abs=2)
    assert f"; rate {row['rate_bpm']}/min, PR {row['pr_ms']} ms, QRS " in capsys.readouterr().out


@pytest.mark.parametrize(("has_bf16", "expected"), [(False, "fp32"), (True, "bf16")])
def test_precision_auto_predicts_in_what_the_processor_multiplies(
    has_bf16, expected, raw, models, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has_bf16})
    written = {}
    for precision in ("auto", "fp32", "bf16"):
        out = tmp_path / f"{precision}.csv"
        settings = ["--precision", precision, "--model", str(models), "--out", str(out)]
        assert main(["predict", str(raw), *settings]) == 0
        written[precision] = out.read_bytes()
    assert written["auto"] == written[expected]
    assert written["fp32"] != written["bf16"]


def test_predict_says_how_often_such_an_answer_was_right(raw, models, tmp_path, capsys):
    path = models / "operating/operating.json"
    path.write_text(
        path.read_text().replace(
            '"validation_precision": [null, null]', '"validation_precision": [0.276, null]'
        )
    )
    digests.write_digests(path.parent)
    out = str(tmp_path / "p.csv")
    assert main(["predict", str(raw / "A1"), "--model", str(models), "--out", out]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith(f"{raw}/A1.hea: NSR sinus rhythm 0.")
    assert printed[0].endswith(" (28 %)")
    assert printed[2] == "in brackets: how often such an answer was right in validation"


def test_predict_says_when_no_class_is_present(raw, models, capsys):
    path = models / "operating/operating.json"
    path.write_text(path.read_text().replace("[0.0, null]", "[null, null]"))
    digests.write_digests(path.parent)
    assert (
        main(["predict", str(raw / "A1"), "--model", str(models), "--out", str(raw / "p.csv")]) == 0
    )
    assert "A1.hea: none of the 2 classes\n" in capsys.readouterr().out


def test_predict_takes_a_list_and_writes_the_challenges_files(
    raw, models, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_text("raw/A1\nraw/gone\n")
    to = ["--model", str(models), "--format", "challenge"]
    assert main(["predict", "--list", "list.txt", *to]) == 1
    assert sorted(path.name for path in (tmp_path / "predictions").iterdir()) == [
        "A1.csv",
        "gone.csv",
    ]
    printed = capsys.readouterr().out
    assert "raw/gone: refused, " in printed
    assert "2 recordings, 1 refused, 2 classes, 1 models -> predictions\n" in printed
    assert main(["predict", "raw", *to]) == 2
    assert "predictions: --out writes a new folder" in capsys.readouterr().err
    assert main(["predict", "--model", str(models)]) == 2
    assert "no recording named" in capsys.readouterr().err


def test_predict_draws_what_it_found_beside_its_table(raw, models, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(f"{raw}/A1\0{raw}/gone\0".encode()))
    )
    out = ["--model", str(models), "--out", str(tmp_path / "p.csv"), "--plot"]
    assert main(["predict", "--list", "-", *out]) == 1
    assert [path.name for path in (tmp_path / "p-sheets").iterdir()] == ["A1.png"]
    assert f"{tmp_path}/p-sheets" in capsys.readouterr().out
    assert main(["predict", str(raw), *out]) == 2
    assert "p-sheets: --plot writes a new folder" in capsys.readouterr().err


def test_predict_replaces_nothing_but_plain_files(raw, models, tmp_path, capsys):
    to = ["predict", str(raw), "--model", str(models), "--out"]
    (tmp_path / "there.csv").write_text("path,verdict,reason,NSR\nbefore\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    assert main([*to, str(tmp_path / "link.csv")]) == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(tables.read(tmp_path / "there.csv", sealed=False)) == 2
    assert main([*to, "/dev/full"]) == 2
    assert main([*to, str(tmp_path / "none/p.csv")]) == 2
    printed = capsys.readouterr().err
    assert "/dev/full: --out names a regular file, found a device" in printed
    assert (
        f"none/p.csv: --out lies in a folder that is there, {tmp_path}/none is none; make it first"
        in printed
    )
    assert Path("/dev/full").is_char_device()
    assert main(["export", "--onnx", str(tmp_path), "--model", str(tmp_path / "no models")]) == 2
    assert "--onnx names a file, found a folder" in capsys.readouterr().err


def test_no_folder_is_replaced_by_a_new_one(raw, models, tmp_path, capsys):
    (tmp_path / "mine-sheets").mkdir()
    (tmp_path / "mine-sheets/thesis.txt").write_text("years")
    for out, option in (("mine-sheets", ["--format", "challenge"]), ("mine.csv", ["--plot"])):
        to = ["--model", str(models), "--out", str(tmp_path / out), *option]
        assert main(["predict", str(raw), *to]) == 2
        assert "writes a new folder; remove this one or name another" in capsys.readouterr().err
    assert (tmp_path / "mine-sheets/thesis.txt").read_text() == "years"
    assert not (tmp_path / "mine.csv").exists()


def test_recordings_of_one_name_are_no_challenge(raw, models, tmp_path, capsys):
    (tmp_path / "raw/sub").mkdir()
    for suffix in (".hea", ".mat"):
        (raw / f"sub/A1{suffix}").write_bytes((raw / f"A1{suffix}").read_bytes())
    out = ["--out", str(tmp_path / "new"), "--format", "challenge"]
    assert main(["predict", str(raw), "--model", str(models), *out]) == 2
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
        [sys.executable, "-m", "ecgpipe", *out],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    os.close(writer)
    assert (deaf.returncode, deaf.stderr) == (0, "")
    assert len(tables.read(tmp_path / "p.csv", sealed=False)) == 2
    heard = subprocess.run(
        [sys.executable, "-m", "ecgpipe", *out], capture_output=True, env=environment, text=True
    )
    assert (heard.returncode, heard.stderr) == (0, "")
    assert "\\u5fc3.hea: " in heard.stdout


def test_predict_parts_what_was_not_learnt_from_what_was_learnt_badly(raw, models, capsys):
    path = models / "operating/operating.json"
    path.write_text(path.read_text().replace("[0.9, 0.6]", "[null, 0.6]"))
    digests.write_digests(path.parent)
    out = raw / "p.csv"
    assert main(["predict", str(raw), "--model", str(models), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "A1.hea: none of the 1 classes\n" in printed
    assert "not learnt, so never answered (no recording to tell it by): NSR\n" in printed
    assert "validation showed little skill (AUROC below 0.7) in: CLBBB/LBBB (0.60)\n" in printed
    table = tables.read(out, sealed=False)
    assert list(table["NSR"]) == list(table["NSR_present"]) == ["", ""]


def test_predict_fails_when_any_recording_is_refused(raw, models):
    (raw / "A1.mat").unlink()
    assert main(["predict", str(raw), "--model", str(models), "--out", str(raw / "p.csv")]) == 1
    assert list(tables.read(raw / "p.csv", sealed=False)["verdict"]) == ["refused", "ok"]


@pytest.mark.parametrize("command", ["predict", "export"])
@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("fold-0/weights.safetensors", lambda content: content[:1000]),
        ("fold-0/model.json", lambda content: b"[" * 100_000),
        ("fold-0/model.json", lambda content: content.replace(b'"window": 400', b'"window": 0')),
        ("operating/operating.json", lambda content: b'{"a":' * 100_000),
        ("operating/operating.json", lambda content: content.replace(b"[0.9, 0.6]", b"[9, 0.6]")),
    ],
)
def test_models_that_cannot_be_are_one_line_and_status_2(
    raw, models, tmp_path, capsys, command, file, change
):
    path = models / file
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before
    digests.write_digests(path.parent)
    what = [str(raw), "--out", "p.csv"] if command == "predict" else ["--onnx", "m.onnx"]
    what[-1] = str(tmp_path / what[-1])
    assert main([command, *what, "--model", str(models)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"ecgpipe: {path}: ")
    assert printed.err.count("\n") == 1
    assert not Path(what[-1]).exists()


def test_names_units_and_headers_are_printed_as_text(raw, models, tmp_path, monkeypatch, capsys):
    """A terminal obeys nothing of a stranger's, and a spreadsheet computes nothing."""
    odd = "=1+1 \u202egpj"
    for suffix in (".hea", ".mat"):
        (raw / f"A1{suffix}").rename(raw / f"{odd}{suffix}")
    header = raw / f"{odd}.hea"
    header.write_text(header.read_text().replace("A1", "R").replace("/mV", "/\x1b]0;me\x07"))
    (raw / "A3\x1b[2J.hea").write_text("A3 12 500 10\n")
    out = tmp_path / "p\x1b[1m.csv"
    monkeypatch.chdir(raw)
    assert main(["predict", ".", "--model", str(models), "--out", str(out)]) == 1
    assert main(["check", ".", "--csv", str(tmp_path / "c.csv")]) == 1
    assert main(["predict", "none\x1b[2J", "--model", str(models)]) == 2
    printed = capsys.readouterr()
    assert printed.out.count("\\u202e") >= 2
    for text in (printed.out, printed.err):
        assert text and all(line.isprintable() for line in text.splitlines())
    for file in (out, tmp_path / "c.csv"):
        paths = list(tables.read(file, sealed=False)["path"])
        assert paths == ["./=1+1 \\u202egpj.hea", "A2.hea", "A3\\x1b[2J.hea"]


def test_predict_says_what_it_left_out_unread_and_that_is_no_success(raw, models, capsys):
    arguments = ["predict", str(raw), "--model", str(models), "--out", str(raw.parent / "p.csv")]
    assert main(arguments) == 0
    assert "left out" not in capsys.readouterr().out
    (raw / "A2.hea").rename(raw / "A2.HEA")
    (raw / "stray.mat").write_text("x")
    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert "1 recordings, 0 refused" in said
    assert (
        "left out unread, without a row: 1 no-header, 1 suffix; `python -m ecgpipe check`" in said
    )


def test_a_file_that_is_no_recording_alone_stops_and_beside_others_has_a_row(raw, models, capsys):
    letter, out = raw.parent / "letter.pdf", raw.parent / "p.csv"
    letter.write_text("x")
    arguments = ["predict", str(letter), "--model", str(models), "--out", str(out)]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and "letter.pdf: a recording ends in one of" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not out.exists()
    assert main(["predict", str(raw), *arguments[1:]]) == 1
    assert "letter.pdf" in out.read_text()
