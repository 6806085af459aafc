"""The stage by its command, stopped as it begins and run to its end under torchrun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgpipe.model import saved_model
from ecgpipe.project import params
from tests.fixtures import small_pretraining
from tests.fixtures.small_project import ROOT, write_params

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


@pytest.mark.campaign  # two processes import torch; test_train.py runs a training of two every time
def test_two_processes_of_torchrun_learn_one_network_from_recordings_that_one_simulates(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_params(tmp_path / "params.yaml", pretrain=small_pretraining.values(folder="data/other"))
    ended = subprocess.run(
        [sys.executable, *TORCHRUN, "-m", "stages.pretrain"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert ended.stderr.count("recordings to simulate") == 2
    _, about = saved_model.load(Path("data/other"))
    assert about["epochs"] == 2 and len(about["classes"]) == 26


def test_the_demo_and_all_complete_files_have_a_section_that_passes_the_check():
    from ecgpipe.pretraining.params import PretrainParams

    files = [ROOT / "params.yaml", *(ROOT / "configs").glob("*.yaml")]
    complete = [path for path in files if "pretrain:" in path.read_text(encoding="utf-8")]
    assert len(complete) >= 3
    for path in complete:
        section = params.section(PretrainParams, params.load(path), "pretrain")
        assert section.folder == "data/pretrained"
