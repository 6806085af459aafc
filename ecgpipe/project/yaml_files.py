"""Reading YAML as DVC reads it: parsed by PyYAML's C loader, numbers and booleans as in YAML 1.2.

DVC reads with ruamel.yaml, whose patterns of plain scalars these are: the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema), with `_` between digits and `0b` besides. PyYAML's
own patterns are those of YAML 1.1, where `1e-3` is text, `on` is true, `010` is eight and
`12:30:45` is a number of seconds.

Refused is what settings have no use for, or what the two libraries read differently: keys that
stand twice or are not text, dates, tags, directives, tabs, and aliases that grow without bound.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    ScalarEvent,
)
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ecgpipe.project.errors import UserError

_TAG = "tag:yaml.org,2002:"
_KEY_TAGS = {_TAG + kind for kind in ("str", "merge")}  # `<<` merges another mapping
_VALUE_TAGS = {_TAG + kind for kind in ("str", "int", "float", "bool", "null")}
_LONGEST = 80  # characters of a value that an error quotes
_DEEPEST = 20  # sections and lists in each other; ours are four deep
_MOST_ALIASES = 1000
# Control characters, and what only one of the two libraries takes for space or for a line's end:
# tab, U+0085, U+2028, U+2029, and U+FEFF within the text.
_NO_PLACE = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
# What a plain scalar is: kind, the characters that it may begin with, and its pattern. First match.
_PATTERNS: tuple[tuple[str, list[str], str], ...] = (
    ("bool", list("tTfF"), r"true|True|TRUE|false|False|FALSE"),
    (
        "float",
        list("-+.0123456789"),
        r"[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?"
        r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.[0-9_]+([eE][-+][0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)"
        r"|\.(nan|NaN|NAN)",
    ),
    (
        "int",
        list("-+0123456789"),
        r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9_]+)",
    ),
    ("merge", ["<"], r"<<"),
    ("null", ["~", "n", "N", ""], r"~|null|Null|NULL|"),
    (
        "timestamp",
        list("0123456789"),
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
        r"([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?",
    ),
    ("value", ["="], r"="),
)


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """`_PATTERNS` by first character, as PyYAML looks them up."""
    by_first: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for kind, firsts, pattern in _PATTERNS:
        for first in firsts:
            by_first.setdefault(first, []).append((_TAG + kind, re.compile(f"(?:{pattern})$")))
    return by_first


def _integer(loader: yaml.CSafeLoader, node: ScalarNode) -> int:
    digits = node.value.replace("_", "")
    has_prefix = digits.lstrip("-+")[:2] in ("0b", "0o", "0x")
    return _number(int, node, digits, 0 if has_prefix else 10)


def _decimal(loader: yaml.CSafeLoader, node: ScalarNode) -> float:
    digits = node.value.replace("_", "").lower()
    return _number(float, node, digits.replace(".inf", "inf").replace(".nan", "nan"))


def _number(kind: type, node: ScalarNode, *arguments: Any) -> Any:
    """`kind` of the arguments; what only looks like a number is refused with its place."""
    try:
        return kind(*arguments)
    except ValueError as error:
        problem = f"a number cannot be read ({error})"
        raise ConstructorError(None, None, problem, node.start_mark) from error


def _as_written(loader: yaml.CSafeLoader, node: ScalarNode) -> str:
    return node.value


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader in C, with the scalars of YAML 1.2 in place of those of YAML 1.1."""

    yaml_implicit_resolvers = _resolvers()
    yaml_constructors = yaml.CSafeLoader.yaml_constructors | {
        f"{_TAG}int": _integer,
        f"{_TAG}float": _decimal,
        # Where these are values, `read` tells a fault and goes on with the text.
        f"{_TAG}timestamp": _as_written,
        f"{_TAG}merge": _as_written,
        f"{_TAG}value": _as_written,
    }


