"""`python -m ecgpipe compare`: two projects side by side, printed and written."""

import pandas as pd
import pytest

from ecgpipe.__main__ import main
from ecgpipe.commands import compare
from ecgpipe.evaluation import held_out
from tests.commands.conftest import ROOT
from tests.fixtures.made_runs import made_run


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Folders a and b of projects; the working directory has the params that say how to score."""
    for seed, name in enumerate("ab"):
        made_run(tmp_path / name, seed=seed)
        (tmp_path / name / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_tables_are_printed_and_written_alike(two, capsys):
    written = ["--markdown", "c.md", "--csv", "c.csv"]
    assert (
        main(["compare", "a", "b", "--setting", "out_of_fold", "--resamples", "100", *written]) == 0
    )
    assert capsys.readouterr().out == (two / "c.md").read_text() + "\n"
    rows = pd.read_csv(two / "c.csv")
    assert set(rows["setting"]) == {"out_of_fold"}
    assert {"headline", "class", "source"} <= set(rows["kind"])
    assert "auroc_macro" in set(rows["name"]) | set(rows["metric"])


@pytest.mark.parametrize("csv", ["c.md", "./c.md", "../{}/c.md"])
def test_one_file_is_not_written_twice(two, capsys, csv):
    written = ["--markdown", "c.md", "--csv", csv.format(two.name)]
    assert main(["compare", "a", "b", *written]) == 2
    assert "c.md: --markdown and --csv are two files; name another" in capsys.readouterr().err
    assert not (two / "c.md").exists()


def test_the_settings_to_choose_from_are_those_that_score_each_recording_once():
    assert compare.SETTINGS == held_out.WHOLE


def test_a_run_that_is_nowhere_is_named(two, capsys):
    assert main(["compare", "a", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
