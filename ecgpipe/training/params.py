"""The section `train` of params.yaml."""

from typing import Literal

from pydantic import Field

from ecgpipe.project.params import MOST_SEED, Section


class TrainParams(Section):
    """`train` in params.yaml.

    unannotated: how training, and nothing else, takes a class that a source does not annotate:
    'mask' leaves it out of the loss, 'negative' counts it as absent. The table of labels, and with
    it every metric, is the same for both.
    """

    epochs: int = Field(ge=1, le=100_000)
    batch: int = Field(ge=2, le=1_000_000)
    window_s: float = Field(gt=0, le=600)
    normalise: Literal["none", "lead"]
    learning_rate: float = Field(gt=0, le=1)  # AdamW moves each weight by about so much a step
    weight_decay: float = Field(ge=0)
    schedule: Literal["one-cycle", "cosine"]
    clip_norm: float = Field(gt=0)
    class_weights: Literal["balanced", "none"]
    most_weight: float = Field(ge=1)
    precision: Literal["auto", "fp32", "bf16"]
    threads: int = Field(ge=1, le=1024)
    cache: Literal["auto", "device", "host"]
    compile: bool
    keep: Literal["best", "last"]
    patience: int = Field(ge=1, le=100_000)
    unannotated: Literal["mask", "negative"]
    permute_labels: bool
    seed: int = Field(ge=0, le=MOST_SEED)
