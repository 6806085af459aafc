"""What a message recommends where something that a run wrote is damaged or of another form: to make
that alone again. `dvc repro -f` without a stage would run all of them, and pretrain for an hour."""

import os
from pathlib import Path

from ecgpipe.project.paths import CHECKPOINTS, PRETRAINED


def of_no_stage(path: Path) -> str | None:
    """How a file or folder comes back that `dvc repro` is not to make: the pretrained network, from
    Git, and what one unfinished stage keeps for itself; None of any other.

    >>> of_no_stage(Path("data/pretrained/model.json"))
    'bring it back with `git checkout data/pretrained`'
    """
    around = _around(path)
    if Path.cwd() / PRETRAINED in around:
        return f"bring it back with `git checkout {PRETRAINED}`"
    if Path.cwd() / CHECKPOINTS in around:
        return "remove its folder and give the same command again"
    return None


def again(path: Path, stage: str) -> str:
    """How a file or folder that a `stage` makes, such as `train`, comes back.

    >>> again(Path("data/models/fold-0"), "train")
    'make it again with `dvc repro -s -f train`, then `dvc repro`'
    >>> again(Path("/theirs/fold-0"), "train")
    'make it again in the project that it comes from'
    """
    if Path.cwd() not in _around(path):
        return "make it again in the project that it comes from"
    return of_no_stage(path) or f"make it again with `dvc repro -s -f {stage}`, then `dvc repro`"


def _around(path: Path) -> list[Path]:
    """A place and all folders that it lies in, absolute."""
    place = Path(os.path.normpath(Path.cwd() / path))
    return [place, *place.parents]
