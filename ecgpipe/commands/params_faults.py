"""What is wrong in a whole params file and in the catalogue of sources: every section and entry by
its own model, and what must hold between them."""

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ecgpipe.augmentation import augmenter
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.diagnoses import classes, vocabularies
from ecgpipe.evaluation import challenge_score
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.labels import mapping
from ecgpipe.labels.params import LabelParams
from ecgpipe.model.params import ModelParams
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import params, paths
from ecgpipe.project.errors import UserError
from ecgpipe.recordings import sources
from ecgpipe.simulation.params import SimulateParams
from ecgpipe.splitting import institutions
from ecgpipe.splitting.params import SplitParams
from ecgpipe.training.params import TrainParams

_WRITTEN = (
    paths.SIGNALS,
    paths.MODELS,
    paths.PREDICTIONS,
    paths.CHECKPOINTS,
    paths.METRICS,
    paths.PLOTS,
)
MODELS: dict[str, type[params.Section]] = {
    "data": sources.DataParams,
    "simulate": SimulateParams,
    "labels": LabelParams,
    "preprocess": PreprocessParams,
    "split": SplitParams,
    "model": ModelParams,
    "train": TrainParams,
    "augment": AugmentParams,
    "evaluate": EvaluateParams,
    "compute": params.Compute,
}


def faults(values: Mapping[str, Any], entries: Mapping[str, Any] | None) -> list[str]:
    """Every fault of a params file, as `section.key: rule (found value)`; empty where there is
    none. `entries`: those of the catalogue, None where it cannot be read."""
    found = [f"{name}: no such section" for name in values if name not in MODELS]
    for name, section in MODELS.items():
        found += (
            params.faults(section, values[name], name)
            if name in values
            else [f"{name}: section is missing"]
        )
    return (
        found + _root(values) + _between(values, entries) + _frequencies(values) + _unusable(values)
    )


def catalogue_faults(entries: Mapping[str, Any]) -> list[str]:
    """Every fault of the catalogue's entries, in use or not, as `sources.name.key: rule`."""
    found = []
    for name, entry in entries.items():
        where = f"sources.{name}"
        if not re.fullmatch(params.NAME, name):
            rule = "names of sources go into a shell; 1 to 100 letters, digits, '.', '_', '-'"
            found.append(f"{where}: {rule}")
        found += params.faults(sources.Source, entry, where) or _vocabulary(entry, where)
    return found


def _vocabulary(entry: Mapping[str, Any], where: str) -> list[str]:
    """The fault of a vocabulary that is neither known by name nor a CSV of one's own."""
    name, known = entry["vocabulary"], vocabularies.vocabularies()
    if name in known or name.endswith(".csv"):
        return []
    return [
        f"{where}.vocabulary: it is one of {', '.join(known)}, or a .csv in the source's folder (found {name!r})"
    ]


def _frequencies(values: Mapping[str, Any]) -> list[str]:
    """Frequencies of switched-on augmentations that stores of preprocess.rate_hz cannot hold."""
    augment, preprocess = values.get("augment"), values.get("preprocess")
    if not (isinstance(augment, Mapping) and isinstance(preprocess, Mapping)):
        return []
    rate_hz = preprocess.get("rate_hz")
    found = [
        (key, augment.get(key))
        for name, key in augmenter._HIGHEST.items()
        if augment.get(name) is True
    ]
    return [
        f"augment.{key}: it lies below half of preprocess.rate_hz {rate_hz} (found {value})"
        for key, value in found
        if isinstance(value, int | float)
        and isinstance(rate_hz, int | float)
        and value >= rate_hz / 2
    ]


def _checked(values: Mapping[str, Any], *names: str) -> list[Any] | None:
    """The sections `names`, where all of them are there and without faults of their own."""
    if any(name not in values or params.faults(MODELS[name], values[name], name) for name in names):
        return None
    return [MODELS[name].model_validate(values[name]) for name in names]


