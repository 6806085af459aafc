"""Comparisons against metrics of the outside, and how often two models are called different."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from ecgpipe.comparison import compare, page, pairing
from ecgpipe.evaluation import bootstrap, intervals, metrics
from ecgpipe.evaluation.predictions import Predictions
from tests.fixtures.made_runs import CLASSES, CODES, made_run

KEYS = ["kind", "name", "metric"]


def test_a_run_against_itself_differs_nowhere(tmp_path):
    run = made_run(tmp_path)
    for comparison in compare.every(run, run, None, 100, 1):
        assert (comparison.table["difference"] == 0).all()
        assert comparison.same
        assert set(comparison.table["verdict"]) == {"same predictions"}
        text = page.markdown(comparison, "a", "b")
        assert "Both runs have the same predictions and operating points." in text


def test_two_small_runs_that_are_the_same_are_not_called_too_few(tmp_path):
    run = made_run(tmp_path)
    few = run.settings.whole["out_of_fold"].take(np.arange(4))
    settings = dataclasses.replace(run.settings, whole={"out_of_fold": few})
    small = dataclasses.replace(run, settings=settings)
    (comparison,) = compare.every(small, small, "out_of_fold", 50, 1)
    assert comparison.table["a"].isna().any()
    assert set(comparison.table["verdict"]) == {"same predictions"}
    text = page.markdown(comparison, "a", "b")
    assert "Both runs have the same predictions and operating points." in text
    assert "Nothing can be said" not in text
    other = dataclasses.replace(few, raw=np.nextafter(few.raw, 1))
    moved = dataclasses.replace(
        small, settings=dataclasses.replace(settings, whole={"out_of_fold": other})
    )
    (comparison,) = compare.every(small, moved, "out_of_fold", 50, 1)
    assert not comparison.same
    assert "too few" in set(comparison.table["verdict"])


def test_values_are_those_of_the_common_recordings_and_a_better_run_is_called_so(tmp_path):
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b", sharper=0.3, drop=("0003", "0004"))
    comparisons = compare.every(a, b, None, 100, 1)
    assert [each.setting for each in comparisons] == ["out_of_fold", "test_ensemble"]
    paired = pairing.pair(a, b, "out_of_fold")
    assert len(paired.groups) == 80 - 2
    answers = a.settings.whole["out_of_fold"]
    kept = ~a.table["record"].isin(("0003", "0004")).to_numpy()[answers.rows]
    table = compare.compare(paired, 200, 1).set_index(KEYS)
    expected = metrics.auroc(answers.labels[kept], answers.raw[kept])
    aurocs = table.loc[[("class", name, "auroc") for name in CLASSES.names], "a"]
    np.testing.assert_allclose(aurocs, expected)
    headline = table.loc[("headline", "all", "auroc_macro")]
    assert headline["verdict"] == "better"
    assert headline["low"] > 0
    assert table.loc[("headline", "all", "brier_macro"), "verdict"] == "better"
    assert table.loc[("headline", "all", "brier_macro"), "difference"] < 0
    assert set(table.loc["source"].index.get_level_values("name")) == {"a", "b"}
    back = compare.compare(pairing.pair(b, a, "out_of_fold"), 200, 1).set_index(KEYS)
    assert back.loc[("headline", "all", "auroc_macro"), "verdict"] == "worse"
    np.testing.assert_allclose(back["difference"].to_numpy(), -table["difference"].to_numpy())


def test_the_band_holds_for_all_names_together():
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(300):
        centre = rng.normal(size=20)  # twenty true differences of 0, each seen with deviation 1
        called += compare.beyond(centre, centre[:, None] + rng.normal(size=(20, 400))).any()
    assert called / 300 < 0.09
    far = np.array([0.0, 9.0])
    clear = compare.beyond(far, far[:, None] + rng.normal(size=(2, 400)))
    assert clear.tolist() == [False, True]
    assert not compare.beyond(np.array([0.0, np.nan]), np.zeros((2, 50))).any()
    draws = 0.3 + 0.02 * rng.normal(size=(1, 1000))
    draws[0, :10] = np.nan  # undefined in a few resamples
    assert compare.beyond(np.array([0.3]), draws).tolist() == [True]


def pair_of(seed, rows, aurocs):
    """Two models whose scores share half of their noise, with these population AUROCs in each of
    two classes."""
    rng = np.random.default_rng([seed, 3])
    labels = (rng.random((rows, 2)) < 0.2).astype(float)
    common = rng.normal(size=labels.shape)
    sides = []
    for auroc in aurocs:
        noise = np.sqrt(0.5) * (common + rng.normal(size=labels.shape))
        # Scores of deviation 1 that lie sqrt(2) ppf(AUROC) apart have this AUROC.
        scores = noise + labels * norm.ppf(auroc) * np.sqrt(2)
        raw = 1 / (1 + np.exp(-scores))
        sides.append(Predictions(labels, raw, np.full(labels.shape, 0.5), raw, np.arange(rows)))
    groups = np.arange(rows).astype(object)
    return pairing.PairedRuns(*sides, CLASSES.of(CODES[:2]), groups, np.full(rows, "a", object), 0)


def called(repetitions, rows, aurocs, resamples):
    """How often two models are called different: in macro AUROC better or worse, in any headline,
    in any class, as shares of the repetitions."""
    times = dict.fromkeys(("better", "worse", "any headline", "any class"), 0)
    for seed in range(repetitions):
        table = compare.compare(pair_of(seed, rows, aurocs), resamples, seed)
        headline = table[table["kind"] == "headline"].set_index("metric")["verdict"]
        of_classes = table[(table["kind"] == "class") & (table["metric"] == "auroc")]["verdict"]
        times["better"] += headline["auroc_macro"] == "better"
        times["worse"] += headline["auroc_macro"] == "worse"
        times["any headline"] += int(headline.isin(["better", "worse"]).any())
        times["any class"] += int(of_classes.isin(["better", "worse"]).any())
    return {name: count / repetitions for name, count in times.items()}


def test_equal_models_are_seldom_called_different_and_a_difference_of_two_hundredths_is_found():
    assert called(60, 300, (0.85, 0.85), 100)["any headline"] <= 0.15
    assert called(3, 5000, (0.85, 0.87), 100)["better"] == 1


@pytest.mark.campaign
def test_two_equal_models_are_called_different_in_at_most_7_of_100():
    shares = called(200, 2000, (0.85, 0.85), 1000)
    print(f"equal models: {shares}")
    assert max(shares["any headline"], shares["any class"]) <= 0.07


@pytest.mark.campaign
def test_a_difference_of_two_hundredths_on_5000_recordings_is_found():
    shares = called(40, 5000, (0.85, 0.87), 1000)
    print(f"a difference of .02: {shares}")
    assert shares["better"] >= 0.85
    assert shares["any headline"] >= 0.9


def test_both_runs_are_drawn_on_the_same_resamples_of_groups(tmp_path):
    paired = pairing.pair(made_run(tmp_path / "a"), made_run(tmp_path / "b", seed=1), "out_of_fold")
    table = compare.compare(paired, 100, 3)
    pd.testing.assert_frame_equal(table, compare.compare(paired, 100, 3))
    weights = bootstrap.counts(paired.groups, 100, 3)
    assert len(set(paired.groups)) < len(paired.groups)
    a, b = (intervals.draws(side, paired.classes, weights) for side in (paired.a, paired.b))
    rows = table.set_index(KEYS)
    for index, name in enumerate(CLASSES.names):
        expected = bootstrap.percentiles(b["auroc"][index] - a["auroc"][index])
        assert tuple(rows.loc[("class", name, "auroc"), ["low", "high"]]) == expected
    expected = bootstrap.percentiles(b["ap_macro"] - a["ap_macro"])
    assert tuple(rows.loc[("headline", "all", "ap_macro"), ["low", "high"]]) == expected
    here = np.flatnonzero(paired.sources == "b")
    at_b = [side.take(here) for side in (paired.a, paired.b)]
    a, b = (intervals.draws(side, paired.classes, weights[here]) for side in at_b)
    expected = bootstrap.percentiles(b["auroc_macro"] - a["auroc_macro"])
    assert tuple(rows.loc[("source", "b", "auroc_macro"), ["low", "high"]]) == expected


def test_a_verdict_needs_both_the_own_interval_and_the_band(monkeypatch):
    paired = pair_of(0, 1500, (0.80, 0.88))
    free = compare.compare(paired, 200, 1)
    assert set(free.loc[free["metric"] == "auroc", "verdict"]) == {"better"}
    monkeypatch.setattr(compare, "beyond", lambda values, draws: np.zeros(len(values), bool))
    verdicts = set(compare.compare(paired, 200, 1)["verdict"])
    assert verdicts <= {"within noise", "not beyond the joint band"}


def test_a_setting_without_common_recordings_is_left_out(tmp_path):
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b")
    whole = b.settings.whole["test_ensemble"]
    b.settings.whole["test_ensemble"] = whole.take(np.arange(0))
    assert [each.setting for each in compare.every(a, b, None, 100, 1)] == ["out_of_fold"]
    with pytest.raises(
        ValueError, match="test_ensemble: the two runs have 0 recordings and 3 classes in common"
    ):
        compare.every(a, b, "test_ensemble", 100, 1)


def verdicts(paired, rows=slice(None), **changes):
    """Kind, name and metric -> verdict, of some recordings alone."""
    places = np.arange(len(paired.groups))[rows]
    parts = {
        "a": paired.a.take(places),
        "b": paired.b.take(places),
        "groups": paired.groups[places],
        "sources": paired.sources[places],
    }
    few = dataclasses.replace(paired, **parts | changes)
    return compare.compare(few, 100, 1).set_index(KEYS)["verdict"]


def test_a_verdict_needs_ten_patients_positives_and_negatives():
    paired = pair_of(0, 1500, (0.80, 0.95))
    assert set(verdicts(paired)["class"].xs("auroc", level="metric")) == {"better"}
    assert set(verdicts(paired, slice(8))) <= {"too few", "undefined"}
    of_one = verdicts(paired, groups=(np.arange(1500) // 200).astype(object))
    assert set(of_one) == {"too few"}, "1500 recordings of 8 patients"
    first, second = CLASSES.of(CODES[:2]).names
    for label, other in ((1, 0), (0, 1)):
        labels = paired.a.labels.copy()
        kept = np.flatnonzero(labels[:, 0] == label)[:9]
        labels[:, 0] = other
        labels[kept, 0] = label
        sides = [dataclasses.replace(side, labels=labels) for side in (paired.a, paired.b)]
        changed = verdicts(dataclasses.replace(paired, a=sides[0], b=sides[1]))
        assert changed["class", first, "auroc"] == "too few"
        assert changed["class", second, "auroc"] == "better"
        assert changed["headline", "all", "ap_micro"] == "better"


def test_where_the_interval_alone_is_undefined_the_scores_are_not():
    """Ten positives that one patient has: a third of the resamples leave them out."""
    paired = pair_of(0, 200, (0.80, 0.85))
    labels = np.zeros((200, 2))
    labels[:12] = 1
    groups = np.maximum(np.arange(200), 11).astype(object)
    sides = [dataclasses.replace(side, labels=labels) for side in (paired.a, paired.b)]
    changed = dataclasses.replace(paired, a=sides[0], b=sides[1], groups=groups)
    table = compare.compare(changed, 100, 1).set_index(KEYS)
    row = table.loc[("class", CLASSES.names[0], "auroc")]
    assert np.isfinite([row["a"], row["b"], row["difference"]]).all()
    assert np.isnan([row["low"], row["high"]]).all()
    assert row["verdict"] == "no interval"
