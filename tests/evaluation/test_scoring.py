import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from ecgpipe.evaluation import bootstrap, challenge_score, intervals, scoring
from ecgpipe.evaluation.metrics import auroc, brier
from tests.fixtures.made_predictions import (
    CLASSES,
    OFFICIAL,
    built,
    predictions_of,
    random_predictions,
    reports_of,
    split,
)

LABELS = arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 1.0, np.nan]))
SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


def test_a_class_without_severity_keeps_its_code_and_names_the_missing_score():
    classes = challenge_score.scored_classes(["426783006", "123"])
    assert classes.names == ["NSR", "123"]
    assert classes.weights is None
    report = scoring.report(random_predictions(0, classes=2), classes)
    assert np.isnan(report["challenge_subset"])
    assert report["undefined"] == {"challenge_subset": "a class has no severity"}


@pytest.mark.parametrize("seed", range(3))
def test_metrics_equal_scikit_learn_on_the_annotated_entries(seed):
    predictions = random_predictions(seed)
    report = scoring.report(predictions, CLASSES)
    annotated = ~np.isnan(predictions.labels)
    truth, scores = predictions.labels[annotated], predictions.probabilities[annotated]
    assert report["auroc_micro"] == metrics.roc_auc_score(truth, scores)
    assert report["ap_micro"] == metrics.average_precision_score(truth, scores)
    expected = []
    for index, name in enumerate(CLASSES.names):
        rows = annotated[:, index]
        truth, scores = predictions.labels[rows, index], predictions.probabilities[rows, index]
        expected.append(
            (
                metrics.roc_auc_score(truth, scores),
                metrics.average_precision_score(truth, scores),
                metrics.f1_score(truth, scores >= 0.4),
            )
        )
        of_class = report["classes"][name]
        found = of_class["auroc"], of_class["ap"], of_class["f1"]
        assert found == pytest.approx(expected[-1], abs=1e-12)
        assert (of_class["annotated"], of_class["positives"]) == (rows.sum(), truth.sum())
    means = [report[f"{name}_macro"] for name in ("auroc", "ap", "f1")]
    np.testing.assert_allclose(means, np.mean(expected, axis=0), atol=1e-12)


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES, SCORES)
def test_rows_that_are_not_annotated_do_not_matter(labels, scores, others):
    changed = np.where(np.isnan(labels), others, scores)
    classes = challenge_score.scored_classes(OFFICIAL[:2])
    first, second = (
        scoring.report(predictions_of(labels, each), classes) for each in (scores, changed)
    )
    assert json.dumps(first, default=float) == json.dumps(second, default=float)


def test_undefined_is_none_and_named_never_zero():
    labels = np.array([[0, 1, np.nan], [0, 1, np.nan], [0, 1, np.nan]], float)
    report = scoring.report(predictions_of(labels, np.full((3, 3), 0.9)), CLASSES)
    a, b, c = CLASSES.names
    assert report["undefined"] == {a: "no positives", b: "no negatives", c: "not annotated"}
    assert np.isnan([report["auroc_macro"], report["ap_macro"]]).all()
    assert np.isnan([report["classes"][name]["f1"] for name in (a, c)]).all()
    assert report["classes"][b]["f1"] == report["f1_macro"] == 1.0


def test_no_class_is_forced_positive():
    predictions = random_predictions(1)
    low = predictions_of(predictions.labels, predictions.probabilities * 0.1, 0.4)
    assert not low.binary.any()
    assert scoring.report(low, CLASSES)["f1_macro"] == 0.0


def test_before_and_after_calibration_are_both_told():
    pooled = built(*split()).whole["out_of_fold"]
    report = scoring.report(pooled, CLASSES)
    before, after = brier(pooled.labels, pooled.raw), brier(pooled.labels, pooled.probabilities)
    assert report["brier_macro_raw"] == pytest.approx(before.mean())
    assert report["brier_macro"] == pytest.approx(after.mean())
    assert report["brier_macro"] < report["brier_macro_raw"]
    assert report["auroc_macro"] == pytest.approx(auroc(pooled.labels, pooled.raw).mean())


def test_the_test_setting_is_the_mean_of_the_folds_with_their_spread():
    rng = np.random.default_rng(1)
    settings = built(*split(), {k: rng.random((30, 3)) for k in ("0", "1", "2")})
    reports = reports_of(settings)
    single = [scoring.report(each, CLASSES)["auroc_macro"] for each in settings.test.values()]
    assert reports["test"]["auroc_macro"] == pytest.approx(np.mean(single))
    assert reports["test_sd"]["auroc_macro"] == pytest.approx(np.std(single, ddof=1))


def test_intervals_draw_whole_groups_and_share_resamples_on_the_same_recordings():
    labels, fold, probabilities = split()
    tested = probabilities[fold == "test"]
    settings = built(
        labels, fold, probabilities, {"0": tested, "1": tested * 0.9, "2": tested * 0.8}
    )
    groups = np.array([f"g{number // 12}" for number in range(120)], object)  # patients of twelve
    reports = reports_of(settings, groups)
    for name, predictions in settings.whole.items():
        weights = bootstrap.counts(groups[predictions.rows], 100, 1)
        expected = intervals.percentiles(intervals.draws(predictions, CLASSES, weights))
        assert reports[name]["intervals"]["auroc_macro"] == expected["auroc_macro"]
        of_class = reports[name]["classes"][CLASSES.names[1]]
        assert of_class["intervals"]["ap"] == expected["ap"][1]
        by_row = bootstrap.counts(predictions.rows, 100, 1)
        rowwise = intervals.percentiles(intervals.draws(predictions, CLASSES, by_row))
        assert rowwise["auroc_macro"] != expected["auroc_macro"]
    weights = bootstrap.counts(groups[settings.whole["test_ensemble"].rows], 100, 1)
    draws = [intervals.draws(each, CLASSES, weights) for each in settings.test.values()]
    low, high = bootstrap.percentiles(np.mean([each["auroc_macro"] for each in draws], axis=0))
    assert reports["test"]["intervals"]["auroc_macro"] == {"low": low, "high": high}


def test_few_positives_are_marked_not_hidden():
    labels = np.zeros((40, 3))
    labels[:10, 0], labels[:9, 1] = 1, 1
    probabilities = np.linspace(1, 0, 120).reshape(40, 3)
    report = scoring.report(predictions_of(labels, probabilities), CLASSES)
    assert [of_class["few"] for of_class in report["classes"].values()] == [False, True, True]
    assert report["classes"][CLASSES.names[1]]["auroc"] == 1.0
