import os
import subprocess
import sys
from pathlib import Path

import torch

from ecgpipe import peers


def test_alone_without_torchrun(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    group = peers.Peers.join("cpu")
    assert (group.rank, group.size, group.device) == (0, 1, torch.device("cpu"))
    assert group.agree(0.25) == 0.25
    group.leave()


def test_two_processes_agree_on_the_first_ones_value(tmp_path):
    script = tmp_path / "agree.py"
    script.write_text(
        "from ecgpipe.peers import Peers\n"
        "group = Peers.join('cpu')\n"
        "print(f'agreed {group.agree(float(group.rank + 5))}', flush=True)\n"
        "group.leave()\n"
    )
    root = Path(peers.__file__).parents[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=120)
    assert run.stdout.count("agreed 5.0") == 2


def test_a_fingerprint_changes_with_what_it_is_made_of():
    assert peers.fingerprint("0", {"a": 1, "b": 2}) == peers.fingerprint("0", {"b": 2, "a": 1})
    assert (
        len({peers.fingerprint("0", {"a": 1}), peers.fingerprint("0", {"a": 2}), peers.fingerprint("1", {"a": 1})}) == 3
    )
