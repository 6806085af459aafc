import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics

from ecgpipe.evaluation import bootstrap, challenge_score, intervals
from ecgpipe.evaluation.metrics import auroc, average_precision, brier, f1
from ecgpipe.evaluation.predictions import Predictions
from tests.fixtures.made_predictions import CLASSES

AUROC = np.array([0.75, 0.85, 0.92])


def predictions_of(labels, scores):
    """Predictions whose probabilities calibration changed."""
    thresholds = np.full(labels.shape, 0.5)
    return Predictions(labels, 0.2 + 0.6 * scores, thresholds, scores, np.arange(len(labels)))


def random_predictions(seed=0, rows=70):
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, 3)) < 0.3).astype(float)
    labels[rng.random(labels.shape) < 0.2] = np.nan
    scores = 0.2 * np.nan_to_num(labels) + rng.integers(0, 30, labels.shape) / 40  # with ties
    return predictions_of(labels, np.clip(scores, 0, 1))


def again(predictions, weights, resample):
    """The rows of one resample, written out."""
    return predictions.take(np.repeat(np.arange(len(weights)), weights[:, resample]))


def test_every_draw_equals_the_metric_of_the_rows_written_out():
    predictions = random_predictions()
    weights = bootstrap.counts(np.arange(70) // 2, 6, 1)
    draws = intervals.draws(predictions, CLASSES, weights)
    for resample in range(6):
        drawn = again(predictions, weights, resample)
        expected = {
            "auroc": auroc(drawn.labels, drawn.raw),
            "ap": average_precision(drawn.labels, drawn.raw),
            "f1": f1(drawn.labels, drawn.binary),
            "brier": brier(drawn.labels, drawn.probabilities),
        }
        for key, values in expected.items():
            np.testing.assert_allclose(draws[key][:, resample], values, atol=1e-12, err_msg=key)
            assert draws[f"{key}_macro"][resample] == pytest.approx(values.mean(), abs=1e-12)
        known = drawn.annotated
        micro = metrics.roc_auc_score(drawn.labels[known], drawn.raw[known])
        assert draws["auroc_micro"][resample] == pytest.approx(micro, abs=1e-12)
        micro = metrics.average_precision_score(drawn.labels[known], drawn.raw[known])
        assert draws["ap_micro"][resample] == pytest.approx(micro, abs=1e-12)
        score = CLASSES.score(drawn.labels, drawn.binary)
        assert draws[CLASSES.challenge][resample] == pytest.approx(score, abs=1e-12)


def test_the_number_of_resamples_at_a_time_changes_nothing(monkeypatch):
    predictions, weights = random_predictions(), bootstrap.counts(np.arange(70), 11, 1)
    whole = intervals.draws(predictions, CLASSES, weights)
    monkeypatch.setattr(intervals, "CHUNK", 4)
    for key, values in intervals.draws(predictions, CLASSES, weights).items():
        np.testing.assert_allclose(values, whole[key], atol=1e-12)


def test_a_class_that_is_undefined_leaves_the_others_alone():
    predictions = random_predictions()
    labels = predictions.labels.copy()
    labels[:, 1] = np.where(np.isnan(labels[:, 1]), np.nan, 0)
    labels[:, 2] = np.nan
    weights = bootstrap.counts(np.arange(70), 100, 1)
    draws = intervals.draws(predictions_of(labels, predictions.raw), CLASSES, weights)
    assert np.isnan(draws["auroc"][1:]).all()
    np.testing.assert_array_equal(draws["auroc_macro"], draws["auroc"][0])
    bounds = intervals.percentiles(draws)
    assert np.isnan(bounds["ap"][2]["low"])
    assert bounds["auroc"][0]["low"] == pytest.approx(np.percentile(draws["auroc"][0], 2.5))
    assert bounds["auroc_macro"] == bounds["auroc"][0]


def test_a_macro_mean_is_over_the_same_classes_in_every_resample():
    predictions = random_predictions(rows=70)
    labels = np.nan_to_num(predictions.labels)
    labels[:, 2] = 0
    labels[7, 2] = 1  # in one of three resamples it is not drawn
    predictions = predictions_of(labels, predictions.raw)
    weights = bootstrap.counts(np.arange(70), 200, 1)
    draws = intervals.draws(predictions, CLASSES, weights)
    missing = weights[7] == 0
    assert 0.2 < missing.mean() < 0.5
    assert np.isnan(draws["auroc"][2][missing]).all()
    own = auroc(labels, predictions.raw)[2]
    np.testing.assert_allclose(
        draws["auroc_macro"][missing],
        (draws["auroc"][:2, missing].sum(axis=0) + own) / 3,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        draws["auroc_macro_frequent"], draws["auroc"][:2].mean(axis=0), atol=1e-12
    )


def test_classes_without_weights_have_no_challenge_score():
    classes = challenge_score.scored_classes(["1", "2", "3"])
    draws = intervals.draws(random_predictions(), classes, bootstrap.counts(np.arange(70), 3, 1))
    assert np.isnan(draws["challenge_subset"]).all()


def test_the_mean_over_folds_is_drawn_on_the_same_resamples():
    by_fold = [{"a": np.arange(4.0)}, {"a": np.arange(4.0) + 2}]
    np.testing.assert_array_equal(intervals.averaged(by_fold)["a"], np.arange(4.0) + 1)


def simulated(seed, rows, each=1):
    """Predictions with population AUROC `AUROC` (binormal scores); `each` recordings a patient,
    alike in label and score; and the patient of each row."""
    rng = np.random.default_rng([seed, 11])
    patients = rows // each
    group = np.repeat(np.arange(patients), each)
    labels = (rng.random((patients, 3)) < [0.15, 0.25, 0.35]).astype(float)[group]
    shared = np.sqrt(0.5) if each > 1 else 0.0
    scores = shared * rng.normal(size=(patients, 3))[group] + np.sqrt(1 - shared**2) * rng.normal(
        size=(rows, 3)
    )
    scores += labels * norm.ppf(AUROC) * np.sqrt(2)
    return predictions_of(labels, 1 / (1 + np.exp(-scores))), group


def coverage(repetitions, rows, resamples, each=1):
    """The share of repetitions whose intervals hold the truth: [class], and of the macro mean
    last."""
    truth, held = np.append(AUROC, AUROC.mean()), np.zeros(4)
    for seed in range(repetitions):
        predictions, group = simulated(seed, rows, each)
        draws = intervals.draws(predictions, CLASSES, bootstrap.counts(group, resamples, seed))
        bounds = [bootstrap.percentiles(draws) for draws in [*draws["auroc"], draws["auroc_macro"]]]
        held += [low <= value <= high for (low, high), value in zip(bounds, truth, strict=True)]
    return held / repetitions


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    assert coverage(100, 400, 200).mean() == pytest.approx(0.95, abs=0.03)


@pytest.mark.campaign
@pytest.mark.parametrize("each", [1, 2], ids=["recordings", "patients of two recordings"])
def test_intervals_cover_in_93_to_97_of_100(each):
    draws = coverage(400, 2000, 1000, each)
    print(f"coverage of AUROC {AUROC}, macro: {draws}")
    assert ((draws >= 0.93) & (draws <= 0.97)).all()


@pytest.mark.campaign
def test_drawing_recordings_instead_of_patients_would_cover_too_rarely():
    """The oracle of the test before: it fails for the wrong bootstrap."""
    held = 0
    for seed in range(200):
        predictions, _ = simulated(seed, 1000, 5)
        draws = intervals.draws(predictions, CLASSES, bootstrap.counts(np.arange(1000), 300, seed))
        low, high = bootstrap.percentiles(draws["auroc_macro"])
        held += low <= AUROC.mean() <= high
    assert held / 200 < 0.93
