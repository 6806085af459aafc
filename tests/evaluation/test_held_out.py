import dataclasses

import numpy as np
import pandas as pd
import pytest

from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import calibration, challenge_score, held_out, operating_points, thresholds
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.evaluation.predictions import joined
from ecgpipe.project import paths
from tests.fixtures.sealed import write_sealed

CODES = [one.code for one in classes.select("official")][:3]
PANEL = challenge_score.scored_classes(CODES)
PARAMS = EvaluateParams(
    calibration="platt", thresholds="f1", sensitivity=0.9, resamples=100, seed=1
)
RULES = [
    PARAMS.model_copy(update={"thresholds": rule}) for rule in ("f1", "challenge", "sensitivity")
]


@pytest.fixture
def split():
    rng = np.random.default_rng(7)
    fold = np.array(["0", "1", "2", "test"] * 30, object)
    labels = (rng.random((120, 3)) < 0.3).astype(float)
    return labels, fold, np.clip(0.3 * labels + 0.7 * rng.random(labels.shape), 0, 1)


def build(labels, fold, probabilities, params=PARAMS):
    folds = ("0", "1", "2")
    test = {
        k: probabilities[fold == "test"] * scale
        for k, scale in zip(folds, (1.0, 0.8, 0.6), strict=True)
    }
    return held_out.build(
        labels, fold, {k: probabilities[fold == k] for k in folds}, test, PANEL, params
    )


def scored(found):
    """What each part is scored with, as its answers show it: thresholds, and calibrated against raw
    probabilities."""
    parts = {f"out_of_fold {k}": one for k, one in found.validation.items()} | found.test
    parts["ensemble"] = found.whole["test_ensemble"]
    pooled = found.whole["out_of_fold"]
    np.testing.assert_array_equal(
        pooled.thresholds, np.concatenate([found.validation[k].thresholds for k in "012"])
    )
    np.testing.assert_array_equal(
        pooled.raw, np.concatenate([found.validation[k].raw for k in "012"])
    )
    np.testing.assert_array_equal(
        pooled.probabilities, np.concatenate([found.validation[k].probabilities for k in "012"])
    )
    return {name: (one.thresholds[0], *scaling_seen(one)) for name, one in parts.items()}


def scaling_seen(answers):
    """Slope and shift [class] that lie between the answers' raw and calibrated probabilities."""
    fits = [
        np.polyfit(calibration.logit(raw), calibration.logit(given), 1)
        for raw, given in zip(answers.raw.T, answers.probabilities.T, strict=True)
    ]
    return np.array(fits)[:, 0], np.array(fits)[:, 1]


def same(one, other):
    return all(np.allclose(a, b, rtol=1e-6, atol=1e-8) for a, b in zip(one, other, strict=True))


def leaks(split, params=PARAMS, build=build):
    """Who is scored with a point that changes with the labels or predictions of the rows that it is
    scored on."""
    labels, fold, probabilities = split
    before, rng, found = scored(build(*split, params)), np.random.default_rng(1), set()
    for part in ("0", "1", "2", "test"):
        rows = fold == part
        for which in (0, 2):
            noisy = [labels.copy(), fold, probabilities.copy()]
            noisy[which][rows] = rng.random(labels[rows].shape).round(0 if which == 0 else 3)
            after = scored(build(*noisy, params))
            named = (
                [f"out_of_fold {part}"] if part != "test" else [k for k in after if "out" not in k]
            )
            found |= {name for name in named if not same(after[name], before[name])}
    return found


@pytest.mark.parametrize("params", RULES, ids=lambda params: params.thresholds)
def test_no_point_changes_with_the_rows_that_it_is_scored_on(split, params):
    assert leaks(split, params) == set()


