import pytest

from ecgpipe.__main__ import main
from ecgpipe.recordings import suffixes
from tests.commands.conftest import ROOT


def test_h5_recordings_need_their_source_or_their_rate(west, models, tmp_path, capsys):
    named = ["--source", "sim-west", "--catalogue", str(ROOT / "configs/sources.yaml")]
    assert main(["check", west]) == 1
    assert "--source NAME" in capsys.readouterr().out
    assert main(["check", west, *named]) == 0
    assert main(["check", west, "--rate-hz", "500"]) == 0
    to = ["--model", str(models), "--out", str(tmp_path / "p.csv")]
    capsys.readouterr()
    assert main(["predict", west, *named, *to]) == 0
    assert "age-unknown" not in capsys.readouterr().out
    assert main(["predict", west, "--rate-hz", "500", *to]) == 0
    assert "(age-unknown|sex-unknown)\n" in capsys.readouterr().out


def test_an_unknown_or_faulty_source_is_named(west, tmp_path, capsys):
    assert (
        main(
            ["check", west, "--source", "nobody", "--catalogue", str(ROOT / "configs/sources.yaml")]
        )
        == 2
    )
    assert "sources.nobody: no such entry (there: sim-north, " in capsys.readouterr().err
    (tmp_path / "p.yaml").write_text("sources:\n  mine:\n    form: h5\n    codes: aha\n")
    assert main(["check", west, "--source", "mine", "--catalogue", str(tmp_path / "p.yaml")]) == 2
    assert "sources.mine.vocabulary: it is missing" in capsys.readouterr().err
    assert (
        main(["check", west, "--source", "mine", "--catalogue", str(tmp_path / "none.yaml")]) == 2
    )
    assert "none.yaml" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["check", west, "--source", "mine", "--rate-hz", "500"])


def test_the_help_names_every_suffix_that_is_read(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    printed = capsys.readouterr().out
    assert [
        suffix
        for suffix in (".hea", ".mat", ".dat", ".h5", *suffixes.VENDOR)
        if suffix not in printed
    ] == []
