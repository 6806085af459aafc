"""Reading params.yaml, and checking its sections: once, at the door, with all faults reported
together.

A section's model (a `Section`) stands beside the code that uses it.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ecgpipe.project import rules, yaml_files
from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import NAME, PARAMS, SOURCES
from ecgpipe.project.yaml_files import short

MOST_WORKERS = 10_000
MOST_SEED = 2**32 - 1  # the largest that every generator takes


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no silent conversions, no infinities, no
    changes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Compute(Section):
    """`compute` in params.yaml: where things run. It changes no result, so no stage depends on
    it."""

    workers: int = Field(ge=-1, le=MOST_WORKERS)
    backend: Literal["loky", "threading", "dask"]
    device: Literal["auto", "cpu", "cuda"]

    @field_validator("workers")
    @classmethod
    def _some(cls, workers: int) -> int:
        if workers == 0:
            raise ValueError("-1 (all cores) or a number of 1 or more")
        return workers


class Used(Section):
    """What a stage needs of `data` in params.yaml that reads no recording: the sources in use.
    `recordings.sources.DataParams` has, and checks, the whole section."""

    model_config = ConfigDict(extra="ignore")
    sources: list[Annotated[str, Field(pattern=NAME)]] = Field(min_length=1)


S = TypeVar("S", bound=Section)


def load(path: Path = PARAMS) -> dict[str, Any]:
    """The whole params file as plain Python values. UserError where it is no YAML, or tells all
    faults that it has beside those of sections, such as keys that stand twice."""
    values, problems = read(path)
    if problems:
        raise UserError(f"{path}: " + "; ".join(problems))
    return values


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """What `load` gives, and the faults that it refuses; UserError where no section can be
    read."""
    values, problems = yaml_files.read(path)
    if not isinstance(values, dict):
        found = type(values).__name__
        raise UserError(f"{path}: expected sections such as 'data:', found {found}")
    if list(values) == ["sources"]:
        raise UserError(
            f"{path}: this is a catalogue of sources, no params file; give it as --catalogue"
        )
    if "sources" in values:
        del values["sources"]
        move = f"move entries of your own to {SOURCES} and remove the section"
        problems.append(f"sources: the catalogue of sources is no part of this file; {move}")
    return values, problems


def faults(model: type[Section], values: Any, where: str = "") -> list[str]:
    """Every fault of one section, as `section.key: rule (found value)`, or `key: ...` of what is no
    section of a file; empty where there is none."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return rules.broken(error, model, where)
    return []


def in_one_line(problems: Sequence[str], most: int = 5) -> str:
    """The first faults, and how many more there are.

    >>> in_one_line(["a: too small", "b: too large", "c: missing"], most=2)
    'a: too small; b: too large; and 1 more'
    """
    more = [f"and {len(problems) - most} more"] if len(problems) > most else []
    return "; ".join([*problems[:most], *more])


def section(model: type[S], values: Mapping[str, Any], name: str) -> S:
    """The checked section `name` (dots go deeper) of the whole file's `values`. UserError lists
    all its faults."""
    body = _body(values, name)
    _refuse(faults(model, body, name))
    return model.model_validate(body)


def sections(values: Mapping[str, Any], **models: type[Section]) -> list[Any]:
    """The checked sections that `models` names, in its order. UserError lists the faults of all
    of them."""
    bodies = {name: _body(values, name) for name in models}
    _refuse([fault for name in models for fault in faults(models[name], bodies[name], name)])
    return [models[name].model_validate(bodies[name]) for name in models]


def _body(values: Mapping[str, Any], name: str) -> Any:
    body: Any = values
    for key in name.split("."):
        if not isinstance(body, Mapping) or key not in body:
            raise UserError(
                f"params.yaml has no section '{name}'; configs/ holds complete files to start from"
            )
        body = body[key]
    return body


def _refuse(problems: list[str]) -> None:
    if problems:
        raise UserError("params.yaml:\n  " + "\n  ".join(problems))


def one_of(name: str, known: Iterable[object], where: str) -> str:
    """`name`, which a stage was given on its command line, where it is one of those `known`.
    UserError where not."""
    listed = [str(one) for one in known]
    if name not in listed:
        raise UserError(
            f"'{short(name)[1:-1]}' is not in {where}; give one of {', '.join(listed) or 'none'}"
        )
    return name