def test_planted_leaks_are_found(split):
    def built_with(change):
        """A build whose answers are changed: their thresholds or their calibration come from rows
        that they hold."""

        def leaking(labels, fold, probabilities, params):
            found = build(labels, fold, probabilities, params)
            own = {
                k: operating_points.choose(
                    labels[fold == k], probabilities[fold == k], PANEL, params
                )
                for k in "012"
            }
            everywhere = operating_points.choose(labels, probabilities, PANEL, params)
            validation = {k: change(one, own[k]) for k, one in found.validation.items()}
            return dataclasses.replace(
                found,
                validation=validation,
                whole={"out_of_fold": joined(list(validation.values()))}
                | {"test_ensemble": change(found.whole["test_ensemble"], everywhere)},
                test={k: change(one, everywhere) for k, one in found.test.items()},
            )

        return leaking

    def thresholds_of(one, point):
        return dataclasses.replace(
            one, thresholds=np.broadcast_to(point.thresholds, one.thresholds.shape)
        )

    def calibration_of(one, point):
        return dataclasses.replace(one, probabilities=point.scaling.apply(one.raw))

    everyone = {*(f"out_of_fold {k}" for k in "012"), *"012", "ensemble"}
    for change in (thresholds_of, calibration_of):
        assert leaks(split, PARAMS, built_with(change)) == everyone


def test_points_are_those_of_the_rows_named(split):
    labels, fold, probabilities = split
    found = build(*split)

    def expected(rows):
        scaling = calibration.fit(labels[rows], probabilities[rows], "platt")
        return scaling.slope, thresholds.maximal_f1(
            labels[rows], scaling.apply(probabilities[rows])
        )

    own = {"0": fold == "0", "ensemble": fold != "test"}
    for name, rows in own.items():
        slope, cuts = expected(rows)
        np.testing.assert_allclose(found.points[name].scaling.slope, slope)
        np.testing.assert_allclose(found.points[name].thresholds, cuts)
    slope, cuts = expected((fold == "0") | (fold == "2"))
    np.testing.assert_allclose(found.crossed["1"].thresholds, cuts)
    np.testing.assert_array_equal(
        found.validation["1"].thresholds[0], found.crossed["1"].thresholds
    )
    np.testing.assert_array_equal(found.test["0"].thresholds[0], found.points["0"].thresholds)


def test_each_setting_holds_the_rows_of_the_table_that_it_says(split):
    labels, fold, probabilities = split
    found = build(*split)
    pooled, both = found.whole["out_of_fold"], found.whole["test_ensemble"]
    np.testing.assert_array_equal(pooled.raw, probabilities[pooled.rows])
    np.testing.assert_array_equal(pooled.labels, labels[pooled.rows])
    assert sorted(pooled.rows) == list(np.flatnonzero(fold != "test"))
    np.testing.assert_array_equal(both.rows, np.flatnonzero(fold == "test"))
    np.testing.assert_allclose(both.raw, probabilities[fold == "test"] * 0.8)
    np.testing.assert_allclose(both.probabilities, found.points["ensemble"].scaling.apply(both.raw))
    assert found.folds == ["0", "1", "2"]


def test_predictions_are_read_in_the_order_of_the_table(split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels, fold, probabilities = split
    table = pd.DataFrame(labels, columns=CODES).assign(
        source="a", record=[f"{number:03d}" for number in range(120)], fold=fold
    )
    for k in ("0", "1", "2"):
        for part, name in ((k, "val"), ("test", "test")):
            rows = table[fold == part][["source", "record"]]
            given = rows.assign(**dict(zip(CODES, probabilities[fold == part].T, strict=True)))
            write_sealed(given[::-1], paths.predictions(k) / f"{name}.csv")
    found = held_out.read(table, ["0", "1", "2"], PANEL, PARAMS)
    np.testing.assert_allclose(
        found.whole["test_ensemble"].raw, probabilities[fold == "test"], atol=1e-6
    )
    alone = held_out.read(table[fold != "test"], ["0", "1", "2"], PANEL, PARAMS)
    assert alone.whole.keys() == {"out_of_fold"}
    assert alone.test == {}
