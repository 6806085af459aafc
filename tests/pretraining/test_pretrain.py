"""A tiny pretraining from beginning to end."""

import hashlib
from pathlib import Path

import pytest

from ecgpipe.pretraining import pretrain, simulated_store
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project.params import Compute
from tests.fixtures import small_pretraining


@pytest.fixture
def inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulated_store, "CHUNK", small_pretraining.CHUNK)


def made(workers: int) -> dict[str, str]:
    """The digests of what a run leaves, and of the recordings that it learnt from."""
    params = PretrainParams.model_validate(small_pretraining.values())
    compute = Compute(workers=workers, backend="loky", device="cpu")
    pretrain.pretrain(params, small_pretraining.EVALUATE, compute)
    files = [*Path("data/pretrained").iterdir(), *Path("data/checkpoints/simulated").glob("*/*")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_two_runs_with_other_numbers_of_workers_leave_the_same_bytes(inside, caplog):
    with caplog.at_level("INFO"):
        first = made(workers=1)
    assert len(first) == 6 + 2 * 7
    assert "70 recordings to simulate" in caplog.text and "30 recordings to simulate" in caplog.text
    assert "mean AUROC on 30 fresh simulated recordings" in caplog.text
    for folder in ("pretrained", "checkpoints"):
        Path("data", folder).rename(f"{folder}-aside")
    assert made(workers=2) == first
