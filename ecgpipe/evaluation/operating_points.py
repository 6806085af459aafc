"""At which operating point: how probabilities are calibrated, and from which probability a class is
answered.

A point is chosen on validation predictions alone, and never scored on the rows that it was chosen
on. The points of a run lie beside its models, in `data/models/operating/operating.json`, and
`predict` uses that of the ensemble:

- `params`: the section `evaluate` by which they were chosen; `classes`: the SNOMED CT codes, in
  order.
- `folds`: fold -> `slope`, `shift`, `threshold` (each one number a class, null where undefined),
  chosen on the fold's own validation rows; `validation_auroc` and `validation_precision`, the
  class's AUROC on them, and which share of the answers there was right, at a point that the other
  folds' rows choose; and `validation`: the digest of that file. A class that has no positive or no
  negative there has no AUROC and no threshold: nothing was there to learn it from, and it is never
  answered.
- `ensemble`: the same of all folds' validation rows together, each as the one model that did not
  train on it scored it. The ensemble's mean is smoother than a single model, so a sensitivity that
  was asked for is not promised for it.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from ecgpipe.evaluation.calibration import STEEPEST, Scaling, fit
from ecgpipe.evaluation.challenge_score import ScoredClasses
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.thresholds import at_sensitivity, maximal_challenge, maximal_f1
from ecgpipe.project import atomic, json_objects, paths
from ecgpipe.project.digests import digest, read_verified
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import Section, faults, in_one_line
from ecgpipe.project.remedies import of_no_stage

ENSEMBLE = "ensemble"
# A logit is held within 16.2 and a slope within 20, so no fit shifts further.
_MOST_SHIFT = 1000.0
COLUMNS = ("slope", "shift", "threshold", "validation_auroc", "validation_precision")
_Share = Annotated[float, Field(ge=0, le=1)]
# Beyond 1 by one bit where a class is never answered, though a probability of it is 1.
_Threshold = Annotated[float, Field(ge=0, le=float(np.nextafter(1, 2)))]


class _Point(Section):
    """One entry of operating.json: lists of one number a class."""

    model_config = ConfigDict(extra="ignore")
    slope: list[Annotated[float, Field(ge=1 / STEEPEST, le=STEEPEST)]]
    shift: list[Annotated[float, Field(ge=-_MOST_SHIFT, le=_MOST_SHIFT)]]
    threshold: list[_Threshold | None]
    validation_auroc: list[_Share | None]
    validation_precision: list[_Share | None]


class _FoldPoint(_Point):
    """That of a fold."""

    validation: str


class _Stored(Section):
    """What of operating.json is used."""

    model_config = ConfigDict(extra="ignore")
    classes: list[str]
    folds: dict[str, _FoldPoint]
    ensemble: _Point


@dataclasses.dataclass(frozen=True)
class OperatingPoint:
    """How the probabilities of each class are scaled, and its threshold [class] on the scaled
    ones."""

    scaling: Scaling
    thresholds: NDArray[np.float64]


class Skill(NamedTuple):
    """What models showed in validation, both [class], NaN where undefined: AUROC, and the share of
    the answers that were right (precision)."""

    auroc: NDArray[np.float64]
    precision: NDArray[np.float64]


def choose(
    labels: NDArray, raw: NDArray, classes: ScoredClasses, params: EvaluateParams
) -> OperatingPoint:
    """The point for validation rows: `labels` (1, 0, NaN) and probabilities `raw` as the network
    gave them, both [row, class]. UserError where the challenge score is asked for and a class has
    no severity."""
    scaling = fit(labels, raw, params.calibration)
    probabilities = scaling.apply(raw)
    if params.thresholds == "challenge":
        if classes.weights is None:
            raise UserError(
                "evaluate.thresholds: 'challenge' needs the challenge's weights, which not all "
                "labels.classes have; choose f1 or sensitivity, or classes of the official list"
            )
        thresholds = maximal_challenge(labels, probabilities, classes.weights)
    elif params.thresholds == "sensitivity":
        thresholds = at_sensitivity(labels, probabilities, params.sensitivity)
    else:
        thresholds = maximal_f1(labels, probabilities)
    return OperatingPoint(scaling, thresholds)


def described(
    points: Mapping[str, OperatingPoint],
    skill: Mapping[str, Skill],
    digests: Mapping[str, str],
    classes: ScoredClasses,
    params: EvaluateParams,
) -> dict[str, Any]:
    """What operating.json says: `points` and `skill` by fold and of `ENSEMBLE`, `digests` by
    fold."""

    def columns(name: str) -> dict[str, list[float | None]]:
        point = points[name]
        values = {
            "slope": point.scaling.slope,
            "shift": point.scaling.shift,
            "threshold": _learnt(point.thresholds, skill[name].auroc),
            "validation_auroc": skill[name].auroc,
            "validation_precision": skill[name].precision,
        }
        plain = {}
        for key, column in values.items():
            plain[key] = _with_nulls(column)
        return plain

    folds = {name: {**columns(name), "validation": digests[name]} for name in digests}
    return {
        "params": params.model_dump(),
        "classes": classes.codes,
        "folds": folds,
        ENSEMBLE: columns(ENSEMBLE),
    }


def _with_nulls(column: NDArray) -> list[float | None]:
    """Numbers [class] as JSON has them: null where one is not finite."""
    return [float(value) if np.isfinite(value) else None for value in column]


def _learnt(thresholds: NDArray, auroc: NDArray) -> NDArray[np.float64]:
    """Thresholds [class], infinite (never reached) where there is none, or no AUROC (`read`)."""
    return np.where(np.isfinite(auroc) & np.isfinite(thresholds), thresholds, np.inf)


def write(
    points: Mapping[str, OperatingPoint],
    skill: Mapping[str, Skill],
    classes: ScoredClasses,
    params: EvaluateParams,
    folder: Path,
) -> None:
    """Writes operating.json and its digest, atomically, into a folder of its own: `points` and
    `skill` by fold and of `ENSEMBLE`."""
    digests = {}
    for name in points:
        if name != ENSEMBLE:
            digests[name] = digest(paths.predictions(name) / paths.VALIDATION)
    with atomic.sealed_folder(folder) as temporary:
        text = json.dumps(described(points, skill, digests, classes, params), indent=1)
        (temporary / paths.OPERATING.name).write_text(text + "\n", encoding="utf-8")


def read(
    path: Path, codes: list[str], digests: Mapping[str, str], which: str = ENSEMBLE
) -> tuple[OperatingPoint, Skill]:
    """The point of the ensemble, or of the fold `which`, and its skill from operating.json. The
    threshold is infinite where none was chosen, and where the AUROC is NaN.

    `codes` and `digests` (fold -> that of its validation predictions) are what the models say:
    UserError where the points are missing, damaged, out of their ranges, or were chosen for other
    models.
    """
    again = of_no_stage(path) or (
        "run `dvc repro evaluate`, which chooses them on the folds' validation predictions"
    )
    if not Path(path).is_file():
        raise UserError(f"{path}: no operating points beside these models; {again}")
    stored = json_objects.parse(read_verified(path), path, again)
    wrong = faults(_Stored, stored)
    if wrong:
        raise UserError(f"{path}: {in_one_line(wrong)}; {again}")
    made_for = {name: fold["validation"] for name, fold in stored["folds"].items()}
    if stored["classes"] != codes or made_for != dict(digests):
        raise UserError(
            f"{path}: its operating points were chosen for other models than those beside it; "
            f"{again}"
        )
    point = stored[ENSEMBLE] if which == ENSEMBLE else stored["folds"][which]
    columns = {key: np.array(point[key], np.float64) for key in COLUMNS}
    for key, values in columns.items():
        if len(values) != len(codes):
            raise UserError(
                f"{path}: {key} has one number for each of {len(codes)} classes, "
                f"found {len(values)}; {again}"
            )
    skill = Skill(columns["validation_auroc"], columns["validation_precision"])
    thresholds = _learnt(columns["threshold"], skill.auroc)
    return OperatingPoint(Scaling(columns["slope"], columns["shift"]), thresholds), skill
