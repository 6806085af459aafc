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
    split = {key: info[key] for key in ("folds", "names", "full_names")}
    return {**split, "split": checkpoint.digest(info), "conditioning": conditioning}


def prediction_table(rows: pd.DataFrame, probabilities: torch.Tensor) -> pd.DataFrame:
    """The predictions table (tables.py) of the recordings `rows`; probabilities [recording,
    class]."""
    columns = pd.DataFrame(
        probabilities.numpy().astype(float), columns=tables.class_codes(rows), index=rows.index
    )
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
    operating points are chosen (operating.py).

    `facts` (conditioning, folds, split, names, full_names) are what the model must say besides
    (checkpoint.py). The training state is dropped at the end.
    """
    if fold.peers.rank:
        return
    data = {"val": fold.validation, "test": test}
    fold.sound()
    with fold.told():
        _deliver(fold, rows, data, name, facts)


def _deliver(
    fold: Trainer, rows: dict[str, pd.DataFrame], data: dict[str, Examples], name: str, facts: dict
) -> None:
    found = {
        part: probabilities_of(fold.state.network, data[part], fold.window, fold.params.normalise)
        for part in data
    }
    for part, probabilities in found.items():
        if not bool(torch.isfinite(probabilities).all()):
            raise UserError(
                f"fold {name}: a probability of the part '{part}' is not finite; nothing is delivered"
            )
    with atomic.sealed_folder(paths.predictions(name)) as folder:
        for part, probabilities in found.items():
            tables.write(prediction_table(rows[part], probabilities), folder / f"{part}.csv")
        tables.write(pd.DataFrame(fold.state.history), folder / "history.csv")
    about = describe(
        fold, tables.class_codes(rows["val"]), digests.digest(paths.predictions(name) / "val.csv")
    )
    saved_model.save(paths.model(name), fold.state.network, {**about, **facts})
    fold.state_path.unlink(missing_ok=True)


def describe(fold: Trainer, codes: list[str], validation: str) -> dict[str, Any]:
    """What model.json says (checkpoint.py) of a trained fold; `validation` is the digest of its
    predictions."""
    return {
        "classes": codes,
        "validation": validation,
        "rate_hz": fold.train.rate_hz,
        "window": fold.window,
        "normalise": fold.params.normalise,
        "epoch": fold.state.best_epoch,
        "epochs": fold.state.epoch,
        "recordings": {"train": len(fold.train), "validation": len(fold.validation)},
        "network": fold.network.model_dump(),
        "train": fold.params.model_dump(),
        "augment": fold.augment.model_dump(),
    }
