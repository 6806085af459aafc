"""dvc.yaml as far as a message needs it: which stage makes a file, and what a stage is called
with."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ecgpipe.project.errors import UserError
from ecgpipe.project.paths import PARAMS

DVC_YAML = Path("dvc.yaml")
_CODE = ("ecgpipe/", "stages/")
_ITEM = "${item}"


def _read(path: Path) -> Mapping[str, Any]:
    """What a file holds; nothing where it cannot be read, which is not for a message to tell."""
    from ecgpipe.project import yaml_files  # a stage that begins well does not wait for it

    try:
        values, _ = yaml_files.read(path)
    except (OSError, UserError):
        return {}
    return values if isinstance(values, Mapping) else {}


def _stages() -> dict[str, Mapping[str, Any]]:
    """Stage -> its body, with `foreach` where it has one."""
    stages = _read(DVC_YAML).get("stages")
    bodies = stages if isinstance(stages, Mapping) else {}
    return {
        name: body.get("do", {}) | body for name, body in bodies.items() if isinstance(body, dict)
    }


def argument_of(stage: str) -> str | None:
    """The setting in params.yaml that lists what a stage is called with, such as `data.sources`;
    None where it takes no argument, or is not in dvc.yaml."""
    match = re.fullmatch(r"\$\{(.*)\}", str(_stages().get(stage, {}).get("foreach", "")))
    return match[1] if match else None


def _is_listed(item: str, stage: str) -> bool:
    """Whether a stage is called with `item`."""
    values: Any = _read(PARAMS)
    for key in (argument_of(stage) or "").split("."):
        values = values.get(key) if isinstance(values, Mapping) else None
    return isinstance(values, list) and item in map(str, values)


def _outputs(body: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("outs", "metrics", "plots"):
        for entry in body.get(kind, []):
            yield from entry if isinstance(entry, Mapping) else [entry]


def maker(path: str | Path) -> str | None:
    """The stage that makes a file, such as `preprocess@sph`, or what lies in a folder, such as
    `preprocess`; None where none does."""
    wanted = PurePosixPath(path).parts
    for name, body in _stages().items():
        for output in _outputs(body):
            made = PurePosixPath(output).parts
            item = _common(made, wanted)
            if item is None:
                continue
            if len(wanted) < len(made):  # a folder in which it makes more than one thing
                return name
            if not item or _is_listed(item, name):
                return "@".join(filter(None, [name, item]))
    return None


def _common(made: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    """The item for which an output lies where a path does, as far as both go; '' without one, None
    where they part."""
    item = ""
    for of_output, part in zip(made, wanted, strict=False):
        before, is_item, after = of_output.partition(_ITEM)
        match = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", part)
        if is_item and match:
            item = match[1]
        elif of_output != part:
            return None
    return item


def inputs_of(stage: str) -> dict[str, str | None]:
    """What a stage reads besides code -> the stage that makes it, None where none does; what lies
    where a setting says is named by that setting."""
    inputs: dict[str, str | None] = {}
    for dep in _stages().get(stage, {}).get("deps", []):
        setting = re.match(r"\$\{(.*?)\}", dep)
        if setting:
            kind = "recordings below" if setting[1] == "data.root" else "folder"
            inputs[f"the {kind} {setting[1]}"] = None
        elif not dep.startswith(_CODE):
            inputs[dep] = maker(dep)
    return inputs
