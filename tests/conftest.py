"""Fixtures of all packages."""

import os
import signal
from pathlib import Path

import pytest

from tests.fixtures.split_project import write_split_project


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """A shell that starts the tests in the background has them ignore SIGINT, which some of them
    send themselves."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def real_data() -> Path:
    """The folder of real recordings, laid out as the Challenge's release; skips where there is
    none."""
    folder = os.environ.get("ECGPIPE_REAL_DATA")
    if not folder:
        pytest.skip("ECGPIPE_REAL_DATA is unset: no real recordings to test on")
    return Path(folder)


@pytest.fixture
def split_project(tmp_path, monkeypatch) -> Path:
    """A project that is split, not trained (`fixtures.split_project`); the working directory is
    there."""
    monkeypatch.chdir(tmp_path)
    write_split_project(tmp_path)
    return tmp_path
