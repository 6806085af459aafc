import json

import numpy as np
import pytest

from ecgpipe.evaluation import calibration, challenge_score, operating_points, thresholds
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.project import paths
from ecgpipe.project.digests import digest
from ecgpipe.project.errors import UserError
from tests.fixtures.made_predictions import CLASSES, PARAMS
from tests.fixtures.sealed import write_sealed_text


def params(**changes):
    return EvaluateParams(**(PARAMS.model_dump() | {"calibration": "none"} | changes))


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    labels = (rng.random((90, 3)) < 0.3).astype(float)
    return labels, np.clip(0.3 * labels + 0.7 * rng.random(labels.shape), 0, 1)


def test_each_rule_chooses_its_thresholds_on_calibrated_probabilities(rows):
    labels, raw = rows
    expected = {
        "f1": thresholds.maximal_f1,
        "sensitivity": lambda truth, p: thresholds.at_sensitivity(truth, p, 0.7),
        "challenge": lambda truth, p: thresholds.maximal_challenge(truth, p, CLASSES.weights),
    }
    for method in ("none", "temperature", "platt"):
        probabilities = calibration.fit(labels, raw, method).apply(raw)
        for rule, choose in expected.items():
            point = operating_points.choose(
                labels, raw, CLASSES, params(calibration=method, thresholds=rule, sensitivity=0.7)
            )
            np.testing.assert_array_equal(point.thresholds, choose(labels, probabilities))
            np.testing.assert_array_equal(point.scaling.apply(raw), probabilities)


def test_the_challenge_rule_needs_the_challenges_weights(rows):
    without_severity = challenge_score.scored_classes(["1", "2", "3"])
    with pytest.raises(
        ValueError, match=r"evaluate\.thresholds: 'challenge' needs the challenge's weights"
    ):
        operating_points.choose(*rows, without_severity, params(thresholds="challenge"))


@pytest.fixture
def written(rows, tmp_path, monkeypatch):
    """operating.json of a fold and the ensemble, in the working folder; the digests that its models
    name."""
    monkeypatch.chdir(tmp_path)
    path = paths.predictions("0") / "val.csv"
    path.parent.mkdir(parents=True)
    path.write_text("predictions")
    point = operating_points.choose(*rows, CLASSES, params(calibration="platt"))
    right = np.array([0.9, np.nan, 0.3])
    skill = {
        "0": operating_points.Skill(np.array([0.9, 0.8, np.nan]), right),
        "ensemble": operating_points.Skill(np.array([0.95, np.nan, 0.6]), right),
    }
    operating_points.write(
        {"0": point, "ensemble": point}, skill, CLASSES, params(), paths.OPERATING.parent
    )
    return point, {"0": digest(path)}


def test_what_is_written_is_read_back_exactly(written):
    point, digests = written
    stored, skill = operating_points.read(paths.OPERATING, CLASSES.codes, digests)
    np.testing.assert_array_equal(
        stored.thresholds, [point.thresholds[0], np.inf, point.thresholds[2]]
    )
    np.testing.assert_array_equal(stored.scaling.slope, point.scaling.slope)
    np.testing.assert_array_equal(stored.scaling.shift, point.scaling.shift)
    np.testing.assert_array_equal(skill.auroc, [0.95, np.nan, 0.6])
    np.testing.assert_array_equal(skill.precision, [0.9, np.nan, 0.3])
    content = json.loads(paths.OPERATING.read_text())
    assert content["folds"]["0"]["validation_auroc"] == [0.9, 0.8, None]
    assert content["folds"]["0"]["threshold"][2] is None
    assert content["params"] == params().model_dump()


def test_a_class_that_nothing_was_there_to_learn_from_is_never_answered(written):
    """Also where an older version wrote 0.5 as its threshold."""
    point, digests = written
    content = json.loads(paths.OPERATING.read_text())
    assert content["ensemble"]["validation_auroc"][1] is None
    content["ensemble"]["threshold"][1] = 0.5
    write_sealed_text(json.dumps(content), paths.OPERATING)
    stored, _ = operating_points.read(paths.OPERATING, CLASSES.codes, digests)
    assert stored.thresholds[1] == np.inf
    np.testing.assert_array_equal(stored.thresholds[[0, 2]], point.thresholds[[0, 2]])


