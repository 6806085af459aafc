"""A small project in which the whole pipeline has run, once for all tests: they copy what they
change."""

from pathlib import Path

import pytest

from tests.fixtures.small_project import ALL_STAGES, run_stages_in_a_process, write_params


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """Its folder. The stages ran in a process apart, so that no later fork inherits their
    threads."""
    folder = tmp_path_factory.mktemp("whole")
    values = write_params(folder / "params.yaml")
    run_stages_in_a_process(ALL_STAGES, values, folder, {})
    return folder
