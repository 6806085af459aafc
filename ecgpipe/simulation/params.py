"""The section `simulate` of params.yaml."""

from typing import Literal

from pydantic import Field, field_validator

from ecgpipe.project.params import MOST_SEED, Section


class SimulateParams(Section):
    """The section `simulate`: the sources made, recordings of all four together, and the seed of
    everything random."""

    sources: list[Literal["sim-north", "sim-east", "sim-south", "sim-west"]]
    recordings: int = Field(ge=60, le=1_000_000)
    seed: int = Field(ge=0, le=MOST_SEED)

    @field_validator("sources")
    @classmethod
    def _no_doubles(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("each source once; remove the doubles")
        return names
