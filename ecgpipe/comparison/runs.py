"""Runs to be compared: the split and the predictions of a folder, of a Git revision or of a DVC
experiment."""

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
    if folder.is_dir():
        if next(folder.glob(f"fold-*/{paths.VALIDATION}"), None):
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

    try:
        files = DVCFileSystem(".", rev=revision)
        for path in (*_NEEDED, PARAMS):
            target = scratch / path
            target.parent.mkdir(parents=True, exist_ok=True)
            files.get(path.as_posix(), target.as_posix(), recursive=True)
    except (DvcException, OSError) as error:
        raise UserError(
            f"'{revision}' is no folder, and as a revision its predictions cannot be had "
            f"({error}); name a Git revision or an experiment of `dvc exp show` whose run is in "
            "DVC's cache (`dvc pull`, or `dvc repro` there), or a folder"
        ) from error
    return scratch
