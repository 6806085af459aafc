"""Runs to be compared: the split and the predictions of a folder, of a Git revision or of a DVC
experiment."""

import subprocess
from pathlib import Path

from ecgpipe.project import paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import PARAMS

_NEEDED = (paths.FOLDS.parent, paths.PREDICTIONS)


def locate(name: str, scratch: Path) -> tuple[Path, Path]:
    """Of the run `name`: the project tree that holds its split, and the folder that holds its
    folds' predictions.

    A folder is a project (data/folds, data/predictions, and params.yaml where it has one), its
    `data/predictions`, or a copy of such a folder, whose split is then the workspace's. A revision
    is what Git or `dvc exp` call one, its data in DVC's cache, brought below `scratch`. UserError
    where either lacks them.
    """
    folder = Path(name).resolve()
    if name and folder.is_dir():
        if next(folder.glob(f"{paths.fold_folder('*')}/{paths.VALIDATION}"), None):
            above = folder.parent.parent
            return (above if above / paths.PREDICTIONS == folder else Path()), folder
        missing = [str(path) for path in _NEEDED if not (folder / path).exists()]
        if missing:
            raise UserError(
                f"{name}: no {', '.join(missing)} in this folder; name a project in which dvc "
                f"repro ran, or a folder of predictions (fold-K/{paths.VALIDATION})"
            )
        return folder, folder / paths.PREDICTIONS
    root = _fetch(name, Path(scratch))
    return root, root / paths.PREDICTIONS


def _fetch(revision: str, scratch: Path) -> Path:
    """The needed files of a revision, copied from DVC's cache (and remote, where one is set)."""
    from dvc.api import DVCFileSystem  # a second to import, which every other command is spared
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import resolve_rev

    _refuse_parts_of_a_commit(revision)
    try:
        with Repo() as repo:
            commit = resolve_rev(repo.scm, revision)
            # DVC reads the settings of the revision, which may be older than this one (.dvc/config
            # says why it is set).
            own = repo.config["core"].get("site_cache_dir")
        settings = {"core": {"site_cache_dir": own}} if own else None
        files = DVCFileSystem(".", rev=commit, config=settings)
        missing = [str(path) for path in _NEEDED if not files.exists(path.as_posix())]
    except DvcException as error:
        raise UserError(
            f"'{revision}' is no folder, and no revision of Git or experiment of DVC ({error}); "
            "name one of `git log` or `dvc exp show`, or a folder"
        ) from error
    # What lies below DVC raises errors of its own kinds (of dvc_data and scmrepo, which have no
    # common class) where the cache lacks something, and so it is asked for everything at once.
    except Exception as error:
        raise _not_here(revision, error) from error
    if missing:
        raise UserError(
            f"'{revision}': no {', '.join(missing)} in this revision; name one that was committed "
            "after `dvc repro`"
        )
    try:
        for path in (*_NEEDED, PARAMS):
            target = scratch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            files.get(path.as_posix(), target.as_posix(), recursive=True)
    except Exception as error:
        raise _not_here(revision, error) from error
    return scratch


def _refuse_parts_of_a_commit(revision: str) -> None:
    """UserError where Git knows the name as that of a folder or a file in a commit."""
    if not revision:
        raise UserError("'': a run has a name: a folder, such as `.`, or a revision, such as HEAD")
    kind = subprocess.run(
        ["git", "cat-file", "-t", revision], capture_output=True, text=True, check=False
    ).stdout.strip()
    if kind in ("tree", "blob"):
        what = "folder" if kind == "tree" else "file"
        raise UserError(
            f"'{revision}' names a {what} in a commit; name the commit itself, such as HEAD"
        )


def _not_here(revision: str, error: Exception) -> UserError:
    """What to do where a revision's data cannot be had."""
    return UserError(
        f"'{revision}': its predictions are not in this machine's DVC cache ({error}): they were "
        "made elsewhere. Run `dvc repro`, and `git commit` what it wrote as the baseline of this "
        "machine; then change something, run again, and compare with that commit. (Or `dvc pull`, "
        "where a remote has them, or name a folder)"
    )
