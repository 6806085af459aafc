"""Dividing groups of recordings from several sources, every label and every source spread evenly.

Inside each source, the package iterative-stratification deals the groups (Sechidis et al. 2011,
doi:10.1007/978-3-642-23808-6_10). It knows labels that a row has or has not, so a group of several
recordings is shown to it by how many of them have a label (`count_columns`).

It evens numbers of groups, one source at a time. What then is off in recordings, or in the totals
over sources, is lowered by exchanges of two groups of a source (`even`). Groups of equal counts are
one kind, and exchanges are sought among kinds, so their time grows with kinds, not with recordings;
no more groups leave the part that they were dealt to than must (`move`).
"""

import itertools
from collections.abc import Sequence

import numpy as np

# How much the evenness of the totals counts beside that inside each source, in squared deviations.
TOTALS = 0.5
# Exchanges are sought among this many most promising kinds on each side, which bounds the time.
CANDIDATES = 256


def divide(
    sums: np.ndarray, home: np.ndarray, shares: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """The part of each group, int [groups].

    sums: label counts and number (last) of each group's members in each source,
    int [groups, sources, columns]. home: the source inside which a group is divided, int [groups];
    its members elsewhere follow it. shares: what each part is to get, adding up to 1; 0 for none.
    """
    used = np.flatnonzero(shares > 0)
    shares = shares[used]
    homes = [np.flatnonzero(home == source) for source in np.unique(home)]
    parts = [deal(sums[here, home[here[0]]], shares, generator) for here in homes]
    vectors, kinds = zip(*(_kinds(sums[here]) for here in homes), strict=True)
    dealt = [_count(*pair, len(shares)) for pair in zip(kinds, parts, strict=True)]
    counts = even(vectors, dealt, shares)
    done = np.empty(len(sums), dtype=int)
    for here, kind, part, count in zip(homes, kinds, parts, counts, strict=True):
        done[here] = used[move(kind, part, count)]
    return done


def deal(sums: np.ndarray, shares: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The part of each group of one source, int [groups], by iterative stratification.

    sums: label counts and number (last) of each group's members, int [groups, columns].
    """
    # Not above: it brings scikit-learn, half a second that protocol `source` has no use for.
    from iterstrat.ml_stratifiers import IterativeStratification

    order = generator.permutation(len(sums))  # the library takes equal groups in the order of rows
    state = np.random.RandomState(generator.bit_generator)
    part = np.empty(len(sums), dtype=int)
    part[order] = IterativeStratification(count_columns(sums)[order], shares, state)
    return part


def count_columns(sums: np.ndarray) -> np.ndarray:
    """Counts [groups, columns] as what a group has or has not, bool [groups, labels]: at least 1,
    2, 4, 8, ... recordings.

    Columns in which all groups are alike are left out, as of a class that the source never
    annotates. The highest counts are the rarest labels, which iterative stratification spreads
    first. Of single recordings these are their own labels.

    >>> count_columns(np.array([[0, 1], [1, 1], [3, 5]])).astype(int)
    array([[0, 0, 0, 0],
           [1, 0, 0, 0],
           [1, 1, 1, 1]])
    """
    least = 2 ** np.arange(int(sums.max(initial=1)).bit_length())
    labels = (sums >= least[:, None, None]).transpose(1, 0, 2).reshape(len(sums), -1)
    return labels[:, labels.any(axis=0) & ~labels.all(axis=0)]


def _kinds(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different rows of sums [groups, sources, columns], and the row of each group [groups]."""
    flat = sums.reshape(len(sums), -1)
    live = flat.any(axis=0)
    rows, kind = np.unique(flat[:, live], axis=0, return_inverse=True)
    vectors = np.zeros((len(rows), flat.shape[1]), dtype=int)
    vectors[:, live] = rows
    return vectors.reshape(len(rows), *sums.shape[1:]), kind.reshape(-1)


def _count(kind: np.ndarray, part: np.ndarray, parts: int) -> np.ndarray:
    """How many groups of each kind each part has, int [kinds, parts]."""
    cell = kind * parts + part
    return np.bincount(cell, minlength=(kind.max() + 1) * parts).reshape(-1, parts)


def move(kind: np.ndarray, part: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The part of each group, int [groups], after the fewest moves to `counts` [kinds, parts].

    Of the groups of a kind that a part has too many of, the last ones leave.
    """
    parts = counts.shape[1]
    before = _count(kind, part, parts)
    order = np.lexsort((part, kind))
    first = np.cumsum(before) - before.reshape(-1)  # of each kind and part, its place in `order`
    cell = (kind * parts + part)[order]
    leaves = np.arange(len(order)) - first[cell] >= counts.reshape(-1)[cell]
    vacant = np.maximum(counts - before, 0)
    moved = part.copy()
    moved[order[leaves]] = np.repeat(np.tile(np.arange(parts), len(counts)), vacant.reshape(-1))
    return moved


def _deviation(vectors: np.ndarray, counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """What each part holds beyond its share, float64 [parts, sources, columns].

    vectors: one group of each kind [kinds, sources, columns]. counts: groups [kinds, parts].
    """
    flat = vectors.reshape(len(vectors), -1)
    excess = counts.T @ flat - np.outer(shares, counts.sum(axis=1) @ flat)
    return excess.reshape(len(shares), *vectors.shape[1:])


def _with_totals(values: np.ndarray) -> np.ndarray:
    """[rows, sources, columns] -> [rows, sources * columns + columns], the weighted totals last."""
    return np.hstack([values.reshape(len(values), -1), np.sqrt(TOTALS) * values.sum(axis=1)])


def even(
    vectors: Sequence[np.ndarray], dealt: Sequence[np.ndarray], shares: np.ndarray
) -> list[np.ndarray]:
    """The counts [kinds, parts] of each source after exchanges, by turns until none helps any.

    Of each source, vectors: the sums [kinds, sources, columns] of one group of each kind; dealt:
    how many groups of each kind each part has [kinds, parts].
    """
    counts = list(dealt)
    deviations = [_deviation(*pair, shares) for pair in zip(vectors, counts, strict=True)]
    turns = itertools.cycle(range(len(counts)))
    settled = 0  # sources in a row that nothing helps; what is exchanged in one changes the totals
    while settled < len(counts):
        turn = next(turns)
        own = _with_totals(vectors[turn])
        live = own.any(axis=0)
        before = counts[turn]
        counts[turn] = exchange(own[:, live], before, _with_totals(sum(deviations))[:, live])
        deviations[turn] = _deviation(vectors[turn], counts[turn], shares)
        settled = settled + 1 if (counts[turn] == before).all() else 1
    return counts


def exchange(vectors: np.ndarray, counts: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """`counts` [kinds, parts] after the exchanges that lower the sum of the squared `deviation`
    [parts, columns] of groups `vectors` [kinds, columns].

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
