import os
import subprocess
import sys
from pathlib import Path

import torch

from ecgpipe.training import distributed


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = distributed.Peers.join("cpu")
    assert (group.rank, group.size, group.device) == (0, 1, torch.device("cpu"))
    assert group.agree(0.25) == 0.25
    group.leave()


def test_two_processes_agree_on_the_first_ones_value(tmp_path):
    script = tmp_path / "agree.py"
    script.write_text(
        "from ecgpipe.training.distributed import Peers\n"
        "group = Peers.join('cpu')\n"
        "print(f'agreed {group.agree(float(group.rank + 5))}', flush=True)\n"
        "group.leave()\n"
    )
    root = Path(distributed.__file__).parents[2]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        str(script),
    ]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=True, timeout=120
    )
    assert run.stdout.count("agreed 5.0") == 2


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
    (tmp_path / "normed.py").write_text(NORMED)
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {
        "PYTHONPATH": str(Path(distributed.__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
    }
    run = subprocess.run(
        [*start, str(tmp_path / "normed.py")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert run.stdout.count("normed") == 2, run.stderr[-2000:]


SHARED = """
import sys
import torch
from ecgpipe.training.distributed import Peers
from tests.fixtures.small_training import fold_of, load, quiet

group = Peers.join("cpu")
_, data = load()
augment = ("crop", "jitter", "noise", "star")
fold = fold_of(
    data, f"of {group.size}", augment=augment, peers=group, epochs=2, learning_rate=0.001
)
state = fold.run(quiet)
if group.rank == 0:
    torch.save({"history": state.history, "weights": dict(state.network.state_dict())}, sys.argv[1])
group.leave()
"""


def test_two_processes_train_as_one_with_the_same_batch(split_project):
    (split_project / "shared.py").write_text(SHARED)
    root = Path(distributed.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    results = []
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for count, start in ((1, []), (2, torchrun)):
        command = [sys.executable, *start, "shared.py", f"{count}.pt"]
        subprocess.run(
            command, capture_output=True, text=True, env=environment, check=True, timeout=120
        )
        results.append(torch.load(split_project / f"{count}.pt", weights_only=True))
    alone, together = results
    assert [row["epoch"] for row in alone["history"]] == [1, 2]
    for one, two in zip(alone["history"], together["history"], strict=True):
        assert abs(one["train_loss"] - two["train_loss"]) < 1e-5
        assert abs(one["val_loss"] - two["val_loss"]) < 1e-4
    for name, tensor in alone["weights"].items():
        assert torch.allclose(tensor.float(), together["weights"][name].float(), atol=1e-3), name
