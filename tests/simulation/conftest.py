"""The demo's four sources, small."""

import pytest

from ecgpipe.simulation import hospitals
from ecgpipe.simulation.params import SimulateParams


@pytest.fixture(scope="session")
def params():
    return SimulateParams(sources=list(hospitals.SOURCES), recordings=120, seed=1)


@pytest.fixture(scope="session")
def raw(tmp_path_factory, params):
    """The folder of all sources; only to be read."""
    folder = tmp_path_factory.mktemp("raw")
    for name in hospitals.SOURCES:
        hospitals.simulate(name, folder / name, params, workers=1)
    return folder
