"""The network: an SE-ResNet-18 over time and twelve leads, with age and sex joined before the classifier.

After Zhao et al., "Adaptive lead weighted ResNet trained with different duration signals for classifying 12-lead
ECGs", CinC 2020, paper 112; residual blocks after He et al. 2016 (arXiv:1512.03385), squeeze-and-excitation after Hu
et al. 2018 (arXiv:1709.01507).

Convolutions are written in two dimensions, the first of size one, because torch lays out two-dimensional data with
channels last: a batch gathered as [batch, time, lead] is in that order already.
"""

import copy
import math

import torch
from pydantic import Field, field_validator
from torch import nn

from ecgpipe.project.leads import LEADS
from ecgpipe.project.params import Section

_STEPS = 8
DEMOGRAPHICS = 4  # age / 100, age known, female, male


class Params(Section):
    """`model` in params.yaml. `width`: channels of the first stage, doubled by each of the next three."""

    width: int = Field(ge=4, le=256)
    stem_kernel: int = Field(ge=3, le=63)
    kernel: int = Field(ge=3, le=63)
    dropout: float = Field(ge=0, le=0.9)
    reduction: int = Field(ge=1)
    demographics: bool

    @field_validator("kernel", "stem_kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("a kernel must be odd, so that a convolution keeps its centre")
        return value


class Dropout(nn.Module):
    """Zeroes each value with probability `share`, to the next 1/256, and scales the others up.

    Random bytes decide: a tenth of the time that torch's own dropout takes on a processor. Where several processes
    share a batch, each draws the whole batch's bytes and takes its rows, so their number changes nothing.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.cut = round(share * 256)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.cut:
            return x
        rank, size = _place()
        count = size * x.numel()
        drawn = _random(-(-count // 8), x.device)
        # Bytes in memory order of x, [batch, time, channel] where channels come last.
        kept = drawn.view(torch.uint8)[:count].view(size * x.shape[0], x.shape[3], x.shape[1])[rank::size] >= self.cut
        return x * kept.to(x.dtype).mul_(256 / (256 - self.cut)).permute(0, 2, 1).unsqueeze(2)


class BatchNorm(nn.BatchNorm2d):
    """Batch norm over the batch that all processes share: torch has that for GPUs alone (SyncBatchNorm)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        size = _place()[1]
        if size == 1 or not self.training:
            return super().forward(x)
        from torch.distributed.nn.functional import all_reduce  # there is none where torch is built without it

        wide = x.float()
        count, shape = size * x.numel() / x.shape[1], (1, -1, 1, 1)
        # Two sums, one after the other: the mean square less the squared mean would lose a small deviation.
        mean = all_reduce(wide.sum(dim=(0, 2, 3))) / count
        centred = wide - mean.view(shape)
        variance = all_reduce(centred.square().sum(dim=(0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)


class SqueezeExcitation(nn.Module):
    """Weighs channels by what the whole window holds: [batch, channel, 1, time] to the same shape."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.gate = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x.mean(dim=(2, 3)))[:, :, None, None]


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    """Over time, with batch norm: [batch, inputs, 1, time] -> [batch, outputs, 1, time / stride]."""
    convolution = nn.Conv2d(inputs, outputs, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
    return nn.Sequential(convolution, BatchNorm(outputs))


class Block(nn.Module):
    """Two convolutions with dropout between, squeeze-excitation, then the skip: time is divided by `stride`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, dropout: float, reduction: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, kernel, stride)
        self.dropout = Dropout(dropout)
        self.second = _convolution(outputs, outputs, kernel, 1)
        self.excitation = SqueezeExcitation(outputs, reduction)
        changes = stride != 1 or inputs != outputs
        self.skip = _convolution(inputs, outputs, 1, stride) if changes else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.dropout(torch.relu_(self.first(x)))
        return torch.relu_(self.excitation(self.second(inner)) + self.skip(x))


class SEResNet18(nn.Module):
    """Signals [batch, 12, time] in mV and demographics [batch, 4] to logits [batch, class]; any length of time."""

    def __init__(self, classes: int, params: Params) -> None:
        super().__init__()
        width = params.width
        self.stem = _convolution(len(LEADS), width, params.stem_kernel, 2)
        self.pool = nn.MaxPool2d((1, 3), (1, 2), (0, 1))
        blocks, inputs = [], width
        for stage, outputs in enumerate(width * 2**stage for stage in range(4)):
            for stride in (1 if stage == 0 else 2, 1):
                blocks.append(Block(inputs, outputs, params.kernel, stride, params.dropout, params.reduction))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.demographics = nn.Linear(DEMOGRAPHICS, 10) if params.demographics else None
        self.classifier = nn.Linear(inputs + (10 if params.demographics else 0), classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, signal: torch.Tensor, demographics: torch.Tensor) -> torch.Tensor:
        x = signal.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # [batch, lead, 1, time]
        x = self.pool(torch.relu_(self.stem(x)))
        features = self.blocks(x).mean(dim=(2, 3))  # [batch, 8 * width]
        if self.demographics is not None:
            features = torch.cat([features, self.demographics(demographics)], dim=1)
        return self.classifier(features)


def folded(network: SEResNet18) -> SEResNet18:
    """A copy for evaluation, its batch norms folded into the convolutions before them: the same function, faster.
    A network that has been folded is given back as it is."""
    if not any(isinstance(module, BatchNorm) for module in network.modules()):
        return network.eval()
    copied = copy.deepcopy(network).eval()
    for module in list(copied.modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], BatchNorm):
            fused = nn.utils.fusion.fuse_conv_bn_eval(module[0], module[1])
            module[0], module[1] = fused.to(memory_format=torch.channels_last), nn.Identity()
    return copied


def normalise(signal_mv: torch.Tensor, inside: torch.Tensor | None, how: str) -> torch.Tensor:
    """[batch, time, lead] in mV, zero outside the recording, as the network takes it, in place.

    'none' keeps mV, 'lead' gives every lead of every window zero mean and unit standard deviation over the samples that
    are `inside` [batch, time, 1] the recording (1 or 0, float32; None: all are); flat leads and what is outside become
    zeros. Amplitude classes such as LQRSV need 'none'.
    """
    if how == "none":
        return signal_mv
    if how == "lead":
        batch, time, leads = signal_mv.shape
        steps = math.gcd(time, _STEPS)
        wide = signal_mv.view(batch, time // steps, steps * leads)  # several samples a row: fills a processor's vectors
        count = time if inside is None else inside.sum(dim=1, keepdim=True).clamp(min=1.0)

        def mean(of: torch.Tensor) -> torch.Tensor:  # [batch, 1, lead]
            return of.sum(dim=1).view(batch, steps, leads).sum(dim=1, keepdim=True) / count

        wide.sub_(mean(wide).repeat(1, 1, steps))
        if inside is not None:
            signal_mv.mul_(inside)
        deviation = mean(wide * wide).sqrt()
        wide.div_(torch.where(deviation > 1e-4, deviation, torch.ones_like(deviation)).repeat(1, 1, steps))
        return signal_mv
    raise ValueError(f"train.normalise: '{how}' is not one of none, lead")


def _random(count: int, device: torch.device) -> torch.Tensor:
    """int64 [count], every bit random. A compiler follows `randint` alone, which leaves one value out."""
    least, most = torch.iinfo(torch.int64).min, torch.iinfo(torch.int64).max
    if torch.compiler.is_compiling():
        return torch.randint(least, most, (count,), dtype=torch.int64, device=device)
    return torch.empty(count, dtype=torch.int64, device=device).random_(least, None)


def _place() -> tuple[int, int]:
    """This process's rank, and the number of processes that share each batch."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
