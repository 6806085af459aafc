"""Whether a trained model can be the start of a training: what has to be the same in both, by the
names that params.yaml has for it.

The window and the dropout may differ: the network averages over time, whatever its length, and
dropout has no weights. It imports no torch, so that params are checked at once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgpipe.model.description import Description
from ecgpipe.model.params import ModelParams
from ecgpipe.project import digests, json_objects, params, paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.remedies import of_no_stage

# As stores and models say it (`model.description`) -> as `preprocess` in params.yaml does.
_CONDITIONING = {
    "to_rate_hz": "rate_hz",
    "low_hz": "low_hz",
    "high_hz": "high_hz",
    "order": "order",
}
_NETWORK = ("width", "stem_kernel", "kernel", "reduction", "demographics")


def unlike(
    about: Mapping[str, Any],
    network: ModelParams,
    normalise: str,
    conditioning: Mapping[str, Any],
) -> list[str]:
    """What differs between a model (`about`: model.json) and a training of `network` on signals
    conditioned and normalised so, as `setting: value there, value here`; empty where it fits."""
    pairs = {
        f"preprocess.{key}": (about["conditioning"][name], conditioning[name])
        for name, key in _CONDITIONING.items()
    }
    for key in _NETWORK:
        pairs[f"model.{key}"] = about["network"][key], getattr(network, key)
    pairs["train.normalise"] = about["normalise"], normalise
    return [
        f"{name}: {_shown(there)} there, {_shown(here)} here"
        for name, (there, here) in pairs.items()
        if there != here
    ]


def of_settings(
    folder: Path, network: ModelParams, normalise: str, conditioning: Mapping[str, Any]
) -> list[str]:
    """What can be told before a training of a start in `folder`: that it does not fit, or is
    described by no sound model.json; empty too where data/pretrained, which a stage makes, has none
    yet."""
    path = folder / "model.json"
    if not path.is_file():
        return [] if folder == paths.PRETRAINED else [no_model(folder)]
    try:
        about = json_objects.parse(digests.read_verified(path), path, "give another model")
    except UserError as error:
        return [f"train.start_model: {error}"]
    wrong = params.faults(Description, about)
    if wrong:
        return [f"train.start_model: {path}: {params.in_one_line(wrong)}; give another model"]
    differences = unlike(about, network, normalise, conditioning)
    return [in_words(folder, differences)] if differences else []


def in_words(folder: Path, differences: list[str]) -> str:
    """The fault of a model that does not fit, and what to do."""
    steps = ["set them as there", "set train.start to scratch"]
    if folder == paths.PRETRAINED:
        steps.append("make one that fits: change the section pretrain, `dvc repro -f pretrain`")
    listed = "; ".join(differences)
    return f"train.start_model: {folder} does not fit this run ({listed}); {', or '.join(steps)}"


def no_model(folder: Path) -> str:
    """The fault of a folder without a model, and what to do."""
    fault = f"train.start_model: {folder} holds no model.json"
    folds = sorted(path.parent for path in folder.glob(f"{paths.fold_folder('*')}/model.json"))
    if folds:
        return f"{fault}; give one of the models in it, such as {folds[0]}"
    steps = ["give the folder of a trained model", "set train.start to scratch"]
    if folder == paths.PRETRAINED:
        steps.insert(0, f"{of_no_stage(folder)}, make it with `dvc repro -f pretrain`")
    return f"{fault}; {', or '.join(steps)}"


def _shown(value: Any) -> str:
    """A value as params.yaml has it: a rate of 100 for 100.0, true for True."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"
