"""How the benchmarks time: our code and a named reference alternate in one process, and each counts
by its best round.

The best round, not the mean: another program on the machine makes a round longer, never shorter.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: `ours` and `reference` in `unit`; `limit` what the machine could do at
    most, in the same unit, and `limited_by` what sets it ('' where none was measured)."""

    step: str
    unit: str
    reference_name: str
    reference: float
    ours: float
    aim: str
    limit: float | None = None
    limited_by: str = ""


def seconds(*tasks: Callable[[], object], rounds: int = 5) -> list[float]:
    """The best time of each task over `rounds` rounds in which they take turns, after one round to
    warm up."""
    best = [float("inf")] * len(tasks)
    for number in range(rounds + 1):
        for index, task in enumerate(tasks):
            start = time.perf_counter()
            task()
            if number:
                best[index] = min(best[index], time.perf_counter() - start)
    return best
