"""The command line as a whole: a fault is one line, and it runs as a module."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.__main__ import main
from ecgpipe.prediction import reading
from ecgpipe.simulation import writers
from tests.fixtures.limbs import lawful

ROOT = Path(__file__).parents[1]


def test_a_users_fault_is_one_line_and_status_2(tmp_path, capsys):
    assert main(["predict", str(tmp_path / "none"), "--model", str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("ecgpipe: ")
    assert printed.count("\n") == 1


def test_an_error_of_ours_keeps_its_traceback(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(reading, "expand", broken)
    with pytest.raises(ValueError, match="a bug"):
        main(["check", str(tmp_path)])


def test_the_module_runs_as_a_command(tmp_path):
    writers.write_challenge(
        tmp_path,
        "A1",
        lawful(np.random.default_rng(1).normal(0, 0.2, (3000, 12))),
        500,
        age=60,
        sex="M",
        labels=["426783006"],
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "ecgpipe", "check", str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    verdicts, files = run.stdout.splitlines()
    assert verdicts == "1 recordings: 1 ok, 0 flagged, 0 refused"
    assert files.startswith(f"{tmp_path}: 2 files: 1 recordings, 1 signal files")
    assert run.stderr == ""
