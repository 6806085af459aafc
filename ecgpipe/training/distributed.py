"""The processes that train one model together under `torchrun`."""

import os
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Peers:
    """This process (rank) of several (size), and its device."""

    rank: int
    size: int
    device: torch.device

    @staticmethod
    def join(device: str) -> "Peers":
        """Joins the others where `torchrun` started this process, else trains alone. device: auto,
        cpu or cuda."""
        rank, size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
        if size > 1:
            torch.distributed.init_process_group("nccl" if cuda else "gloo")
        local = int(os.environ.get("LOCAL_RANK", 0))
        if not cuda:
            return Peers(rank, size, torch.device("cpu"))
        # Without it cuBLAS may round differently from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.cuda.set_device(local)
        return Peers(rank, size, torch.device("cuda", local))

    def leave(self) -> None:
        """Ends the process group, where there is one."""
        if self.size > 1:
            torch.distributed.destroy_process_group()

    def parallel(self, network: torch.nn.Module) -> torch.nn.Module:
        """The network as it is trained: by all processes together, where there are several. Its
        batch norms count over all of them (`model.layers.BatchNorm`)."""
        if self.size == 1:
            return network
        return torch.nn.parallel.DistributedDataParallel(network, broadcast_buffers=False)

    def mean(self, value: torch.Tensor) -> torch.Tensor:
        """The mean of a number over all processes."""
        if self.size == 1:
            return value
        total = value.to(torch.float64)
        torch.distributed.all_reduce(total)
        return total / self.size

    def agree(self, value: float) -> float:
        """The value of the first process, in all of them: a decision that all must take alike."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(shared, src=0)
        return float(shared)
