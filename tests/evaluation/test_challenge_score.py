"""The Challenge's score against the reference cases, and which classes are scored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import challenge_score, metrics
from ecgpipe.project.errors import UserError
from tests.fixtures.score_cases import CASES, LABELS

DIAGNOSES = classes.select("official")
OFFICIAL = [diagnosis.code for diagnosis in DIAGNOSES]
NSR = OFFICIAL.index("426783006")


def test_score_weights_follow_the_published_rule():
    weights = challenge_score.score_weights(DIAGNOSES)
    column = {d.abbreviation: index for index, d in enumerate(DIAGNOSES)}

    def weight(a, b):
        return weights[column[a], column[b]]

    assert weights.dtype == np.float64
    assert np.array_equal(weights, weights.T)
    assert np.array_equal(np.diag(weights), np.ones(26))
    assert weight("AF", "AFL") == 0.5
    assert weight("AF", "NSR") == 0.25
    assert weight("NSR", "QAb") == pytest.approx(0.15)
    assert weight("BBB", "CLBBB/LBBB") == weight("LQRSV", "PRWP") == 0.475


def test_a_class_without_severity_has_no_weights():
    with pytest.raises(UserError, match="classes 429622005 have no severity"):
        challenge_score.score_weights(classes.select(["164889003", "429622005"]))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_equal_to_the_official_scorer(case):
    scores = challenge_score.official_scores(case["labels"], case["binary"], case["scalar"])
    expected = {
        name: value for name, value in case["expected"].items() if not name.endswith("_class")
    }
    assert scores == pytest.approx(expected, abs=1e-12)


def mean_of_defined(values):
    """None where nothing is defined."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


def areas_by_loops(truth, scores):
    """(AUROC, AUPRC) of one class, None where undefined: cut at each score from above, the first by
    trapezoids of sensitivity over 1 - specificity, the second by steps of precision over
    sensitivity. Precision is 1 where all answers are right, so it needs no negative."""
    positives, negatives = truth.count(1), truth.count(0)
    tpr, fpr, auroc, auprc = 0.0, 0.0, 0.0, 0.0
    for cut in sorted(set(scores), reverse=True):
        answered = [label for label, score in zip(truth, scores, strict=True) if score >= cut]
        hits = answered.count(1)
        new_tpr = hits / positives if positives else 0.0
        new_fpr = answered.count(0) / negatives if negatives else 0.0
        auroc += (new_fpr - fpr) * (new_tpr + tpr) / 2
        auprc += (new_tpr - tpr) * hits / len(answered)
        tpr, fpr = new_tpr, new_fpr
    return (auroc if positives and negatives else None), (auprc if positives else None)


def official_by_loops(labels, binary, scalar):
    """The official scores (FACTS, section 2) by their definitions, value by value."""
    areas, f_class = [], []
    for k in range(26):
        truth, answers = labels[:, k].astype(int).tolist(), binary[:, k].tolist()
        areas.append(areas_by_loops(truth, scalar[:, k].tolist()))
        pairs = list(zip(truth, answers, strict=True))
        wrong = pairs.count((1, False)) + pairs.count((0, True))
        found = 2 * pairs.count((1, True))
        f_class.append(found / (found + wrong) if found + wrong else None)
    weights = challenge_score.score_weights(DIAGNOSES)
    right = [list(row) == list(answer) for row, answer in zip(labels == 1, binary, strict=True)]
    return {
        "auroc_macro": mean_of_defined([auroc for auroc, _ in areas]),
        "auprc_macro": mean_of_defined([auprc for _, auprc in areas]),
        "accuracy": sum(right) / len(right),
        "f_macro": mean_of_defined(f_class),
        "challenge": challenge_by_loops(labels, binary, weights, NSR),
    }


@pytest.mark.parametrize("seed", range(40))
def test_equal_to_a_scorer_of_plain_loops(seed):
    """With classes that every recording has, that none has, and scores that stand often."""
    rng = np.random.default_rng(seed)
    rows, everybody = int(rng.integers(2, 40)), int(rng.integers(0, 4))
    labels = (rng.random((rows, 26)) < rng.choice([0.0, 0.1, 0.4, 0.8], 26)).astype(float)
    labels[:, rng.choice(26, everybody, replace=False)] = 1
    labels[0, NSR], labels[1, NSR] = 0, 1  # so that the challenge score is defined
    scalar = rng.random(labels.shape).round(int(rng.integers(1, 4)))
    binary = scalar >= rng.random(26)
    expected = official_by_loops(labels, binary, scalar)
    assert challenge_score.official_scores(labels, binary, scalar) == pytest.approx(
        expected, abs=1e-12
    )