@pytest.mark.parametrize("key", operating_points.COLUMNS)
def test_columns_of_another_length_or_without_numbers_are_named(written, key):
    _, digests = written
    plain = json.loads(paths.OPERATING.read_text())
    for values in ([0.5], [0.5] * 4):
        content = plain | {"ensemble": plain["ensemble"] | {key: values}}
        write_sealed_text(json.dumps(content), paths.OPERATING)
        with pytest.raises(
            ValueError,
            match=rf"operating\.json: {key} has one number for each of 3 classes, found \d",
        ):
            operating_points.read(paths.OPERATING, CLASSES.codes, digests)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("slope", [1, None, 1]),
        ("slope", [1, 0, 1]),
        ("slope", [1, -1, 1]),
        ("slope", [1, 1e30, 1]),
        ("slope", 0.5),
        ("shift", [0, None, 0]),
        ("shift", [0, 1e6, 0]),
        ("threshold", [0.5, -0.1, 0.5]),
        ("threshold", [0.5, 1.1, 0.5]),
        ("threshold", [0.5, "0.5", 0.5]),
        ("validation_auroc", [0.5, 1.5, 0.5]),
    ],
)
@pytest.mark.parametrize("where", ["ensemble", "folds.0"])
def test_numbers_that_no_training_leaves_are_named(written, key, values, where):
    _, digests = written
    content = json.loads(paths.OPERATING.read_text())
    point = content["folds"]["0"] if where == "folds.0" else content["ensemble"]
    point[key] = values
    write_sealed_text(json.dumps(content), paths.OPERATING)
    with pytest.raises(UserError, match=rf"operating\.json: {where}\.{key}.*evaluate`") as caught:
        operating_points.read(paths.OPERATING, CLASSES.codes, digests)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[" * 100_000, "[]", '{"classes": []}', '{"a": Infinity}'])
def test_a_file_that_is_none_of_ours_is_one_line(written, text):
    _, digests = written
    write_sealed_text(text, paths.OPERATING)
    with pytest.raises(UserError, match=r"operating\.json: .*run `dvc repro evaluate`") as caught:
        operating_points.read(paths.OPERATING, CLASSES.codes, digests)
    assert "\n" not in str(caught.value)


def test_the_steepest_fit_and_a_threshold_that_answers_nobody_are_read_back(written):
    """The ranges hold what the fits and the rules can give."""
    _, digests = written
    labels = np.repeat([[0.0, 1.0]], 2000, axis=0).reshape(-1, 1).repeat(3, axis=1)
    sure = np.where(labels == 1, 1 - 1e-7, 1e-7)
    extreme = np.where(labels == 1, 0.500001, 0.5)
    for raw in (sure, extreme, 1 - sure):
        scaling = calibration.fit(labels, raw, "platt")
        point = operating_points.OperatingPoint(scaling, np.full(3, np.nextafter(1, 2)))
        operating_points.write(
            {"0": point, "ensemble": point},
            dict.fromkeys(("0", "ensemble"), operating_points.Skill(np.ones(3), np.zeros(3))),
            CLASSES,
            params(),
            paths.OPERATING.parent,
        )
        stored, _ = operating_points.read(paths.OPERATING, CLASSES.codes, digests)
        np.testing.assert_array_equal(stored.thresholds, np.nextafter(1, 2))
        np.testing.assert_array_equal(stored.scaling.shift, scaling.shift)


def test_points_of_other_models_are_refused(written, tmp_path):
    _, digests = written
    for codes, others in (
        (CLASSES.codes[:2], digests),
        (CLASSES.codes, {"0": "other"}),
        (CLASSES.codes, {"1": "x"}),
    ):
        with pytest.raises(
            ValueError, match=r"operating.json: its operating points were chosen for other models"
        ):
            operating_points.read(paths.OPERATING, codes, others)
    with pytest.raises(
        ValueError, match="no operating points beside these models; run `dvc repro evaluate`"
    ):
        operating_points.read(tmp_path / "none.json", CLASSES.codes, digests)
