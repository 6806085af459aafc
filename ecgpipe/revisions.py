"""Runs to be compared: the split and the predictions of a folder, of a Git revision or of a DVC experiment."""

from pathlib import Path

from ecgpipe import layout
from ecgpipe.params import PARAMS

_NEEDED = (layout.FOLDS, layout.FOLDS_INFO, layout.PREDICTIONS)


def locate(name: str, scratch: Path) -> Path:
    """The root of a project tree that holds the run `name`: of a folder, or a revision brought below `scratch`.

    A folder is a project (data/folds.csv, data/folds.json, data/predictions, and params.yaml where it has one), its
    `data` or its `data/predictions`; a revision is what Git or `dvc exp` call one, its data in DVC's cache. ValueError
    where either lacks them.
    """
    folder = Path(name).resolve()
    if folder.is_dir():
        for root in (folder, folder.parent, folder.parent.parent):
            missing = [str(path) for path in _NEEDED if not (root / path).exists()]
            if not missing and (folder == root or folder in (root / layout.PREDICTIONS, root / layout.FOLDS.parent)):
                return root
        absent = ", ".join(str(path) for path in _NEEDED if not (folder / path).exists())
        raise ValueError(f"{name}: no {absent} in this folder; name a project in which dvc repro ran")
    return _fetch(name, Path(scratch))


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
        raise ValueError(
            f"'{revision}' is no folder, and no revision whose predictions can be had ({error}); name a Git revision "
            "or an experiment of `dvc exp show` whose run is in DVC's cache (`dvc pull`), or a project folder"
        ) from error
    return scratch
