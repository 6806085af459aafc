import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from ecgpipe.evaluation import predictions
from ecgpipe.evaluation.predictions import Answers, confusion, read_probabilities, write_json
from ecgpipe.project import tables


def answers(rows=600, classes=4, seed=0):
    """Class 2 is never positive, class 3 is never annotated."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((rows, classes)) < 0.2).astype(float)
    labels[:, 2] = 0
    labels[:, 3] = np.nan
    probabilities = np.clip(rng.random(labels.shape) * 0.8 + 0.2 * np.nan_to_num(labels), 0, 1)
    return answers_of(labels, probabilities, np.full(labels.shape, 0.5))


def answers_of(labels, probabilities, thresholds):
    """Answers whose probabilities are as the network gave them."""
    return Answers(labels, probabilities, thresholds, probabilities, np.arange(len(labels)))


def test_curves_have_at_most_200_points_and_keep_their_area():
    given, names = answers(20_000), ["A", "B", "C", "D"]
    roc, pr = pd.DataFrame(predictions.roc(given, names)), pd.DataFrame(predictions.precision_recall(given, names))
    for index, name in enumerate(names[:2]):
        truth, scores = given.labels[:, index], given.probabilities[:, index]
        one = roc[roc["class"] == name]
        assert len(one) <= predictions.POINTS
        area = np.trapezoid(one["tpr"], one["fpr"])
        assert area == pytest.approx(metrics.roc_auc_score(truth, scores), abs=2e-3)
        one = pr[pr["class"] == name]
        assert len(one) <= predictions.POINTS
        area = (np.diff(one["recall"]) * one["precision"].to_numpy()[1:]).sum()
        assert area == pytest.approx(metrics.average_precision_score(truth, scores), abs=5e-3)


def test_short_curves_are_exact():
    rng = np.random.default_rng(2)
    labels, scores = (rng.random((60, 1)) < 0.4).astype(float), rng.integers(0, 15, (60, 1)) / 15
    given = answers_of(labels, scores, scores)
    one = pd.DataFrame(predictions.roc(given, ["A"]))
    fpr, tpr, _ = metrics.roc_curve(labels[:, 0], scores[:, 0], drop_intermediate=False)
    np.testing.assert_allclose(one[["fpr", "tpr"]], np.column_stack([fpr, tpr]))
    one = pd.DataFrame(predictions.precision_recall(given, ["A"]))
    precision, recall, _ = metrics.precision_recall_curve(labels[:, 0], scores[:, 0])
    np.testing.assert_allclose(one[["recall", "precision"]][1:], np.column_stack([recall, precision])[-2::-1])


def test_calibration_counts_every_annotated_recording_before_and_after():
    given = answers()
    given = dataclasses.replace(given, probabilities=given.raw**2)
    records = pd.DataFrame(predictions.calibration(given, ["A", "B", "C", "D"]))
    for kind, scores in (("raw", given.raw), ("calibrated", given.probabilities)):
        part = records[records["probabilities"] == kind]
        assert part.groupby("class")["recordings"].sum().to_dict() == {"A": 600, "B": 600, "C": 600}
        one = part[part["class"] == "A"]
        assert (one["observed"] * one["recordings"]).sum() == pytest.approx(given.labels[:, 0].sum())
        assert (one["predicted"] * one["recordings"]).sum() == pytest.approx(scores[:, 0].sum())


def test_curves_rank_as_the_network_did_whatever_the_calibration():
    given = answers()
    changed = dataclasses.replace(given, probabilities=given.raw**3 / 2)
    for curve in (predictions.roc, predictions.precision_recall):
        assert curve(given, list("ABCD")) == curve(changed, list("ABCD"))


def test_rows_of_the_table_are_taken_and_joined():
    given = answers(10)
    given = dataclasses.replace(given, rows=np.arange(10) + 5)
    mask = np.zeros(20, bool)
    mask[[6, 14, 19]] = True
    part = given.of(mask)
    assert part.rows.tolist() == [6, 14]
    np.testing.assert_array_equal(part.raw, given.raw[[1, 9]])
    both = predictions.joined([given, part])
    assert both.rows.tolist() == [*range(5, 15), 6, 14]


def test_cooccurrence_is_a_share_of_recordings_where_both_are_annotated():
    labels = np.array([[1, 1, np.nan], [1, 0, 0], [0, 1, 1], [1, np.nan, 1]], float)
    given = answers_of(labels, labels, labels)
    nan_free = predictions.cooccurrence(given)
    np.testing.assert_allclose(nan_free, [[1, 1 / 2, 1 / 2], [1 / 2, 1, 1], [1 / 2, 1, 1]])


def test_json_has_sorted_keys_six_digits_and_null_for_nan(tmp_path):
    path = tmp_path / "one.json"
    write_json({"b": np.float64(1) / 3, "a": [np.nan, np.int64(2)], 1: None}, path)
    assert path.read_text() == '{\n "1": null,\n "a": [\n  null,\n  2\n ],\n "b": 0.333333\n}\n'
    write_json([{"b": 1, "a": 2.0}], path)
    assert path.read_text() == '[\n{"a": 2.0, "b": 1}\n]\n'


def test_confusion_counts_errors_beside_the_diagonal_only():
    nan = np.nan
    labels = np.array([[1, 1], [1, 0], [1, 0], [0, 0], [1, nan]], float)
    binary = np.array([[1, 1], [1, 1], [0, 0], [0, 1], [0, 1]], float)
    found = confusion(answers_of(labels, binary, np.full((5, 2), 0.5)))
    # row 0: 4 recordings with class 0, 2 answered; 2 of them lack class 1, 1 of these answered with it;
    # 2 answered with nothing that is annotated. Row 2: one recording without a class, answered with class 1.
    np.testing.assert_array_equal(found, [[0.5, 0.5, 0.5], [nan, 1.0, 0.0], [0.0, 1.0, 0.0]])


@pytest.fixture
def part(tmp_path):
    rows = pd.DataFrame({"source": ["a", "a", "b"], "record": ["1", "2", "1"], "11": 0.0, "22": 1.0})
    predicted = pd.DataFrame({"source": ["b", "a", "a"], "record": ["1", "1", "2"], "11": [0.1, 0.2, 0.3], "22": 0.5})
    return rows, predicted, tmp_path / "val.csv"


def test_predictions_come_in_the_order_of_the_table(part):
    rows, predicted, path = part
    tables.write(predicted, path, sealed=True)
    assert read_probabilities(path, rows)[:, 0].tolist() == [0.2, 0.3, 0.1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[["source", "record", "22", "11"]], "the same codes in another order"),
        (lambda table: table.rename(columns={"22": "33"}), r"\['22', '33'\]; train this fold again"),
        (lambda table: table[1:], r"1 recordings are missing, such as \('b', '1'\)"),
        (lambda table: table.iloc[[0, 0, 1, 2]], "1 recordings are twice"),
        (lambda table: pd.concat([table, table[:1].assign(record="9")]), r"not of this part, such as \('b', '9'\)"),
        (lambda table: table.assign(**{"11": 1.5}), r"outside 0\.\.1"),
        (lambda table: table.assign(**{"11": np.nan}), "a probability is blank"),
    ],
)
def test_predictions_that_do_not_fit_the_table_are_refused(part, change, message):
    rows, predicted, path = part
    tables.write(change(predicted), path, sealed=True)
    with pytest.raises(ValueError, match=message):
        read_probabilities(path, rows)
