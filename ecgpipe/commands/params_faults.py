"""What is wrong in a whole params file and in the catalogue of sources: every section and entry by
its own model, and what must hold between them."""

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ecgpipe.augmentation.all_augmentations import HIGHEST_HZ
from ecgpipe.augmentation.params import AugmentParams
from ecgpipe.diagnoses import classes, vocabularies
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.labels.params import LabelParams
from ecgpipe.model.params import ModelParams
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import params, paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.rules import unknown
from ecgpipe.recordings import sources
from ecgpipe.simulation.params import SimulateParams
from ecgpipe.splitting import institutions
from ecgpipe.splitting.params import SplitParams
from ecgpipe.training import start_faults
from ecgpipe.training.params import TrainParams

_WRITTEN = (
    paths.SIGNALS,
    paths.MODELS,
    paths.PREDICTIONS,
    paths.CHECKPOINTS,
    paths.METRICS,
    paths.PLOTS,
)
# Sections of stages that run when asked to alone, which a file may do without.
_ASKED_FOR = ("pretrain",)
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
    "pretrain": PretrainParams,
    "compute": params.Compute,
}


def faults(values: Mapping[str, Any], entries: Mapping[str, Any] | None) -> list[str]:
    """Every fault of a params file, as `section.key: rule (found value)`; empty where there is
    none. `entries`: those of the catalogue, None where it cannot be read."""
    problems = []
    for name in values:
        if name not in MODELS:
            problems.append(f"{name}: {unknown('no such section', name, MODELS)}")
    for name, section in MODELS.items():
        if name in values:
            problems += params.faults(section, values[name], name)
        elif name not in _ASKED_FOR:
            problems.append(f"{name}: section is missing")
    problems += _root(values)
    problems += _between(values, entries)
    problems += _frequencies(values)
    problems += _frequencies(values.get("pretrain"), "pretrain.")
    return problems + _unusable(values)


def catalogue_faults(entries: Mapping[str, Any]) -> list[str]:
    """Every fault of the catalogue's entries, in use or not, as `sources.name.key: rule`."""
    problems = []
    for name, entry in entries.items():
        where = f"sources.{name}"
        if not re.fullmatch(paths.NAME, name):
            rule = "names of sources go into a shell; 1 to 100 letters, digits, '.', '_', '-'"
            problems.append(f"{where}: {rule}")
        problems += params.faults(sources.Source, entry, where) or _vocabulary(entry, where)
    return problems


def _vocabulary(entry: Mapping[str, Any], where: str) -> list[str]:
    """The fault of a vocabulary that is neither known by name nor a CSV of one's own."""
    name, known = entry["vocabulary"], vocabularies.vocabularies()
    if name in known or name.endswith(".csv"):
        return []
    rule = f"it is one of {', '.join(known)}, or a .csv in the source's folder"
    return [f"{where}.vocabulary: {unknown(rule, name, known)} (found {name!r})"]


def _frequencies(values: Any, where: str = "") -> list[str]:
    """Frequencies of switched-on augmentations that stores of preprocess.rate_hz cannot hold, both
    as `values` have them; `where` comes before their names."""
    if not isinstance(values, Mapping):
        return []
    augment, preprocess = values.get("augment"), values.get("preprocess")
    if not (isinstance(augment, Mapping) and isinstance(preprocess, Mapping)):
        return []
    rate_hz, problems = preprocess.get("rate_hz"), []
    for name, key in HIGHEST_HZ.items():
        highest_hz = augment.get(key, AugmentParams.model_fields[key].default)
        numbers = isinstance(highest_hz, int | float) and isinstance(rate_hz, int | float)
        if augment.get(name) is True and numbers and highest_hz >= rate_hz / 2:
            rule = f"it lies below half of {where}preprocess.rate_hz {rate_hz}"
            problems.append(f"{where}augment.{key}: {rule} (found {highest_hz})")
    return problems


def _checked(values: Mapping[str, Any], *names: str) -> list[Any] | None:
    """The sections `names`, where all of them are there and without faults of their own."""
    if any(name not in values or params.faults(MODELS[name], values[name], name) for name in names):
        return None
    return [MODELS[name].model_validate(values[name]) for name in names]


def _unusable(values: Mapping[str, Any]) -> list[str]:
    """Settings that are right alone and leave a stage nothing to work with."""
    problems = []
    if sections := _checked(values, "data", "split"):
        problems += _untrained(*sections)
    if sections := _checked(values, "preprocess", "train"):
        preprocess, train = sections
        if round(train.window_s * preprocess.rate_hz) < 1:
            rule = f"it holds no sample at preprocess.rate_hz {preprocess.rate_hz:g}"
            problems.append(f"train.window_s: {rule}")
    if sections := _checked(values, "preprocess", "model", "train"):
        problems += _start(*sections)
    if sections := _checked(values, "pretrain"):
        problems += _not_written("pretrain.folder", sections[0].folder, "give it a new one")
    if sections := _checked(values, "labels", "evaluate"):
        problems += _challenge(*sections)
    return problems


