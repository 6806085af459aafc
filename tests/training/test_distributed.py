import os
import subprocess
import sys
from pathlib import Path

import torch

from ecgpipe.training import distributed
from tests.fixtures.small_training import ALONE, train_shortly


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = distributed.Peers.join("cpu")
    assert (group.rank, group.size, group.device) == (0, 1, torch.device("cpu"))
    assert group.agree(0.25) == 0.25
    group.leave()


def run_by_two(script, folder):
    """What two processes print that run a script in `folder`, as torchrun starts them."""
    (folder / "script.py").write_text(script)
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
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


AGREED = """
from ecgpipe.training.distributed import Peers

group = Peers.join("cpu")
print(f"agreed {group.agree(float(group.rank + 5))}", flush=True)
group.leave()
"""


def test_two_processes_agree_on_the_first_ones_value(tmp_path):
    assert run_by_two(AGREED, tmp_path).count("agreed 5.0") == 2


NORMED = """
import torch
from ecgpipe.model.layers import BatchNorm
from ecgpipe.training.distributed import Peers

group = Peers.join("cpu")
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
group.leave()
"""


def test_batch_norm_of_two_processes_is_torchs_of_the_whole_batch_even_far_from_zero(tmp_path):
    assert run_by_two(NORMED, tmp_path).count("normed") == 2


SHARED = """
import torch
from ecgpipe.training.distributed import Peers
from tests.fixtures.small_training import train_shortly

group = Peers.join("cpu")
state = train_shortly(group)
if group.rank == 0:
    torch.save({"history": state.history, "weights": dict(state.network.state_dict())}, "shared.pt")
group.leave()
"""


def test_two_processes_train_as_one_with_the_same_batch(split_project):
    run_by_two(SHARED, split_project)
    together = torch.load(split_project / "shared.pt", weights_only=True)
    alone = train_shortly(ALONE)
    assert [row["epoch"] for row in alone.history] == [1, 2]
    for row, shared in zip(alone.history, together["history"], strict=True):
        assert abs(row["train_loss"] - shared["train_loss"]) < 1e-5
        assert abs(row["val_loss"] - shared["val_loss"]) < 1e-4
    for name, tensor in alone.network.state_dict().items():
        assert torch.allclose(tensor.float(), together["weights"][name].float(), atol=1e-3), name
