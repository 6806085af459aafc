"""Dividing groups of recordings from several sources so that every label and every source is spread
evenly.

Inside each source, groups of equal label counts are one kind. Kinds are dealt out in whole rounds,
what remains by iterative stratification over the groups' label counts (Sechidis et al. 2011,
doi:10.1007/978-3-642-23808-6_10); the source's parts are laid beside those of the other sources
where the totals stay evenest (an assignment problem), and exchanges of two groups lower what
deviation is left. Only numbers per kind are decided, so time grows with kinds, not with recordings;
which groups of a kind go where is drawn at the end.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

# How much the evenness of the totals counts beside the evenness inside each source, in squared
# deviations.
TOTALS = 0.5
# Exchanges are sought among this many most promising kinds on each side, which bounds the time.
CANDIDATES = 256


def divide(
    sums: np.ndarray, home: np.ndarray, shares: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """The part of each group, int [groups].

    sums: label counts and number (last) of each group's members in each source, int [groups,
    sources, columns]. home: the source inside which a group is divided, int [groups]; its members
    elsewhere follow it. shares: what each part is to get, adding up to 1; equal all but the last
    (the test part), which may be 0.
    """
    used = np.flatnonzero(shares > 0)
    folds = np.flatnonzero(used < len(shares) - 1)
    sizes = np.bincount(home, weights=sums[:, :, -1].sum(axis=1))
    places = [place for place in np.argsort(-sizes, kind="stable") if sizes[place]]
    homes = [np.flatnonzero(home == place) for place in places]
    kinds = [_kinds(sums[here]) for here in homes]
    vectors = [kind[0] for kind in kinds]
    counts = [
        iterate(kind[0][:, at], kind[2], shares[used], generator)
        for at, kind in zip(places, kinds, strict=True)
    ]
    for turn in [*range(len(homes))] * 2:
        deviations = [_deviation(*pair, shares[used]) for pair in zip(vectors, counts, strict=True)]
        others = sum(deviations) - deviations[turn]
        counts[turn] = _settle(vectors[turn], counts[turn], shares[used], others, folds)
    parts = np.empty(len(sums), dtype=int)
    for here, kind, count in zip(homes, kinds, counts, strict=True):
        order = generator.permutation(len(here))
        order = order[np.argsort(kind[1][order], kind="stable")]
        parts[here[order]] = np.repeat(np.tile(used, len(count)), count.reshape(-1))
    return parts


def _kinds(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different rows of sums [groups, sources, columns], which of them each group is, and how
    many are each."""
    flat = sums.reshape(len(sums), -1)
    live = flat.any(axis=0)
    rows, kind, number = np.unique(flat[:, live], axis=0, return_inverse=True, return_counts=True)
    vectors = np.zeros((len(rows), flat.shape[1]), dtype=int)
    vectors[:, live] = rows
    return vectors.reshape(len(rows), *sums.shape[1:]), kind.reshape(-1), number