def _start(preprocess: PreprocessParams, model: ModelParams, train: TrainParams) -> list[str]:
    """The fault of a start that does not fit this run, or that this run would write."""
    step = "copy the model to a folder of its own"
    written = _not_written("train.start_model", train.start_model, step)
    if written or train.start == "scratch":
        return written
    conditioning = preprocess.model_dump(include={"low_hz", "high_hz", "order"})
    conditioning["to_rate_hz"] = preprocess.rate_hz
    folder = Path(train.start_model)
    return start_faults.of_settings(folder, model, train.normalise, conditioning)


def _untrained(data: sources.DataParams, split: SplitParams) -> list[str]:
    """The fault of a split that leaves too few sources to train on."""
    whole = [*split.test_sources, *split.train_sources]
    names = [name for name in data.sources if name not in whole]
    left = institutions.of(names, split.institutions)
    if not left:
        rule = "with split.train_sources it names all of data.sources, which leaves no fold"
        return [f"split.test_sources: {rule}"]
    if split.protocol == "source" and len(left) < 2:
        rule = "'source' needs 2 institutions besides split.test_sources and split.train_sources"
        return [f"split.protocol: {rule} (found {left})"]
    return []


def _challenge(labels: LabelParams, evaluate: EvaluateParams) -> list[str]:
    """The fault of thresholds by the challenge score for classes that it does not know."""
    try:
        chosen = classes.select(labels.classes, labels.merge_ectopics)
    except UserError:
        return []  # told by `_between`
    # The severities are what the weights are made of (`challenge_score.score_weights`).
    weighted = all(diagnosis.severity is not None for diagnosis in chosen)
    if evaluate.thresholds != "challenge" or weighted:
        return []
    rule = "'challenge' needs the challenge's weights, which not all labels.classes have"
    return [f"evaluate.thresholds: {rule}"]


def _unknown(where: str, names: Iterable[str], entries: Mapping[str, Any] | None) -> list[str]:
    """The names that are not in the catalogue, where it can be read."""
    if entries is None:
        return []
    holds = ", ".join(sorted(entries))
    rule = f"is not in the catalogue of sources (it holds {holds})"
    return [
        f"{where}: {unknown(f'{name!r} {rule}', name, entries)}"
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
    unknown = _unknown("split.institutions", named, entries)
    return unknown + institutions.partly_held_out(split, used)


def _between(values: Mapping[str, Any], entries: Mapping[str, Any] | None) -> list[str]:
    """What must hold between sections, and between them and the catalogue, as far as they are there
    and of the right kind."""
    sections = {name: body if isinstance(body, Mapping) else {} for name, body in values.items()}
    used = _names(sections.get("data", {}).get("sources"))
    problems = _unknown("data.sources", used, entries)
    for setting in ("test_sources", "train_sources"):
        for name in _names(sections.get("split", {}).get(setting)):
            if name not in used:
                rule = unknown(f"'{name}' is not in data.sources", name, used)
                problems.append(f"split.{setting}: {rule}")
    problems += _institutions(values, used, entries)
    if checked := _checked(values, "labels"):
        (labels,) = checked
        try:
            classes.select(labels.classes, labels.merge_ectopics)
        except UserError as error:
            problems.append(f"labels.classes: {str(error).removeprefix('labels.classes: ')}")
    return problems


def _names(listed: Any) -> list[str]:
    """The texts of what ought to be a list of names; its own section tells what else is in it."""
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def _root(values: Mapping[str, Any]) -> list[str]:
    """Faults of data.root: the recordings lie in a folder of their own, and no stage's outputs
    do."""
    data = values.get("data")
    root = data.get("root") if isinstance(data, Mapping) else None
    if not isinstance(root, str):
        return []
    if not root.strip() or not root.isprintable():
        return [f"data.root: it is the path of a folder, in printable characters (found {root!r})"]
    return _not_written("data.root", root, "give recordings a folder of their own")


def _not_written(setting: str, name: str, step: str) -> list[str]:
    """The fault of a setting that names a folder into which stages write, or below which, or one
    that they write whole."""
    folder = Path(os.path.normpath(Path.cwd() / name))
    for path in _WRITTEN:
        written = Path.cwd() / path
        if folder == written or written in folder.parents or folder in written.parents:
            return [f"{setting}: stages write there, or below; {step} (found {name!r})"]
    return []
