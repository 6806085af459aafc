"""What of a training is scored and delivered in place of the weights as they are trained: a moving
average of them over steps, and that averaged with the start (`training.start`).

After every step: average = d * average + (1 - d) * weights, with d = min(decay, (1 + t) / (10 + t))
at step t, so that the first steps are soon forgotten (Polyak and Juditsky 1992,
doi:10.1137/0330046; the ramp is that of TensorFlow's ExponentialMovingAverage,
https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage).

Running statistics of batch norms are averaged as the weights are; where the weights move little
within 1 / (1 - decay) steps, both are those of one network.
"""

import copy

import torch

from ecgpipe.model.network import SEResNet18
from ecgpipe.training.checkpoint import State
from ecgpipe.training.params import TrainParams
from ecgpipe.training.start import Start


@torch.no_grad()
def update(state: State, decay: float) -> None:
    """Takes the weights of the state's network into its `average`; the first are the average."""
    weights = state.network.state_dict()
    if not state.average:
        state.average = {name: tensor.clone() for name, tensor in weights.items()}
        return
    state.averaged += 1
    share = 1 - min(decay, (1 + state.averaged) / (10 + state.averaged))
    for name, tensor in weights.items():
        if tensor.is_floating_point():
            state.average[name].lerp_(tensor, share)
        else:
            state.average[name].copy_(tensor)


def delivered(state: State, params: TrainParams, start: Start | None) -> SEResNet18:
    """The network that is scored after an epoch, and may be kept: that of the state itself where
    nothing is averaged."""
    averages = params.average == "ema"
    weights = state.average if averages else state.network.state_dict()
    if start is not None and params.start_average:
        weights = start.blended(weights, params.start_average)
    elif not averages:
        return state.network
    network = copy.deepcopy(state.network)
    network.load_state_dict(weights)
    return network
