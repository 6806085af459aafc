"""How rounds are counted, and that a slow machine ends in time all the same."""

import pytest

from tests.benchmarks import measuring


@pytest.fixture
def clock(monkeypatch):
    """A clock that tasks set forward: `clock.append(seconds)`."""
    spent = []
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: sum(spent))
    return spent


def task(clock, lengths, calls):
    """A task that takes the next of `lengths` seconds at each call."""

    def call():
        calls.append(lengths[len(calls)])
        clock.append(calls[-1])

    return call


def test_the_best_round_counts_and_the_first_warms_up(clock):
    ours, theirs = [], []
    found = measuring.seconds(
        task(clock, [0.1, 0.5, 0.3, 0.4], ours), task(clock, [1, 2, 3, 4], theirs), rounds=3
    )
    assert found == pytest.approx([0.3, 2])
    assert len(ours) == len(theirs) == 4


@pytest.mark.parametrize(("length_s", "rounds"), [(1, 5), (2, 5), (4, 3), (5, 2), (7, 1), (60, 1)])
def test_no_round_begins_that_would_end_too_late(length_s, rounds, clock):
    calls = []
    found = measuring.seconds(task(clock, [length_s] * 9, calls), rounds=4, most_s=12.0)
    assert found == pytest.approx([length_s])
    assert len(calls) == rounds
