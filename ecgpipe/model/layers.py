"""The layers of the network: dropout and batch norm that hold over several processes, squeeze and
excitation, the block."""

import torch
from torch import nn


class Dropout(nn.Module):
    """Zeroes each value with probability `share`, to the next 1/256, and scales the others up.

    Random bytes decide: a tenth of the time that torch's own dropout takes on a processor. Where
    several processes share a batch, each draws the whole batch's bytes and takes its rows, so their
    number changes nothing.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.cut = round(share * 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.cut:
            return x
        rank, size = _place()
        count = size * x.numel()
        drawn = _random(-(-count // 8), x.device)  # eight bytes each
        # Bytes in memory order of x, [batch, time, channel] where channels come last.
        batch, channels, _, time = x.shape
        byte = drawn.view(torch.uint8)[:count].view(size * batch, time, channels)
        kept = byte[rank::size] >= self.cut
        scale = kept.to(x.dtype).mul_(256 / (256 - self.cut))
        return x * scale.permute(0, 2, 1).unsqueeze(2)  # [batch, channel, 1, time]


class _SumOfAll(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is the sum of theirs.

    That of torch.distributed.nn is deprecated, and after it a process may abort as it ends (torch
    2.13 with gloo: "terminate called without an active exception").
    """

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, part: torch.Tensor) -> torch.Tensor:
        """The sum of the parts that the processes give."""
        total = part.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(
        context: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> torch.Tensor:
        """The gradient of each part: every process uses the sum."""
        total = gradient.clone()
        torch.distributed.all_reduce(total)
        return total


class BatchNorm(nn.BatchNorm2d):
    """Batch norm over the batch that all processes share: torch has that for GPUs alone
    (SyncBatchNorm)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = _place()[1]
        if size == 1 or not self.training:
            return super().forward(x)
        wide = x.float()
        count, shape = size * x.numel() / x.shape[1], (1, -1, 1, 1)
        # Two sums, one after the other: the mean square less the squared mean would lose a small
        # deviation.
        mean = _SumOfAll.apply(wide.sum(dim=(0, 2, 3))) / count
        centred = wide - mean.view(shape)
        variance = _SumOfAll.apply(centred.square().sum(dim=(0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)


class SqueezeExcitation(nn.Module):
    """Weighs channels by what the whole window holds: [batch, channel, 1, time] to the same
    shape."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x.mean(dim=(2, 3)))[:, :, None, None]


def convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Over time, with batch norm: [batch, inputs, 1, time] -> [batch, outputs, 1, time /
    stride]."""
    layer = nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
    return nn.Sequential(layer, BatchNorm(outputs))


class Block(nn.Module):
    """Two convolutions with dropout between, squeeze-excitation, then the skip: time is divided by
    `stride`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, dropout: float, reduction: int
    ) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, kernel, stride)
        self.dropout = Dropout(dropout)
        self.second = convolution(outputs, outputs, kernel, 1)
        self.excitation = SqueezeExcitation(outputs, reduction)
        changes = stride != 1 or inputs != outputs
        self.skip = convolution(inputs, outputs, 1, stride) if changes else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.dropout(torch.relu_(self.first(x)))
        return torch.relu_(self.excitation(self.second(inner)) + self.skip(x))


def _random(count: int, device: torch.device) -> torch.Tensor:
    """int64 [count], every bit random. A compiler follows `randint` alone, which leaves one value
    out."""
    least, most = torch.iinfo(torch.int64).min, torch.iinfo(torch.int64).max
    if torch.compiler.is_compiling():
        return torch.randint(least, most, (count,), dtype=torch.int64, device=device)
    return torch.empty(count, dtype=torch.int64, device=device).random_(least, None)


def _place() -> tuple[int, int]:
    """This process's rank, and the number of processes that share each batch."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
