"""A trained model on disk: a folder with `weights.safetensors`, `model.json` and their digests in
`SHA256SUMS`.

model.json holds everything that is needed to use the weights: network arguments, class codes,
abbreviations (`names`) and full names, rate, window, leads, conditioning, normalisation, the params
of the training, the digest of its validation predictions (which ties operating points to it), and
the versions of all that read and conditioned its recordings and trained it. No pickle, so opening a
model runs no code.

The folder of a fold without recordings (`unused` in folds.json) holds `unused.json` and its digest
alone; it says why.
"""

import json
import logging
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams
from ecgpipe.project import atomic, digests, params, paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS

FORMAT = 3
_LOG = logging.getLogger(__name__)
_PACKAGES = [
    "torch",
    "torchmetrics",
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
    about = {"format": FORMAT, "leads": list(LEADS), **about, "versions": versions()}
    weights = {
        name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()
    }
    with atomic.sealed_folder(Path(folder)) as temporary:
        (temporary / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
        (temporary / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


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

    UserError where the folder holds no model, a damaged one, one of another format, or weights
    that do not fit.
    """
    path = Path(folder) / "model.json"
    if not path.exists():
        step = "run `dvc repro`, or point --model to a folder of fold-K models"
        raise UserError(f"{path}: no model here; {step}")
    again = "train again with `dvc repro -f`"
    about = json.loads(digests.read_verified(path))
    if about.get("format") != FORMAT or about.get("leads") != list(LEADS):
        raise UserError(f"{path}: format {about.get('format')} is not {FORMAT}; {again}")
    wrong = params.faults(ModelParams, about["network"], "network")
    if wrong:
        raise UserError(f"{path}: {'; '.join(wrong)}; {again}")
    network = SEResNet18(len(about["classes"]), ModelParams.model_validate(about["network"]))
    path = Path(folder) / "weights.safetensors"
    weights = safetensors.torch.load(digests.read_verified(path))
    try:
        network.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise UserError(f"{path}: does not fit model.json: {error}") from error
    return network.eval(), about
