import pytest

from ecgpipe.__main__ import main


def test_export_writes_one_file_of_the_folds(models, tmp_path, capsys):
    pytest.importorskip("onnxscript", reason="export needs requirements-export.txt")
    assert main(["export", "--onnx", str(tmp_path / "m.onnx"), "--model", str(models)]) == 0
    assert capsys.readouterr().out.startswith("2 classes, folds 0, ")
    assert (tmp_path / "m.onnx").stat().st_size > 10000
    assert (
        main(["export", "--onnx", str(tmp_path / "m.onnx"), "--model", str(models), "--fold", "3"])
        == 2
    )
    assert "no fold 3 here" in capsys.readouterr().err
