import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from ecgpipe import thresholds

SHAPE = (12, 3)
LABELS = arrays(np.float64, SHAPE, elements=st.sampled_from([0.0, 1.0, np.nan]))
PROBABILITIES = arrays(np.float64, SHAPE, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]))


def f1(labels, probabilities, threshold):
    known = ~np.isnan(labels)
    return f1_score(labels[known], probabilities[known] >= threshold, zero_division=0.0)


@settings(max_examples=60, deadline=None)
@given(LABELS, PROBABILITIES)
def test_no_other_threshold_has_a_higher_f1_and_none_higher_up_has_the_same(labels, probabilities):
    found = thresholds.maximal_f1(labels, probabilities)
    for index, threshold in enumerate(found):
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


@settings(max_examples=60, deadline=None)
@given(LABELS, PROBABILITIES, st.floats(0, 1))
def test_rows_that_are_not_annotated_do_not_matter(labels, probabilities, other):
    changed = np.where(np.isnan(labels), other, probabilities)
    np.testing.assert_array_equal(thresholds.maximal_f1(labels, probabilities), thresholds.maximal_f1(labels, changed))


@settings(max_examples=60, deadline=None)
@given(LABELS, PROBABILITIES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(labels, probabilities, random):
    order = random.sample(range(SHAPE[0]), SHAPE[0])
    np.testing.assert_array_equal(
        thresholds.maximal_f1(labels, probabilities), thresholds.maximal_f1(labels[order], probabilities[order])
    )


def test_the_threshold_lies_between_two_probabilities_and_ties_take_the_highest():
    labels = np.array([[1.0], [0.0], [1.0], [0.0]])
    # cut after 0.8: F1 = 2/3; after 0.4: 4/5
    found = thresholds.maximal_f1(labels, np.array([[0.8], [0.6], [0.4], [0.2]]))
    assert found == pytest.approx([0.3])
    # cuts after one row and after four rows have the same F1 of 2/3: the one with fewer positive answers
    tied = thresholds.maximal_f1(np.array([[1.0], [0.0], [0.0], [1.0]]), np.array([[0.8], [0.6], [0.4], [0.2]]))
    assert tied == pytest.approx([0.7])


def test_neighbouring_floats_are_told_apart():
    high = np.nextafter(0.5, 1)
    found = thresholds.maximal_f1(np.array([[1.0], [0.0]]), np.array([[high], [0.5]]))
    assert found[0] == high


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
