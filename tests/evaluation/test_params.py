"""Settings of the evaluation that make no sense are refused, each by its own name."""

import pytest
from pydantic import ValidationError

from ecgpipe.evaluation.params import EvaluateParams
from tests.fixtures.small_run import PARAMS


@pytest.mark.parametrize(
    ("key", "value"),
    [("sensitivity", 0), ("resamples", 10), ("thresholds", "youden"), ("calibration", "isotonic")],
)
def test_params_that_make_no_sense_are_refused(key, value):
    values = PARAMS.model_dump()
    assert EvaluateParams(**values) == PARAMS
    with pytest.raises(ValidationError, match=rf"1 validation error[^\n]*\n{key}\n"):
        EvaluateParams(**values | {key: value})
