import json

import numpy as np
import pandas as pd
import pytest

from ecgpipe.evaluation import held_out, metric_list, metric_tables, thresholds
from ecgpipe.evaluation.metrics import auroc
from tests.fixtures.made_predictions import CLASSES, built, reports_of, split


def with_test_part(scales=(1.0, 1.0, 1.0)):
    """Settings with a test part, which the folds' models score alike up to a factor."""
    labels, fold, probabilities = split()
    test = {str(k): probabilities[fold == "test"] * scale for k, scale in enumerate(scales)}
    return built(labels, fold, probabilities, test)


def test_the_spread_over_the_folds_stands_in_summary_and_settings():
    settings = with_test_part((1.0, 0.9, 0.8))
    reports = reports_of(settings)
    short = metric_tables.summary(reports, settings, CLASSES)
    mean, spread = (reports[name]["auroc_macro"] for name in ("test", "test_sd"))
    assert (short["test"]["auroc_macro"], short["test"]["auroc_macro_sd"]) == (mean, spread)
    assert short["counts"] == {"classes": 3, "folds": 3, "recordings": 90, "test_recordings": 30}
    test = metric_tables.by_setting(reports, CLASSES)["test"]
    assert metric_tables.with_ends(test, "ap_macro").keys() == {"value", "low", "high", "sd"}
    assert test["auroc_macro_low"] < mean < test["auroc_macro_high"]


def test_a_number_has_one_key_in_every_file():
    settings = with_test_part((1.0, 0.9, 0.8))
    subgroups = {"sex": {"F": np.ones(120, bool)}}
    trees = metric_tables.trees(reports_of(settings), settings, CLASSES, subgroups)
    compared = 0
    for name in held_out.SETTINGS:
        of_all = trees["settings"][name]
        for key, value in trees["summary"][name].items():
            assert of_all[key] == pytest.approx(value, nan_ok=True), (name, key)
            compared += 1
        everyone = trees["subgroups"]["sex"]["F"].get(name, {})
        for key in everyone.keys() - {"classes", "undefined"}:
            assert everyone[key] == pytest.approx(of_all[key], nan_ok=True), (name, key)
            compared += 1
        for of_class, values in everyone.get("classes", {}).items():
            for key, value in values.items():
                told = trees["classes"][of_class][name][key]
                assert told == pytest.approx(value, nan_ok=True), (name, key)
    assert compared > 40


def test_every_score_and_class_number_but_the_calibration_error_has_an_interval():
    settings = with_test_part()
    reports = reports_of(settings)
    scores = [score.key for score in metric_list.scores(CLASSES) if score.has_interval]
    assert set(scores) == {
        *("auroc_macro", "auroc_macro_frequent", "auroc_micro", "ap_macro", "ap_micro"),
        *("f1_macro", "brier_macro", "challenge_subset"),
    }
    for name in held_out.SETTINGS:
        for key in scores:
            bounds = reports[name]["intervals"][key]
            assert bounds["low"] < reports[name][key] < bounds["high"], (name, key)
    ensemble = settings.points["ensemble"]
    points = metric_tables.described(ensemble, CLASSES)
    tree = metric_tables.by_class(reports, CLASSES, points)
    for index, of_class in enumerate(tree.values()):
        assert of_class["point"]["threshold"] == ensemble.thresholds[index]
        for name in held_out.SETTINGS:
            bounded = {key.removesuffix("_low") for key in of_class[name] if key.endswith("_low")}
            assert bounded == {"auroc", "ap", "f1", "brier"}
            for key in bounded:
                low, high = of_class[name][f"{key}_low"], of_class[name][f"{key}_high"]
                assert low <= of_class[name][key] <= high
        assert of_class["test"]["auroc_sd"] == pytest.approx(0)


def test_the_summary_is_at_most_thirty_numbers():
    labels, fold, probabilities = split()
    settings = built(labels, fold, probabilities, {"0": probabilities[fold == "test"]})
    short = metric_tables.summary(reports_of(settings), settings, CLASSES)
    assert 20 < len(pd.json_normalize(short).select_dtypes("number").columns) <= 30
    assert np.isnan(short["test"]["auroc_macro_sd"])


