"""Reading params.yaml, and checking its sections: once, at the door, with all faults reported together.

A section's model (a `Section`) stands beside the deed that uses it. params.yaml is read as DVC reads it:
YAML 1.2, so `1e-3` is a number.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

PARAMS = Path("params.yaml")
# DVC puts source names and folds into a shell command unquoted, so nothing else may stand in them.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no silent conversions, no infinities, no changes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Compute(Section):
    """`compute` in params.yaml: where things run. It changes no result, so no stage depends on it."""

    workers: int = Field(ge=-1)
    backend: Literal["loky", "threading", "dask"]
    device: Literal["auto", "cpu", "cuda"]


S = TypeVar("S", bound=Section)


def load(path: Path = PARAMS) -> dict[str, Any]:
    """The whole params file as plain Python values."""
    with Path(path).open(encoding="utf-8") as handle:
        values = YAML(typ="safe", pure=True).load(handle)
    if not isinstance(values, dict):
        raise ValueError(f"{path}: expected sections such as 'data:', found {type(values).__name__}")
    return values


def faults(model: type[Section], values: Any, where: str) -> list[str]:
    """Every fault of one section, as `section.key: rule (found value)`; empty where there is none."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [
            f"{'.'.join([where, *map(str, fault['loc'])])}: {fault['msg']} (found {fault['input']!r})"
            for fault in error.errors()
        ]
    return []


def section(model: type[S], values: Mapping[str, Any], name: str) -> S:
    """The checked section `name` (dots go deeper) of the whole file's `values`. ValueError lists all its faults."""
    found: Any = values
    for key in name.split("."):
        if not isinstance(found, Mapping) or key not in found:
            raise ValueError(f"params.yaml has no section '{name}'; configs/ holds complete files to start from")
        found = found[key]
    problems = faults(model, found, name)
    if problems:
        raise ValueError("params.yaml:\n  " + "\n  ".join(problems))
    return model.model_validate(found)
