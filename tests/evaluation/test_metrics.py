import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import precision_score, recall_score

from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import metrics

CASES = json.loads((Path(__file__).parent / "cinc2021_score_cases.json").read_text())
OFFICIAL = [one.code for one in classes.classes("official")]
NSR = OFFICIAL.index("426783006")


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_equal_to_the_official_scorer(case):
    found = metrics.official_scores(case["labels"], case["binary"], case["scalar"])
    expected = {name: value for name, value in case["expected"].items() if not name.endswith("_class")}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] is None if value is None else found[name] == pytest.approx(value, abs=1e-12), name


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_class_is_equal_to_the_official_scorer(case):
    labels = np.array(case["labels"], float)
    binary, scalar = np.array(case["binary"]) == 1, np.array(case["scalar"])
    found = metrics.auroc(labels, scalar), metrics.average_precision(labels, scalar), metrics.f1(labels, binary)
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
    weights = classes.score_weights(classes.classes("official"))
    found = metrics.challenge(labels, binary, weights, NSR)
    assert found == pytest.approx(challenge_by_loops(labels, binary, weights, NSR), abs=1e-12)
    flipped = np.where(np.isnan(labels), ~binary, binary)
    assert metrics.challenge(labels, flipped, weights, NSR) == found


def test_composite_classes_have_their_weight():
    composite = [i for i, one in enumerate(classes.classes("official")) if len(one.codes) > 1]
    assert len(composite) == 4
    weights = classes.score_weights(classes.classes("official"))
    for index in composite:
        labels = np.zeros((1, 26))
        labels[0, index] = 1
        assert metrics.challenge(labels, labels == 1, weights, NSR) == 1.0
        assert metrics.challenge(labels, np.zeros((1, 26), bool), weights, NSR) < 0


def test_equivalent_codes_are_one_class_with_one_name():
    study = [one.code for one in classes.classes("study")]
    panel = metrics.panel(study)
    assert "RBBB" in panel.names
    assert panel.challenge == "challenge_subset"
    assert panel.weights.shape == (17, 17)
    assert metrics.panel(OFFICIAL).challenge == "challenge"
    assert metrics.panel(OFFICIAL).names[5] == "CRBBB/RBBB"


LABELS = arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 1.0, np.nan]))
SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES)
def test_auroc_does_not_change_under_a_monotone_map(labels, scores):
    np.testing.assert_array_equal(metrics.auroc(labels, scores), metrics.auroc(labels, scores**3 / 2 + 0.1))


@trials(max_examples=40, deadline=None)
@given(LABELS, arrays(np.bool_, (15, 2)), st.integers(0, 1) | st.none())
def test_the_challenge_score_is_the_scaled_sum_of_what_each_row_gains(labels, binary, sinus):
    weights = np.array([[1.0, 0.3], [0.3, 1.0]])
    rows = metrics.gains(labels, binary, weights, sinus)
    assert rows.shape == (3, 15)
    halves = [metrics.gains(part, answers, weights, sinus).sum(axis=1) for part, answers in
              ((labels[:7], binary[:7]), (labels[7:], binary[7:]))]  # fmt: skip
    whole, expected = metrics.challenge(labels, binary, weights, sinus), metrics.scaled(sum(halves))
    assert (np.isnan(whole) and np.isnan(expected)) or whole == pytest.approx(float(expected), abs=1e-12)


@trials(max_examples=40, deadline=None)
@given(LABELS, arrays(np.bool_, (15, 2)))
def test_rates_are_scikit_learns_on_annotated_cells(labels, binary):
    found = metrics.rates(labels, binary)
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


def test_a_part_of_a_panel_keeps_names_and_weights_of_its_classes():
    whole = metrics.panel(OFFICIAL)
    part = whole.of([OFFICIAL[5], OFFICIAL[NSR]])
    assert part.names == [whole.names[5], whole.names[NSR]]
    assert part.sinus == 1
    np.testing.assert_array_equal(part.weights, whole.weights[np.ix_([5, NSR], [5, NSR])])
    assert part.challenge == "challenge_subset"
    assert whole.of(OFFICIAL).challenge == "challenge"
    assert metrics.panel(["426783006", "123"]).of(["123"]).weights is None
