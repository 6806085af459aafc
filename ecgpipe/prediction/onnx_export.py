"""One ONNX file of the models (https://onnx.ai), for programs that run them without torch and
without ecgpipe.

Its graph gives what `predict` gives of conditioned recordings, from the windows to the calibrated
probabilities:

- input `signal`, float32 [batch, 12, time]: mV, leads in the order of the metadata's `leads`,
  conditioned as below; any batch, any time of a sample or more, the same for the recordings of a
  batch. Inside it is rounded to whole microvolts, held within 16 bits (+-32 mV), and cut into
  windows that overlap by half, the last at the recording's end. A recording shorter than a window
  is padded with zeros: the networks were trained on whole windows, so take such answers with doubt,
  as `predict` does by its flag `short`.
- input `demographics`, float32 [batch, 4], where the networks take them: age in years / 100 and 1,
  or 0 and 0 where it is unknown; then 1, 0 for a woman, 0, 1 for a man, 0, 0 where it is unknown.
- output `probabilities`, float32 [batch, class]: the mean over windows and folds, calibrated. A
  class is present where its probability reaches its threshold, which was chosen for these
  probabilities; where that is null, never. Of a class that the models did not learn (`unlearnt`) it
  is 0.

Conditioning (`conditioning`: to_rate_hz, low_hz, high_hz, order) is one pass from the recording's
own rate: the signal is mirrored about its first and last sample by 2 s or more, its spectrum
multiplied by 1 / (1 + (f / high_hz)^(2 order)) * (f / low_hz)^(2 order) / (1 + (f / low_hz)^(2
order)), the squared magnitudes of Butterworth filters (zero phase; without the second factor where
low_hz is 0), and cut, or extended by zeros, to to_rate_hz; of the inverse transform round(samples *
to_rate_hz / rate) samples from the recording's start are kept, as float32. `conditioning_numpy` is
all of this as a text in Python and numpy, to be run as it stands.

The metadata, each value as JSON: classes (SNOMED CT codes), names, full_names, leads, unit,
rate_hz, window (samples), normalise, conditioning, conditioning_numpy (the module `portable`),
thresholds (null: never), unlearnt (names), demographics (what each column is), folds.
"""

import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ecgpipe.evaluation import calibration
from ecgpipe.model.layers import Block
from ecgpipe.model.network import DEMOGRAPHICS, SEResNet18
from ecgpipe.prediction import onnx_inputs
from ecgpipe.prediction.ensemble import Ensemble
from ecgpipe.project import atomic
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

OPSET, IR = 18, 9  # what onnxruntime reads since 1.16
_LEAST_DEVIATION_MV = 1e-4  # as in `model.normalise`
_COLUMNS = [
    "age in years / 100, 0 where unknown", "1 where the age is known, else 0", "1 where female, else 0",
    "1 where male, else 0",
]  # fmt: skip


@dataclass
class _Graph:
    """Nodes and constants as they are added; a value is known by its name."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, operator: str, *inputs: Any, name: str = "", **attributes: Any) -> str:
        """The output of an operator; an array or a number among its inputs becomes a constant."""
        import onnx

        names = [one if isinstance(one, str) else self._constant(np.asarray(one)) for one in inputs]
        output = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(operator, names, [output], **attributes))
        return output

    def _constant(self, value: NDArray) -> str:
        import onnx

        name = f"constant_{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def write(ensemble: Ensemble, path: Path) -> None:
    """Writes the ONNX file of `ensemble` (its folds together; `prediction.ensemble.load` gives one
    fold alone) atomically.

    UserError where the package onnx is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise UserError(
            "export --onnx needs the package onnx; pip install -r requirements-export.txt"
        ) from error
    made = _model(ensemble)
    onnx.checker.check_model(made, full_check=True)
    with atomic.atomic(path) as temporary:
        temporary.write_bytes(made.SerializeToString())


def metadata(ensemble: Ensemble) -> dict[str, Any]:
    """What the file says of itself, besides its graph."""
    about, cuts = ensemble.about, ensemble.point.thresholds
    same = ("classes", "names", "full_names", "rate_hz", "window", "normalise", "conditioning")
    return {key: about[key] for key in same} | {
        "leads": list(LEADS),
        "unit": "mV",
        "thresholds": [float(cut) if np.isfinite(cut) else None for cut in cuts],
        "unlearnt": ensemble.unlearnt,
        "conditioning_numpy": inspect.getsource(onnx_inputs),
        "demographics": _COLUMNS * about["network"]["demographics"],
        "folds": ensemble.folds,
    }


