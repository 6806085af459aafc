"""How the benchmarks time: our code and a named reference alternate in one process, and each counts
by its best round.

The best round, not the mean: another program on the machine makes a round longer, never shorter.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_S = 12.0  # for all rounds of one line


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


@dataclass(frozen=True)
class LeftOut:
    """A line that this machine cannot measure, and why not."""

    step: str
    reason: str


def seconds(*tasks: Callable[[], object], rounds: int = 5, most_s: float = MOST_S) -> list[float]:
    """The best time of each task over `rounds` rounds in which they take turns, after one round to
    warm up. Where another round would end after `most_s` seconds there is none, not even a second
    one: the whole table ends in minutes on a slow or busy machine too."""
    times: list[list[float]] = []  # [round][task]
    spent_s = 0.0
    while len(times) <= rounds and spent_s * (len(times) + 1) <= most_s * len(times):
        times.append([timed(task) for task in tasks])
        spent_s += sum(times[-1])
    return [min(of_task) for of_task in zip(*times[1:] or times, strict=True)]


def timed(task: Callable[[], object]) -> float:
    """How many seconds one call takes."""
    start_s = time.perf_counter()
    task()
    return time.perf_counter() - start_s
