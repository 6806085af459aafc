"""The network that learnt from simulated hearts alone (data/pretrained), which answers where
nothing was trained yet; and what is said of it then.

Its scores on real recordings stand in a file beside its folder (`on_real_of`), which
`python -m tests.benchmarks.pretrained_on_real` writes: `weights` (the SHA-256 of the weights that
were scored), `sources` (source -> recordings) and `scores` as `pretraining.card.scores` has them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ecgpipe.project import digests, json_objects, params, paths
from ecgpipe.project.errors import UserError
from ecgpipe.project.params import Section

_MADE = "made from simulated hearts alone"
_NOT_FOR = "not for patients"
REMARK = f"{_MADE}; {_NOT_FOR}"
_Share = Annotated[float, Field(ge=0, le=1)]


class _Mean(Section):
    """A mean AUROC and the ends of its interval."""

    auroc: _Share
    low: _Share
    high: _Share


class _Scores(Section):
    """What of the scores is used."""

    model_config = ConfigDict(extra="ignore")
    recordings: int = Field(ge=1)
    classes_of_mean: int = Field(ge=1)
    auroc_macro: _Mean


class _OnReal(Section):
    """What of pretrained_on_real.json is used."""

    model_config = ConfigDict(extra="ignore")
    weights: str
    sources: dict[str, Annotated[int, Field(ge=1)]] = Field(min_length=1)
    scores: _Scores


def is_one(folder: Path) -> bool:
    """Whether a folder is that of a pretrained network: one model with its operating point."""
    files = ("model.json", paths.OPERATING.name)
    return all((Path(folder) / name).is_file() for name in files)


def chosen(folder: Path) -> Path:
    """The folder whose models answer: data/pretrained where `folder` is data/models, none are
    there, and the other is; else `folder` itself."""
    trained = list(Path(folder).glob(f"{paths.fold_folder('*')}/model.json"))
    wants_default = Path(folder) == paths.MODELS
    return (
        paths.PRETRAINED if wants_default and not trained and is_one(paths.PRETRAINED) else folder
    )


def told(asked: Path, folder: Path) -> Sequence[str]:
    """What people are told of the models in `folder` where `asked` was named: one line of a
    pretrained network, none of others. UserError where the file of real scores is damaged."""
    if not is_one(folder):
        return []
    why = "" if Path(asked) == Path(folder) else f"nothing is trained in {asked} yet, so "
    return [f"{why}{folder} answers: {_MADE}; {_on_real(folder)}; {_NOT_FOR}"]


def on_real_of(folder: Path) -> Path:
    """The file of the scores of a pretrained network on real recordings.

    >>> on_real_of(Path("data/pretrained")).as_posix()
    'data/pretrained_on_real.json'
    """
    return Path(folder).with_name(f"{Path(folder).name}_on_real.json")


def _on_real(folder: Path) -> str:
    """How good it was on real recordings, in words."""
    path = on_real_of(folder)
    unscored = "not scored on real recordings"
    if not path.is_file():
        return unscored
    scored = _read(path)
    if scored.weights != digests.recorded(folder / "weights.safetensors"):
        return unscored
    scores, mean = scored.scores, scored.scores.auroc_macro
    return (
        f"on {scores.recordings} real recordings of {len(scored.sources)} sources its mean AUROC "
        f"over {scores.classes_of_mean} classes was {mean.auroc:.3f} ({mean.low:.3f} to "
        f"{mean.high:.3f})"
    )


def _read(path: Path) -> _OnReal:
    step = f"bring it back with `git checkout {path}`, or remove it"
    said: dict[str, Any] = json_objects.parse(path.read_bytes(), path, step)
    wrong = params.faults(_OnReal, said)
    if wrong:
        raise UserError(f"{path}: {params.in_one_line(wrong)}; {step}")
    return _OnReal.model_validate(said)
