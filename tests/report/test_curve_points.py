"""The points of curves against their definition, and their areas against scikit-learn's."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from ecgpipe.report import curve_points
from ecgpipe.report.curve_points import confusion
from tests.fixtures.made_predictions import predictions_of, predictions_with_gaps


def test_curves_have_at_most_200_points_and_keep_their_area():
    predictions, names = predictions_with_gaps(20_000), ["A", "B", "C", "D"]
    roc = pd.DataFrame(curve_points.roc(predictions, names))
    pr = pd.DataFrame(curve_points.precision_recall(predictions, names))
    for index, name in enumerate(names[:2]):
        truth, scores = predictions.labels[:, index], predictions.probabilities[:, index]
        curve = roc[roc["class"] == name]
        assert len(curve) <= curve_points.POINTS
        area = np.trapezoid(curve["tpr"], curve["fpr"])
        assert area == pytest.approx(metrics.roc_auc_score(truth, scores), abs=2e-3)
        curve = pr[pr["class"] == name]
        assert len(curve) <= curve_points.POINTS
        area = (np.diff(curve["recall"]) * curve["precision"].to_numpy()[1:]).sum()
        assert area == pytest.approx(metrics.average_precision_score(truth, scores), abs=5e-3)


def test_short_curves_are_those_of_their_definition():
    rng = np.random.default_rng(2)
    labels = (rng.random((60, 1)) < 0.4).astype(float)
    labels[::9] = np.nan
    scores = rng.integers(0, 15, (60, 1)) / 15
    predictions = predictions_of(labels, scores, scores)
    known = ~np.isnan(labels)
    truth, scores = labels[known] == 1, scores[known]
    answered = [scores >= threshold for threshold in np.unique(scores)[::-1]]
    tpr = [0, *(positive[truth].mean() for positive in answered)]
    fpr = [0, *(positive[~truth].mean() for positive in answered)]
    roc = pd.DataFrame(curve_points.roc(predictions, ["A"]))
    np.testing.assert_allclose(roc[["fpr", "tpr"]], np.column_stack([fpr, tpr]))
    precision = [truth[positive].mean() for positive in answered]
    pr = pd.DataFrame(curve_points.precision_recall(predictions, ["A"]))
    expected = np.column_stack([tpr, [precision[0], *precision]])
    np.testing.assert_allclose(pr[["recall", "precision"]], expected)


def test_calibration_counts_every_annotated_recording_before_and_after():
    predictions = predictions_with_gaps()
    predictions = dataclasses.replace(predictions, probabilities=predictions.raw**2)
    records = pd.DataFrame(curve_points.calibration(predictions, ["A", "B", "C", "D"]))
    for kind, scores in (("raw", predictions.raw), ("calibrated", predictions.probabilities)):
        part = records[records["probabilities"] == kind]
        assert part.groupby("class")["recordings"].sum().to_dict() == {"A": 600, "B": 600, "C": 600}
        of_a = part[part["class"] == "A"]
        positives = (of_a["observed"] * of_a["recordings"]).sum()
        assert positives == pytest.approx(predictions.labels[:, 0].sum())
        assert (of_a["predicted"] * of_a["recordings"]).sum() == pytest.approx(scores[:, 0].sum())


def test_curves_rank_as_the_network_did_whatever_the_calibration():
    predictions = predictions_with_gaps()
    changed = dataclasses.replace(predictions, probabilities=predictions.raw**3 / 2)
    for curve in (curve_points.roc, curve_points.precision_recall):
        assert curve(predictions, list("ABCD")) == curve(changed, list("ABCD"))


def test_cooccurrence_is_a_share_of_recordings_where_both_are_annotated():
    labels = np.array([[1, 1, np.nan], [1, 0, 0], [0, 1, 1], [1, np.nan, 1]], float)
    predictions = predictions_of(labels, labels, labels)
    nan_free = curve_points.cooccurrence(predictions)
    np.testing.assert_allclose(nan_free, [[1, 1 / 2, 1 / 2], [1 / 2, 1, 1], [1 / 2, 1, 1]])


def test_confusion_counts_errors_beside_the_diagonal_only():
    nan = np.nan
    labels = np.array([[1, 1], [1, 0], [1, 0], [0, 0], [1, nan]], float)
    binary = np.array([[1, 1], [1, 1], [0, 0], [0, 1], [0, 1]], float)
    shares = confusion(predictions_of(labels, binary, np.full((5, 2), 0.5)))
    # row 0: 4 recordings with class 0, 2 answered; 2 of them lack class 1, 1 of these answered with
    # it; 2 answered with nothing that is annotated. Row 2: one recording without a class, answered
    # with class 1.
    np.testing.assert_array_equal(shares, [[0.5, 0.5, 0.5], [nan, 1.0, 0.0], [0.0, 1.0, 0.0]])
