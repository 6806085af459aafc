"""What goes wrong at the electrodes: cables exchanged, leads that drop out.

Where leads dropped out, a recording keeps the labels of its patient; where electrodes were
exchanged, what is said of the shape of its beats is undecided. Exchanges were 0.4 % of recordings
of an outpatient clinic and 4 % of those of an intensive care unit (Rudiger et al. 2007,
doi:10.1016/j.ajem.2006.06.018); flat leads are in 1.7 % of the 88,253 public recordings of the
PhysioNet/CinC Challenge 2021 (counted).
"""

from dataclasses import dataclass

import numpy as np

from ecgpipe.project import leads

# [9, 8]: from the electrodes to the independent leads.
TO_LEADS = np.stack([leads.of_electrodes(lead) for lead in leads.INDEPENDENT], axis=1)
# [8, 9]: and back, as far as voltages between electrodes tell.
TO_ELECTRODES = np.linalg.pinv(TO_LEADS)
EXCHANGED, FLAT, LOOSE = 0.015, 0.02, 0.02  # shares of recordings; the last by our choice
LIMBS = 6  # the limb leads stand first


def exchange(placed: dict[str, str]) -> np.ndarray:
    """[8, 8]: the independent leads where an electrode named in `placed` lies where another one
    should.

    >>> leads_mv = exchange({"LA": "RA", "RA": "LA"}) @ np.arange(8.0)
    >>> leads_mv.round(9)[:2].tolist()  # lead I is turned over, II and III have changed places
    [0.0, 1.0]
    """
    names = [placed.get(name, name) for name in leads.ELECTRODES]
    order = [leads.ELECTRODES.index(name) for name in names]
    return (TO_ELECTRODES[:, order] @ TO_LEADS).T


def _swap(one: str, other: str) -> np.ndarray:
    return exchange({one: other, other: one})


# Exchanges and their shares, which are ours: both arms first, then neighbours on the chest. Where
# an arm's cable is on the right leg, it reads what the left leg does, and II or III is flat
# (Batchvarov et al. 2007, doi:10.1093/europace/eum198).
EXCHANGES = (
    (0.38, _swap("LA", "RA")),
    (0.12, _swap("LA", "LL")),
    (0.06, _swap("RA", "LL")),
    (0.07, exchange({"RA": "LL"})),
    (0.03, exchange({"LA": "LL"})),
    (0.10, _swap("V1", "V2")),
    (0.08, _swap("V2", "V3")),
    (0.05, _swap("V3", "V4")),
    (0.04, _swap("V4", "V5")),
    (0.04, _swap("V5", "V6")),
    (0.03, _swap("V1", "V3")),
)
_ENDS = np.cumsum([share for share, _ in EXCHANGES])


@dataclass(frozen=True)
class Faults:
    """What is wrong with a recording: the independent leads' exchange [8, 8] (None: none), leads
    that are flat from one share of its length to another, and an electrode that is loose from one
    to another (None: none)."""

    exchange: np.ndarray | None = None
    flat: tuple[int, ...] = ()
    flat_from: float = 0.0
    flat_to: float = 1.0
    loose: int | None = None
    loose_from: float = 0.0
    loose_to: float = 0.0

    @property
    def limbs_exchanged(self) -> bool:
        """Whether an electrode of a limb lies on another: then the axis is not the heart's."""
        return self.exchange is not None and not np.allclose(self.exchange[:2], np.eye(2, 8))


def draw_faults(rng: np.random.Generator) -> Faults:
    """One recording's faults: mostly none."""
    exchanged, flat, loose = rng.random(3) < (EXCHANGED, FLAT, LOOSE)
    where = rng.random(2) if flat and rng.random() < 0.4 else (0.0, 1.0)
    begin, lasts = rng.random(), rng.uniform(0.05, 0.5)
    return Faults(
        exchange=EXCHANGES[int(np.searchsorted(_ENDS, rng.random()))][1] if exchanged else None,
        flat=_flat(rng) if flat else (),
        flat_from=min(where),
        flat_to=max(where),
        loose=int(rng.integers(len(leads.ELECTRODES))) if loose else None,
        loose_from=begin,
        loose_to=begin + lasts,
    )


def _flat(rng: np.random.Generator) -> tuple[int, ...]:
    """Which leads drop out: one or a few of the chest, all of the chest's, or all of the limbs'."""
    fate = rng.random()
    if fate < 0.65:
        return (LIMBS + int(rng.integers(6)),)
    if fate < 0.85:
        return tuple((LIMBS + rng.permutation(6)[: rng.integers(2, 6)]).tolist())
    if fate < 0.9:
        return tuple(range(LIMBS, 12))
    return tuple(range(LIMBS))


def dropped(faults: Faults, leads_mv: np.ndarray) -> np.ndarray:
    """[12, time], in which a lead that dropped out is 0."""
    samples = leads_mv.shape[1]
    gone = slice(int(faults.flat_from * samples), int(np.ceil(faults.flat_to * samples)))
    leads_mv[list(faults.flat), gone] = 0.0
    return leads_mv
