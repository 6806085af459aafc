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
multiplied by
1 / (1 + (f / high_hz)^(2 order)) * (f / low_hz)^(2 order) / (1 + (f / low_hz)^(2 order)),
the squared magnitudes of Butterworth filters (zero phase; without the second factor where low_hz is
0), and cut, or extended by zeros, to to_rate_hz; of the inverse transform
round(samples * to_rate_hz / rate) samples from the recording's start are kept, as float32.
`conditioning_numpy` is all of this as a text in Python and numpy, to be run as it stands.

The metadata, each value as JSON: classes (SNOMED CT codes), names, full_names, leads, unit,
rate_hz, window (samples), normalise, conditioning, conditioning_numpy (`inputs_in_numpy`),
thresholds (null: never), unlearnt (names), demographics (what each column is), folds, remark (what
holds for all answers; '' for none).
"""

import inspect
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ecgpipe.dataset import demographics as encoding  # `demographics` is an input's name
from ecgpipe.dataset.gather import normalise
from ecgpipe.evaluation import calibration
from ecgpipe.model.network import DEMOGRAPHICS
from ecgpipe.prediction import onnx_inputs
from ecgpipe.prediction.ensemble import Ensemble
from ecgpipe.project import atomic
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

OPSET, IR = 18, 9  # what onnxruntime reads since 1.16


def write(ensemble: Ensemble, path: Path) -> None:
    """Writes the ONNX file of `ensemble` (its folds together; `prediction.ensemble.load` gives one
    fold alone) atomically.

    UserError where a package that this needs is not installed.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 (torch.onnx writes with it)
    except ImportError as error:
        needed = "export --onnx needs the packages onnx and onnxscript"
        raise UserError(f"{needed}; pip install -r requirements-export.txt") from error
    model = _exported(ensemble)
    about = {key: json.dumps(value) for key, value in metadata(ensemble).items()}
    onnx.helper.set_model_props(model, about)
    onnx.checker.check_model(model, full_check=True)
    with atomic.atomic(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def metadata(ensemble: Ensemble) -> dict[str, Any]:
    """What the file says of itself, besides its graph."""
    about, thresholds = ensemble.about, ensemble.point.thresholds
    same = ("classes", "names", "full_names", "rate_hz", "window", "normalise", "conditioning")
    return {key: about[key] for key in same} | {
        "leads": list(LEADS),
        "unit": "mV",
        "thresholds": [float(value) if np.isfinite(value) else None for value in thresholds],
        "unlearnt": ensemble.unlearnt,
        "conditioning_numpy": inputs_in_numpy(),
        "demographics": list(encoding.COLUMNS) if about["network"]["demographics"] else [],
        "folds": ensemble.folds,
        "remark": ensemble.remark,
    }


def inputs_in_numpy() -> str:
    """The text that makes the file's inputs: `onnx_inputs`, and how age and sex are encoded."""
    return "\n\n".join([inspect.getsource(onnx_inputs), inspect.getsource(encoding)])


class _Predict(nn.Module):
    """What `predict` does of conditioned recordings of one length, for torch to follow."""

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__()
        self.networks = nn.ModuleList(ensemble.networks)
        self.window, self.how = ensemble.about["window"], ensemble.about["normalise"]
        scaling = ensemble.point.scaling
        self.scaled = bool((scaling.slope != 1).any() or (scaling.shift != 0).any())
        self.slope, self.shift = torch.tensor(scaling.slope), torch.tensor(scaling.shift)
        self.learnt = torch.tensor(ensemble.learnt, dtype=torch.float64)

    def forward(
        self,
        signal: torch.Tensor,
        demographics: torch.Tensor | None = None,
    ) -> torch.Tensor:
        windows, count = self._windows(signal)
        rows = None if demographics is None else _each(demographics, signal.shape[0], count)
        mean = 0.0
        for network in self.networks:
            of_windows = network(windows, rows).double().sigmoid()  # [batch * windows, class]
            mean = mean + of_windows.unflatten(0, (-1, count)).mean(dim=1) / len(self.networks)
        if self.scaled:  # as `calibration.Scaling.apply`
            mean = (self.slope * torch.logit(mean, calibration.LEAST) + self.shift).sigmoid()
        return (mean * self.learnt).float()

    def _windows(self, signal: torch.Tensor) -> tuple[torch.Tensor, int]:
        """(the windows of all recordings, [batch * windows, lead, window], normalised; how many
        each recording has), as `inference` cuts them from what a store holds."""
        stored_mv = (signal * 1000).round().clamp(-32768, 32767) * 1e-3
        time = signal.shape[2]
        last = torch.sym_max(time - self.window, 0)
        steps = torch.arange(0, last, max(1, self.window // 2))
        starts = torch.cat([steps, torch.full((1,), last)])
        sample = starts[:, None] + torch.arange(self.window)  # [windows, window]
        inside = (sample < time).float()[None, :, :, None]
        # [batch, time, lead] -> [batch, windows, window, lead]
        cut = stored_mv.transpose(1, 2)[:, sample.clamp(max=time - 1)] * inside
        inside = inside.expand(signal.shape[0], -1, -1, -1).flatten(0, 1)
        return normalise(cut.flatten(0, 1), inside, self.how).transpose(1, 2), starts.shape[0]


def _each(demographics: torch.Tensor, batch: int, count: int) -> torch.Tensor:
    """[batch * windows, 4]: the same for all windows of a recording. Where there are more rows than
    recordings, or fewer, an index has nowhere to point, so the file gives an error, no answer."""
    rows = demographics.shape[0]
    own = torch.arange(batch) + rows * (torch.sym_max(rows, batch) - batch)
    # Not repeat_interleave: of that, torch 2.13 writes a graph that fails with several windows.
    return demographics[own][:, None].expand(-1, count, -1).flatten(0, 1)


def _exported(ensemble: Ensemble) -> Any:
    """The onnx.ModelProto of the models, without metadata."""
    example = {"signal": torch.zeros(2, len(LEADS), 3 * ensemble.about["window"])}
    sizes: dict[str, dict[int, str]] = {"signal": {0: "batch", 2: "time"}}
    if ensemble.about["network"]["demographics"]:
        example["demographics"] = torch.zeros(2, DEMOGRAPHICS)
        sizes["demographics"] = {0: "batch"}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, we do not
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch 2.13 of its own trees
        program = torch.onnx.export(
            _Predict(ensemble).eval(),
            kwargs=example,
            dynamic_shapes=sizes,
            output_names=["probabilities"],
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    model = program.model_proto
    model.ir_version = IR
    graph = model.graph
    graph.doc_string = __doc__
    values = [*graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in (graph, *graph.node, *values):
        part.ClearField("metadata_props")  # where in the source torch met it: folders of a machine
    return model