def _unusable(values: Mapping[str, Any]) -> list[str]:
    """Settings that are right alone and leave a stage nothing to work with."""
    found = []
    if sections := _checked(values, "data", "split"):
        data, split = sections
        left = institutions.of(
            [name for name in data.sources if name not in split.test_sources], split.institutions
        )
        if not left:
            found.append(
                "split.test_sources: it names all of data.sources, which leaves nothing to train on"
            )
        elif split.protocol == "source" and len(left) < 2:
            found.append(
                f"split.protocol: 'source' needs 2 institutions besides split.test_sources (found {left})"
            )
    if sections := _checked(values, "preprocess", "train"):
        samples = round(sections[1].window_s * sections[0].rate_hz)
        if samples < 1:
            found.append(
                f"train.window_s: it holds no sample at preprocess.rate_hz {sections[0].rate_hz:g}"
            )
    if sections := _checked(values, "labels", "evaluate"):
        found += _challenge(*sections)
    return found


def _challenge(labels: LabelParams, evaluate: EvaluateParams) -> list[str]:
    """The fault of thresholds by the challenge score for classes that it does not know."""
    try:
        chosen = mapping.chosen(labels)
    except UserError:
        return []  # told by `_between`
    if (
        evaluate.thresholds != "challenge"
        or challenge_score.scored_classes([one.code for one in chosen]).weights is not None
    ):
        return []
    return [
        "evaluate.thresholds: 'challenge' needs the challenge's weights, which not all labels.classes have"
    ]


def _unknown(where: str, names: Iterable[str], entries: Mapping[str, Any] | None) -> list[str]:
    """The names that are not in the catalogue, where it can be read."""
    if entries is None:
        return []
    holds = ", ".join(sorted(entries))
    return [
        f"{where}: '{name}' is not in the catalogue of sources (it holds {holds})"
        for name in names
        if name not in entries
    ]


def _institutions(
    values: Mapping[str, Any], used: list[str], entries: Mapping[str, Any] | None
) -> list[str]:
    """Institutions of unknown sources, or tested in part; none where the section split has faults
    of its own."""
    if params.faults(SplitParams, values.get("split"), "split"):
        return []
    split = SplitParams.model_validate(values["split"])
    named = itertools.chain.from_iterable(split.institutions)
    found = _unknown("split.institutions", named, entries)
    return found + institutions.partly_tested(split.test_sources, used, split.institutions)


def _between(values: Mapping[str, Any], entries: Mapping[str, Any] | None) -> list[str]:
    """What must hold between sections, and between them and the catalogue, as far as they are there
    and of the right kind."""
    sections = {name: body if isinstance(body, Mapping) else {} for name, body in values.items()}
    used = _names(sections.get("data", {}).get("sources"))
    found = _unknown("data.sources", used, entries)
    found += [
        f"split.test_sources: '{name}' is not in data.sources"
        for name in _names(sections.get("split", {}).get("test_sources"))
        if name not in used
    ]
    found += _institutions(values, used, entries)
    if labels := _checked(values, "labels"):
        try:
            classes.select(labels[0].classes, labels[0].merge_ectopics)
        except UserError as error:
            found.append(f"labels.classes: {str(error).removeprefix('labels.classes: ')}")
    return found


def _names(listed: Any) -> list[str]:
    """The texts of what ought to be a list of names; its own section tells what else is in it."""
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def _root(values: Mapping[str, Any]) -> list[str]:
    """Faults of data.root: the recordings lie in a folder of their own, and no stage's outputs
    do."""
    root = values["data"].get("root") if isinstance(values.get("data"), Mapping) else None
    if not isinstance(root, str):
        return []
    if not root.strip() or not root.isprintable():
        return [f"data.root: it is the path of a folder, in printable characters (found {root!r})"]
    found = Path(os.path.normpath(Path.cwd() / root))
    written = [Path.cwd() / path for path in _WRITTEN]
    if any(found == path or path in found.parents or found in path.parents for path in written):
        return [
            f"data.root: stages write there, or below; give recordings a folder of their own (found {root!r})"
        ]
    return []
