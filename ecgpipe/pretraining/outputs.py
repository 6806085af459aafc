"""What pretraining leaves: a model folder (`model.saved_model`) with the point at which the network
answers (`evaluation.operating_points`), its card and a page.

Calibration and thresholds are chosen on simulated validation recordings, as `evaluate` in
params.yaml says, since no others may be looked at: trained with weighted classes, the network's own
probabilities are too high, and .5 would be no threshold. Whether an answer is right so often among
patients is unknown, so no precision stands beside it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecgpipe.dataset.examples import Examples
from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import challenge_score, operating_points
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.pretraining import card, stream
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import atomic, paths
from ecgpipe.project.errors import UserError
from ecgpipe.training import outputs
from ecgpipe.training.trainer import Trainer

CARD = "card.json"
_FOLD = "0"


def refuse_others(folder: Path) -> None:
    """UserError where the folder to be written holds anything but an older pretrained network: it
    is replaced whole."""
    is_new = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not is_new and not (folder / CARD).is_file():
        rule = f"{folder} would be replaced whole, and holds no pretrained network ({CARD})"
        raise UserError(f"pretrain.folder: {rule}; give a new folder")


def deliver(
    run: Trainer,
    fresh: Examples,
    params: PretrainParams,
    evaluate: EvaluateParams,
    *,
    simulated: dict[str, str],
) -> dict[str, Any]:
    """Writes what a finished training leaves, scored on `fresh` recordings; the card. `simulated`:
    the names of the stores of recordings by part. The training state is dropped at the end."""
    run.sound()
    validation = _probabilities(run, run.validation)
    measured = card.scores(
        _truth(fresh), _probabilities(run, fresh), [diagnosis.abbreviation for diagnosis in _all()],
        groups=range(len(fresh)), resamples=evaluate.resamples, seed=evaluate.seed,
    )  # fmt: skip
    parts = {"train": run.train, "validation": run.validation, "card": fresh}
    made = {
        "made": card.MADE,
        "recordings": {part: len(data) for part, data in parts.items()},
        "scores": measured,
        "simulated": simulated,
        "params": params.model_dump(),
        "evaluate": evaluate.model_dump(),
        "versions": saved_model.versions(),
    }
    about = _about(run, params, validation) | {"split": simulated["train"]}
    point = _point(run, validation, measured, about, evaluate)
    with atomic.sealed_folder(Path(params.folder)) as folder:
        saved_model.write_into(folder, run.state.network, about)
        text = json.dumps(point, indent=1) + "\n"
        (folder / paths.OPERATING.name).write_text(text, encoding="utf-8")
        atomic.write_json(folder / CARD, made)
        full_names = dict(zip(about["names"], about["full_names"], strict=True))
        (folder / "README.md").write_text(card.page(made, full_names), encoding="utf-8")
    run.state_path.unlink(missing_ok=True)
    return made


def _all() -> tuple[classes.Diagnosis, ...]:
    """The classes of the simulated recordings, in order."""
    return classes.select(stream.CLASSES)


def _about(run: Trainer, params: PretrainParams, validation: NDArray) -> dict[str, Any]:
    """What model.json says, but for the name of the recordings that were learnt from."""
    digest = hashlib.sha256(validation.tobytes()).hexdigest()
    return outputs.describe(run, run.codes, digest) | {
        "codes": [list(diagnosis.codes) for diagnosis in _all()],
        "names": [diagnosis.abbreviation for diagnosis in _all()],
        "full_names": [diagnosis.name for diagnosis in _all()],
        "folds": [int(_FOLD)],
        "conditioning": stream.of(params, params.seed).conditioning,
    }


def _point(
    run: Trainer,
    validation: NDArray,
    measured: dict[str, Any],
    about: dict[str, Any],
    evaluate: EvaluateParams,
) -> dict[str, Any]:
    """What operating.json says: the point for `validation` probabilities, and the card's AUROC."""
    scored = challenge_score.scored_classes(run.codes)
    point = operating_points.choose(_truth(run.validation), validation, scored, evaluate)
    auroc = np.array([of_class["auroc"] for of_class in measured["classes"].values()])
    skill = operating_points.Skill(auroc, np.full(len(auroc), np.nan))
    both = (_FOLD, operating_points.ENSEMBLE)
    return operating_points.described(
        dict.fromkeys(both, point),
        dict.fromkeys(both, skill),
        {_FOLD: about["validation"]},
        scored,
        evaluate,
    )


def _truth(data: Examples) -> NDArray[np.float64]:
    """[recording, class]: 1, 0 or NaN."""
    return data.labels.cpu().numpy().astype(np.float64)


def _probabilities(run: Trainer, data: Examples) -> NDArray[np.float32]:
    """[recording, class]. UserError where one is not finite."""
    values = probabilities_of(run.state.network, data, run.window, run.params.normalise)
    if not bool(torch.isfinite(values).all()):
        raise UserError("pretrain: a probability is not finite; nothing is delivered")
    return values.numpy()
