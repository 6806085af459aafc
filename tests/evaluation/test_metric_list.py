import dataclasses

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from ecgpipe.comparison import compare
from ecgpipe.comparison.pairing import PairedRuns
from ecgpipe.evaluation import bootstrap, intervals, metric_list, metric_tables, metrics
from ecgpipe.evaluation.held_out import SETTINGS
from ecgpipe.evaluation.metric_list import MACRO, METRICS, MICRO, RATES, Metric, Sums
from tests.fixtures.made_predictions import (
    CLASSES,
    built,
    random_predictions,
    reports_of,
    split,
)


def answers_right(labels, binary):
    """[2, row, class]: answers that are as the label says; annotated labels."""
    return np.stack([(labels == 1) & binary | (labels == 0) & ~binary, ~np.isnan(labels)])


def accuracy(labels, binary):
    return metrics.ratio(*answers_right(labels, binary).sum(axis=1))


ACCURACY = Metric(
    "accuracy",
    "Accuracy",
    reads="binary",
    function=accuracy,
    over=(MACRO, MICRO),
    sums=Sums(answers_right, lambda sums: metrics.ratio(*sums)),
)


@pytest.fixture
def _accuracy(monkeypatch):
    monkeypatch.setattr(metric_list, "METRICS", (*METRICS, ACCURACY))


def test_keys_and_words_are_each_metrics_own():
    scores = metric_list.scores(CLASSES)
    keys = [metric.key for metric in (*METRICS, *RATES)] + [score.key for score in scores]
    assert len(set(keys)) == len(keys)
    assert len({score.words for score in scores}) == len(scores)


def test_scores_stand_in_the_order_means_micro_challenge_probabilities():
    assert [score.key for score in metric_list.scores(CLASSES)] == [
        "auroc_macro",
        "auroc_macro_frequent",
        "ap_macro",
        "f1_macro",
        "auroc_micro",
        "ap_micro",
        "challenge_subset",
        "brier_macro",
        "brier_macro_raw",
        "ece_macro",
        "ece_macro_raw",
    ]
    assert metric_list.lower_is_better() == {"brier", "brier_macro", "ece", "ece_macro"}
    assert [metric.key for metric in metric_list.rankings()] == ["auroc", "ap"]


@pytest.mark.parametrize("metric", [*METRICS, metric_list.challenge(CLASSES)], ids=lambda m: m.key)
def test_one_resample_of_every_row_once_gives_the_metric_itself(metric):
    predictions = random_predictions(2)
    draws = intervals.draws(predictions, CLASSES, np.ones((90, 1), np.uint8))
    assert (metric.key in draws) == metric.has_interval
    if metric.has_interval:
        expected = metric.function(predictions.labels, metric.read(predictions))
        np.testing.assert_allclose(draws[metric.key][..., 0], expected, atol=1e-12)


@pytest.mark.usefixtures("_accuracy")
def test_a_metric_that_is_added_stands_in_every_table_but_the_chosen_summary():
    settings = built(*split())
    reports = reports_of(settings)
    here = np.ones(120, bool)
    trees = metric_tables.trees(reports, settings, CLASSES, {"sex": {"F": here}})
    pooled, name = settings.whole["out_of_fold"], CLASSES.names[1]
    expected = accuracy_score(pooled.labels[:, 1], pooled.binary[:, 1])
    of_class = trees["classes"][name]["out_of_fold"]
    assert of_class["accuracy"] == pytest.approx(expected)
    assert of_class["accuracy_low"] < expected
    by_fold = [fold["validation"]["classes"][name] for fold in trees["folds"].values()]
    assert np.mean([report["accuracy"] for report in by_fold]) == pytest.approx(expected)
    of_all = trees["settings"]["out_of_fold"]
    mean = np.mean([each["out_of_fold"]["accuracy"] for each in trees["classes"].values()])
    assert of_all["accuracy_macro"] == pytest.approx(mean)
    assert {"accuracy_micro", "accuracy_micro_low", "accuracy_micro_high"} <= of_all.keys()
    assert trees["subgroups"]["sex"]["F"]["out_of_fold"]["accuracy_macro"] == pytest.approx(mean)
    assert "accuracy_macro" not in trees["summary"]["out_of_fold"]


@pytest.mark.parametrize("named", [("test",), ("out_of_fold", "test_ensemble")])
def test_the_summary_shows_a_metric_in_the_settings_that_it_names(monkeypatch, named):
    metric = dataclasses.replace(ACCURACY, summary=named)
    monkeypatch.setattr(metric_list, "METRICS", (*METRICS, metric))
    labels, fold, probabilities = split()
    test = {k: probabilities[fold == "test"] * scale for k, scale in (("0", 1.0), ("1", 0.8))}
    settings = built(labels, fold, probabilities, test)
    reports = reports_of(settings)
    summary = metric_tables.summary(reports, settings, CLASSES)
    assert {name for name in SETTINGS if "accuracy_macro" in summary[name]} == set(named)
    for name in set(named) - {"test"}:
        assert summary[name]["accuracy_macro"] == reports[name]["accuracy_macro"]
    if "test" in named:
        mean, deviation = (reports[name]["accuracy_macro"] for name in ("test", "test_sd"))
        assert summary["test"]["accuracy_macro"] == mean
        assert summary["test"]["accuracy_macro_sd"] == deviation


@pytest.mark.usefixtures("_accuracy")
def test_a_metric_that_is_added_is_drawn_as_on_the_rows_written_out():
    predictions = random_predictions(3)
    weights = bootstrap.counts(np.arange(90) // 2, 5, 1)
    draws = intervals.draws(predictions, CLASSES, weights)
    for resample in range(5):
        drawn = predictions.take(np.repeat(np.arange(90), weights[:, resample]))
        expected = accuracy(drawn.labels, drawn.binary)
        np.testing.assert_allclose(draws["accuracy"][:, resample], expected)
        assert draws["accuracy_macro"][resample] == pytest.approx(expected.mean())
        annotated = drawn.annotated
        micro = accuracy_score(drawn.labels[annotated], drawn.binary[annotated])
        assert draws["accuracy_micro"][resample] == pytest.approx(micro)


@pytest.mark.usefixtures("_accuracy")
def test_a_metric_that_is_added_is_compared():
    a = random_predictions(4)
    b = dataclasses.replace(a, probabilities=a.probabilities**2, raw=a.raw**2)
    groups = np.arange(90).astype(object)
    sources = np.array(["north", "south"] * 45, object)
    table = compare.compare(PairedRuns(a, b, CLASSES, groups, sources, 0), 100, 1)
    headline = table[table["kind"] == "headline"].set_index("metric")
    expected = accuracy(b.labels, b.binary).mean() - accuracy(a.labels, a.binary).mean()
    assert headline.loc["accuracy_macro", "difference"] == pytest.approx(expected)
    assert headline.loc["accuracy_micro", "low"] < headline.loc["accuracy_micro", "high"]
