"""Reading JSON that a program wrote and anybody may have changed."""

import json
from pathlib import Path
from typing import Any

from ecgpipe.project.errors import UserError


def parse(content: bytes, path: Path, step: str) -> dict[str, Any]:
    """The JSON object of a file's `content`; `path` names it in errors, and `step` is what to do
    then.

    UserError where it is no UTF-8, no JSON, nested deeper than Python reads, or no object. NaN and
    infinities, which are no JSON, are refused too.
    """
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{path}: no readable JSON ({why}); {step}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: a JSON object is expected, found {type(value).__name__}; {step}")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
