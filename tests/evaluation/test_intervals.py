import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics

from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import bootstrap, challenge_score, intervals
from ecgpipe.evaluation.metrics import auroc, average_precision, brier, f1
from ecgpipe.evaluation.predictions import Predictions

PANEL = challenge_score.scored_classes([one.code for one in classes.select("official")][:3])
AUROC = np.array([0.75, 0.85, 0.92])


def answers_of(labels, scores, cut=0.5):
    return Predictions(
        labels, 0.2 + 0.6 * scores, np.full(labels.shape, cut), scores, np.arange(len(labels))
    )


def random_answers(seed=0, rows=70):
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, 3)) < 0.3).astype(float)
    labels[rng.random(labels.shape) < 0.2] = np.nan
    return answers_of(
        labels, np.clip(0.2 * np.nan_to_num(labels) + rng.integers(0, 30, labels.shape) / 40, 0, 1)
    )


def again(answers, weights, resample):
    """The rows of one resample, written out."""
    return answers.take(np.repeat(np.arange(len(weights)), weights[:, resample]))


def test_every_draw_equals_the_metric_of_the_rows_written_out():
    answers = random_answers()
    weights = bootstrap.counts(np.arange(70) // 2, 6, 1)
    found = intervals.draws(answers, PANEL, weights)
    for resample in range(6):
        one = again(answers, weights, resample)
        expected = {
            "auroc": auroc(one.labels, one.raw),
            "ap": average_precision(one.labels, one.raw),
            "f1": f1(one.labels, one.binary),
            "brier": brier(one.labels, one.probabilities),
        }
        for key, values in expected.items():
            np.testing.assert_allclose(found[key][:, resample], values, atol=1e-12, err_msg=key)
            assert found[f"{key}_macro"][resample] == pytest.approx(values.mean(), abs=1e-12)
        known = one.annotated
        micro = metrics.roc_auc_score(one.labels[known], one.raw[known])
        assert found["auroc_micro"][resample] == pytest.approx(micro, abs=1e-12)
        micro = metrics.average_precision_score(one.labels[known], one.raw[known])
        assert found["ap_micro"][resample] == pytest.approx(micro, abs=1e-12)
        score = challenge_score.challenge(one.labels, one.binary, PANEL.weights, PANEL.sinus)
        assert found[PANEL.challenge][resample] == pytest.approx(score, abs=1e-12)


def test_the_number_of_resamples_at_a_time_changes_nothing(monkeypatch):
    answers, weights = random_answers(), bootstrap.counts(np.arange(70), 11, 1)
    whole = intervals.draws(answers, PANEL, weights)
    monkeypatch.setattr(intervals, "_CHUNK", 4)
    for key, values in intervals.draws(answers, PANEL, weights).items():
        np.testing.assert_allclose(values, whole[key], atol=1e-12)


def test_a_class_that_is_undefined_leaves_the_others_alone():
    answers = random_answers()
    labels = answers.labels.copy()
    labels[:, 1] = np.where(np.isnan(labels[:, 1]), np.nan, 0)
    labels[:, 2] = np.nan
    weights = bootstrap.counts(np.arange(70), 100, 1)
    found = intervals.draws(answers_of(labels, answers.raw), PANEL, weights)
    assert np.isnan(found["auroc"][1:]).all()
    np.testing.assert_array_equal(found["auroc_macro"], found["auroc"][0])
    bounds = intervals.percentiles(found)
    assert np.isnan(bounds["ap"][2]["low"])
    assert bounds["auroc"][0]["low"] == pytest.approx(np.percentile(found["auroc"][0], 2.5))
    assert bounds["auroc_macro"] == bounds["auroc"][0]


def test_a_macro_mean_is_over_the_same_classes_in_every_resample():
    answers = random_answers(rows=70)
    labels = np.nan_to_num(answers.labels)
    labels[:, 2] = 0
    labels[7, 2] = 1  # in one of three resamples it is not drawn
    answers = answers_of(labels, answers.raw)
    weights = bootstrap.counts(np.arange(70), 200, 1)
    found = intervals.draws(answers, PANEL, weights)
    missing = weights[7] == 0
    assert 0.2 < missing.mean() < 0.5
    assert np.isnan(found["auroc"][2][missing]).all()
    own = auroc(labels, answers.raw)[2]
    np.testing.assert_allclose(
        found["auroc_macro"][missing],
        (found["auroc"][:2, missing].sum(axis=0) + own) / 3,
        atol=1e-12,
    )
    np.testing.assert_allclose(
        found["auroc_macro_frequent"], found["auroc"][:2].mean(axis=0), atol=1e-12
    )


def test_a_panel_without_weights_has_no_challenge_draws():
    panel = challenge_score.scored_classes(["1", "2", "3"])
    found = intervals.draws(random_answers(), panel, bootstrap.counts(np.arange(70), 3, 1))
    assert np.isnan(found["challenge_subset"]).all()


def test_the_mean_over_folds_is_drawn_on_the_same_resamples():
    one, other = ({"a": np.arange(4.0)}, {"a": np.arange(4.0) + 2})
    np.testing.assert_array_equal(intervals.averaged([one, other])["a"], np.arange(4.0) + 1)


def simulated(seed, rows, each=1):
    """Answers with population AUROC `AUROC` (binormal scores); `each` recordings a patient, alike
    in label and score; and the patient of each row."""
    rng = np.random.default_rng([seed, 11])
    patients = rows // each
    group = np.repeat(np.arange(patients), each)
    labels = (rng.random((patients, 3)) < [0.15, 0.25, 0.35]).astype(float)[group]
    shared = np.sqrt(0.5) if each > 1 else 0.0
    scores = shared * rng.normal(size=(patients, 3))[group] + np.sqrt(1 - shared**2) * rng.normal(
        size=(rows, 3)
    )
    scores += labels * norm.ppf(AUROC) * np.sqrt(2)
    return answers_of(labels, 1 / (1 + np.exp(-scores))), group


def coverage(repetitions, rows, resamples, each=1):
    """The share of repetitions whose intervals hold the truth: [class], and of the macro mean
    last."""
    truth, held = np.append(AUROC, AUROC.mean()), np.zeros(4)
    for seed in range(repetitions):
        answers, group = simulated(seed, rows, each)
        found = intervals.draws(answers, PANEL, bootstrap.counts(group, resamples, seed))
        bounds = [bootstrap.percentiles(draws) for draws in [*found["auroc"], found["auroc_macro"]]]
        held += [low <= value <= high for (low, high), value in zip(bounds, truth, strict=True)]
    return held / repetitions


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    assert coverage(100, 400, 200).mean() == pytest.approx(0.95, abs=0.03)


@pytest.mark.campaign
@pytest.mark.parametrize("each", [1, 2], ids=["recordings", "patients of two recordings"])
def test_intervals_cover_in_93_to_97_of_100(each):
    found = coverage(400, 2000, 1000, each)
    print(f"coverage of AUROC {AUROC}, macro: {found}")
    assert ((found >= 0.93) & (found <= 0.97)).all()


@pytest.mark.campaign
def test_drawing_recordings_instead_of_patients_would_cover_too_rarely():
    """The oracle of the test before: it fails for the wrong bootstrap."""
    held = 0
    for seed in range(200):
        answers, _ = simulated(seed, 1000, 5)
        found = intervals.draws(answers, PANEL, bootstrap.counts(np.arange(1000), 300, seed))
        low, high = bootstrap.percentiles(found["auroc_macro"])
        held += low <= AUROC.mean() <= high
    assert held / 200 < 0.93
