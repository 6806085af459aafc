"""Reading params.yaml, and checking its sections: once, at the door, with all faults reported
together.

A section's model (a `Section`) stands beside the deed that uses it. params.yaml is read as DVC
reads it: YAML 1.2, so `1e-3` is a number.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, Event
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ecgpipe.project.errors import UserError

PARAMS = Path("params.yaml")
MOST_WORKERS = 10_000
MOST_SEED = 2**32 - 1  # the largest that every generator takes
# DVC puts source names and folds into a shell command unquoted, so nothing else may stand in them.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


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
    `recordings.recording.Params` has, and checks, the whole section."""

    model_config = ConfigDict(extra="ignore")
    sources: list[Annotated[str, Field(pattern=NAME)]] = Field(min_length=1)


S = TypeVar("S", bound=Section)
_LONGEST = 80  # characters told of a value that was found
_DEEPEST = 20  # sections and lists in each other; ours are four deep
_MOST_ALIASES = 1000
_TEXT = (
    "tag:yaml.org,2002:str",
    "tag:yaml.org,2002:merge",
)  # what a key may be; `<<` takes up another mapping


def load(path: Path = PARAMS) -> dict[str, Any]:
    """The whole params file as plain Python values. ValueError where it is no YAML, or a key stands
    in it twice."""
    values, doubles = read(path)
    if doubles:
        raise UserError(f"{path}: " + "; ".join(doubles))
    return values


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """What `load` gives, and the keys that stand twice in one mapping, each as a fault; the first
    of two counts here.

    ValueError of one line, with the number of the line in the file, where it is no YAML of
    sections.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    try:
        text = Path(path).read_text(encoding="utf-8")
        _refuse_excess(yaml.parse(text), path)
        node = yaml.compose(text)
        if wrong := list(_no_text(node, ())):
            raise UserError(f"{path}: " + "; ".join(wrong))
        doubles = list(_doubles(node, ()))
        values = _loaded(yaml, text, path)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: it is not UTF-8 text: {error}") from error
    except YAMLError as error:
        raise UserError(_no_yaml(path, error)) from error
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected sections such as 'data:', found {type(values).__name__}")
    return values, doubles


def _loaded(yaml: YAML, text: str, path: Path) -> Any:
    try:
        return yaml.load(text)
    except ValueError as error:  # of Python's own conversions
        raise UserError(
            f"{path}: a value cannot be read ({error}); compare with the files in configs/"
        ) from error


def _no_yaml(path: Path, error: YAMLError) -> str:
    """A fault of the syntax in one line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{path}{line}: it is no YAML: {' '.join(str(said).split())}; compare with the files in configs/"


def _refuse_excess(events: Iterable[Event], path: Path) -> None:
    """ValueError where parts lie too deep in each other, or where aliases could grow without bound:
    where there are too many, or one stands within a part that has an anchor itself, as in what
    contains itself."""
    anchored: list[bool] = []  # of each part that is open
    aliases = 0
    for event in events:
        where = f"{path}, line {event.start_mark.line + 1}"
        if isinstance(event, CollectionStartEvent):
            anchored.append(event.anchor is not None)
        elif isinstance(event, CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, AliasEvent):
            aliases += 1
            if any(anchored):
                raise UserError(
                    f"{where}: the alias *{event.anchor} stands in a part with an anchor; write it out"
                )
        if len(anchored) > _DEEPEST:
            raise UserError(
                f"{where}: lists and sections lie more than {_DEEPEST} deep in each other; flatten them"
            )
        if aliases > _MOST_ALIASES:
            raise UserError(f"{where}: more than {_MOST_ALIASES} aliases; write the values out")


def _children(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The parts of a list or a section, with the names that they go by."""
    if isinstance(node, SequenceNode):
        yield from ((str(number), item) for number, item in enumerate(node.value))
    elif isinstance(node, MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)


def _no_text(node: Node | None, above: tuple[str, ...]) -> Iterator[str]:
    """The keys of this part of the file that are no text, with their lines."""
    for key, _ in node.value if isinstance(node, MappingNode) else ():
        if key.tag not in _TEXT:
            found = (
                _short(key.value)[:_LONGEST]
                if isinstance(key, ScalarNode)
                else "a list or a section"
            )
            where = ".".join(above) or "the file"
            yield f"{where}: keys are text, found {found} in line {key.start_mark.line + 1}; put it in quotes"
    for name, child in _children(node):
        yield from _no_text(child, (*above, name))


def _doubles(node: Node | None, above: tuple[str, ...]) -> Iterator[str]:
    """The keys that stand twice in a mapping of this part of the file, with both lines."""
    lines: dict[str, int] = {}
    for index, (name, child) in enumerate(_children(node)):
        where = (*above, name)
        if isinstance(node, MappingNode):
            line = node.value[index][0].start_mark.line + 1
            if name in lines:
                yield f"{'.'.join(where)}: it stands twice, in lines {lines[name]} and {line}; leave one"
            lines.setdefault(name, line)
        yield from _doubles(child, where)


def faults(model: type[Section], values: Any, where: str) -> list[str]:
    """Every fault of one section, as `section.key: rule (found value)`; empty where there is
    none."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return [_fault(fault, where) for fault in error.errors()]
    return []


def _fault(fault: Mapping[str, Any], where: str) -> str:
    """One fault; of a whole section the values are not told, the rule names those that matter."""
    found = fault["input"]
    told = "" if isinstance(found, Mapping) else f" (found {_short(found)})"
    return f"{'.'.join([where, *map(str, fault['loc'])])}: {fault['msg'].removeprefix('Value error, ')}{told}"


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes out no number of thousands of digits
        text = f"{type(value).__name__} of more than 4300 digits"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def section(model: type[S], values: Mapping[str, Any], name: str) -> S:
    """The checked section `name` (dots go deeper) of the whole file's `values`. ValueError lists
    all its faults."""
    body = _body(values, name)
    _refuse(faults(model, body, name))
    return model.model_validate(body)


def sections(values: Mapping[str, Any], **models: type[Section]) -> list[Any]:
    """The checked sections that `models` names, in its order. ValueError lists the faults of all
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
    ValueError where not."""
    listed = [str(one) for one in known]
    if name not in listed:
        raise UserError(
            f"'{_short(name)[1:-1]}' is not in {where}; give one of {', '.join(listed) or 'none'}"
        )
    return name