def _model(ensemble: Ensemble) -> Any:
    """The onnx.ModelProto of the models."""
    import onnx

    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    known = ensemble.about["network"]["demographics"]
    inputs = [helper.make_tensor_value_info("signal", number, ["batch", len(LEADS), "time"])]
    inputs += [
        helper.make_tensor_value_info("demographics", number, ["batch", DEMOGRAPHICS])
    ] * known
    classes = len(ensemble.codes)
    output = helper.make_tensor_value_info("probabilities", number, ["batch", classes])
    graph = _Graph()
    windows, starts = _windows(graph, ensemble.about["window"], ensemble.about["normalise"])
    each = graph.add(
        "Concat", graph.add("Shape", "signal", start=0, end=1), graph.add("Shape", starts), axis=0
    )
    rows = _demographics(graph, starts) if known else None
    folds = [
        _over_windows(graph, _network(graph, one, windows, rows), each, classes)
        for one in ensemble.networks
    ]
    mean = graph.add("Div", graph.add("Sum", *folds), np.float64(len(folds)))
    calibrated = _calibrated(graph, mean, ensemble.point.scaling)
    if ensemble.unlearnt:
        calibrated = graph.add("Mul", calibrated, ensemble.learnt.astype(np.float64))
    graph.add("Cast", calibrated, name="probabilities", to=number)
    made = helper.make_graph(
        graph.nodes, "ecgpipe", inputs, [output], graph.constants, doc_string=__doc__
    )
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="ecgpipe"
    )
    model.ir_version = IR
    helper.set_model_props(
        model, {key: json.dumps(value) for key, value in metadata(ensemble).items()}
    )
    return model


