import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ecgpipe.model import saved_model
from ecgpipe.project import params, paths, tables
from stages import train
from tests.fixtures.sealed import write_sealed_text

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "stages.train", "0"]
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node=2",
    *COMMAND[1:],
]


@pytest.fixture
def project(split_project):
    """The small split table with small params; the working directory is there."""
    values = params.load(ROOT / "params.yaml")
    values["model"]["width"] = 4
    values["train"] |= {"epochs": 12, "batch": 8, "window_s": 3, "keep": "last"}
    with (split_project / "params.yaml").open("w") as handle:
        yaml.safe_dump(values, handle, sort_keys=False)
    (split_project / params.SOURCES).parent.mkdir()
    shutil.copy(ROOT / params.SOURCES, split_project / params.SOURCES)
    return split_project


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def outputs():
    """The bytes that a fold leaves."""
    files = [*paths.model("0").iterdir(), *paths.predictions("0").iterdir()]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.campaign  # tests/pipeline/test_faults.py kills it twice in every run
def test_kill_9_and_the_same_command_again_give_the_bytes_of_an_undisturbed_run(project):
    subprocess.run(COMMAND, env=environment(), check=True, capture_output=True, timeout=120)
    whole = outputs()
    slow = subprocess.Popen(
        COMMAND, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    state = paths.state("0")
    deadline = time.monotonic() + 60
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    assert state.exists(), "killed after an epoch, before the end"
    subprocess.run(COMMAND, env=environment(), check=True, capture_output=True, timeout=120)
    assert outputs() == whole
    assert not state.exists()


def test_two_processes_train_one_model(project):
    values = params.load()
    values["train"]["epochs"] = 4
    params.PARAMS.write_text(json.dumps(values))  # JSON is YAML
    subprocess.run(TORCHRUN, env=environment(), check=True, capture_output=True, timeout=180)
    history = tables.read(paths.predictions("0") / "history.csv")
    losses = history["train_loss"].astype(float).tolist()
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    _, about = saved_model.load(paths.model("0"))
    assert about["folds"] == [0, 1]


def test_an_unused_fold_trains_nothing_and_says_why(project, caplog):
    info = json.loads(paths.FOLDS_INFO.read_text())
    write_sealed_text(json.dumps(info | {"unused": [2]}), paths.FOLDS_INFO)
    train.main("2")
    assert "fold 2 has no recordings" in caplog.text
    for folder in (paths.model("2"), paths.predictions("2")):
        assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "unused.json"]
    assert not paths.state("2").exists()


def test_unannotated_cells_taken_for_absent_make_another_model_that_says_so(project):
    values = params.load()
    values["train"]["epochs"] = 2
    fold = {}
    for treatment in ("mask", "negative"):
        values["train"]["unannotated"] = treatment
        with params.PARAMS.open("w") as handle:
            yaml.safe_dump(values, handle, sort_keys=False)
        train.main("0")
        fold[treatment] = outputs()
        assert saved_model.load(paths.model("0"))[1]["train"]["unannotated"] == treatment
    assert fold["mask"]["weights.safetensors"] != fold["negative"]["weights.safetensors"]


def test_a_state_of_the_other_treatment_of_unannotated_cells_is_not_resumed(project, monkeypatch):
    keys = []

    def stopped(*_, key, **__):
        keys.append(key)
        raise InterruptedError

    monkeypatch.setattr(train.trainer, "Trainer", stopped)
    values = params.load()
    for treatment in ("mask", "negative", "mask"):
        values["train"]["unannotated"] = treatment
        with params.PARAMS.open("w") as handle:
            yaml.safe_dump(values, handle, sort_keys=False)
        with pytest.raises(InterruptedError):
            train.main("0")
    assert keys[0] == keys[2] != keys[1]


def test_a_fold_that_no_recording_has_is_named(project):
    with pytest.raises(
        ValueError, match=r"'9' is not in the folds of data/folds/folds.json; give one of 0, 1$"
    ):
        train.main("9")
