"""Settings of the training that make no sense are refused, each by its own name."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from ecgpipe.project import params
from ecgpipe.training.params import TrainParams

VALUES = params.load(Path(__file__).parents[2] / "params.yaml")["train"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("epochs", 0),
        ("batch", 1),
        ("window_s", 0),
        ("schedule", "step"),
        ("keep", "first"),
        ("unannotated", "zero"),
        ("learning_rate", -0.1),
        ("learning_rate", 3.0),
    ],
)
def test_params_that_make_no_sense_are_refused(key, value):
    assert TrainParams(**VALUES).epochs == VALUES["epochs"]
    with pytest.raises(ValidationError, match=rf"1 validation error[^\n]*\n{key}\n"):
        TrainParams(**VALUES | {key: value})
