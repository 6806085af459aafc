"""Which sources are one institution: they share an origin, so that a model is tested elsewhere only
where all of them are held out.

The params name them (`split.institutions`); a source that stands in none of these sets is an
institution of its own. Those of the params files are pairs that the PhysioNet/CinC Challenge 2021
lists as one source each (https://physionet.org/content/challenge-2021/1.0.3): CPSC and CPSC-Extra,
PTB and PTB-XL, Chapman-Shaoxing and Ningbo.
"""

from collections.abc import Mapping, Sequence

from ecgpipe.project.errors import UserError
from ecgpipe.splitting.params import SplitParams

Institutions = Sequence[Sequence[str]]


def of(sources: Sequence[str], institutions: Institutions) -> list[list[str]]:
    """`sources` by institution, each source once and each institution in the order of its names;
    names in `institutions` that are not in `sources` are ignored.

    >>> of(["ptb", "georgia", "ptb-xl"], [["ptb", "ptb-xl"], ["ningbo", "chapman_shaoxing"]])
    [['georgia'], ['ptb', 'ptb-xl']]
    """
    place = {name: min(institution) for institution in institutions for name in institution}
    members: dict[str, list[str]] = {}
    for name in sorted(set(sources)):
        members.setdefault(place.get(name, name), []).append(name)
    return sorted(members.values())


def deal_to_folds(
    sizes: Mapping[str, int], institutions: Institutions, folds: int
) -> dict[str, str]:
    """The fold ('0', '1', ...) of each source in `sizes` (recordings): institutions whole, the
    largest first, each to the emptiest of `folds` folds. Where they are fewer than the folds, the
    last folds stay unused.

    UserError where all sources are one institution: nothing could be trained on.
    """
    whole = of(list(sizes), institutions)
    if len(whole) < 2:
        raise UserError(
            "split.protocol 'source' holds out whole institutions and needs 2 at least, "
            f"found {_written(whole)}; add another to data.sources, "
            "or edit split.institutions or split.test_sources"
        )

    def recordings(institution: list[str]) -> int:
        return sum(sizes[name] for name in institution)

    filled = [0] * folds
    dealt: dict[str, str] = {}
    for institution in sorted(whole, key=lambda names: (-recordings(names), names)):
        fold = filled.index(min(filled))
        filled[fold] += recordings(institution)
        dealt |= dict.fromkeys(institution, str(fold))
    return dealt


def partly_tested(
    tested: Sequence[str], sources: Sequence[str], institutions: Institutions
) -> list[str]:
    """A fault for each institution of which `tested` (split.test_sources) names some of the
    `sources` in use and not all: its other sources would stand in the folds."""
    return _partly("split.test_sources", "tested", tested, of(sources, institutions))


def partly_held_out(params: SplitParams, sources: Sequence[str]) -> list[str]:
    """A fault for each institution among the `sources` in use that is to be held out, in the test
    part or by protocol `source`, and of which some source is trained on all the same."""
    whole = of(sources, params.institutions)
    faults = partly_tested(params.test_sources, sources, params.institutions)
    if params.protocol == "source":
        faults += _partly("split.train_sources", "trained on", params.train_sources, whole)
    return faults


def _partly(setting: str, what: str, named: Sequence[str], institutions: Institutions) -> list[str]:
    faults = []
    for institution in institutions:
        rest = [name for name in institution if name not in named]
        if rest and len(rest) < len(institution):
            faults.append(
                f"{setting}: institution {_written([institution])} is to be {what} whole "
                f"or not at all, and {', '.join(rest)} is not named; name all of it, "
                "or edit split.institutions"
            )
    return faults


def _written(institutions: Institutions) -> str:
    return ", ".join(f"[{', '.join(names)}]" for names in institutions)