def _deviation(vectors: np.ndarray, counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What each part holds beyond its share: float64 [parts, sources, columns] of counts [kinds,
    parts] of vectors."""
    flat = vectors.reshape(len(vectors), -1)
    excess = counts.T @ flat - np.outer(shares, counts.sum(axis=1) @ flat)
    return excess.reshape(len(shares), *vectors.shape[1:])


def _with_totals(values: np.ndarray) -> np.ndarray:
    """[rows, sources, columns] -> [rows, sources * columns + columns]: the weighted totals over
    sources behind them."""
    return np.hstack([values.reshape(len(values), -1), np.sqrt(TOTALS) * values.sum(axis=1)])


def _settle(
    vectors: np.ndarray,
    counts: np.ndarray,
    shares: np.ndarray,
    others: np.ndarray,
    folds: np.ndarray,
) -> np.ndarray:
    """The counts [kinds, parts] of one source, fitted to what the groups at home in other sources
    deviate.

    Parts `folds` have equal shares, so they may change places as a whole; then single groups are
    exchanged.
    """
    wide, beside = _with_totals(vectors), _with_totals(others)
    own = _with_totals(_deviation(vectors, counts, shares))
    cost = ((beside[folds, None] + own[None, folds]) ** 2).sum(
        axis=2
    )  # [place, fold that takes it]
    taken = folds[linear_sum_assignment(cost.round(6))[1]]
    counts, own = counts.copy(), own.copy()
    counts[:, folds], own[folds] = counts[:, taken], own[taken]
    live = wide.any(axis=0)
    return exchange(wide[:, live], counts, (beside + own)[:, live])


def iterate(
    vectors: np.ndarray, number: np.ndarray, shares: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """How many of the `number` groups of each kind each part gets, int [kinds, parts], by iterative
    stratification.

    Whole rounds of equal groups first; then the label with fewest remaining recordings, its largest
    groups first, each to the part that wants the label most, then to the one that wants most
    recordings (last column), then by chance.
    """
    counts = np.floor(np.outer(number, shares) + 1e-9).astype(int)
    rest = number - counts.sum(axis=1)
    wanted = np.outer(shares, number @ vectors) - counts.T @ vectors
    while rest.any():
        remaining = rest @ vectors
        label = int(np.argmin(np.where(remaining > 0, remaining, np.inf)))
        chosen = np.flatnonzero((rest > 0) & (vectors[:, label] > 0))
        chosen = chosen[np.argsort(-vectors[chosen, label], kind="stable")]
        for kind in np.repeat(chosen, rest[chosen]):
            keys = (
                generator.random(len(shares)),
                wanted[:, -1].round(6),
                wanted[:, label].round(6),
            )
            part = np.lexsort(keys)[-1]
            counts[kind, part] += 1
            wanted[part] -= vectors[kind]
        rest[chosen] = 0
    return counts


def exchange(vectors: np.ndarray, counts: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """`counts` [kinds, parts] after the exchanges that lower the sum of the squared deviations
    [parts, columns].

    Giving w = v_p - v_q from part a to part b changes that sum by 2 |w|^2 - 2 w . (d_a - d_b). The
    kind of nothing is one of those exchanged, so that single groups move too. For every pair of
    parts the best exchange is made until none helps; each lowers the sum, so it ends. Gains are
    rounded so that ties fall alike on every machine.
    """
    vectors = np.vstack([vectors, np.zeros(vectors.shape[1])])
    counts = np.vstack([counts, np.full(counts.shape[1], np.iinfo(np.int64).max // 2)])
    deviation = deviation.copy()
    square = (vectors**2).sum(axis=1)
    pairs = [(a, b) for a in range(counts.shape[1]) for b in range(a)]
    waiting = list(pairs)
    while waiting:
        a, b = waiting.pop(0)
        slope = (vectors @ (deviation[a] - deviation[b])).round(6)
        give = _promising(square - slope, counts[:, a])
        take = _promising(square + slope, counts[:, b])
        gain = (
            (square - slope)[give][:, None]
            + (square + slope)[take]
            - 2 * vectors[give] @ vectors[take].T
        )
        p, q = np.unravel_index(np.argmin(gain.round(6)), gain.shape)
        if gain[p, q] < -1e-6:
            p, q = give[p], take[q]
            counts[[p, q, p, q], [a, b, b, a]] += np.array([-1, -1, 1, 1])
            moved = vectors[p] - vectors[q]
            deviation[a] -= moved
            deviation[b] += moved
            waiting += [pair for pair in pairs if {a, b} & set(pair) and pair not in waiting]
    return counts[:-1]


def _promising(change: np.ndarray, available: np.ndarray) -> np.ndarray:
    """The kinds that a part has, at most CANDIDATES, those of the least change first."""
    having = np.flatnonzero(available > 0)
    return having[np.argsort(change[having].round(6), kind="stable")[:CANDIDATES]]
