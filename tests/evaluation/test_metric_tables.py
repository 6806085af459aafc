import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from ecgpipe.diagnoses.classes import select
from ecgpipe.evaluation import (
    bootstrap,
    calibration,
    challenge_score,
    held_out,
    intervals,
    metric_tables,
    thresholds,
)
from ecgpipe.evaluation.metrics import auroc
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import Predictions

OFFICIAL = [one.code for one in select("official")]
PANEL = challenge_score.scored_classes(OFFICIAL[:3])
PARAMS = EvaluateParams(
    calibration="platt", thresholds="f1", sensitivity=0.9, resamples=100, seed=1
)


def answers_of(labels, probabilities, cut=0.5):
    return Predictions(
        labels, probabilities, np.full(labels.shape, cut), probabilities, np.arange(len(labels))
    )


def random_answers(seed, rows=90, classes=3, blank=0.2):
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, classes)) < 0.3).astype(float)
    labels[rng.random(labels.shape) < blank] = np.nan
    return answers_of(labels, rng.integers(0, 40, labels.shape) / 40, 0.4)  # with ties


def test_a_class_without_severity_keeps_its_code_and_names_the_missing_score():
    panel = challenge_score.scored_classes(["426783006", "123"])
    assert panel.names == ["NSR", "123"]
    assert panel.weights is None
    told = metric_tables.report(random_answers(0, classes=2), panel)
    assert np.isnan(told["challenge_subset"])
    assert told["undefined"] == {"challenge_subset": "a class has no severity"}


@pytest.mark.parametrize("seed", range(3))
def test_metrics_equal_scikit_learn_on_the_annotated_cells(seed):
    answers = random_answers(seed)
    told = metric_tables.report(answers, PANEL)
    known = ~np.isnan(answers.labels)
    truth, scores = answers.labels[known], answers.probabilities[known]
    assert told["auroc_micro"] == metrics.roc_auc_score(truth, scores)
    assert told["ap_micro"] == metrics.average_precision_score(truth, scores)
    values = []
    for index, name in enumerate(PANEL.names):
        rows = known[:, index]
        truth, scores = answers.labels[rows, index], answers.probabilities[rows, index]
        one = told["classes"][name]
        values.append(
            (
                metrics.roc_auc_score(truth, scores),
                metrics.average_precision_score(truth, scores),
                metrics.f1_score(truth, scores >= 0.4),
            )
        )
        assert (one["auroc"], one["ap"], one["f1"]) == pytest.approx(values[-1], abs=1e-12)
        assert (one["annotated"], one["positives"]) == (rows.sum(), truth.sum())
    means = [told[f"{name}_macro"] for name in ("auroc", "ap", "f1")]
    np.testing.assert_allclose(means, np.mean(values, axis=0), atol=1e-12)


LABELS = arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 1.0, np.nan]))
SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


LABELS = arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 1.0, np.nan]))
SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES, SCORES)
def test_masked_rows_do_not_matter(labels, scores, others):
    changed = np.where(np.isnan(labels), others, scores)
    panel = challenge_score.scored_classes(OFFICIAL[:2])
    one, other = (
        metric_tables.report(answers_of(labels, each), panel) for each in (scores, changed)
    )
    assert json.dumps(one, default=float) == json.dumps(other, default=float)


def test_undefined_is_none_and_named_never_zero():
    labels = np.array([[0, 1, np.nan], [0, 1, np.nan], [0, 1, np.nan]], float)
    answers = answers_of(labels, np.full((3, 3), 0.9))
    told = metric_tables.report(answers, PANEL)
    a, b, c = PANEL.names
    assert told["undefined"] == {a: "no positives", b: "no negatives", c: "not annotated"}
    assert np.isnan(
        [told["auroc_macro"], told["ap_macro"], told["classes"][a]["f1"], told["classes"][c]["f1"]]
    ).all()
    assert told["classes"][b]["f1"] == told["f1_macro"] == 1.0
    empty = challenge_score.official_scores(np.zeros((0, 26)), np.zeros((0, 26)), np.zeros((0, 26)))
    assert empty == {
        "auroc_macro": None,
        "auprc_macro": None,
        "accuracy": None,
        "f_macro": None,
        "challenge": 0.0,
    }


def test_no_class_is_forced_positive():
    answers = random_answers(1)
    low = answers_of(answers.labels, answers.probabilities * 0.1, 0.4)
    assert not low.binary.any()
    assert metric_tables.report(low, PANEL)["f1_macro"] == 0.0


def found(labels, fold, probabilities, test=None, params=PARAMS):
    folds = sorted(set(fold) - {"test"})
    return held_out.build(
        labels, fold, {k: probabilities[fold == k] for k in folds}, test or {}, PANEL, params
    )


