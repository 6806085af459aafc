"""The section `model` of params.yaml."""

from pydantic import Field, field_validator

from ecgpipe.project.params import Section


class ModelParams(Section):
    """`model` in params.yaml. `width`: channels of the first stage, doubled by each of the next
    three."""

    width: int = Field(ge=4, le=256)
    stem_kernel: int = Field(ge=3, le=63)
    kernel: int = Field(ge=3, le=63)
    dropout: float = Field(ge=0, le=0.9)
    reduction: int = Field(ge=1)
    demographics: bool

    @field_validator("kernel", "stem_kernel")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("a kernel must be odd, so that a convolution keeps its centre")
        return value
