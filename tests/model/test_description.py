import math

import pytest

from ecgpipe.model.description import Description
from ecgpipe.preprocessing.params import PreprocessParams
from ecgpipe.project import params
from tests.fixtures.small_models import CONDITIONING, SHARED

ABOUT = SHARED | {"validation": "digest"}


def test_what_a_training_writes_has_no_fault():
    assert params.faults(Description, ABOUT | {"epoch": 3, "versions": {}}) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0}, "window: "),
        ({"window": -400}, "window: "),
        ({"window": 400.5}, "window: "),
        ({"window": True}, "window: "),
        ({"window": 10**9}, "window: "),
        ({"rate_hz": 0}, "rate_hz: "),
        ({"rate_hz": math.inf}, "rate_hz: "),
        ({"rate_hz": 200.0}, "conditioning.to_rate_hz is rate_hz, found 100 and 200 Hz"),
        ({"normalise": "whole"}, "normalise: "),
        ({"classes": []}, "classes: "),
        (
            {"classes": ["1", "2", "=3"]},
            "classes.2: the code of a class is 1 to 100 digits (found '=3')",
        ),
        ({"classes": ["1", "2", "1"]}, "classes: each stands once, found 1 twice"),
        ({"names": ["NSR", "AF", "AF"]}, "names: each stands once, found AF twice"),
        ({"names": ["NSR", "AF"]}, "names: one for each class, found 2 for 3"),
        ({"full_names": ["a", "b", "c", "d"]}, "full_names: one for each class, found 4 for 3"),
        ({"names": ["NSR", "AF", "\x1b[31m"]}, "names.2: a name is text"),
        ({"names": ["NSR", "AF", "a\u202eb"]}, "names.2: a name is text"),
        ({"names": ["NSR", "AF", "=1+1"]}, "names.2: a name, which heads a column"),
        ({"folds": []}, "folds: "),
        ({"folds": [0, 0]}, "folds: each stands once, found 0 twice"),
        ({"folds": [-1]}, "folds.0: "),
        ({"folds": ["../x"]}, "folds.0: "),
        ({"split": None}, "split: "),
        ({"network": {}}, "network.width: "),
        ({"conditioning": CONDITIONING | {"low_hz": -1}}, "conditioning.low_hz: "),
        ({"conditioning": CONDITIONING | {"high_hz": 0}}, "conditioning.high_hz: "),
        ({"conditioning": CONDITIONING | {"high_hz": 60.0}}, "conditioning: low_hz < high_hz"),
        ({"conditioning": CONDITIONING | {"order": 0}}, "conditioning.order: "),
        ({"conditioning": CONDITIONING | {"order": 10**6}}, "conditioning.order: "),
        ({"conditioning": CONDITIONING | {"to_rate_hz": 0}}, "conditioning.to_rate_hz: "),
        ({"conditioning": CONDITIONING | {"low_hz": math.nan}}, "conditioning.low_hz: "),
    ],
)
def test_what_no_training_writes_is_named(change, message):
    (fault, *_) = params.faults(Description, ABOUT | change)
    assert fault.startswith(message)


@pytest.mark.parametrize("key", sorted(ABOUT))
def test_nothing_may_be_missing(key):
    faults = params.faults(Description, {name: ABOUT[name] for name in ABOUT if name != key})
    assert faults == [f"{key}: it is missing"]


def test_the_ranges_are_those_of_the_stage_preprocess():
    """The schema stands apart: a model needs no package of the stages before it."""
    section = {"rate_hz": 500.0, "low_hz": 0.5, "high_hz": 40.0, "order": 3, "min_duration_s": 1.0}
    compared = 0
    for key in ("rate_hz", "low_hz", "high_hz", "order"):
        for value in (-1, 0, 0.4, 1, 8, 9, 99.9, 100, 249, 250, 1000, 1001):
            values = section | {key: int(value) if key == "order" else float(value)}
            is_at_fault = bool(params.faults(PreprocessParams, values))
            conditioning = {name: values[name] for name in ("low_hz", "high_hz", "order")}
            conditioning["to_rate_hz"] = values["rate_hz"]
            about = ABOUT | {"rate_hz": values["rate_hz"], "conditioning": conditioning}
            assert bool(params.faults(Description, about)) == is_at_fault, values
            compared += is_at_fault
    assert compared > 10
