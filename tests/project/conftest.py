"""A folder to write in, which is the working directory."""

import pytest


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Paths are relative to the project's root: here a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
