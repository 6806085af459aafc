"""The section `evaluate` of params.yaml."""

from typing import Literal

from pydantic import Field

from ecgpipe.project.params import MOST_SEED, Section

Method = Literal["none", "temperature", "platt"]  # of `evaluation.calibration`


class EvaluateParams(Section):
    """`evaluate` in params.yaml: the operating point, and the bootstrap.

    thresholds: f1 (maximal F1 of each class), challenge (maximal challenge score) or sensitivity
    (the highest threshold that finds the share `sensitivity` of the positives). resamples: of the
    bootstrap, at least 100 for an interval.
    """

    calibration: Method
    thresholds: Literal["f1", "challenge", "sensitivity"]
    sensitivity: float = Field(gt=0, le=1)
    resamples: int = Field(ge=100, le=1_000_000)
    seed: int = Field(ge=0, le=MOST_SEED)
