import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from ecgpipe.evaluation import calibration, metrics


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def shifted(rows, slope, shift, seed=0):
    """Labels drawn by sigmoid(slope z + shift), and probabilities sigmoid(z)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, rows)
    return (rng.random(rows) < sigmoid(slope * logits + shift)).astype(float)[:, None], sigmoid(
        logits
    )[:, None]


@pytest.mark.parametrize("rows", [60, 2000])
def test_platt_equals_an_unpenalised_logistic_regression_on_platts_targets(rows):
    labels, probabilities = shifted(rows, 0.6, -1.5)
    scaling = calibration.fit(labels, probabilities, "platt")
    positives = labels.sum()
    target = np.where(
        labels[:, 0] == 1, (positives + 1) / (positives + 2), 1 / (rows - positives + 2)
    )
    twice = np.tile(calibration.logit(probabilities), (2, 1))
    answer = np.repeat([1, 0], rows)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    model.fit(twice, answer, sample_weight=np.concatenate([target, 1 - target]))
    assert scaling.slope[0] == pytest.approx(model.coef_[0, 0], abs=1e-7)
    assert scaling.shift[0] == pytest.approx(model.intercept_[0], abs=1e-7)


@trials(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.floats(-8, 8),
    st.sampled_from([0.2, 1.0, 4.0]),
    st.sampled_from([-1.0, 0.0, 1.0, 3.0]),
)
def test_no_slope_and_shift_have_a_lower_loss_whatever_the_scale_even_of_a_reversed_class(
    seed, off, scale, apart
):
    rng = np.random.default_rng(seed)
    truth = (rng.random(120) < 0.3).astype(float)
    probabilities = sigmoid((rng.normal(size=120) + apart * truth) * scale + off)[:, None]
    if not 0 < truth.sum() < 120:
        return
    scaling = calibration.fit(truth[:, None], probabilities, "platt")
    logits, positives = calibration.logit(probabilities)[:, 0], truth.sum()
    target = np.where(truth == 1, (positives + 1) / (positives + 2), 1 / (120 - positives + 2))

    def loss(weights):
        scaled = weights[0] * logits + weights[1]
        return float((np.logaddexp(0, scaled) - target * scaled).sum())

    bounds = [(1 / 20, 20), (None, None)]
    best = min(
        minimize(loss, start, bounds=bounds, method="L-BFGS-B").fun
        for start in ([1, 0], [0.05, 0], [1, -off])
    )
    assert loss([scaling.slope[0], scaling.shift[0]]) <= best + 1e-6


def test_both_find_what_distorted_the_probabilities():
    labels, probabilities = shifted(40_000, 0.5, 0)
    assert 1 / calibration.fit(labels, probabilities, "temperature").slope[0] == pytest.approx(
        2, rel=0.05
    )
    labels, probabilities = shifted(40_000, 0.5, -2)
    scaling = calibration.fit(labels, probabilities, "platt")
    assert (scaling.slope[0], scaling.shift[0]) == pytest.approx((0.5, -2), rel=0.05)
    before = metrics.calibration_error(labels, probabilities)
    after = metrics.calibration_error(labels, scaling.apply(probabilities))
    assert after[0] < 0.02 < before[0]


def test_none_and_classes_without_both_labels_leave_probabilities_as_they_are():
    rng = np.random.default_rng(0)
    probabilities = rng.random((20, 3))
    labels = np.stack([np.ones(20), np.zeros(20), np.full(20, np.nan)], axis=1)
    for method in ("none", "temperature", "platt"):
        scaling = calibration.fit(labels, probabilities, method)
        np.testing.assert_array_equal(scaling.apply(probabilities), probabilities)


def test_not_annotated_rows_play_no_part():
    labels, probabilities = shifted(300, 0.6, -1)
    more = (
        np.concatenate([labels, np.full((50, 1), np.nan)]),
        np.concatenate([probabilities, np.full((50, 1), 0.9)]),
    )
    fewer, all_rows = (calibration.fit(*rows, "platt") for rows in ((labels, probabilities), more))
    assert (fewer.slope[0], fewer.shift[0]) == (all_rows.slope[0], all_rows.shift[0])


def test_separable_and_reversed_classes_have_finite_fits():
    labels = np.repeat([1.0, 0.0], [5, 50])[:, None]
    probabilities = np.repeat([1.0, 0.0], [5, 50])[:, None]
    scaling = calibration.fit(labels, probabilities, "platt")
    assert np.isfinite([scaling.slope, scaling.shift]).all()
    turned = calibration.fit(1 - labels, np.clip(probabilities, 0.1, 0.9), "platt")
    assert turned.slope[0] == pytest.approx(1 / 20)
    flat = turned.apply(np.clip(probabilities, 0.1, 0.9))
    assert flat.mean() == pytest.approx(50 / 55, abs=0.02)  # about the share of positives
    assert np.ptp(flat) < 0.05


@trials(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_calibration_keeps_the_order_within_a_class(seed):
    labels, probabilities = shifted(80, 0.7, -1, seed)
    after = calibration.fit(labels, probabilities, "platt").apply(probabilities)
    order = np.argsort(probabilities[:, 0])
    assert (np.diff(after[order, 0]) >= 0).all()


def test_bins_are_scikit_learns():
    labels, probabilities = shifted(500, 0.6, -1)
    _, predicted, observed, count = calibration.reliability(labels[:, 0], probabilities[:, 0])
    expected = calibration_curve(labels[:, 0], probabilities[:, 0], n_bins=10)
    np.testing.assert_allclose((observed, predicted), expected)
    assert count.sum() == 500
