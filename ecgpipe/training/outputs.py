"""What a trained fold delivers: its model and its predictions."""

from typing import Any

import pandas as pd
import torch

from ecgpipe.dataset.examples import Examples
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.project import atomic, digests, paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.training import checkpoint
from ecgpipe.training.trainer import Trainer


def facts(info: dict[str, Any], conditioning: dict[str, Any]) -> dict[str, Any]:
    """What a model must say besides what it learnt: of the split (`info`: folds.json), and how the
    stores were conditioned."""
    split = {key: info[key] for key in ("folds", "codes", "names", "full_names") if key in info}
    return {**split, "split": checkpoint.digest(info), "conditioning": conditioning}


def prediction_table(rows: pd.DataFrame, probabilities: torch.Tensor) -> pd.DataFrame:
    """The predictions table (`project.tables`) of the recordings `rows`; probabilities [recording,
    class]."""
    values = probabilities.numpy().astype(float)
    columns = pd.DataFrame(values, columns=tables.class_codes(rows), index=rows.index)
    return pd.concat([rows[["source", "record"]], columns], axis=1)


def deliver(
    fold: Trainer,
    rows: dict[str, pd.DataFrame],
    test: Examples,
    *,
    name: str,
    facts: dict[str, Any],
) -> None:
    """Writes what a trained fold leaves: predictions of its validation and test recordings
    (float32), the history, and the model with the digest of its validation predictions, by which
    operating points are chosen (`evaluation.operating_points`).

    `rows`: of the split table, by part. `facts` are what the model must say besides
    (`model.saved_model`). Of several processes the first writes. The training state is dropped at
    the end.
    """
    if fold.peers.rank:
        return
    fold.sound()
    with fold.naming_what_is_saved():
        probabilities = {
            "val": _probabilities(fold, fold.validation, f"fold {name}", "val"),
            "test": _probabilities(fold, test, f"fold {name}", "test"),
        }
        with atomic.sealed_folder(paths.predictions(name)) as folder:
            for part, values in probabilities.items():
                tables.write(prediction_table(rows[part], values), folder / f"{part}.csv")
            tables.write(pd.DataFrame(fold.state.history), folder / paths.HISTORY)
        validation = digests.digest(paths.predictions(name) / paths.VALIDATION)
        about = describe(fold, tables.class_codes(rows["val"]), validation)
        saved_model.save(paths.model(name), fold.state.network, {**about, **facts})
        fold.state_path.unlink(missing_ok=True)


def _probabilities(fold: Trainer, data: Examples, name: str, part: str) -> torch.Tensor:
    """float32 [recording, class]. UserError where one is not finite."""
    network, normalise = fold.state.network, fold.params.normalise
    probabilities = probabilities_of(network, data, fold.window, normalise)
    if not bool(torch.isfinite(probabilities).all()):
        fault = f"a probability of the part '{part}' is not finite"
        raise UserError(f"{name}: {fault}; nothing is delivered")
    return probabilities


def describe(fold: Trainer, codes: list[str], validation: str) -> dict[str, Any]:
    """What model.json says (`model.saved_model`) of a trained fold; `validation` is the digest of
    its predictions."""
    return {
        "classes": codes,
        "validation": validation,
        "rate_hz": fold.train.rate_hz,
        "window": fold.window,
        "normalise": fold.params.normalise,
        "epoch": fold.state.best_epoch,
        "epochs": fold.state.epoch,
        "start": None if fold.start is None else fold.start.about(),
        "recordings": {"train": len(fold.train), "validation": len(fold.validation)},
        "network": fold.network.model_dump(),
        "train": fold.params.model_dump(),
        "augment": fold.augment.model_dump(),
    }
