"""The check of a whole params file: every section by its own model, and what must hold between sections."""

from collections.abc import Mapping
from typing import Any

from ecgpipe import (
    augmenting,
    conditioning,
    diagnoses,
    mapping,
    model,
    params,
    records,
    simulating,
    splitting,
    training,
)

MODELS: dict[str, type[params.Section]] = {
    "data": records.Params,
    "simulate": simulating.Params,
    "labels": mapping.Params,
    "preprocess": conditioning.Params,
    "split": splitting.Params,
    "model": model.Params,
    "train": training.Params,
    "augment": augmenting.Params,
    "compute": params.Compute,
}


def faults(values: Mapping[str, Any]) -> list[str]:
    """Every fault of a params file, as `section.key: rule (found value)`; empty where there is none."""
    found = [f"{name}: no such section" for name in values if name not in MODELS and name != "sources"]
    for name, section in MODELS.items():
        found += params.faults(section, values[name], name) if name in values else [f"{name}: section is missing"]
    catalogue = values.get("sources")
    if not isinstance(catalogue, Mapping):
        return [*found, "sources: the catalogue of sources is missing"]
    for name, entry in catalogue.items():
        found += params.faults(records.Source, entry, f"sources.{name}") or _vocabulary(entry, f"sources.{name}")
    return found or _between(values)


def _vocabulary(entry: Mapping[str, Any], where: str) -> list[str]:
    """The fault of a vocabulary that is neither known by name nor a CSV of one's own."""
    name, known = entry["vocabulary"], diagnoses.vocabularies()
    if name in known or name.endswith(".csv"):
        return []
    return [f"{where}.vocabulary: it is one of {', '.join(known)}, or a .csv in the source's folder (found {name!r})"]


def _between(values: Mapping[str, Any]) -> list[str]:
    found = [
        f"data.sources: '{name}' is not in the catalogue `sources:` (it holds {', '.join(sorted(values['sources']))})"
        for name in values["data"]["sources"]
        if name not in values["sources"]
    ]
    found += [
        f"split.test_sources: '{name}' is not in data.sources"
        for name in values["split"]["test_sources"]
        if name not in values["data"]["sources"]
    ]
    try:
        diagnoses.classes(values["labels"]["classes"], values["labels"]["merge_ectopics"])
    except ValueError as error:
        found.append(f"labels.classes: {error}")
    return found
