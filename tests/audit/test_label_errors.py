"""Suspects against labels flipped on purpose, and margins worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.audit import label_errors


def answered(rng, truth, skill=3.0):
    """Probabilities of a model that tells the classes apart, too high as a whole."""
    return 1 / (1 + np.exp(-(rng.normal(size=truth.shape) + skill * (2 * truth - 1) + 1)))


def test_suspects_are_flipped_labels_and_most_of_those_are_found():
    rng = np.random.default_rng(1)
    truth = (rng.random((600, 2)) < (0.3, 0.1)).astype(float)
    labels = truth.copy()
    flipped = rng.choice(600, 12, replace=False)
    labels[flipped, 0] = 1 - labels[flipped, 0]
    suspects = label_errors.find(labels, answered(rng, truth)).suspects
    assert set(suspects["row"]) <= set(flipped)
    assert len(suspects) >= 10
    assert set(suspects["column"]) == {0}
    assert (suspects["label"].to_numpy() == labels[suspects["row"], 0]).all()
    assert (suspects["label"] == (suspects["probability"] < 0.5)).all()


def test_margins_are_those_of_confident_learning_worked_by_hand():
    truth = np.array([1.0, 1, 1, 0, 0])
    probability = np.array([0.9, 0.8, 0.1, 0.2, 0.7])
    excess, score = label_errors.margins(truth, probability)
    usual_one, usual_zero = 0.6, 0.55
    assert excess[2] == pytest.approx(0.9 - usual_zero)
    assert score[2] == pytest.approx(0.9 - usual_zero + usual_one - 0.1)
    assert excess[4] == pytest.approx(0.7 - usual_one)
    assert score[4] == pytest.approx(0.7 - usual_one + usual_zero - 0.3)
    assert (excess >= 0).tolist() == [False, False, True, False, True]


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=30))
def test_margins_are_the_same_for_a_class_and_its_absence(rows):
    truth = np.array([1.0, 0.0, *(float(label) for label, _ in rows)])
    probability = np.array([0.6, 0.3, *(value for _, value in rows)])
    of_class = label_errors.margins(truth, probability)
    of_absence = label_errors.margins(1 - truth, 1 - probability)
    np.testing.assert_allclose(of_class, of_absence, rtol=1e-6, atol=1e-12)


def test_what_is_not_annotated_is_never_a_suspect_and_counts_nowhere():
    rng = np.random.default_rng(2)
    truth = (rng.random((400, 1)) < 0.5).astype(float)
    labels, probabilities = truth.copy(), answered(rng, truth)
    labels[:20] = 1 - labels[:20]
    whole = label_errors.find(labels[:300], probabilities[:300]).suspects
    labels[300:] = np.nan
    assert label_errors.find(labels, probabilities).suspects.equals(whole)
    assert whole["row"].max() < 300


def test_classes_too_rare_or_hardly_told_apart_are_named_and_not_judged():
    rng = np.random.default_rng(3)
    truth = np.zeros((400, 3))
    truth[:100, 0] = truth[:9, 1] = truth[:100, 2] = 1
    probabilities = answered(rng, truth)
    probabilities[:, 0] = rng.random(400)
    errors = label_errors.find(truth, probabilities)
    assert set(errors.unjudged) == {0, 1}
    assert errors.unjudged[0].startswith("hardly told apart, mean probability 0.2")
    assert errors.unjudged[1] == "9 with it, 391 without; 10 of each are needed"
    assert set(errors.suspects["column"]) <= {2}


def test_no_suspect_scores_less_than_its_class_is_told_apart():
    rng = np.random.default_rng(4)
    truth = (rng.random((500, 4)) < 0.3).astype(float)
    suspects = label_errors.find(truth, answered(rng, truth, skill=1.0)).suspects
    assert len(suspects)
    assert suspects["score"].min() >= label_errors.TOLD_APART
    assert suspects["score"].is_monotonic_decreasing


def test_permuted_labels_are_not_judged():
    rng = np.random.default_rng(5)
    truth = (rng.random((500, 3)) < 0.3).astype(float)
    errors = label_errors.find(rng.permutation(truth), answered(rng, truth))
    assert set(errors.unjudged) == {0, 1, 2}
    assert errors.suspects.empty