def test_without_a_test_part_its_metrics_are_null_and_named():
    labels, fold, probabilities = split()
    kept = fold != "test"
    settings = built(labels[kept], fold[kept], probabilities[kept])
    short = metric_tables.summary(reports_of(settings), settings, CLASSES)
    assert set(short["test_ensemble"].values()) == {None}
    assert set(short["test"].values()) == {None}
    assert {"auroc_macro", "auroc_macro_sd"} <= short["test"].keys()
    assert short["undefined"] == dict.fromkeys(
        ("test", "test_ensemble"), "no recording is in the test part"
    )
    assert short["out_of_fold"]["auroc_macro"] > 0.5


def test_thresholds_without_a_positive_to_choose_them_are_named():
    labels, fold, probabilities = split()
    labels[fold == "1", 0] = 0
    settings = built(labels, fold, probabilities)
    tree = metric_tables.of_fold(settings, "1", CLASSES)
    assert tree["undecided"] == {"test": {CLASSES.names[0]: "no positives"}, "validation": {}}
    assert tree["point"][CLASSES.names[0]]["threshold"] == thresholds.UNDECIDED
    alone = built(labels[fold == "0"], fold[fold == "0"], probabilities[fold == "0"])
    undecided = metric_tables.of_fold(alone, "0", CLASSES)["undecided"]
    assert (undecided["test"], list(undecided["validation"])) == ({}, CLASSES.names)


def test_a_class_that_only_the_held_out_fold_has_is_named_untrained():
    labels, fold, probabilities = split()
    labels[fold != "2", 1] = np.nan  # only the hospital of fold 2 annotates it
    settings = built(labels, fold, probabilities)
    assert metric_tables.of_fold(settings, "2", CLASSES)["untrained"] == {
        CLASSES.names[1]: "no recording of the other folds has it"
    }
    assert metric_tables.of_fold(settings, "0", CLASSES)["untrained"] == {}


def test_a_subgroup_is_scored_on_its_own_rows():
    settings = built(*split())
    here = np.arange(120) % 5 < 2
    masks = {"source": {"a": here, "b": ~here, "none": np.zeros(120, bool)}}
    by_source = metric_tables.by_subgroup(settings, CLASSES, masks)["source"]
    pooled = settings.whole["out_of_fold"]
    rows = here[pooled.rows]
    expected = auroc(pooled.labels[rows], pooled.raw[rows]).mean()
    assert by_source["a"]["out_of_fold"]["auroc_macro"] == pytest.approx(expected)
    assert sum(by_source[name]["out_of_fold"]["recordings"] for name in "ab") == 90
    assert by_source["none"] == {}


def test_the_files_of_a_run(tmp_path):
    settings = with_test_part()
    subgroups = {"sex": {"F": np.ones(120, bool)}}
    trees = metric_tables.trees(reports_of(settings), settings, CLASSES, subgroups)
    metric_tables.write(trees, tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")}
    top = {f"{name}.json" for name in ("summary", "settings", "classes", "subgroups")}
    assert written == top | {f"folds/{k}.json" for k in "012"}
    point = json.loads((tmp_path / "folds/1.json").read_text())["point"]
    assert point.keys() == set(CLASSES.names)


def test_validation_skill_is_that_of_the_rows_that_no_training_saw():
    labels, fold, probabilities = split()
    settings = built(labels, fold, probabilities)
    skill = metric_tables.validation_skill(settings)
    assert skill.keys() == {"0", "1", "2", "ensemble"}
    here = fold == "1"
    np.testing.assert_allclose(skill["1"].auroc, auroc(labels[here], probabilities[here]))
    # At the point of the other folds' rows, counted by hand.
    point = settings.crossed["1"]
    answered = point.scaling.apply(probabilities[here]) >= point.thresholds
    for k in range(labels.shape[1]):
        right = [truth == 1 for truth in labels[here, k][answered[:, k]] if not np.isnan(truth)]
        assert skill["1"].precision[k] == pytest.approx(
            np.mean(right) if right else np.nan, nan_ok=True
        )
    inside = fold != "test"
    np.testing.assert_allclose(
        skill["ensemble"].auroc, auroc(labels[inside], probabilities[inside])
    )
