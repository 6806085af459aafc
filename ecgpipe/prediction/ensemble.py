"""The models of all folds together, as they answer to new recordings.

The folds' probabilities are averaged, then calibrated and cut as the operating point beside the
models says (`operating`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecgpipe.dataset import examples
from ecgpipe.evaluation import operating_points
from ecgpipe.model import saved_model
from ecgpipe.model.inference import bf16_helps, probabilities_of
from ecgpipe.model.network import SEResNet18, folded
from ecgpipe.project import paths
from ecgpipe.project.errors import UserError

_SHARED = (
    "classes", "names", "full_names", "rate_hz", "window", "normalise", "conditioning", "folds", "split",
)  # fmt: skip
# A class that ranks validation recordings worse than this is named to the user.
LEAST_AUROC = 0.7


@dataclass(frozen=True)
class Ensemble:
    """The models of `folds` (all, or one alone), what they share, their operating point and AUROC
    [class] on validation rows; whether to compute in bfloat16 (`model.inference.bf16_helps`)."""

    networks: list[SEResNet18]
    folds: list[int]
    about: dict[str, Any]
    point: operating_points.OperatingPoint
    validation_auroc: np.ndarray
    bf16: bool

    @property
    def codes(self) -> list[str]:
        """The SNOMED CT code of each class, in order."""
        return self.about["classes"]

    @property
    def names(self) -> list[str]:
        """The abbreviation of each class, in order, as the metrics have it."""
        return self.about["names"]

    @property
    def full_names(self) -> list[str]:
        """The full name of each class, in order."""
        return self.about["full_names"]

    @property
    def learnt(self) -> NDArray[np.bool_]:
        """[class]: whether validation rows held it present and absent. They are all training rows
        of the ensemble, and the one part that a single fold's point is chosen on; what they lack,
        no probability of it means anything."""
        return np.isfinite(self.validation_auroc)

    @property
    def unlearnt(self) -> list[str]:
        """The names of the classes that are not `learnt`."""
        return [name for name, known in zip(self.names, self.learnt, strict=True) if not known]

    @property
    def doubtful(self) -> list[str]:
        """Classes in which validation showed little skill: AUROC below `LEAST_AUROC`."""
        pairs = zip(self.names, self.validation_auroc, strict=True)
        return [f"{name} ({value:.2f})" for name, value in pairs if value < LEAST_AUROC]

    @property
    def warnings(self) -> list[str]:
        """What a user is to know of these models' classes, a line each."""
        lines = [
            f"not learnt, so never answered (no recording to tell it by): {', '.join(self.unlearnt)}",
            f"validation showed little skill (AUROC below {LEAST_AUROC}) in: {', '.join(self.doubtful)}",
        ]
        return [
            line for line, names in zip(lines, (self.unlearnt, self.doubtful), strict=True) if names
        ]

    def probabilities(
        self,
        signals_uv: Sequence[NDArray[np.int16]],
        age: Sequence[float | None],
        sex: Sequence[str | None],
    ) -> NDArray[np.float64]:
        """Calibrated probabilities [recording, class] of conditioned signals, each [time, 12] in
        microvolts, NaN of classes that were not `learnt`; age in years, sex F or M, None where
        unknown."""
        classes, rate_hz = len(self.codes), self.about["rate_hz"]
        data = examples.of_signals(list(signals_uv), age, sex, rate_hz=rate_hz, classes=classes)
        window, how = self.about["window"], self.about["normalise"]
        each = [
            probabilities_of(network, data, window, how, bf16=self.bf16)
            for network in self.networks
        ]
        found = self.point.scaling.apply(torch.stack(each).double().mean(dim=0).numpy())
        return np.where(self.learnt, found, np.nan)


def load(folder: Path, precision: str = "fp32", fold: int | None = None) -> Ensemble:
    """All folds' models below `folder` (data/models), or that of one `fold` with its own operating
    point, to compute in `precision` (auto, fp32 or bf16). UserError where one is missing or of
    another split."""
    first = next(iter(sorted(Path(folder).glob("fold-*/model.json"))), None)
    if first is None:
        raise UserError(
            f"{folder}: no fold-K/model.json below this folder; run `dvc repro` or give another --model"
        )
    _, about = _loaded(first.parent)
    loaded = [_loaded(Path(folder) / f"fold-{one}") for one in about["folds"]]
    for one, (_, other) in zip(about["folds"], loaded, strict=True):
        unlike = [key for key in _SHARED if other.get(key) != about[key]]
        if unlike:
            raise UserError(
                f"{folder}/fold-{one}: {', '.join(unlike)} differ from {first.parent.name}'s, so they are not of one "
                "training; run `dvc repro` or remove the stale folder"
            )
    made_for = {
        str(one): other["validation"]
        for one, (_, other) in zip(about["folds"], loaded, strict=True)
    }
    if fold is not None and fold not in about["folds"]:
        raise UserError(
            f"{folder}: no fold {fold} here (there: {', '.join(map(str, about['folds']))}); name another"
        )
    which = operating_points.ENSEMBLE if fold is None else str(fold)
    point, auroc = operating_points.read(
        Path(folder) / paths.OPERATING.relative_to(paths.MODELS), about["classes"], made_for, which
    )
    chosen = [one for one in about["folds"] if fold in (None, one)]
    networks = [
        folded(network)
        for one, (network, _) in zip(about["folds"], loaded, strict=True)
        if one in chosen
    ]
    return Ensemble(
        networks, chosen, about, point, auroc, bf16_helps(precision, torch.device("cpu"))
    )


def _loaded(folder: Path) -> tuple[SEResNet18, dict[str, Any]]:
    """`model.saved_model.load`; UserError too where model.json does not say all that is needed
    here."""
    again = "train again with `dvc repro`"
    try:
        network, about = saved_model.load(folder)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{folder}/model.json: not what the stage train writes ({error!r}); {again}"
        ) from error
    absent = [key for key in (*_SHARED, "validation") if key not in about]
    if absent:
        raise UserError(f"{folder}/model.json: it does not say {', '.join(absent)}; {again}")
    return network, about
