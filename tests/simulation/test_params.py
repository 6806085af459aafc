"""Settings of the simulator that cannot be met are refused."""

import pytest
from pydantic import ValidationError

from ecgpipe.simulation.params import SimulateParams
from tests.simulation.test_hospitals import ALL


def test_too_few_recordings_are_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 60"):
        SimulateParams(sources=ALL, recordings=10, seed=1)
