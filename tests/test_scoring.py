import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from ecgpipe import diagnoses, scoring, thresholds
from ecgpipe.answers import Answers

CASES = json.loads((Path(__file__).parent / "cinc2021_score_cases.json").read_text())
OFFICIAL = [one.code for one in diagnoses.classes("official")]
NSR = OFFICIAL.index("426783006")
PANEL = scoring.panel(OFFICIAL[:3])


def random_answers(seed, rows=90, classes=3, blank=0.2):
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, classes)) < 0.3).astype(float)
    labels[rng.random(labels.shape) < blank] = np.nan
    probabilities = rng.integers(0, 40, labels.shape) / 40  # with ties
    sources = rng.choice(np.array(["a", "b"], object), rows)
    return Answers(labels, probabilities, np.full(labels.shape, 0.4), sources)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_equal_to_the_official_scorer(case):
    found = scoring.official_scores(case["labels"], case["binary"], case["scalar"])
    expected = {name: value for name, value in case["expected"].items() if not name.endswith("_class")}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] is None if value is None else found[name] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_class_is_equal_to_the_official_scorer(case):
    labels = np.array(case["labels"], float)
    binary, scalar = np.array(case["binary"]) == 1, np.array(case["scalar"])
    found = scoring.auroc(labels, scalar), scoring.average_precision(labels, scalar), scoring.f1(labels, binary)
    for values, name in zip(found, ("auroc_class", "auprc_class", "f_class"), strict=True):
        expected = np.array(case["expected"][name], float)
        np.testing.assert_allclose(values, expected, atol=1e-12, err_msg=name)


def challenge_by_loops(labels, binary, weights, sinus):
    """The definition of the challenge (FACTS: A[j, k] = sum of Y P / d), recording by recording."""

    def gain(answers):
        total = 0.0
        for truth, answer in zip(labels, answers, strict=True):
            present = {j for j, value in enumerate(truth) if value == 1}
            given = {k for k, value in enumerate(answer) if value and not np.isnan(truth[k])}
            total += sum(weights[j, k] for j in present for k in given) / max(1, len(present | given))
        return total

    inactive = np.zeros_like(binary)
    inactive[:, sinus] = True
    return (gain(binary) - gain(inactive)) / (gain(labels == 1) - gain(inactive))


def test_the_challenge_score_leaves_unannotated_cells_out():
    rng = np.random.default_rng(3)
    labels = (rng.random((40, 26)) < 0.1).astype(float)
    labels[rng.random(labels.shape) < 0.2] = np.nan
    binary = rng.random(labels.shape) < 0.1
    weights = diagnoses.score_weights(diagnoses.classes("official"))
    found = scoring.challenge(labels, binary, weights, NSR)
    assert found == pytest.approx(challenge_by_loops(labels, binary, weights, NSR), abs=1e-12)
    flipped = np.where(np.isnan(labels), ~binary, binary)
    assert scoring.challenge(labels, flipped, weights, NSR) == found


def test_composite_classes_have_their_weight():
    composite = [i for i, one in enumerate(diagnoses.classes("official")) if len(one.codes) > 1]
    assert len(composite) == 4
    weights = diagnoses.score_weights(diagnoses.classes("official"))
    for index in composite:
        labels = np.zeros((1, 26))
        labels[0, index] = 1
        assert scoring.challenge(labels, labels == 1, weights, NSR) == 1.0
        assert scoring.challenge(labels, np.zeros((1, 26), bool), weights, NSR) < 0


def test_equivalent_codes_are_one_class_with_one_name():
    study = [one.code for one in diagnoses.classes("study")]
    panel = scoring.panel(study)
    assert "RBBB" in panel.names
    assert panel.challenge == "challenge_subset"
    assert panel.weights.shape == (17, 17)
    assert scoring.panel(OFFICIAL).challenge == "challenge"
    assert scoring.panel(OFFICIAL).names[5] == "CRBBB/RBBB"