def told_of(answers):
    groups = np.arange(120).astype(object)
    return metric_tables.with_intervals(
        metric_tables.reports(answers, PANEL), answers, PANEL, groups, 100, 1
    )


@pytest.fixture
def split():
    rng = np.random.default_rng(7)
    fold = np.array(["0", "1", "2", "test"] * 30, object)
    labels = (rng.random((120, 3)) < 0.3).astype(float)
    probabilities = np.clip(0.3 * labels + 0.7 * rng.random(labels.shape), 0, 1)
    return labels, fold, probabilities


def test_before_and_after_calibration_are_both_told(split):
    answers = found(*split)
    told = metric_tables.report(answers.whole["out_of_fold"], PANEL)
    pooled = answers.whole["out_of_fold"]
    assert told["brier_macro_raw"] == pytest.approx(
        calibration.brier(pooled.labels, pooled.raw).mean()
    )
    assert told["brier_macro"] == pytest.approx(
        calibration.brier(pooled.labels, pooled.probabilities).mean()
    )
    assert told["brier_macro"] < told["brier_macro_raw"]
    assert told["auroc_macro"] == pytest.approx(auroc(pooled.labels, pooled.raw).mean())


def test_the_test_setting_is_the_mean_of_the_folds_with_their_spread(split):
    labels, fold, probabilities = split
    rng = np.random.default_rng(1)
    test = {k: rng.random((30, 3)) for k in ("0", "1", "2")}
    answers = found(labels, fold, probabilities, test)
    told = told_of(answers)
    single = [metric_tables.report(answers.test[k], PANEL)["auroc_macro"] for k in test]
    assert told["test"]["auroc_macro"] == pytest.approx(np.mean(single))
    assert told["test_sd"]["auroc_macro"] == pytest.approx(np.std(single, ddof=1))
    short = metric_tables.summary(told, answers, PANEL)
    mean, spread = pytest.approx(np.mean(single)), pytest.approx(np.std(single, ddof=1))
    assert short["test"]["auroc_macro"] == {"mean": mean, "sd": spread}
    assert short["counts"] == {"classes": 3, "folds": 3, "recordings": 90, "test_recordings": 30}
    whole = metric_tables.by_setting(told, PANEL)
    assert whole["test"]["ap_macro"].keys() == {"value", "low", "high", "sd"}
    assert (
        whole["test"]["auroc_macro"]["low"] < np.mean(single) < whole["test"]["auroc_macro"]["high"]
    )


def test_every_headline_and_class_number_but_the_calibration_error_has_an_interval(split):
    labels, fold, probabilities = split
    answers = found(
        labels, fold, probabilities, dict.fromkeys(("0", "1", "2"), probabilities[fold == "test"])
    )
    told = told_of(answers)
    for name in held_out.NAMES:
        for key in (*metric_tables.HEADLINE, PANEL.challenge, "brier_macro"):
            bounds = told[name]["intervals"][key]
            assert bounds["low"] < told[name][key] < bounds["high"], (name, key)
    tree = metric_tables.by_class(
        told, PANEL, metric_tables.described(answers.points["ensemble"], PANEL)
    )
    for index, one in enumerate(tree.values()):
        assert one["point"]["threshold"] == answers.points["ensemble"].thresholds[index]
        for name in held_out.NAMES:
            for key in ("auroc", "ap", "f1", "brier"):
                bounds = one[name]["intervals"][key]
                assert bounds["low"] <= one[name][key] <= bounds["high"]
        assert one["test"]["auroc_sd"] == pytest.approx(0)


def test_intervals_draw_whole_groups_and_share_resamples_on_the_same_recordings(split):
    labels, fold, probabilities = split
    test = {
        k: probabilities[fold == "test"] * scale
        for k, scale in (("0", 1.0), ("1", 0.9), ("2", 0.8))
    }
    answers = found(labels, fold, probabilities, test)
    groups = np.array(
        [f"g{number // 12}" for number in range(120)], object
    )  # a patient has twelve recordings
    told = metric_tables.with_intervals(
        metric_tables.reports(answers, PANEL), answers, PANEL, groups, 100, 1
    )
    for name, one in answers.whole.items():
        drawn = intervals.draws(one, PANEL, bootstrap.counts(groups[one.rows], 100, 1))
        expected = intervals.percentiles(drawn)
        assert told[name]["intervals"]["auroc_macro"] == expected["auroc_macro"]
        assert told[name]["classes"][PANEL.names[1]]["intervals"]["ap"] == expected["ap"][1]
        rowwise = intervals.draws(one, PANEL, bootstrap.counts(one.rows, 100, 1))
        assert intervals.percentiles(rowwise)["auroc_macro"] != expected["auroc_macro"]
    weights = bootstrap.counts(groups[answers.whole["test_ensemble"].rows], 100, 1)
    mean = np.mean(
        [intervals.draws(one, PANEL, weights)["auroc_macro"] for one in answers.test.values()],
        axis=0,
    )
    low, high = bootstrap.percentiles(mean)
    assert told["test"]["intervals"]["auroc_macro"] == {"low": low, "high": high}