def read(path: Path) -> tuple[Any, list[str]]:
    """The file as plain Python values, and those of its faults that leave it readable: keys that
    stand twice in one mapping, of which the last counts here, and values that are neither text nor
    number, such as dates, which are text here.

    UserError of one line, with the number of the line in the file, where nothing can be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        _refuse_characters(text, path)
        _refuse_excess(yaml.parse(text, Loader=_Loader), path)
        loader = _Loader(text)
        root = loader.get_single_node()
        if wrong_keys := list(_keys_not_text(root)):
            raise UserError(f"{path}: " + "; ".join(wrong_keys))
        faults = [*_doubled_keys(root), *_wrong_values(root)]
        return None if root is None else loader.construct_document(root), faults
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: it is not UTF-8 text: {error}") from error
    except yaml.YAMLError as error:
        raise UserError(_in_one_line(path, error)) from error


def line_numbers(path: Path) -> dict[str, int]:
    """Where each section, setting and entry of a list stands in a file that `read` can read: names
    joined by dots -> the number of its line."""
    numbers: dict[str, int] = {}
    for above, node in _parts(yaml.compose(Path(path).read_text(encoding="utf-8-sig"), _Loader)):
        if isinstance(node, MappingNode):
            for key, _ in node.value:
                name = ".".join((*above, str(key.value)))
                numbers.setdefault(name, key.start_mark.line + 1)
        else:
            numbers.setdefault(".".join(above), node.start_mark.line + 1)
    return numbers


def short(value: Any) -> str:
    """A value as Python writes it, cut where it is long: what an error quotes."""
    try:
        text = repr(value)
    except ValueError:  # Python writes out no number of thousands of digits
        text = f"{type(value).__name__} of more than 4300 digits"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _in_one_line(path: Path, error: yaml.YAMLError) -> str:
    """What PyYAML says of a file over several lines."""
    if not isinstance(error, yaml.MarkedYAMLError):
        problem = " ".join(str(error).split())
        return f"{path}: it is no YAML: {problem}; compare with the files in configs/"
    mark = error.problem_mark or error.context_mark
    line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    rule = "" if isinstance(error, ConstructorError) else "it is no YAML: "
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return f"{path}{line}: {rule}{problem}; compare with the files in configs/"


def _refuse_characters(text: str, path: Path) -> None:
    if character := _NO_PLACE.search(text):
        line = text.count("\n", 0, character.start()) + 1
        raise UserError(
            f"{path}, line {line}: the character {character[0]!r} has no place here; write spaces"
        )


def _refuse_excess(events: Iterable[Event], path: Path) -> None:
    """UserError where directives or tags change what values mean, where parts lie too deep in each
    other, or where aliases grow without bound: there are too many, or one stands in a part that has
    an anchor itself, as in what contains itself."""
    anchored: list[bool] = []  # of each part that is open
    aliases = 0
    for event in events:
        where = f"{path}, line {event.start_mark.line + 1}"
        _refuse_other_meanings(event, where)
        if isinstance(event, CollectionStartEvent):
            anchored.append(event.anchor is not None)
        elif isinstance(event, CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, AliasEvent):
            aliases += 1
            if any(anchored):
                raise UserError(
                    f"{where}: the alias *{event.anchor} stands in a part with an anchor; "
                    "write it out"
                )
        if len(anchored) > _DEEPEST:
            raise UserError(
                f"{where}: lists and sections lie more than {_DEEPEST} deep in each other; "
                "flatten them"
            )
        if aliases > _MOST_ALIASES:
            raise UserError(f"{where}: more than {_MOST_ALIASES} aliases; write the values out")


def _refuse_other_meanings(event: Event, where: str) -> None:
    if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
        raise UserError(f"{where}: a directive such as %YAML changes what values mean; remove it")
    if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
        raise UserError(
            f"{where}: the tag {short(event.tag)} changes what a value means; write it without"
        )


def _parts(
    node: Node | None, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Node]]:
    """This part of the file and all parts in it, each with the names that lead to it."""
    if node is None:
        return
    yield above, node
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _parts(item, (*above, str(index)))
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _parts(value, (*above, str(key.value)))


def _keys(node: Node) -> list[Node]:
    return [key for key, _ in node.value] if isinstance(node, MappingNode) else []


def _keys_not_text(root: Node | None) -> Iterator[str]:
    """The keys that are not text, with their lines."""
    for above, node in _parts(root):
        for key in _keys(node):
            if key.tag in _KEY_TAGS:
                continue
            where = ".".join(above) or "the file"
            found = short(key.value) if isinstance(key, ScalarNode) else "a list or a section"
            line = key.start_mark.line + 1
            yield f"{where}: keys are text, found {found} in line {line}; put it in quotes"


def _doubled_keys(root: Node | None) -> Iterator[str]:
    """The keys that stand twice in a mapping, with both lines."""
    for above, node in _parts(root):
        lines: dict[str, int] = {}
        for key in _keys(node):
            line = key.start_mark.line + 1
            if key.value in lines:
                where = ".".join((*above, key.value))
                first = lines[key.value]
                yield f"{where}: it stands twice, in lines {first} and {line}; leave one"
            lines.setdefault(key.value, line)


def _wrong_values(root: Node | None) -> Iterator[str]:
    """The values that are neither text nor number, with their lines."""
    rule = "a value is text, a number, true, false or null"
    for above, node in _parts(root):
        if isinstance(node, ScalarNode) and node.tag not in _VALUE_TAGS:
            found, line = short(node.value), node.start_mark.line + 1
            yield f"{'.'.join(above)}: {rule}, found {found} in line {line}; put it in quotes"