def test_a_class_without_severity_keeps_its_code_and_names_the_missing_score():
    panel = scoring.panel(["426783006", "123"])
    assert panel.names == ["NSR", "123"]
    assert panel.weights is None
    told = scoring.report(random_answers(0, classes=2), panel)
    assert np.isnan(told["challenge_subset"])
    assert told["undefined"] == {"challenge_subset": "a class has no severity"}


@pytest.mark.parametrize("seed", range(3))
def test_metrics_equal_scikit_learn_on_the_annotated_cells(seed):
    answers = random_answers(seed)
    told = scoring.report(answers, PANEL)
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
    means = [told[f"{name}_macro"] for name in scoring.MEASURES]
    np.testing.assert_allclose(means, np.mean(values, axis=0), atol=1e-12)


LABELS = arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 1.0, np.nan]))
SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES)
def test_auroc_does_not_change_under_a_monotone_map(labels, scores):
    np.testing.assert_array_equal(scoring.auroc(labels, scores), scoring.auroc(labels, scores**3 / 2 + 0.1))


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES, SCORES)
def test_masked_rows_do_not_matter(labels, scores, others):
    changed = np.where(np.isnan(labels), others, scores)
    panel, sources = scoring.panel(OFFICIAL[:2]), np.full(15, "a", object)
    cut = np.full(labels.shape, 0.5)
    one, other = (scoring.report(Answers(labels, each, cut, sources), panel) for each in (scores, changed))
    assert json.dumps(one, default=float) == json.dumps(other, default=float)


def test_undefined_is_none_and_named_never_zero():
    labels = np.array([[0, 1, np.nan], [0, 1, np.nan], [0, 1, np.nan]], float)
    answers = Answers(labels, np.full((3, 3), 0.9), np.full((3, 3), 0.5), np.full(3, "a", object))
    told = scoring.report(answers, PANEL)
    a, b, c = PANEL.names
    assert told["undefined"] == {a: "no positives", b: "no negatives", c: "not annotated"}
    assert np.isnan([told["auroc_macro"], told["ap_macro"], told["classes"][a]["f1"], told["classes"][c]["f1"]]).all()
    assert told["classes"][b]["f1"] == told["f1_macro"] == 1.0
    empty = scoring.official_scores(np.zeros((0, 26)), np.zeros((0, 26)), np.zeros((0, 26)))
    assert empty == {"auroc_macro": None, "auprc_macro": None, "accuracy": None, "f_macro": None, "challenge": 0.0}


def test_no_class_is_forced_positive():
    answers = random_answers(1)
    low = Answers(answers.labels, answers.probabilities * 0.1, answers.thresholds, answers.sources)
    assert not low.binary.any()
    assert scoring.report(low, PANEL)["f1_macro"] == 0.0


def found(labels, fold, probabilities, test=None):
    folds = sorted(set(fold) - {"test"})
    sources = np.array(["a", "b"] * len(fold), object)[: len(fold)]
    return scoring.settings(labels, fold, sources, {k: probabilities[fold == k] for k in folds}, test or {})


@pytest.fixture
def split():
    rng = np.random.default_rng(7)
    fold = np.array(["0", "1", "2", "test"] * 30, object)
    labels = (rng.random((120, 3)) < 0.3).astype(float)
    probabilities = np.clip(0.3 * labels + 0.7 * rng.random(labels.shape), 0, 1)
    return labels, fold, probabilities


def test_thresholds_never_see_the_rows_scored(split):
    labels, fold, probabilities = split
    before = found(labels, fold, probabilities)
    changed = labels.copy()
    changed[fold == "1"] = 1 - changed[fold == "1"]
    after = found(changed, fold, probabilities)
    np.testing.assert_array_equal(after["validation"]["1"].thresholds, before["validation"]["1"].thresholds)
    assert (after["validation"]["0"].thresholds != before["validation"]["0"].thresholds).any()
    others = (fold == "0") | (fold == "2")
    expected = thresholds.maximal_f1(labels[others], probabilities[others])
    np.testing.assert_array_equal(before["validation"]["1"].thresholds[0], expected)


