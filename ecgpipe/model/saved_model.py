"""A trained model on disk: a folder with `weights.safetensors`, `model.json` and their digests in
`SHA256SUMS`.

model.json holds everything that is needed to use the weights: network arguments, class codes (and
all that count as the same class: `codes`), abbreviations (`names`) and full names, rate, window,
leads, conditioning, normalisation, the params of the training, the model that it started from
(`start`), the digest of its validation predictions (which ties operating points to it), and the
versions of all that read and conditioned its recordings and trained it. No pickle, so opening a
model runs no code.

The folder of a fold without recordings (`unused` in folds.json) holds `unused.json` and its digest
alone; it says why.
"""

import json
import logging
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from ecgpipe.model import soundness
from ecgpipe.model.description import Description
from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.project import atomic, digests, json_objects, params, paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.project.remedies import again, of_no_stage
from ecgpipe.project.yaml_files import short

FORMAT = 3
_LOG = logging.getLogger(__name__)
_PACKAGES = [
    "torch",
    "numpy",
    "scipy",
    "pandas",
    "safetensors",
    "pydantic",
    "pyyaml",
    "wfdb",
    "h5py",
    "sleepecg",
    "joblib",
]


def versions() -> dict[str, str]:
    """The versions of python and of the packages that a model depends on."""
    packages = {name: metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}


def save(folder: Path, network: torch.nn.Module, about: dict[str, Any]) -> None:
    """Writes a model folder atomically. `about` must say what the module's docstring lists."""
    with atomic.sealed_folder(Path(folder)) as temporary:
        write_into(temporary, network, about)


def write_into(folder: Path, network: torch.nn.Module, about: dict[str, Any]) -> None:
    """Writes the files of a model into a folder that others seal (`atomic.sealed_folder`)."""
    about = {"format": FORMAT, "leads": list(LEADS), **about, "versions": versions()}
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()
    }
    (folder / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
    (folder / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def leave_unused(fold: int | str, rank: int = 0) -> None:
    """Writes what a fold without recordings leaves in place of a model and of predictions:
    `unused.json`, and no more. Of several processes the first (rank 0) does."""
    if rank:
        return
    cause = "there are fewer institutions than split.folds"
    why = f"fold {fold} has no recordings: {cause}; nothing is trained"
    text = json.dumps({"unused": why}) + "\n"
    for folder in (paths.model(fold), paths.predictions(fold)):
        with atomic.sealed_folder(folder) as temporary:
            (temporary / "unused.json").write_text(text, encoding="utf-8")
    _LOG.warning(why)


def load(folder: Path) -> tuple[SEResNet18, dict[str, Any]]:
    """The network in evaluation mode on the CPU, all its weights loaded, and what model.json says.

    UserError where the folder holds no model, a damaged one, one of another format, a description
    out of its ranges (`model.description`), weights that do not fit it, or a network that cannot
    answer (`model.soundness`).
    """
    path = Path(folder) / "model.json"
    if not path.exists():
        step = "run `dvc repro`, or point --model to a folder of fold-K models"
        raise UserError(f"{path}: no model here; {of_no_stage(path) or step}")
    step = again(path, "train")
    about = json_objects.parse(digests.read_verified(path), path, step)
    for key, wanted in (("format", FORMAT), ("leads", list(LEADS))):
        if about.get(key) != wanted:
            raise UserError(f"{path}: {key} {short(about.get(key))} is not {wanted}; {step}")
    wrong = params.faults(Description, about)
    if wrong:
        raise UserError(f"{path}: {params.in_one_line(wrong)}; {step}")
    path = Path(folder) / "weights.safetensors"
    network = _with_weights(about, path)
    fault = soundness.fault(network, about["window"], about["normalise"])
    if fault:
        raise UserError(f"{path}: {fault}; {step}")
    return network, about


def _with_weights(about: dict[str, Any], path: Path) -> SEResNet18:
    """The network that model.json describes with the weights of `path`, in evaluation mode;
    UserError where they are not its own by name, shape and type."""
    step = again(path, "train")
    if not path.exists():
        raise UserError(f"{path}: no weights beside model.json; {step}")
    try:
        weights = safetensors.torch.load(digests.read_verified(path))
    except safetensors.SafetensorError as error:
        raise UserError(f"{path}: no readable safetensors ({error}); {step}") from error
    classes, network = len(about["classes"]), ModelParams.model_validate(about["network"])
    # Without memory at first: what a description asks for may be more than its weights hold.
    with torch.device("meta"):
        built = SEResNet18(classes, network)
    wanted, found = _shapes(built.state_dict()), _shapes(weights)
    unlike = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    if unlike:
        name = unlike[0]
        what = f"{name}: expected {wanted.get(name, 'none')}, found {found.get(name, 'none')}"
        raise UserError(f"{path}: does not fit model.json: {what}; {step}")
    built.to_empty(device="cpu")  # no random weights, which would be written over at once
    built.load_state_dict(weights, strict=True)
    return built.eval()


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Name -> type and shape, in words."""
    return {name: f"{tensor.dtype} {list(tensor.shape)}" for name, tensor in tensors.items()}
