import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from ecgpipe.diagnoses.classes import select
from ecgpipe.evaluation import challenge_score, thresholds

SHAPE = (12, 3)
LABELS = arrays(np.float64, SHAPE, elements=st.sampled_from([0.0, 1.0, np.nan]))
PROBABILITIES = arrays(
    np.float64, SHAPE, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
)


def f1(labels, probabilities, threshold):
    known = ~np.isnan(labels)
    return f1_score(labels[known], probabilities[known] >= threshold, zero_division=0.0)


@trials(max_examples=60, deadline=None)
@given(LABELS, PROBABILITIES)
def test_no_other_threshold_has_a_higher_f1_and_none_higher_up_has_the_same(labels, probabilities):
    chosen = thresholds.maximal_f1(labels, probabilities)
    for index, threshold in enumerate(chosen):
        truth, scores = labels[:, index], probabilities[:, index]
        if not (truth == 1).any():
            assert threshold == thresholds.UNDECIDED
            continue
        reached = f1(truth, scores, threshold)
        for other in np.unique(scores):
            assert reached >= f1(truth, scores, other)
            known = ~np.isnan(truth)
            if (known & (scores >= other)).sum() < (known & (scores >= threshold)).sum():
                assert reached > f1(truth, scores, other)


@trials(max_examples=60, deadline=None)
@given(LABELS, PROBABILITIES, st.floats(0, 1))
def test_rows_that_are_not_annotated_do_not_matter(labels, probabilities, other):
    changed = np.where(np.isnan(labels), other, probabilities)
    np.testing.assert_array_equal(
        thresholds.maximal_f1(labels, probabilities), thresholds.maximal_f1(labels, changed)
    )


@trials(max_examples=60, deadline=None)
@given(LABELS, PROBABILITIES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(labels, probabilities, random):
    order = random.sample(range(SHAPE[0]), SHAPE[0])
    np.testing.assert_array_equal(
        thresholds.maximal_f1(labels, probabilities),
        thresholds.maximal_f1(labels[order], probabilities[order]),
    )


def test_the_threshold_lies_between_two_probabilities_and_ties_take_the_highest():
    labels = np.array([[1.0], [0.0], [1.0], [0.0]])
    # cut after 0.8: F1 = 2/3; after 0.4: 4/5
    chosen = thresholds.maximal_f1(labels, np.array([[0.8], [0.6], [0.4], [0.2]]))
    assert chosen == pytest.approx([0.3])
    # cuts after one row and after four rows have the same F1 of 2/3: the one with fewer positive
    # answers
    tied = thresholds.maximal_f1(
        np.array([[1.0], [0.0], [0.0], [1.0]]), np.array([[0.8], [0.6], [0.4], [0.2]])
    )
    assert tied == pytest.approx([0.7])


def test_neighbouring_floats_are_told_apart():
    high = np.nextafter(0.5, 1)
    chosen = thresholds.maximal_f1(np.array([[1.0], [0.0]]), np.array([[high], [0.5]]))
    assert chosen[0] == high


def test_classes_without_positives_are_named_and_get_one_half():
    labels = np.array([[0.0, np.nan, 1.0], [0.0, np.nan, 0.0]])
    assert thresholds.without_positives(labels).tolist() == [True, True, False]
    assert thresholds.maximal_f1(labels, np.full((2, 3), 0.9)).tolist() == [0.5, 0.5, 0.45]


def test_no_rows_at_all_leave_every_class_undecided():
    assert thresholds.maximal_f1(np.empty((0, 2)), np.empty((0, 2))).tolist() == [0.5, 0.5]


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match=r"both must be \[row, class\]"):
        thresholds.maximal_f1(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"3\.0 is not in 0\.\.1 where the label is annotated"):
        thresholds.maximal_f1(np.array([[1.0]]), np.array([[3.0]]))
    with pytest.raises(ValueError, match=r"nan is not in 0\.\.1"):
        thresholds.maximal_f1(np.array([[1.0]]), np.array([[np.nan]]))


@trials(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_the_highest_threshold_of_a_sensitivity(seed, least):
    rng = np.random.default_rng(seed)
    labels = (rng.random((40, 1)) < 0.4).astype(float)
    labels[rng.random((40, 1)) < 0.2] = np.nan
    scores = rng.integers(0, 15, (40, 1)) / 15
    if not (labels == 1).any():
        return
    chosen = thresholds.at_sensitivity(labels, scores, least)[0]
    positive = scores[labels == 1]
    assert (positive >= chosen).mean() >= least - 1e-12
    known = scores[~np.isnan(labels)]
    higher = known[known > chosen]
    if len(higher) and (scores[labels == 1] < higher.min()).any():
        tighter = np.sort(np.unique(known[known >= chosen]))[1:2]
        assert not len(tighter) or (positive >= tighter[0]).mean() < least


def test_a_sensitivity_of_nine_tenths_of_ten_positives_is_nine_of_them():
    labels, scores = np.ones((10, 1)), np.arange(1, 11)[:, None] / 20
    assert (scores >= thresholds.at_sensitivity(labels, scores, 0.9)).sum() == 9


def random_case(seed, rows=120, classes=5):
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, classes)) < 0.25).astype(float)
    labels[rng.random(labels.shape) < 0.15] = np.nan
    scores = np.clip(0.3 * np.nan_to_num(labels) + rng.integers(0, 70, labels.shape) / 100, 0, 1)
    weights = challenge_score.scored_classes(
        [diagnosis.code for diagnosis in select("official")][:classes]
    ).weights
    return labels, scores, weights


@pytest.mark.parametrize("seed", range(6))
def test_no_single_threshold_betters_the_challenge_score_of_the_search(seed):
    labels, scores, weights = random_case(seed)
    chosen = thresholds.maximal_challenge(labels, scores, weights)
    best = challenge_score.challenge(labels, scores >= chosen, weights, None)
    start = challenge_score.challenge(
        labels, scores >= thresholds.maximal_f1(labels, scores), weights, None
    )
    assert best >= start
    tried = 0
    for index in range(labels.shape[1]):
        for cut in [*np.unique(scores[~np.isnan(labels[:, index]), index]), 1.01]:
            other = chosen.copy()
            other[index] = cut
            assert challenge_score.challenge(labels, scores >= other, weights, None) <= best + 1e-9
            tried += 1
    assert tried > 100


def test_the_search_answers_everything_right_where_scores_separate_the_classes():
    labels, _, weights = random_case(9)
    scores = np.nan_to_num(labels, nan=0.5) * 0.8 + 0.1
    chosen = thresholds.maximal_challenge(labels, scores, weights)
    assert challenge_score.challenge(labels, scores >= chosen, weights, None) == pytest.approx(1.0)


def test_a_class_without_positives_stays_undecided_in_every_rule():
    labels, scores, weights = random_case(3)
    labels[:, 2] = 0
    assert thresholds.maximal_challenge(labels, scores, weights)[2] == thresholds.UNDECIDED
    assert thresholds.at_sensitivity(labels, scores, 0.9)[2] == thresholds.UNDECIDED


def test_the_search_may_answer_a_class_never():
    labels = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], float)
    scores = np.array(
        [[0.9, 1.0], [0.8, 0.9], [0.1, 0.1], [0.9, 0.8]]
    )  # the second class is ranked upside down
    chosen = thresholds.maximal_challenge(labels, scores, np.eye(2))
    assert (scores[:, 1] < chosen[1]).all()
    assert chosen[1] > 1
