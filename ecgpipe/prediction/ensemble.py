"""The models of all folds together, as they answer to new recordings.

The folds' probabilities are averaged, then calibrated and cut as the operating point beside the
models says (`evaluation.operating_points`).
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
from ecgpipe.prediction import outputs, pretrained
from ecgpipe.project import paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.remedies import of_no_stage

# What model.json of every fold says alike.
_SHARED = (
    "classes",
    "names",
    "full_names",
    "rate_hz",
    "window",
    "normalise",
    "conditioning",
    "folds",
    "split",
    "network",
)
# A class that ranks validation recordings worse than this is named to the user.
LEAST_AUROC = 0.7


@dataclass(frozen=True)
class Ensemble:
    """The models of `folds` (all, or one alone), what they share, their operating point and skill
    on validation rows; whether to compute in bfloat16 (`model.inference.bf16_helps`); and a remark
    on all that they answer."""

    networks: list[SEResNet18]
    folds: list[int]
    about: dict[str, Any]
    point: operating_points.OperatingPoint
    skill: operating_points.Skill
    bf16: bool
    remark: str = ""

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
    def words(self) -> outputs.ClassWords:
        """What people are told of the classes."""
        return outputs.ClassWords(self.names, self.full_names, self.skill.precision, self.remark)

    @property
    def learnt(self) -> NDArray[np.bool_]:
        """[class]: whether validation rows held it present and absent. They are all training rows
        of the ensemble, and the one part that a single fold's point is chosen on; what they lack,
        no probability of it means anything."""
        return np.isfinite(self.skill.auroc)

    @property
    def unlearnt(self) -> list[str]:
        """The names of the classes that are not `learnt`."""
        return [name for name, known in zip(self.names, self.learnt, strict=True) if not known]

    @property
    def doubtful(self) -> list[str]:
        """Classes in which validation showed little skill: AUROC below `LEAST_AUROC`."""
        pairs = zip(self.names, self.skill.auroc, strict=True)
        return [f"{name} ({auroc:.2f})" for name, auroc in pairs if auroc < LEAST_AUROC]

    @property
    def warnings(self) -> list[str]:
        """What a user is to know of these models' classes, a line each."""
        lines = []
        if self.unlearnt:
            what = "not learnt, so never answered (no recording to tell it by)"
            lines.append(f"{what}: {', '.join(self.unlearnt)}")
        if self.doubtful:
            what = f"validation showed little skill (AUROC below {LEAST_AUROC}) in"
            lines.append(f"{what}: {', '.join(self.doubtful)}")
        return lines

    def probabilities(
        self,
        signals_uv: Sequence[NDArray[np.int16]],
        age: Sequence[float | None],
        sex: Sequence[str | None],
    ) -> NDArray[np.float64]:
        """Calibrated probabilities [recording, class] of conditioned signals, each [time, 12] in
        microvolts, NaN of classes that were not `learnt`; age in years, sex F or M, None where
        unknown."""
        data = examples.of_signals(
            list(signals_uv),
            age,
            sex,
            rate_hz=self.about["rate_hz"],
            classes=len(self.codes),
        )
        window, normalise = self.about["window"], self.about["normalise"]
        by_fold = [
            probabilities_of(network, data, window, normalise, bf16=self.bf16)
            for network in self.networks
        ]
        # [fold, recording, class] -> [recording, class]
        mean = torch.stack(by_fold).double().mean(dim=0).numpy()
        return np.where(self.learnt, self.point.scaling.apply(mean), np.nan)


def load(folder: Path, precision: str = "fp32", fold: int | None = None) -> Ensemble:
    """All folds' models below `folder` (data/models), or that of one `fold` with its own operating
    point, to compute in `precision` (auto, fp32 or bf16); or the one model of a folder such as
    data/pretrained. UserError where one is missing or of another split."""
    folder = Path(folder)
    operating = folder / paths.OPERATING.relative_to(paths.MODELS)
    if pretrained.is_one(folder):
        about, networks, validation = _load_one(folder)
        operating = folder / paths.OPERATING.name
    else:
        about, networks, validation = _load_folds(folder)
    if fold is not None and fold not in networks:
        there = ", ".join(map(str, networks))
        raise UserError(f"{folder}: no fold {fold} here (there: {there}); name another")
    point, skill = operating_points.read(
        operating,
        about["classes"],
        validation,
        operating_points.ENSEMBLE if fold is None else str(fold),
    )
    chosen = list(networks) if fold is None else [fold]
    return Ensemble(
        [folded(networks[name]) for name in chosen],
        chosen,
        about,
        point,
        skill,
        bf16_helps(precision, torch.device("cpu")),
        pretrained.REMARK if pretrained.is_one(folder) else "",
    )


def _load_one(folder: Path) -> tuple[dict[str, Any], dict[int, SEResNet18], dict[str, str]]:
    """What `_load_folds` gives, of a folder with one model."""
    network, about = saved_model.load(folder)
    fold = about["folds"][0]
    return about, {fold: network}, {str(fold): about["validation"]}


def _load_folds(folder: Path) -> tuple[dict[str, Any], dict[int, SEResNet18], dict[str, str]]:
    """What model.json of all folds of one training says alike (`_SHARED`); fold -> network; fold ->
    the digest of its validation predictions."""
    first = next(iter(sorted(folder.glob(f"{paths.fold_folder('*')}/model.json"))), None)
    if first is None:
        step = of_no_stage(folder) or "run `dvc repro` or give another --model"
        if folder == paths.MODELS:  # data/pretrained would have answered
            step += f"; of {paths.PRETRAINED}: {of_no_stage(paths.PRETRAINED)}"
        raise UserError(f"{folder}: no fold-K/model.json below this folder; {step}")
    loaded = {first.parent.name: saved_model.load(first.parent)}
    _, about = loaded[first.parent.name]
    networks, validation = {}, {}
    for fold in about["folds"]:
        name = paths.fold_folder(fold)
        if name not in loaded:
            loaded[name] = saved_model.load(folder / name)
        networks[fold], of_fold = loaded[name]
        unlike = [key for key in _SHARED if of_fold[key] != about[key]]
        if unlike:
            what = f"{', '.join(unlike)} differ from {first.parent.name}'s"
            step = "run `dvc repro` or remove the stale folder"
            raise UserError(f"{folder}/{name}: {what}, so they are not of one training; {step}")
        validation[str(fold)] = of_fold["validation"]
    return about, networks, validation
