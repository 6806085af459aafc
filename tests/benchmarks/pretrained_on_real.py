"""How good a network of simulated hearts is on real recordings:

    python -m tests.benchmarks.pretrained_on_real [--folder data/pretrained]

It writes `pretrained_on_real.json` beside the folder (another name for a folder of another name),
which `predict` reads (`ecgpipe.prediction.pretrained`), and prints its classes, the worst first. It
needs the recordings that `tests.benchmarks.real_recordings` reads; nothing of them was trained on,
so each of them is scored. AUROC counts annotated recordings alone, the mean those classes with ten
positives or more; intervals are bootstrapped over patients.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ecgpipe.dataset import examples
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.prediction import pretrained
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.pretraining import card
from ecgpipe.project import atomic, digests, paths, tables
from tests.benchmarks import real_recordings

LEAST_POSITIVES = 10
LOW = 0.75  # a class below is named in words
RESAMPLES, SEED = 1000, 1


def scored(folder: Path, collection: real_recordings.Collection) -> dict[str, Any]:
    """What pretrained_on_real.json says of the model in `folder`."""
    network, about = saved_model.load(folder)
    table = collection.table
    assert tables.class_codes(table) == about["classes"]
    data = examples.examples(table, collection.stores)
    probabilities = probabilities_of(network, data, about["window"], about["normalise"]).numpy()
    person = table["patient"].where(table["patient"] != "", table["record"])
    measured = card.scores(
        table[about["classes"]].to_numpy(np.float64),
        probabilities,
        about["names"],
        groups=(table["source"] + "/" + person).tolist(),
        resamples=RESAMPLES,
        seed=SEED,
        least=LEAST_POSITIVES,
    )
    return {
        "weights": digests.recorded(folder / "weights.safetensors"),
        "sources": table["source"].value_counts().sort_index().to_dict(),
        "scores": measured,
    }


def preprocess_of(folder: Path) -> PreprocessParams:
    """The conditioning of a model as `preprocess` in params.yaml has it."""
    _, about = saved_model.load(folder)
    conditioning = dict(about["conditioning"])
    rate_hz = conditioning.pop("to_rate_hz")
    return PreprocessParams(rate_hz=rate_hz, min_duration_s=2, **conditioning)


def said(scores: dict[str, Any]) -> list[str]:
    """The classes in words, the worst first, and the mean."""
    known = {name: each for name, each in scores["classes"].items() if np.isfinite(each["auroc"])}
    lines = []
    for name, each in sorted(known.items(), key=lambda item: item[1]["auroc"]):
        few = "" if each["positives"] >= LEAST_POSITIVES else ", too few for the mean"
        low = f", below {LOW}" if each["auroc"] < LOW else ""
        interval = f"{each['auroc']:.3f} ({each['low']:.3f} to {each['high']:.3f})"
        lines.append(f"{name}: {interval}, {each['positives']} positives{few}{low}")
    mean = scores["auroc_macro"]
    counts = f"{scores['classes_of_mean']} classes, {scores['recordings']} recordings"
    interval = f"{mean['auroc']:.3f} ({mean['low']:.3f} to {mean['high']:.3f})"
    return [*lines, f"mean of {counts}: {interval}"]


def main() -> None:
    """Scores, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=paths.PRETRAINED)
    folder = parser.parse_args().folder
    real, ptbxl = real_recordings.folders()
    preprocess = preprocess_of(folder)
    band = f"{preprocess.rate_hz:g}-{preprocess.low_hz:g}-{preprocess.high_hz:g}-{preprocess.order}"
    work = paths.CHECKPOINTS / "on-real" / band
    collection = real_recordings.collect(work, real, ptbxl, preprocess)
    result = scored(folder, collection)
    atomic.write_json(pretrained.on_real_of(folder), result)
    print("\n".join(said(result["scores"])))


if __name__ == "__main__":
    main()
