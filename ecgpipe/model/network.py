"""The network: an SE-ResNet-18 over time and twelve leads, with age and sex joined before the
classifier.

After Zhao et al., "Adaptive lead weighted ResNet trained with different duration signals for
classifying 12-lead ECGs", CinC 2020, paper 112; residual blocks after He et al. 2016
(arXiv:1512.03385), squeeze-and-excitation after Hu et al. 2018 (arXiv:1709.01507).

Convolutions are written in two dimensions, the first of size one, because torch lays out
two-dimensional data with channels last: a batch gathered as [batch, time, lead] is in that order
already.
"""

import copy

import torch
from torch import nn

from ecgpipe.dataset.demographics import COLUMNS
from ecgpipe.model.layers import BatchNorm, Block, convolution
from ecgpipe.model.params import ModelParams
from ecgpipe.project.leads import LEADS

DEMOGRAPHICS = len(COLUMNS)
HEAD = "classifier."  # what the names of the head's weights begin with; the rest is the body


class SEResNet18(nn.Module):
    """Signals [batch, 12, time] in mV and demographics [batch, 4] to logits [batch, class]; any
    length of time."""

    def __init__(self, classes: int, params: ModelParams) -> None:
        super().__init__()
        width = params.width
        self.stem = convolution(len(LEADS), width, params.stem_kernel, 2)
        self.pool = nn.MaxPool2d((1, 3), (1, 2), (0, 1))
        blocks, inputs = [], width
        for stage, outputs in enumerate(width * 2**stage for stage in range(4)):
            for stride in (1 if stage == 0 else 2, 1):
                blocks.append(
                    Block(inputs, outputs, params.kernel, stride, params.dropout, params.reduction)
                )
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.demographics = nn.Linear(DEMOGRAPHICS, 10) if params.demographics else None
        self.classifier = nn.Linear(inputs + (10 if params.demographics else 0), classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, signal: torch.Tensor, demographics: torch.Tensor) -> torch.Tensor:
        # [batch, lead, time] -> [batch, lead, 1, time]
        x = signal.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        x = self.pool(torch.relu_(self.stem(x)))  # [batch, width, 1, time / 4]
        features = self.blocks(x).mean(dim=(2, 3))  # [batch, 8 * width]
        if self.demographics is not None:
            features = torch.cat([features, self.demographics(demographics)], dim=1)
        return self.classifier(features)


def folded(network: SEResNet18) -> SEResNet18:
    """A copy for evaluation, its batch norms folded into the convolutions before them: the same
    function, faster. A network that has been folded is given back as it is."""
    if not any(isinstance(module, BatchNorm) for module in network.modules()):
        return network.eval()
    copied = copy.deepcopy(network).eval()
    for module in list(copied.modules()):
        pair = isinstance(module, nn.Sequential) and len(module) == 2
        if pair and isinstance(module[1], BatchNorm):
            fused = nn.utils.fusion.fuse_conv_bn_eval(module[0], module[1])
            module[0], module[1] = fused.to(memory_format=torch.channels_last), nn.Identity()
    return copied
