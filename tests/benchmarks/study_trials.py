"""The methods and the trials of the study, by name."""

from collections.abc import Mapping

from tests.benchmarks.study_methods import FLOOR, RANDOM, Method

SCRATCH = "from scratch"
SCRATCH_EPOCHS = 45  # three times those of a start
# What is changed in a training that starts from a model, one thing at a time.
TRIALS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "no augmentation but crop and jitter": {
        "augment": {
            "star": False,
            "triangle": False,
            "noise": False,
            "lead_dropout": False,
        }
    },
    "moving average of weights": {"train": {"average": "ema"}},
    "weights averaged with the start's": {"train": {"start_average": 0.5}},
    "body at a third of the rate": {"train": {"start_body_rate": 0.33}},
    "head alone for 5 epochs": {"train": {"start_frozen_epochs": 5}},
    "mixup of 0.2": {"train": {"mixup": 0.2}},
    "stronger lead dropout": {
        "augment": {
            "lead_dropout": True,
            "lead_dropout_probability": 0.6,
            "lead_dropout_share": 0.4,
        }
    },
    "noise, baseline wander and hum": {"augment": {"noise": True, "wander": True, "hum": True}},
    "twice the epochs": {"train": {"epochs": 30}},
    "twice the rate": {"train": {"learning_rate": 0.002}},
    "unannotated as negative": {"train": {"unannotated": "negative"}},
    "no class weights": {"train": {"class_weights": "none"}},
}
DISTILLED = "taught by three networks"
TEACHERS = 3


def curves(starts: Mapping[str, str]) -> list[Method]:
    """The methods of the learning curves: `starts` are model folders by name."""
    fixed = [
        Method(SCRATCH, changes={"train": {"epochs": SCRATCH_EPOCHS, "learning_rate": 0.003}}),
        Method("floor", FLOOR),
        Method("random encoder", RANDOM),
    ]
    return [*fixed, *(Method(name, start=folder) for name, folder in starts.items())]


def trials(starts: Mapping[str, str]) -> list[Method]:
    """The trials, each against the first of `starts` as it is; the other starts are trials too."""
    first = next(iter(starts.values()))
    changed = [Method(name, start=first, changes=TRIALS[name]) for name in TRIALS]
    taught = Method(DISTILLED, start=first, teachers=TEACHERS)
    return [*(Method(name, start=folder) for name, folder in starts.items()), *changed, taught]
