import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ecgpipe.training import distributed
from tests.fixtures.small_training import ALONE, train_shortly
from tests.fixtures.split_project import write_split_project


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = distributed.Peers.join("cpu")
    assert (group.rank, group.size, group.device) == (0, 1, torch.device("cpu"))
    assert group.agree(0.25) == 0.25
    group.leave()


@pytest.fixture(scope="module")
def by_two(tmp_path_factory):
    """Two processes that torchrun started in a small split project: its folder, and how they ended
    and what they printed. One start for all tests: it takes each seconds to import torch."""
    folder = tmp_path_factory.mktemp("two")
    write_split_project(folder)
    (folder / "script.py").write_text("\n".join([JOINED, AGREED, NORMED, SHARED, LEFT]))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "script.py"]
    root = Path(distributed.__file__).parents[2]
    run = subprocess.run(
        [sys.executable, *torchrun],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        timeout=120,
    )
    return folder, run


JOINED = """
import torch
from ecgpipe.model.layers import BatchNorm
from ecgpipe.training.distributed import Peers
from tests.fixtures.small_training import train_shortly

group = Peers.join("cpu")
"""
LEFT = """
group.leave()
print("left", flush=True)
"""
AGREED = """
print(f"agreed {group.agree(float(group.rank + 5))}", flush=True)
"""
NORMED = """
torch.manual_seed(1)
size, offset = torch.tensor([[1.0, 1e-3, 5.0], [0.0, 30.0, 300.0]]).view(2, 3, 1, 1)
whole = torch.randn(8, 3, 1, 40) * size + offset
ours, theirs = BatchNorm(3), torch.nn.BatchNorm2d(3)
part = whole[group.rank :: group.size].clone().requires_grad_()
full = whole.clone().requires_grad_()
made, expected = ours(part), theirs(full)
weight = torch.randn(8, 3, 1, 40)
(made * weight[group.rank :: group.size]).sum().backward()
(expected * weight).sum().backward()
assert torch.allclose(made, expected[group.rank :: group.size], atol=2e-2, rtol=1e-3)
mine, least = full.grad[group.rank :: group.size], 1e-2 * full.grad.abs().max()
assert torch.allclose(part.grad, mine, rtol=5e-2, atol=least)
for name in ("running_mean", "running_var"):
    assert torch.allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-3), name
print("normed", flush=True)
"""
SHARED = """
for started in (False, True):
    state = train_shortly(group, started=started)
    if group.rank == 0:
        found = {"history": state.history, "weights": dict(state.network.state_dict())}
        torch.save(found, f"shared-{started}.pt")
"""


def test_two_processes_agree_on_the_first_ones_value(by_two):
    _, run = by_two
    assert run.stdout.count("agreed 5.0") == 2, run.stderr[-2000:]


def test_batch_norm_of_two_processes_is_torchs_of_the_whole_batch_even_far_from_zero(by_two):
    _, run = by_two
    assert run.stdout.count("normed") == 2, run.stderr[-2000:]


def test_two_processes_end_well(by_two):
    _, run = by_two
    assert (run.returncode, run.stdout.count("left")) == (0, 2), run.stderr[-2000:]


@pytest.mark.parametrize("started", [False, True])
def test_two_processes_train_as_one_with_the_same_batch(by_two, monkeypatch, started):
    monkeypatch.chdir(by_two[0])
    together = torch.load(f"shared-{started}.pt", weights_only=True)
    alone = train_shortly(ALONE, started=started)
    assert [row["epoch"] for row in alone.history] == [1, 2]
    for row, shared in zip(alone.history, together["history"], strict=True):
        assert abs(row["train_loss"] - shared["train_loss"]) < 1e-5
        assert abs(row["val_loss"] - shared["val_loss"]) < 1e-4
    for name, tensor in alone.network.state_dict().items():
        assert torch.allclose(tensor.float(), together["weights"][name].float(), atol=1e-3), name
