import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, f1_score, precision_score, recall_score

from ecgpipe.evaluation import metrics
from tests.fixtures.score_cases import CASES, LABELS


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_class_is_equal_to_the_official_scorer(case):
    labels = np.array(case["labels"], float)
    binary, scalar = np.array(case["binary"]) == 1, np.array(case["scalar"])
    values = {
        "auroc_class": metrics.auroc(labels, scalar),
        "auprc_class": metrics.average_precision(labels, scalar),
        "f_class": metrics.f1_of_counts(*metrics.answer_terms(labels, binary).sum(axis=1)),
    }
    for name, of_class in values.items():
        expected = np.array(case["expected"][name], float)
        np.testing.assert_allclose(of_class, expected, atol=1e-12, err_msg=name)


SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES)
def test_auroc_does_not_change_under_a_monotone_map(labels, scores):
    np.testing.assert_array_equal(
        metrics.auroc(labels, scores), metrics.auroc(labels, scores**3 / 2 + 0.1)
    )


@trials(max_examples=40, deadline=None)
@given(LABELS, arrays(np.bool_, (15, 2)))
def test_rates_are_scikit_learns_on_annotated_cells(labels, binary):
    found = {
        "sensitivity": metrics.sensitivity(labels, binary),
        "specificity": metrics.specificity(labels, binary),
        "precision": metrics.precision(labels, binary),
    }
    for index in range(2):
        known = ~np.isnan(labels[:, index])
        truth, answered = labels[known, index].astype(int), binary[known, index].astype(int)
        if not known.any():
            assert all(np.isnan(values[index]) for values in found.values())
            continue
        expected = {
            "sensitivity": recall_score(truth, answered, zero_division=np.nan),
            "specificity": recall_score(1 - truth, 1 - answered, zero_division=np.nan),
            "precision": precision_score(truth, answered, zero_division=np.nan),
        }
        for key, value in expected.items():
            np.testing.assert_allclose(found[key][index], value, err_msg=key)


@trials(max_examples=40, deadline=None)
@given(LABELS, arrays(np.bool_, (15, 2)))
def test_f1_is_scikit_learns_on_annotated_rows_and_needs_a_positive(labels, binary):
    for index, value in enumerate(metrics.f1(labels, binary)):
        annotated = ~np.isnan(labels[:, index])
        if (labels[:, index] == 1).any():
            expected = f1_score(labels[annotated, index], binary[annotated, index])
            assert value == pytest.approx(expected)
        else:
            assert np.isnan(value)


def test_brier_score_and_calibration_error_are_those_of_scikit_learns_squares_and_bins():
    rng = np.random.default_rng(0)
    probabilities = rng.random((500, 1))
    labels = (rng.random((500, 1)) < 0.2 + 0.5 * probabilities).astype(float)
    truth, scores = labels[:, 0], probabilities[:, 0]
    assert metrics.brier(labels, probabilities)[0] == pytest.approx(brier_score_loss(truth, scores))
    observed, predicted = calibration_curve(truth, scores, n_bins=10)
    count, _ = np.histogram(scores, np.linspace(0, 1, 11))
    expected = (np.abs(observed - predicted) * count).sum() / 500
    assert metrics.calibration_error(labels, probabilities)[0] == pytest.approx(expected)


@pytest.mark.parametrize("metric", [metrics.brier, metrics.calibration_error])
def test_not_annotated_rows_play_no_part_in_what_judges_probabilities(metric):
    rng = np.random.default_rng(1)
    labels, probabilities = (rng.random((60, 1)) < 0.3).astype(float), rng.random((60, 1))
    more = np.append(labels, [[np.nan]], axis=0), np.append(probabilities, [[0.9]], axis=0)
    np.testing.assert_allclose(metric(*more), metric(labels, probabilities))
    assert np.isnan(metric(labels * np.nan, probabilities)).all()
