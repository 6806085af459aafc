"""Runs found in folders and, from a cache of DVC, in Git revisions."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from dvc.repo import Repo

from ecgpipe.comparison import runs
from ecgpipe.project import digests, paths, tables
from tests.fixtures.sealed import write_sealed_text


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A Git repository whose first commit has a run in DVC's cache, and whose workspace has
    none."""
    monkeypatch.chdir(tmp_path)
    for key in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(key, "a")
    for key in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(key, "a@b")
    subprocess.run(["git", "init", "-q"], check=True)
    with Repo.init() as repo:
        paths.predictions("0").mkdir(parents=True)
        (paths.predictions("0") / "val.csv").write_text("first")
        write_sealed_text("table", paths.FOLDS)
        write_sealed_text(json.dumps({"folds": [0]}), paths.FOLDS_INFO)
        (tmp_path / "params.yaml").write_text("evaluate: {}\n")
        repo.add([str(paths.FOLDS.parent), str(paths.PREDICTIONS)])
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "commit", "-qm", "one"], check=True)
    return tmp_path


def test_a_revision_is_brought_from_the_cache_and_leaves_the_workspace_alone(repository):
    (paths.predictions("0") / "val.csv").unlink()
    (paths.predictions("0") / "val.csv").write_text("changed")
    root, predictions = runs.locate("HEAD", repository / "scratch")
    assert predictions == root / paths.PREDICTIONS
    assert (root / paths.predictions("0") / "val.csv").read_text() == "first"
    assert (root / "params.yaml").read_text() == "evaluate: {}\n"
    assert digests.read_verified(root / paths.FOLDS) == b"table"
    assert tables.folds_info(root / paths.FOLDS_INFO)["folds"] == [0]
    assert (paths.predictions("0") / "val.csv").read_text() == "changed"


def test_a_folder_is_a_project_or_one_of_predictions(repository):
    whole = repository.resolve()
    for name in (".", "data/predictions"):
        assert runs.locate(name, repository / "scratch") == (whole, whole / paths.PREDICTIONS)
    shutil.copytree(paths.PREDICTIONS, repository / "elsewhere")
    assert runs.locate("elsewhere", repository / "scratch") == (Path(), whole / "elsewhere")
    (repository / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty: no data/folds, data/predictions in this folder"):
        runs.locate("empty", repository / "scratch")


def test_a_name_that_is_neither_is_refused(repository):
    with pytest.raises(
        ValueError, match="'nonsense' is no folder, and as a revision its predictions cannot be had"
    ):
        runs.locate("nonsense", repository / "scratch")
