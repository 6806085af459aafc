"""The network: a 1-D SE-ResNet-18 over twelve leads, with age and sex joined before the classifier.

After Zhao et al., "Adaptive lead weighted ResNet trained with different duration signals for classifying 12-lead
ECGs", CinC 2020, paper 112; residual blocks after He et al. 2016 (arXiv:1512.03385), squeeze-and-excitation after Hu
et al. 2018 (arXiv:1709.01507).
"""

import torch
from pydantic import Field, field_validator
from torch import nn

from ecgpipe.leads import LEADS
from ecgpipe.params import Section

DEMOGRAPHICS = 4  # age / 100, age known, female, male


class Params(Section):
    """`model` in params.yaml. `width`: channels of the first stage, doubled by each of the next three."""

    width: int = Field(ge=4, le=256)
    stem_kernel: int = Field(ge=3, le=63)
    kernel: int = Field(ge=3, le=63)
    dropout: float = Field(ge=0, lt=1)
    reduction: int = Field(ge=1)
    demographics: bool

    @field_validator("kernel", "stem_kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("a kernel must be odd, so that a convolution keeps its centre")
        return value


class SqueezeExcitation(nn.Module):
    """Weighs channels by what the whole window holds: [batch, channel, time] to the same shape."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.gate = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x.mean(dim=2)).unsqueeze(2)


class Block(nn.Module):
    """Two convolutions with dropout between, squeeze-excitation, then the skip: time is divided by `stride`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, dropout: float, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(outputs, outputs, kernel, 1, kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
            SqueezeExcitation(outputs, reduction),
        )
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(nn.Conv1d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm1d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.skip(x))


class SEResNet18(nn.Module):
    """Signals [batch, 12, time] in mV and demographics [batch, 4] to logits [batch, class]; any length of time."""

    def __init__(self, classes: int, params: Params) -> None:
        super().__init__()
        width = params.width
        self.stem = nn.Sequential(
            nn.Conv1d(len(LEADS), width, params.stem_kernel, 2, params.stem_kernel // 2, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.MaxPool1d(3, 2, 1),
        )
        blocks, inputs = [], width
        for stage, outputs in enumerate(width * 2**stage for stage in range(4)):
            for stride in (1 if stage == 0 else 2, 1):
                blocks.append(Block(inputs, outputs, params.kernel, stride, params.dropout, params.reduction))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.demographics = nn.Linear(DEMOGRAPHICS, 10) if params.demographics else None
        self.classifier = nn.Linear(inputs + (10 if params.demographics else 0), classes)

    def forward(self, signal: torch.Tensor, demographics: torch.Tensor) -> torch.Tensor:
        features = self.blocks(self.stem(signal)).mean(dim=2)  # [batch, lead, time] -> [batch, 8 * width]
        if self.demographics is not None:
            features = torch.cat([features, self.demographics(demographics)], dim=1)
        return self.classifier(features)


def normalise(signal_mv: torch.Tensor, inside: torch.Tensor, how: str) -> torch.Tensor:
    """[batch, lead, time] in mV as the network takes it: 'none' keeps mV, 'lead' gives every lead of every window zero
    mean and unit standard deviation over the samples that are `inside` [batch, time] the recording (a flat lead, and
    what is outside, become zeros). Amplitude classes such as LQRSV need 'none'."""
    if how == "none":
        return signal_mv
    if how == "lead":
        known = inside[:, None, :].to(signal_mv.dtype)
        count = known.sum(dim=2, keepdim=True).clamp(min=1.0)
        centred = (signal_mv - (signal_mv * known).sum(dim=2, keepdim=True) / count) * known
        deviation = (centred.square().sum(dim=2, keepdim=True) / count).sqrt()
        return centred / torch.where(deviation > 1e-4, deviation, torch.ones_like(deviation))
    raise ValueError(f"train.normalise: '{how}' is not one of none, lead")