def test_a_class_that_every_recording_has_counts_with_1_for_the_official_scorer_alone():
    labels, scalar = np.zeros((4, 26)), np.zeros((4, 26))
    labels[:, 3] = 1  # in everybody
    labels[:2, 5] = 1
    scalar[:, 5] = [0.1, 0.9, 0.5, 0.2]  # average precision 1/2 + 1/2 * 2/4
    scores = challenge_score.official_scores(labels, labels == 1, scalar)
    assert scores["auprc_macro"] == pytest.approx((1 + 0.75) / 2)
    own = metrics.average_precision(labels, scalar)
    assert np.isnan(own[3])
    assert metrics.macro(own) == pytest.approx(0.75)


def test_the_official_scores_of_nothing_are_none_but_for_the_challenge_score():
    nothing = np.zeros((0, 26))
    assert challenge_score.official_scores(nothing, nothing, nothing) == {
        "auroc_macro": None,
        "auprc_macro": None,
        "accuracy": None,
        "f_macro": None,
        "challenge": 0.0,
    }


def challenge_by_loops(labels, binary, weights, sinus):
    """The definition of the challenge (FACTS: A[j, k] = sum of Y P / d), recording by recording."""

    def gain(answers):
        total = 0.0
        for truth, answer in zip(labels, answers, strict=True):
            present = {j for j, value in enumerate(truth) if value == 1}
            answered = {k for k, value in enumerate(answer) if value and not np.isnan(truth[k])}
            worth = sum(weights[j, k] for j in present for k in answered)
            total += worth / max(1, len(present | answered))
        return total

    inactive = np.zeros_like(binary)
    inactive[:, sinus] = True
    return (gain(binary) - gain(inactive)) / (gain(labels == 1) - gain(inactive))


def test_the_challenge_score_leaves_out_what_is_not_annotated():
    rng = np.random.default_rng(3)
    labels = (rng.random((40, 26)) < 0.1).astype(float)
    labels[rng.random(labels.shape) < 0.2] = np.nan
    binary = rng.random(labels.shape) < 0.1
    weights = challenge_score.score_weights(DIAGNOSES)
    score = challenge_score.challenge(labels, binary, weights, NSR)
    assert score == pytest.approx(challenge_by_loops(labels, binary, weights, NSR), abs=1e-12)
    flipped = np.where(np.isnan(labels), ~binary, binary)
    assert challenge_score.challenge(labels, flipped, weights, NSR) == score


def test_composite_classes_have_their_weight():
    composite = [k for k, diagnosis in enumerate(DIAGNOSES) if len(diagnosis.codes) > 1]
    assert len(composite) == 4
    weights = challenge_score.score_weights(DIAGNOSES)
    for index in composite:
        labels = np.zeros((1, 26))
        labels[0, index] = 1
        assert challenge_score.challenge(labels, labels == 1, weights, NSR) == 1.0
        assert challenge_score.challenge(labels, np.zeros((1, 26), bool), weights, NSR) < 0


def test_equivalent_codes_are_one_class_with_one_name():
    study = [diagnosis.code for diagnosis in classes.select("study")]
    scored = challenge_score.scored_classes(study)
    assert "RBBB" in scored.names
    assert scored.challenge == "challenge_subset"
    assert scored.weights.shape == (17, 17)
    assert challenge_score.scored_classes(OFFICIAL).challenge == "challenge"
    assert challenge_score.scored_classes(OFFICIAL).names[5] == "CRBBB/RBBB"


@trials(max_examples=40, deadline=None)
@given(LABELS, arrays(np.bool_, (15, 2)), st.integers(0, 1) | st.none())
def test_the_challenge_score_is_the_scaled_sum_of_what_each_row_gains(labels, binary, sinus):
    weights = np.array([[1.0, 0.3], [0.3, 1.0]])
    rows = challenge_score.gains(labels, binary, weights, sinus)
    assert rows.shape == (3, 15)
    sums = np.zeros(3)
    for half in (slice(7), slice(7, None)):
        sums += challenge_score.gains(labels[half], binary[half], weights, sinus).sum(axis=1)
    whole = challenge_score.challenge(labels, binary, weights, sinus)
    assert whole == pytest.approx(float(challenge_score.scaled(sums)), abs=1e-12, nan_ok=True)


def test_some_of_the_classes_keep_their_names_and_weights():
    whole = challenge_score.scored_classes(OFFICIAL)
    part = whole.of([OFFICIAL[5], OFFICIAL[NSR]])
    assert part.names == [whole.names[5], whole.names[NSR]]
    assert part.sinus == 1
    np.testing.assert_array_equal(part.weights, whole.weights[np.ix_([5, NSR], [5, NSR])])
    assert part.challenge == "challenge_subset"
    assert whole.of(OFFICIAL).challenge == "challenge"
    assert challenge_score.scored_classes(["426783006", "123"]).of(["123"]).weights is None
