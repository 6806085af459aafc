"""The section `pretrain` of params.yaml."""

from typing import Literal

from pydantic import Field, model_validator

from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.model.params import ModelParams
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project.params import MOST_SEED, Section
from ecgpipe.training.params import Folder, TrainParams


class PretrainParams(Section):
    """`pretrain` in params.yaml: sections of its own of the kinds that other stages have, so that
    an experiment with these leaves the pretrained network as it is.

    recordings, validation: simulated for training, and others of the same `seed` beside them;
    card_recordings: drawn from `card_seed`, on which the card scores the network. Each is of
    `seconds`, drawn at `simulated_hz` and conditioned as `preprocess` says; its patient is one of a
    `population` (`simulation.populations`), or of each in turn (mixed).
    """

    folder: Folder
    recordings: int = Field(ge=2, le=100_000_000)
    validation: int = Field(ge=2, le=1_000_000)
    seed: int = Field(ge=0, le=MOST_SEED)
    card_recordings: int = Field(ge=2, le=1_000_000)
    card_seed: int = Field(ge=0, le=MOST_SEED)
    population: Literal["balanced", "published", "mixed"]
    seconds: float = Field(ge=2, le=600)
    simulated_hz: float = Field(ge=200, le=1000)
    preprocess: PreprocessParams
    model: ModelParams
    train: TrainParams
    augment: AugmentParams

    @model_validator(mode="after")
    def _apart(self) -> "PretrainParams":
        if self.card_seed == self.seed:
            raise ValueError("card_seed differs from seed, so that the card scores what is new")
        if self.train.start != "scratch":
            raise ValueError("train.start is scratch: it learns from simulated hearts alone")
        return self

    @model_validator(mode="after")
    def _held(self) -> "PretrainParams":
        """What a simulated recording has to hold."""
        if self.train.window_s > self.seconds:
            found = f"{self.train.window_s:g} and {self.seconds:g}"
            raise ValueError(f"train.window_s is no longer than seconds: found {found}")
        if self.preprocess.high_hz >= self.simulated_hz / 2:
            found = f"{self.preprocess.high_hz:g} and {self.simulated_hz:g}"
            raise ValueError(f"preprocess.high_hz lies below half of simulated_hz: found {found}")
        return self
