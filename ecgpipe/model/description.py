"""What model.json says of a model, as a schema: whatever is conditioned, cut into windows and named
by it is held to the ranges that a training can have."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from ecgpipe.model.params import ModelParams
from ecgpipe.project.params import Section


def _digits(code: str) -> str:
    if not re.fullmatch("[0-9]{1,100}", code):
        raise ValueError("the code of a class is 1 to 100 digits")
    return code


def _printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("a name is text that can be printed")
    return name


def _heading(name: str) -> str:
    if not name[:1].isalnum():
        raise ValueError("a name, which heads a column, begins with a letter or a digit")
    return name


_Code = Annotated[str, AfterValidator(_digits)]
_FullName = Annotated[str, Field(min_length=1), AfterValidator(_printable)]
_Name = Annotated[_FullName, AfterValidator(_heading)]


class Conditioning(Section):
    """How recordings were conditioned: keyword arguments of `bandpass.condition`. The ranges are
    those of `preprocess` in params.yaml."""

    to_rate_hz: float = Field(ge=100, le=1000)
    low_hz: float = Field(ge=0)
    high_hz: float = Field(gt=0)
    order: int = Field(ge=1, le=8)

    @model_validator(mode="after")
    def _band(self) -> "Conditioning":
        if not self.low_hz < self.high_hz < self.to_rate_hz / 2:
            found = f"{self.low_hz:g}, {self.high_hz:g}, {self.to_rate_hz:g}"
            raise ValueError(f"low_hz < high_hz < to_rate_hz / 2 must hold: {found}")
        return self


class Description(Section):
    """What of model.json is used. `window`: samples, 600 s at 1000 Hz at most. `codes`: of each
    class all that count as one, where they are known."""

    model_config = ConfigDict(extra="ignore")

    classes: list[_Code] = Field(min_length=1)
    codes: list[list[_Code]] = Field([])
    names: list[_Name]
    full_names: list[_FullName]
    rate_hz: float = Field(ge=100, le=1000)
    window: int = Field(ge=1, le=600_000)
    normalise: Literal["none", "lead"]
    conditioning: Conditioning
    folds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    split: str
    validation: str
    network: ModelParams

    @model_validator(mode="after")
    def _fits(self) -> "Description":
        for key in ("names", "full_names"):
            if len(getattr(self, key)) != len(self.classes):
                found = f"{len(getattr(self, key))} for {len(self.classes)}"
                raise ValueError(f"{key}: one for each class, found {found}")
        for key in ("classes", "names", "folds"):
            _refuse_repeated(key, getattr(self, key))
        if self.codes and [each[:1] for each in self.codes] != [[code] for code in self.classes]:
            raise ValueError("codes: a list for each class, headed by its own code")
        if self.conditioning.to_rate_hz != self.rate_hz:
            found = f"{self.conditioning.to_rate_hz:g} and {self.rate_hz:g} Hz"
            raise ValueError(f"conditioning.to_rate_hz is rate_hz, found {found}")
        return self


def _refuse_repeated(key: str, values: Sequence[object]) -> None:
    value, times = Counter(values).most_common(1)[0]
    if times > 1:
        raise ValueError(f"{key}: each stands once, found {value} twice")
