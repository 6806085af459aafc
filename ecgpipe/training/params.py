"""The section `train` of params.yaml."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ecgpipe.project.params import MOST_SEED, Section


def _printable(folder: str) -> str:
    if not folder.strip() or not folder.isprintable():
        raise ValueError("it is the path of a folder, in printable characters")
    return folder


Folder = Annotated[str, AfterValidator(_printable)]


class TrainParams(Section):
    """`train` in params.yaml.

    unannotated: how training, and nothing else, takes a class that a source does not annotate:
    'mask' leaves it out of the loss, 'negative' counts it as absent. The table of labels, and with
    it every metric, is the same for both.

    start: 'model' begins with the weights of the model folder `start_model` (`training.start`).
    Its body learns at `start_body_rate` of the head's rate (0 never) and not at all for the first
    `start_frozen_epochs`; `start_average` is its share in the weights that are delivered.
    average: 'ema' delivers a moving average over steps (`training.averaging`). mixup: alpha of the
    shares in which recordings are mixed (`training.mixup`), 0 for none.

    The settings with a default came later than the others; a file without them means what it did,
    but that dvc.yaml reads start_model, so that DVC wants it written.
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
    start: Literal["scratch", "model"] = "scratch"
    start_model: Folder = "data/pretrained"
    start_body_rate: float = Field(1.0, ge=0, le=1)
    start_frozen_epochs: int = Field(0, ge=0, le=100_000)
    start_average: float = Field(0.0, ge=0, lt=1)
    average: Literal["none", "ema"] = "none"
    average_decay: float = Field(0.99, gt=0, lt=1)
    mixup: float = Field(0.0, ge=0, le=10)
