"""The rule that a setting breaks, in the words of this project: what pydantic finds, told without
its terms, with the name that was meant where one is close."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ecgpipe.project.paths import NAME
from ecgpipe.project.yaml_files import short

NAME_IN_WORDS = "1 to 100 letters, digits, '.', '_' and '-', a letter or digit first"
# The kind of an error of pydantic (https://docs.pydantic.dev/latest/errors/validation_errors) ->
# the rule; names in braces are those of its context.
_RULES = {
    "missing": "it is missing",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "model_type": "a section with settings of its own",
    "dict_type": "a section with settings of its own",
    "greater_than": "above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "below {lt:g}",
    "less_than_equal": "{le:.10g} or less",
    "too_short": "a list of {min_length} or more",
    "string_too_short": "text of {min_length} or more characters",
}
# How alike two names are, of which one may be the other mistyped.
_CLOSE = 0.7
# What pydantic adds to a place where a value may be of several kinds.
_KIND = re.compile(r"(str|int|float|bool|list\[.*\])")


def broken(error: ValidationError, model: type[BaseModel], where: str = "") -> list[str]:
    """Every fault that pydantic found in the values of a `model`, as `where.key: rule (found
    value)`. Of a whole section the values are not told, the rule names those that matter."""
    rules: dict[tuple[str, ...], list[str]] = {}
    found: dict[tuple[str, ...], Any] = {}
    for fault in error.errors():
        place = tuple(str(part) for part in fault["loc"] if not _KIND.fullmatch(str(part)))
        rules.setdefault(place, []).append(_rule(fault, model, place))
        found[place] = fault["input"]
    told = []
    for place, several in rules.items():
        # A value that may be text or a list: where the list has faults, that it is no text is none.
        if any(other[: len(place)] == place and other != place for other in rules):
            several = [rule for rule in several if rule != _RULES["string_type"]]
        if several:
            name = ".".join(filter(None, [where, *place]))
            rule = " or ".join(dict.fromkeys(several))
            value = "" if isinstance(found[place], Mapping) else f" (found {short(found[place])})"
            told.append(f"{name}: {rule}{value}" if name else f"{rule}{value}")
    return told


def _rule(fault: Mapping[str, Any], model: type[BaseModel], place: tuple[str, ...]) -> str:
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown("no such setting", place[-1], _settings(model, place[:-1]))
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return unknown(context["expected"], str(fault["input"]), known)
    if kind == "string_pattern_mismatch" and context["pattern"] == NAME:
        return NAME_IN_WORDS
    if kind == "string_type" and isinstance(fault["input"], int | float):
        return "text; put it in quotes"
    if kind in _RULES:
        return _RULES[kind].format(**context)
    return fault["msg"].removeprefix("Value error, ")


def _settings(model: type[BaseModel], place: Iterable[str]) -> list[str]:
    """The names of the settings of the section in which a place lies; none where it is not
    known."""
    for key in place:
        field = model.model_fields.get(key)
        inner = [field.annotation, *get_args(field.annotation)] if field else []
        models = [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]
        if not models:
            return []
        model = models[0]
    return list(model.model_fields)


def unknown(rule: str, name: str, known: Iterable[str]) -> str:
    """The rule that an unknown name breaks, with the known name that is closest.

    >>> unknown("no such setting", "widht", ["width", "kernel"])
    "no such setting; did you mean 'width'?"
    >>> unknown("no such setting", "speed", ["width", "kernel"])
    'no such setting'
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=_CLOSE)
    return f"{rule}; did you mean '{close[0]}'?" if close else rule
