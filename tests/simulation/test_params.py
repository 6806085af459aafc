"""Settings of the simulator that cannot be met are refused."""

import pytest
from pydantic import ValidationError

from ecgpipe.simulation import hospitals
from ecgpipe.simulation.params import SimulateParams

ALL = list(hospitals.SOURCES)


def test_the_section_names_the_sources_there_are():
    assert SimulateParams(sources=ALL, recordings=60, seed=0).sources == ALL
    with pytest.raises(ValidationError, match="sim-north"):
        SimulateParams(sources=["sim-up"], recordings=60, seed=0)


def test_a_source_that_is_named_twice_is_refused():
    with pytest.raises(ValidationError, match="each source once; remove the doubles"):
        SimulateParams(sources=[*ALL, ALL[0]], recordings=60, seed=0)


def test_too_few_recordings_are_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 60"):
        SimulateParams(sources=ALL, recordings=10, seed=1)