def test_test_labels_change_no_threshold(split):
    labels, fold, probabilities = split
    test = {k: probabilities[fold == "test"] * scale for k, scale in (("0", 1.0), ("1", 0.8), ("2", 0.6))}
    before = found(labels, fold, probabilities, test)
    changed = labels.copy()
    changed[fold == "test"] = 1 - changed[fold == "test"]
    after = found(changed, fold, probabilities, test)
    for k in test:
        own = thresholds.maximal_f1(labels[fold == k], probabilities[fold == k])
        np.testing.assert_array_equal(before["test"][k].thresholds[0], own)
        np.testing.assert_array_equal(after["test"][k].thresholds[0], own)
    both = before["test_ensemble"]
    np.testing.assert_allclose(both.probabilities, probabilities[fold == "test"] * 0.8)
    mean = np.mean(list(before["thresholds"].values()), axis=0)
    np.testing.assert_allclose(both.thresholds, np.broadcast_to(mean, (30, 3)))


def test_the_test_setting_is_the_mean_of_the_folds_with_their_spread(split):
    labels, fold, probabilities = split
    rng = np.random.default_rng(1)
    test = {k: rng.random((30, 3)) for k in ("0", "1", "2")}
    answers = found(labels, fold, probabilities, test)
    told = scoring.reports(answers, PANEL)
    single = [scoring.report(answers["test"][k], PANEL)["auroc_macro"] for k in test]
    assert told["test"]["auroc_macro"] == pytest.approx(np.mean(single))
    assert told["test_sd"]["auroc_macro"] == pytest.approx(np.std(single, ddof=1))
    short = scoring.summary(told, answers, PANEL)
    assert short["test"]["auroc_macro"] == {
        "mean": pytest.approx(np.mean(single)),
        "sd": pytest.approx(np.std(single, ddof=1)),
    }
    assert short["counts"] == {"classes": 3, "folds": 3, "recordings": 90, "test_recordings": 30}


def test_the_summary_is_at_most_thirty_numbers(split):
    labels, fold, probabilities = split
    answers = found(labels, fold, probabilities, {"0": probabilities[fold == "test"]})
    short = scoring.summary(scoring.reports(answers, PANEL), answers, PANEL)
    assert len(pd.json_normalize(short).select_dtypes("number").columns) <= 30
    assert np.isnan(short["test"]["auroc_macro"]["sd"])


def test_without_a_test_part_its_metrics_are_null_and_named(split):
    labels, fold, probabilities = (each[split[1] != "test"] for each in split)
    answers = found(labels, fold, probabilities)
    short = scoring.summary(scoring.reports(answers, PANEL), answers, PANEL)
    assert set(short["test_ensemble"].values()) == {None}
    assert short["test"]["auroc_macro"] == {"mean": None, "sd": None}
    assert short["undefined"] == dict.fromkeys(("test", "test_ensemble"), "no recording is in the test part")
    assert short["out_of_fold"]["auroc_macro"] > 0.5


def test_thresholds_without_a_positive_to_choose_them_are_named(split):
    labels, fold, probabilities = (each.copy() for each in split)
    labels[fold == "1", 0] = 0
    told = {k: scoring.of_fold(found(labels, fold, probabilities), k, PANEL) for k in ("0", "1")}
    assert told["1"]["undecided"] == {"test": [PANEL.names[0]], "validation": []}
    assert told["1"]["thresholds"][PANEL.names[0]] == thresholds.UNDECIDED
    alone = found(labels[fold == "0"], fold[fold == "0"], probabilities[fold == "0"])
    assert scoring.of_fold(alone, "0", PANEL)["undecided"] == {"test": [], "validation": PANEL.names}


def test_a_source_is_scored_on_its_own_rows(split):
    labels, fold, probabilities = split
    answers = found(labels, fold, probabilities)
    pooled = answers["out_of_fold"]
    rows = pooled.sources == "b"
    told = scoring.by_source(answers, PANEL)
    expected = scoring.auroc(pooled.labels[rows], pooled.probabilities[rows]).mean()
    assert told["b"]["out_of_fold"]["auroc_macro"] == pytest.approx(expected)
    assert told["a"]["out_of_fold"]["recordings"] + told["b"]["out_of_fold"]["recordings"] == 90