def _windows(graph: _Graph, window: int, how: str) -> tuple[str, str]:
    """(the windows of all recordings, [batch * windows, 12, window], normalised; the first sample
    of each window)."""
    whole_uv = graph.add("Round", graph.add("Mul", "signal", np.float32(1000)))
    held_uv = graph.add("Clip", whole_uv, np.float32(-32768), np.float32(32767))
    signal_mv = graph.add("Mul", held_uv, np.float32(1e-3))
    time = graph.add("Shape", "signal", start=2, end=3)
    some = _only_0(graph, graph.add("Sub", np.array([1]), graph.add("Min", time, np.array([1]))))
    longer = graph.add("Add", graph.add("Max", time, np.array([window])), some)
    lacking = graph.add("Concat", np.zeros(5, np.int64), graph.add("Sub", longer, time), axis=0)
    padded = graph.add("Pad", signal_mv, lacking)
    last = graph.add("Sub", longer, np.array([window]))
    steps = graph.add(
        "Range", np.int64(0), graph.add("Squeeze", last), np.int64(max(1, window // 2))
    )
    starts = graph.add("Concat", steps, last, axis=0)
    index = graph.add("Add", graph.add("Unsqueeze", starts, np.array([1])), np.arange(window))
    taken = graph.add("Gather", padded, index, axis=2)  # [batch, lead, windows, window]
    taken = graph.add("Transpose", taken, perm=[0, 2, 1, 3])
    cut = graph.add("Reshape", taken, np.array([-1, len(LEADS), window]))
    return (_normalised(graph, cut, time, window) if how == "lead" else cut), starts


def _only_0(graph: _Graph, number: str) -> str:
    """The whole number [1] itself where it is 0; of a greater one the file has no answer, but an
    error: it is looked up in a table that holds 0 alone."""
    return graph.add("Gather", np.array([0]), graph.add("Min", number, np.array([1])))


def _normalised(graph: _Graph, cut: str, time: str, window: int) -> str:
    """Every lead of every window with zero mean and unit deviation over the samples inside the
    recording."""
    count = graph.add("Cast", graph.add("Min", time, np.array([window])), to=1)
    inside = graph.add("Cast", graph.add("Less", np.arange(window), time), to=1)

    def mean(of: str) -> str:
        return graph.add("Div", graph.add("ReduceSum", of, np.array([2])), count)

    centred = graph.add("Mul", graph.add("Sub", cut, mean(cut)), inside)
    deviation = graph.add("Sqrt", mean(graph.add("Mul", centred, centred)))
    flat = graph.add("LessOrEqual", deviation, np.float32(_LEAST_DEVIATION_MV))
    return graph.add("Div", centred, graph.add("Where", flat, np.float32(1), deviation))


def _demographics(graph: _Graph, starts: str) -> str:
    """[batch * windows, 4]: the same for all windows of a recording; there is no answer to another
    batch of them."""
    batch, people = (
        graph.add("Shape", name, start=0, end=1) for name in ("signal", "demographics")
    )
    batch = graph.add(
        "Add", batch, _only_0(graph, graph.add("Abs", graph.add("Sub", batch, people)))
    )
    each = graph.add("Concat", batch, graph.add("Shape", starts), axis=0)
    shape = graph.add("Concat", each, np.array([DEMOGRAPHICS]), axis=0)
    rows = graph.add("Expand", graph.add("Unsqueeze", "demographics", np.array([1])), shape)
    return graph.add("Reshape", rows, np.array([-1, DEMOGRAPHICS]))


def _network(graph: _Graph, network: SEResNet18, windows: str, rows: str | None) -> str:
    """Logits [batch * windows, class] of one fold's network, folded: the layers of `model` in its
    order."""
    x = graph.add("Relu", _convolution(graph, network.stem, windows))
    x = graph.add("MaxPool", x, kernel_shape=[3], strides=[2], pads=[1, 1])
    for block in network.blocks:
        x = _block(graph, block, x)
    features = graph.add("ReduceMean", x, np.array([2]), keepdims=0)
    if rows is not None:
        features = graph.add("Concat", features, _linear(graph, network.demographics, rows), axis=1)
    return _linear(graph, network.classifier, features)


def _block(graph: _Graph, block: Block, x: str) -> str:
    """A residual block: two convolutions, squeeze-excitation, the skip."""
    inner = _convolution(
        graph, block.second, graph.add("Relu", _convolution(graph, block.first, x))
    )
    gate = graph.add("ReduceMean", inner, np.array([2]), keepdims=0)
    gate = graph.add("Relu", _linear(graph, block.excitation.gate[0], gate))
    gate = graph.add("Sigmoid", _linear(graph, block.excitation.gate[2], gate))
    weighed = graph.add("Mul", inner, graph.add("Unsqueeze", gate, np.array([2])))
    skip = x if isinstance(block.skip, nn.Identity) else _convolution(graph, block.skip, x)
    return graph.add("Relu", graph.add("Add", weighed, skip))


def _convolution(graph: _Graph, pair: nn.Sequential, x: str) -> str:
    """A convolution over time [batch, channel, time] with the batch norm that was folded into
    it."""
    convolution = pair[0]
    weight = convolution.weight.detach().numpy()[:, :, 0]
    pad, stride = convolution.padding[1], convolution.stride[1]
    return graph.add(
        "Conv", x, weight, convolution.bias.detach().numpy(), strides=[stride], pads=[pad, pad]
    )


def _linear(graph: _Graph, linear: nn.Linear, x: str) -> str:
    return graph.add(
        "Gemm", x, linear.weight.detach().numpy(), linear.bias.detach().numpy(), transB=1
    )


def _over_windows(graph: _Graph, logits: str, each: str, classes: int) -> str:
    """[batch, class], float64: the mean probability over each recording's windows."""
    probabilities = graph.add("Sigmoid", graph.add("Cast", logits, to=11))
    shape = graph.add("Concat", each, np.array([classes]), axis=0)
    return graph.add(
        "ReduceMean", graph.add("Reshape", probabilities, shape), np.array([1]), keepdims=0
    )


def _calibrated(graph: _Graph, mean: str, scaling: calibration.Scaling) -> str:
    """As `calibrating.Scaling.apply`."""
    if (scaling.slope == 1).all() and (scaling.shift == 0).all():
        return mean
    held = graph.add("Clip", mean, np.float64(calibration.LEAST), np.float64(1 - calibration.LEAST))
    logit = graph.add(
        "Sub", graph.add("Log", held), graph.add("Log", graph.add("Sub", np.float64(1), held))
    )
    return graph.add(
        "Sigmoid", graph.add("Add", graph.add("Mul", logit, scaling.slope), scaling.shift)
    )
