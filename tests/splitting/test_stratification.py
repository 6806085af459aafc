import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iterstrat.ml_stratifiers import IterativeStratification

from ecgpipe.splitting import stratification

FIVE = np.array([0.2, 0.2, 0.2, 0.2, 0.2, 0.0])
FIVE_AND_TEST = np.array([0.18, 0.18, 0.18, 0.18, 0.18, 0.1])
# Positives of nine classes among 1,000 recordings, as in four hospitals' public data: frequent to
# almost absent.
HOSPITALS = {
    "a": [180, 130, 0, 90, 33, 270, 35, 0, 1],
    "b": [83, 3, 36, 18, 236, 2, 24, 7, 0],
    "c": [17, 16, 91, 3, 24, 4, 22, 183, 77],
    "d": [2, 218, 26, 0, 25, 6, 1, 16, 163],
}


def label_rows(seed: int, size: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Labels and a last column of ones, int [recordings, columns], and the source of each row."""
    generator = np.random.default_rng(seed)
    rates = np.array(list(HOSPITALS.values())) / 1000
    rows = generator.random((len(rates), size, rates.shape[1])) < rates[:, None]
    marks = np.concatenate([rows, np.ones((len(rates), size, 1), dtype=bool)], axis=2).astype(int)
    return marks.reshape(-1, marks.shape[2]), np.repeat(np.arange(len(rates)), size)


def sums_by_source(marks: np.ndarray, home: np.ndarray) -> np.ndarray:
    """Each recording its own group: int [groups, sources, columns]."""
    sums = np.zeros((len(marks), home.max() + 1, marks.shape[1]), dtype=int)
    sums[np.arange(len(marks)), home] = marks
    return sums


def deviation(
    marks: np.ndarray, home: np.ndarray, parts: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """Recordings beyond the even share, [sources, parts, columns]."""
    counts = np.zeros((home.max() + 1, len(shares), marks.shape[1]))
    np.add.at(counts, (home, parts), marks)
    return counts - shares[:, None] * counts.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shares", [FIVE, FIVE_AND_TEST], ids=["folds", "folds-and-test"])
def test_every_class_of_every_source_and_in_total_is_spread_evenly(shares):
    marks, home = label_rows(seed=1)
    parts = stratification.divide(
        sums_by_source(marks, home), home, shares, np.random.default_rng(0)
    )
    off = deviation(marks, home, parts, shares)
    assert np.abs(off).max() <= 2
    assert np.abs(off.sum(axis=0)).max() <= 3
    folds = np.bincount(parts, minlength=6)[:5]
    assert folds.max() <= 1.01 * folds.min()


def test_it_is_at_least_as_even_as_the_iterstrat_package_on_single_recordings():
    marks, home = label_rows(seed=2)
    ours = stratification.divide(sums_by_source(marks, home), home, FIVE, np.random.default_rng(0))
    theirs = np.empty(len(marks), dtype=int)
    for source in range(home.max() + 1):
        rows = marks[home == source][:, :-1].astype(bool)
        theirs[home == source] = IterativeStratification(
            rows, FIVE[:5].copy(), np.random.RandomState(0)
        )
    mine, other = (deviation(marks, home, parts, FIVE) for parts in (ours, theirs))
    assert (mine**2).sum() <= (other**2).sum()
    assert (mine.sum(axis=0) ** 2).sum() <= (other.sum(axis=0) ** 2).sum()


def test_iteration_alone_is_about_as_even_as_the_iterstrat_package():
    marks, home = label_rows(seed=3)
    rows, shares = marks[home == 0], FIVE[:5]
    one_source = np.zeros(len(rows), dtype=int)
    ours, theirs = [], []
    for seed in range(8):
        counts = stratification.iterate(
            rows, np.ones(len(rows), dtype=int), shares, np.random.default_rng(seed)
        )
        assert (counts.sum(axis=1) == 1).all()
        parts = IterativeStratification(
            rows[:, :-1].astype(bool), shares.copy(), np.random.RandomState(seed)
        )
        for kept, found in ((ours, counts.argmax(axis=1)), (theirs, parts)):
            kept.append((deviation(rows, one_source, found, shares) ** 2).sum())
    assert np.mean(ours) <= 1.2 * np.mean(theirs)


def test_large_groups_are_spread_as_evenly_as_their_sizes_allow():
    generator = np.random.default_rng(4)
    sizes = np.concatenate([[40, 30, 30, 20, 20, 10], np.ones(850, dtype=int)])
    sums = np.stack(
        [generator.binomial(sizes, 0.3), generator.binomial(sizes, 0.05), sizes], axis=1
    )[:, None]
    parts = stratification.divide(sums, np.zeros(len(sizes), dtype=int), FIVE, generator)
    off = deviation(sums[:, 0], np.zeros(len(sizes), dtype=int), parts, FIVE)
    assert np.abs(off).max() <= 2


def test_members_in_other_sources_are_counted_there():
    generator = np.random.default_rng(5)
    marks, home = label_rows(seed=5, size=400)
    sums = sums_by_source(marks, home)
    followers = generator.choice(len(sums), 200, replace=False)
    sums[followers, (home[followers] + 1) % 4] = marks[generator.choice(len(marks), 200)]
    parts = stratification.divide(sums, home, FIVE, generator)
    counts = np.stack([sums[parts == part].sum(axis=0) for part in range(5)])
    assert np.abs(counts - counts.mean(axis=0)).max() <= 3


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_an_exchange_never_worsens_the_sum_of_squares_and_keeps_every_group(data):
    kinds, parts = data.draw(st.integers(1, 6)), data.draw(st.integers(2, 4))
    generator = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    vectors = generator.integers(0, 4, (kinds, 3))
    counts = generator.integers(0, 5, (kinds, parts))
    even = counts.sum(axis=1) @ vectors / parts
    better = stratification.exchange(vectors, counts, counts.T @ vectors - even)
    assert (better >= 0).all()
    assert (better.sum(axis=1) == counts.sum(axis=1)).all()
    assert ((better.T @ vectors - even) ** 2).sum() <= (
        (counts.T @ vectors - even) ** 2
    ).sum() + 1e-9


def test_the_seed_decides_which_of_equal_groups_goes_where():
    marks, home = label_rows(seed=6, size=200)
    first, again, other = (
        stratification.divide(sums_by_source(marks, home), home, FIVE, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()
