import dataclasses

import numpy as np
import pandas as pd
import pytest

from ecgpipe.evaluation import calibration, held_out, operating_points, thresholds
from ecgpipe.evaluation.predictions import joined
from ecgpipe.project import paths
from tests.fixtures import made_predictions
from tests.fixtures.made_predictions import CLASSES, PARAMS
from tests.fixtures.sealed import write_sealed

RULES = [
    PARAMS.model_copy(update={"thresholds": rule}) for rule in ("f1", "challenge", "sensitivity")
]


@pytest.fixture
def split():
    return made_predictions.split()


def build(labels, fold, probabilities, params=PARAMS):
    tested = probabilities[fold == "test"]
    test = {"0": tested, "1": tested * 0.8, "2": tested * 0.6}
    validation = {k: probabilities[fold == k] for k in test}
    return held_out.build(labels, fold, validation, test, CLASSES, params)


def scored(settings):
    """What each part is scored with, as its predictions show it: thresholds, and calibrated against
    raw probabilities."""
    parts = {f"out_of_fold {k}": part for k, part in settings.validation.items()} | settings.test
    parts["ensemble"] = settings.whole["test_ensemble"]
    pooled = settings.whole["out_of_fold"]
    for name in ("thresholds", "raw", "probabilities"):
        by_fold = [getattr(settings.validation[k], name) for k in "012"]
        np.testing.assert_array_equal(getattr(pooled, name), np.concatenate(by_fold))
    return {name: (part.thresholds[0], *scaling_seen(part)) for name, part in parts.items()}


def scaling_seen(predictions):
    """Slope and shift [class] that lie between raw and calibrated probabilities."""
    raw, calibrated = (
        calibration.logit(each) for each in (predictions.raw, predictions.probabilities)
    )
    fits = [np.polyfit(x, y, 1) for x, y in zip(raw.T, calibrated.T, strict=True)]
    return np.array(fits)[:, 0], np.array(fits)[:, 1]


def same(a, b):
    return all(np.allclose(x, y, rtol=1e-6, atol=1e-8) for x, y in zip(a, b, strict=True))


def leaks(split, params=PARAMS, build=build):
    """Who is scored with a point that changes with the labels or predictions of the rows that it is
    scored on."""
    labels, fold, probabilities = split
    before, rng, leaking = scored(build(*split, params)), np.random.default_rng(1), set()
    for part in ("0", "1", "2", "test"):
        rows = fold == part
        for which in (0, 2):
            noisy = [labels.copy(), fold, probabilities.copy()]
            noisy[which][rows] = rng.random(labels[rows].shape).round(0 if which == 0 else 3)
            after = scored(build(*noisy, params))
            named = (
                [f"out_of_fold {part}"] if part != "test" else [k for k in after if "out" not in k]
            )
            leaking |= {name for name in named if not same(after[name], before[name])}
    return leaking


@pytest.mark.parametrize("params", RULES, ids=lambda params: params.thresholds)
def test_no_point_changes_with_the_rows_that_it_is_scored_on(split, params):
    assert leaks(split, params) == set()


def test_planted_leaks_are_found(split):
    def built_with(change):
        """A build whose predictions are changed: their thresholds or their calibration come from
        rows that they hold."""

        def leaking(labels, fold, probabilities, params):
            settings = build(labels, fold, probabilities, params)
            everywhere = operating_points.choose(labels, probabilities, CLASSES, params)
            validation = {}
            for k, part in settings.validation.items():
                rows = fold == k
                own = operating_points.choose(labels[rows], probabilities[rows], CLASSES, params)
                validation[k] = change(part, own)
            whole = {
                "out_of_fold": joined(list(validation.values())),
                "test_ensemble": change(settings.whole["test_ensemble"], everywhere),
            }
            test = {k: change(part, everywhere) for k, part in settings.test.items()}
            return dataclasses.replace(settings, validation=validation, whole=whole, test=test)

        return leaking

    def thresholds_of(part, point):
        own = np.broadcast_to(point.thresholds, part.thresholds.shape)
        return dataclasses.replace(part, thresholds=own)

    def calibration_of(part, point):
        return dataclasses.replace(part, probabilities=point.scaling.apply(part.raw))

    everyone = {*(f"out_of_fold {k}" for k in "012"), *"012", "ensemble"}
    for change in (thresholds_of, calibration_of):
        assert leaks(split, PARAMS, built_with(change)) == everyone


def test_points_are_those_of_the_rows_named(split):
    labels, fold, probabilities = split
    settings = build(*split)

    def expected(rows):
        scaling = calibration.fit(labels[rows], probabilities[rows], "platt")
        return scaling.slope, thresholds.maximal_f1(
            labels[rows], scaling.apply(probabilities[rows])
        )

    own = {"0": fold == "0", "ensemble": fold != "test"}
    for name, rows in own.items():
        slope, cuts = expected(rows)
        np.testing.assert_allclose(settings.points[name].scaling.slope, slope)
        np.testing.assert_allclose(settings.points[name].thresholds, cuts)
    slope, cuts = expected((fold == "0") | (fold == "2"))
    np.testing.assert_allclose(settings.crossed["1"].thresholds, cuts)
    np.testing.assert_array_equal(
        settings.validation["1"].thresholds[0], settings.crossed["1"].thresholds
    )
    np.testing.assert_array_equal(settings.test["0"].thresholds[0], settings.points["0"].thresholds)


def test_each_setting_holds_the_rows_of_the_table_that_it_says(split):
    labels, fold, probabilities = split
    settings = build(*split)
    pooled, both = settings.whole["out_of_fold"], settings.whole["test_ensemble"]
    np.testing.assert_array_equal(pooled.raw, probabilities[pooled.rows])
    np.testing.assert_array_equal(pooled.labels, labels[pooled.rows])
    assert sorted(pooled.rows) == list(np.flatnonzero(fold != "test"))
    np.testing.assert_array_equal(both.rows, np.flatnonzero(fold == "test"))
    np.testing.assert_allclose(both.raw, probabilities[fold == "test"] * 0.8)
    scaling = settings.points["ensemble"].scaling
    np.testing.assert_allclose(both.probabilities, scaling.apply(both.raw))
    assert settings.folds == ["0", "1", "2"]


def test_predictions_are_read_in_the_order_of_the_table(split, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels, fold, probabilities = split
    table = pd.DataFrame(labels, columns=CLASSES.codes).assign(
        source="a", record=[f"{number:03d}" for number in range(120)], fold=fold
    )
    for k in ("0", "1", "2"):
        for part, name in ((k, "val"), ("test", "test")):
            rows = table[fold == part][["source", "record"]]
            columns = zip(CLASSES.codes, probabilities[fold == part].T, strict=True)
            predicted = rows.assign(**dict(columns))
            write_sealed(predicted[::-1], paths.predictions(k) / f"{name}.csv")
    settings = held_out.read(table, ["0", "1", "2"], CLASSES, PARAMS)
    np.testing.assert_allclose(
        settings.whole["test_ensemble"].raw, probabilities[fold == "test"], atol=1e-6
    )
    alone = held_out.read(table[fold != "test"], ["0", "1", "2"], CLASSES, PARAMS)
    assert alone.whole.keys() == {"out_of_fold"}
    assert alone.test == {}