def test_few_positives_are_marked_not_hidden():
    labels = np.zeros((40, 3))
    labels[:10, 0], labels[:9, 1] = 1, 1
    told = metric_tables.report(answers_of(labels, np.linspace(1, 0, 120).reshape(40, 3)), PANEL)
    assert [one["few"] for one in told["classes"].values()] == [False, True, True]
    assert told["classes"][PANEL.names[1]]["auroc"] == 1.0


def test_the_summary_is_at_most_thirty_numbers(split):
    labels, fold, probabilities = split
    answers = found(labels, fold, probabilities, {"0": probabilities[fold == "test"]})
    short = metric_tables.summary(told_of(answers), answers, PANEL)
    assert 20 < len(pd.json_normalize(short).select_dtypes("number").columns) <= 30
    assert np.isnan(short["test"]["auroc_macro"]["sd"])


def test_without_a_test_part_its_metrics_are_null_and_named(split):
    labels, fold, probabilities = (each[split[1] != "test"] for each in split)
    answers = found(labels, fold, probabilities)
    short = metric_tables.summary(told_of(answers), answers, PANEL)
    assert set(short["test_ensemble"].values()) == {None}
    assert short["test"]["auroc_macro"] == {"mean": None, "sd": None}
    assert short["undefined"] == dict.fromkeys(
        ("test", "test_ensemble"), "no recording is in the test part"
    )
    assert short["out_of_fold"]["auroc_macro"] > 0.5


def test_thresholds_without_a_positive_to_choose_them_are_named(split):
    labels, fold, probabilities = (each.copy() for each in split)
    labels[fold == "1", 0] = 0
    told = {
        k: metric_tables.of_fold(found(labels, fold, probabilities), k, PANEL) for k in ("0", "1")
    }
    assert told["1"]["undecided"] == {"test": [PANEL.names[0]], "validation": []}
    assert told["1"]["point"][PANEL.names[0]]["threshold"] == thresholds.UNDECIDED
    alone = found(labels[fold == "0"], fold[fold == "0"], probabilities[fold == "0"])
    assert metric_tables.of_fold(alone, "0", PANEL)["undecided"] == {
        "test": [],
        "validation": PANEL.names,
    }


def test_a_class_that_only_the_held_out_fold_has_is_named_untrained(split):
    labels, fold, probabilities = (each.copy() for each in split)
    labels[fold != "2", 1] = np.nan  # only the hospital of fold 2 annotates it
    answers = found(labels, fold, probabilities)
    assert metric_tables.of_fold(answers, "2", PANEL)["untrained"] == [PANEL.names[1]]
    assert metric_tables.of_fold(answers, "0", PANEL)["untrained"] == []


def test_a_subgroup_is_scored_on_its_own_rows(split):
    labels, fold, probabilities = split
    answers = found(labels, fold, probabilities)
    here = np.arange(120) % 5 < 2
    told = metric_tables.by_subgroup(
        answers, PANEL, {"source": {"a": here, "b": ~here, "none": np.zeros(120, bool)}}
    )
    pooled = answers.whole["out_of_fold"]
    rows = here[pooled.rows]
    expected = auroc(pooled.labels[rows], pooled.raw[rows]).mean()
    assert told["source"]["a"]["out_of_fold"]["auroc_macro"] == pytest.approx(expected)
    assert sum(told["source"][name]["out_of_fold"]["recordings"] for name in "ab") == 90
    assert told["source"]["none"] == {}


def test_the_files_of_a_run(split, tmp_path):
    labels, fold, probabilities = split
    answers = found(labels, fold, probabilities, {"0": probabilities[fold == "test"]})
    trees = metric_tables.trees(
        told_of(answers), answers, PANEL, {"sex": {"F": np.ones(120, bool)}}
    )
    metric_tables.write(trees, tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")}
    top = {f"{name}.json" for name in ("summary", "settings", "classes", "subgroups")}
    assert written == top | {f"folds/{k}.json" for k in "012"}
    assert json.loads((tmp_path / "folds/1.json").read_text())["point"].keys() == set(PANEL.names)


def test_validation_auroc_is_that_of_the_rows_that_no_training_saw(split):
    answers = found(*split)
    values = metric_tables.validation_auroc(answers)
    assert values.keys() == {"0", "1", "2", "ensemble"}
    labels, fold, probabilities = split
    np.testing.assert_allclose(values["1"], auroc(labels[fold == "1"], probabilities[fold == "1"]))
    inside = fold != "test"
    np.testing.assert_allclose(values["ensemble"], auroc(labels[inside], probabilities[inside]))
