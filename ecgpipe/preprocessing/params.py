"""The section `preprocess` of params.yaml."""

from pydantic import Field, model_validator

from ecgpipe.project.params import Section


class PreprocessParams(Section):
    """`preprocess` in params.yaml."""

    rate_hz: float = Field(ge=100, le=1000)
    low_hz: float = Field(ge=0)
    high_hz: float = Field(gt=0)
    order: int = Field(ge=1, le=8)
    min_duration_s: float = Field(ge=1)

    @model_validator(mode="after")
    def _band(self) -> "PreprocessParams":
        if not self.low_hz < self.high_hz < self.rate_hz / 2:
            found = f"{self.low_hz}, {self.high_hz}, {self.rate_hz}"
            raise ValueError(f"low_hz < high_hz < rate_hz / 2 must hold: {found}")
        return self
