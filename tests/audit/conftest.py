import pytest

from tests.fixtures.mapped_project import mapped_project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The params of a project after label-map, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return mapped_project(tmp_path)
