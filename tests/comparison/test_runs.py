"""Runs found in folders and, from a cache of DVC, in Git revisions."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.repo import Repo

from ecgpipe.comparison import runs
from ecgpipe.project import digests, paths, tables
from ecgpipe.project.errors import UserError
from tests.fixtures.sealed import write_sealed_text


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A Git repository whose first commit has a run in DVC's cache, and whose workspace has
    none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
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
    (tmp_path / ".gitignore").write_text("site\n")
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


@pytest.mark.parametrize("name", ["nonsense", "HEAD~9", "@{u}", "main@{yesterday}", "-x"])
def test_a_name_that_is_neither_is_refused(repository, name):
    rule = re.escape(f"'{name}' is no folder, and no revision of Git or experiment of DVC (")
    with pytest.raises(ValueError, match=f"^{rule}"):
        runs.locate(name, repository / "scratch")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "'': a run has a name: a folder, such as `.`, or a revision"),
        ("HEAD:", "'HEAD:' names a folder in a commit; name the commit itself"),
        ("HEAD^{tree}", "'HEAD^{tree}' names a folder in a commit; name the commit itself"),
        ("HEAD:params.yaml", "'HEAD:params.yaml' names a file in a commit"),
    ],
)
def test_what_is_a_part_of_a_commit_is_told_so(repository, name, told):
    with pytest.raises(UserError, match=f"^{re.escape(told)}"):
        runs.locate(name, repository / "scratch")


@pytest.mark.parametrize("name", ["HEAD", "HEAD@{0}", ":/one", "exp"])
@pytest.mark.parametrize("lost", ["*", "*.dir", "??/*[!r]"])
def test_a_revision_whose_data_this_machine_lacks_says_what_to_do_first(repository, name, lost):
    subprocess.run(["git", "tag", "exp"], check=True)
    objects = [path for path in Path(".dvc/cache/files/md5").rglob(lost) if path.is_file()]
    assert objects
    for path in objects:
        path.unlink()
    shutil.rmtree("site")
    shutil.rmtree(".dvc/tmp", ignore_errors=True)
    rule = f"'{name}': its predictions are not in this machine's DVC cache ("
    with pytest.raises(UserError, match=f"^{re.escape(rule)}.*: they were made elsewhere") as told:
        runs.locate(name, repository / "scratch")
    text = str(told.value)
    assert text.index("`dvc repro`") < text.index("`git commit`") < text.index("change something")
    assert "\n" not in text


def test_an_older_revision_leaves_dvcs_own_folder_where_the_workspace_has_it(
    repository, monkeypatch
):
    monkeypatch.delenv("DVC_SITE_CACHE_DIR")
    # What DVC takes where nothing is configured; by default all users may write there.
    monkeypatch.setattr("dvc.dirs.site_cache_dir", lambda told=None: told or "shared")
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "config", "core.site_cache_dir", "own"], check=True)
    runs.locate("HEAD", repository / "scratch")
    assert Path("own/repo").is_dir()
    assert not Path("shared").exists()


def test_a_revision_without_a_run_is_told_so(repository):
    subprocess.run(["git", "rm", "-q", "--cached", "data/folds.dvc"], check=True)
    subprocess.run(["git", "commit", "-qm", "two"], check=True)
    with pytest.raises(UserError, match=r"^'HEAD': no data/folds in this revision; name one that"):
        runs.locate("HEAD", repository / "scratch")
