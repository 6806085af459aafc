import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

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


def test_it_is_more_even_than_the_iterstrat_package_alone_on_single_recordings():
    marks, home = label_rows(seed=2)
    ours = stratification.divide(sums_by_source(marks, home), home, FIVE, np.random.default_rng(0))
    joint = sums_by_source(marks, home)[:, :, :-1].reshape(len(marks), -1)
    theirs = np.empty(len(marks), dtype=int)
    dealer = MultilabelStratifiedKFold(n_splits=5, shuffle=True, random_state=0)
    for fold, (_, held_out) in enumerate(dealer.split(joint, joint)):
        theirs[held_out] = fold
    mine, other = (deviation(marks, home, parts, FIVE) for parts in (ours, theirs))
    assert (mine**2).sum() < (other**2).sum()
    assert (mine.sum(axis=0) ** 2).sum() < (other.sum(axis=0) ** 2).sum()


def people(seed: int, size: int = 1000) -> np.ndarray:
    """Of `size` people of one hospital with 1 to 12 recordings each, who mostly keep their
    labels: counts of its four frequent classes and number of recordings, int [people, columns]."""
    generator = np.random.default_rng(seed)
    number = np.minimum(generator.geometric(0.4, size), 12)
    rates = np.array([rate for rate in HOSPITALS["a"] if rate > 50]) / 1000
    kept = (generator.random((size, len(rates))) < rates) * generator.binomial(number[:, None], 0.8)
    return np.column_stack([kept, number])


def test_groups_of_recordings_are_dealt_more_evenly_by_counts_than_by_labels_they_ever_have():
    by_count, by_union = [], []
    for seed in range(8):
        sums = people(seed)
        union = (sums[:, :-1] > 0).astype(int)
        alone = np.zeros(len(sums), dtype=int)
        for shown, kept in ((sums, by_count), (np.column_stack([union, alone + 1]), by_union)):
            parts = stratification.deal(shown, FIVE[:5], np.random.default_rng(seed))
            kept.append((deviation(sums, alone, parts, FIVE) ** 2).sum())
    assert np.mean(by_count) < 0.5 * np.mean(by_union)


@pytest.mark.parametrize("shares", [FIVE, FIVE_AND_TEST], ids=["folds", "folds-and-test"])
def test_people_of_several_recordings_are_spread_as_evenly_as_recordings(shares):
    home = np.repeat([0, 1], 1000)
    rows = np.concatenate([people(1), people(2)])
    parts = stratification.divide(
        sums_by_source(rows, home), home, shares, np.random.default_rng(0)
    )
    off = deviation(rows, home, parts, shares)
    assert np.abs(off).max() <= 2
    assert np.abs(off.sum(axis=0)).max() <= 3
    folds = np.bincount(parts, weights=rows[:, -1])[:5]
    assert folds.max() <= 1.01 * folds.min()


def test_all_but_a_few_groups_stay_where_the_iterstrat_package_dealt_them():
    marks, home = label_rows(seed=3)
    evened = stratification.divide(
        sums_by_source(marks, home), home, FIVE, np.random.default_rng(0)
    )
    generator = np.random.default_rng(0)
    sources = [marks[home == source] for source in range(home.max() + 1)]
    dealt = [stratification.deal(rows, FIVE[:5], generator) for rows in sources]
    assert 0 < (np.concatenate(dealt) != evened).mean() < 0.05


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_more_groups_move_than_the_counts_of_their_kinds_ask_for(data):
    generator = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    kinds, parts = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 4))
    kind = np.concatenate([np.arange(kinds), generator.integers(0, kinds, 30)])
    dealt, aim = generator.integers(0, parts, (2, len(kind)))
    before, counts = np.zeros((2, kinds, parts), dtype=int)
    np.add.at(before, (kind, dealt), 1)
    np.add.at(counts, (kind, aim), 1)
    moved = stratification.move(kind, dealt, counts)
    after = np.zeros_like(counts)
    np.add.at(after, (kind, moved), 1)
    assert (after == counts).all()
    assert (moved != dealt).sum() == np.abs(counts - before).sum() // 2


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
