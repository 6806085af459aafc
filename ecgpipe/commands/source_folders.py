"""Which folders and tables of the sources in use are not there: what a run would find out only when
it comes to them."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecgpipe.project import params, paths
from ecgpipe.project.rules import unknown
from ecgpipe.recordings.sources import DataParams, Source


def faults(
    values: Mapping[str, Any], entries: Mapping[str, Any] | None
) -> tuple[list[str], list[str]]:
    """(faults of the params, of the catalogue's entries): what `data` in the params and the entries
    in use name and is not there. What the stage simulate makes is never missing; sections and
    entries that have faults of their own are not looked at."""
    if params.faults(DataParams, values.get("data"), "data"):
        return [], []
    data = DataParams.model_validate(values["data"])
    simulated = _simulated(values, data)
    names = [name for name in data.sources if name not in simulated]
    if entries is not None:
        names = [name for name in names if name in entries]
    if names and not Path(data.root).is_dir():
        rule = "no such folder; put the recordings there, or name theirs"
        return [f"data.root: {rule} (found {data.root!r})"], []
    missing, in_entries = [], []
    for name in names:
        if not data.folder(name).is_dir():
            missing.append(_missing(name, data))
        elif not params.faults(Source, (entries or {}).get(name), name):
            entry = Source.model_validate(entries[name])
            in_entries += _tables(name, entry, data.folder(name))
    return missing, in_entries


def _simulated(values: Mapping[str, Any], data: DataParams) -> list[str]:
    """The sources that the stage simulate makes where `data.root` looks for them."""
    simulate = values.get("simulate")
    sources = simulate.get("sources") if isinstance(simulate, Mapping) else None
    is_there = os.path.normpath(data.root) in (
        str(paths.SIMULATED),
        str(paths.SIMULATED.absolute()),
    )
    return sources if is_there and isinstance(sources, list) else []


def _missing(name: str, data: DataParams) -> str:
    """The fault of a source without a folder."""
    there = [entry.name for entry in Path(data.root).iterdir() if entry.is_dir()]
    rule = unknown(f"'{name}' has no folder {data.folder(name)}", name, there)
    step = (
        ""
        if difflib.get_close_matches(name, there, n=1)
        else "; put it there, or correct data.root"
    )
    return f"data.sources: {rule}{step}"


def _tables(name: str, source: Source, folder: Path) -> list[str]:
    """A fault for each table that an entry names, needs, and its folder lacks. Where one of
    patients is not required and absent, `recordings.source_tables` warns."""
    named = {"table": source.table, "vocabulary": source.vocabulary}
    if source.patients and source.patients.required:
        named["patients.table"] = source.patients.table
    if not source.vocabulary.endswith(".csv"):
        del named["vocabulary"]
    return [
        f"sources.{name}.{key}: no such file {folder / table}; put it there, or correct its name"
        for key, table in named.items()
        if table and not (folder / table).is_file()
    ]
