import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from ecgpipe.comparison import compare, page, pairing
from ecgpipe.diagnoses import classes
from ecgpipe.evaluation import bootstrap, challenge_score, intervals, metrics
from ecgpipe.evaluation.predictions import Predictions
from ecgpipe.project import paths
from tests.fixtures.sealed import write_sealed, write_sealed_text

CODES = [one.code for one in classes.select("official")][:3]
PANEL = challenge_score.scored_classes(CODES)
EVALUATE = {
    "calibration": "platt",
    "thresholds": "f1",
    "sensitivity": 0.9,
    "resamples": 100,
    "seed": 1,
}


def project(root, seed=0, rows=120, codes=CODES, protocol="stratified", sharper=0.0, drop=()):
    """A project tree with made-up predictions of two folds and a test part; the labels are the same
    for every seed."""
    rng = np.random.default_rng(5)
    labels = (rng.random((rows, len(codes))) < 0.35).astype(float)
    labels[rng.random(labels.shape) < 0.1] = np.nan
    fold = np.array(["0", "1", "test"] * rows, object)[:rows]
    table = pd.DataFrame({"path": "p", "age": 60.0, "gender": "F"}, index=range(rows))
    table = table.join(pd.DataFrame(labels, columns=codes)).assign(
        source=np.array(["a", "b"] * rows)[:rows], record=[f"{i:04d}" for i in range(rows)], patient="",
        group=[f"g{i // 2}" for i in range(rows)], fold=fold,
    )  # fmt: skip
    table = table[~table["record"].isin(drop)]
    write_sealed(table, root / paths.FOLDS)
    write_sealed_text(json.dumps({"folds": [0, 1], "protocol": protocol}), root / paths.FOLDS_INFO)
    noise = np.random.default_rng([seed, 1])
    for k in ("0", "1"):
        for part, name in ((k, "val"), ("test", "test")):
            chosen = table[table["fold"] == part]
            truth = np.nan_to_num(chosen[codes].to_numpy())
            values = np.clip((0.3 + sharper) * truth + 0.6 * noise.random(truth.shape), 0, 1)
            given = chosen[["source", "record"]].assign(**dict(zip(codes, values.T, strict=True)))
            write_sealed(given, root / paths.predictions(k) / f"{name}.csv")
    return pairing.load(root, root / paths.PREDICTIONS, {"evaluate": EVALUATE})


def test_a_run_against_itself_differs_nowhere(tmp_path):
    run = project(tmp_path)
    for one in compare.every(run, run, None, 100, 1):
        assert (one.table["difference"] == 0).all()
        assert set(one.table["verdict"]) == {"within noise"}
        assert "Both runs have the same predictions and operating points." in page.markdown(
            one, "a", "b"
        )


def test_values_are_those_of_the_common_recordings_and_a_better_run_is_called_so(tmp_path):
    a, b = project(tmp_path / "a"), project(tmp_path / "b", sharper=0.3, drop=("0003", "0004"))
    assert [one.setting for one in compare.every(a, b, None, 100, 1)] == [
        "out_of_fold",
        "test_ensemble",
    ]
    given = pairing.pair(a, b, "out_of_fold")
    assert len(given.groups) == 80 - 2
    rows = a.found.whole["out_of_fold"]
    kept = ~a.table["record"].isin(("0003", "0004")).to_numpy()[rows.rows]
    table = compare.compare(given, 200, 1).set_index(["kind", "name", "metric"])
    expected = metrics.auroc(rows.labels[kept], rows.raw[kept])
    found = table.loc[[("class", name, "auroc") for name in PANEL.names], "a"]
    np.testing.assert_allclose(found, expected)
    headline = table.loc[("headline", "all", "auroc_macro")]
    assert headline["verdict"] == "better"
    assert headline["low"] > 0
    assert table.loc[("headline", "all", "brier_macro"), "verdict"] == "better"
    assert table.loc[("headline", "all", "brier_macro"), "difference"] < 0
    assert set(table.loc["source"].index.get_level_values("name")) == {"a", "b"}
    back = compare.compare(pairing.pair(b, a, "out_of_fold"), 200, 1).set_index(
        ["kind", "name", "metric"]
    )
    assert back.loc[("headline", "all", "auroc_macro"), "verdict"] == "worse"
    np.testing.assert_allclose(back["difference"].to_numpy(), -table["difference"].to_numpy())


def test_two_protocols_give_the_optimism_gap(tmp_path):
    a, b = project(tmp_path / "a"), project(tmp_path / "b", protocol="source")
    text = page.markdown(compare.every(a, b, "out_of_fold", 100, 1)[0], "main", "held-out")
    assert "### out_of_fold: held-out (B) against main (A)" in text
    assert (
        "A was split by protocol stratified, B by source, on the same data: the difference is the optimism gap"
        in text
    )
    back = page.markdown(compare.every(b, a, "out_of_fold", 100, 1)[0], "held-out", "main")
    assert "for the optimism gap, compare B with A." in back
    assert "(few)" not in text.split("**Classes**")[0]


def test_the_params_that_differ_are_named_and_a_seed_is_warned_of(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        values = {"evaluate": EVALUATE, "train": {"seed": seed}, "compute": {"workers": seed}}
        (tmp_path / name / "params.yaml").write_text(json.dumps(values))  # JSON is YAML
    a, b = project(tmp_path / "a"), project(tmp_path / "b", sharper=0.3)
    text = page.markdown(compare.every(a, b, "out_of_fold", 100, 1)[0], "a", "b")
    assert "Params that differ: `train.seed` 1 -> 2." in text
    assert "Another seed of the training alone can move as much" in text


def test_unequal_amounts_of_training_data_are_said(tmp_path):
    a, b = project(tmp_path / "a"), project(tmp_path / "b")
    assert not any(
        "trained on" in remark for remark in compare.every(a, b, "out_of_fold", 100, 1)[0].remarks
    )
    b.table.loc[b.table["fold"] == "test", "fold"] = (
        "0"  # no test part: its recordings are trained on
    )
    said = compare.every(a, b, "out_of_fold", 100, 1)[0].remarks
    assert any(
        remark.startswith("A model of A trained on 40 recordings, one of B on 60: part")
        for remark in said
    )
    assert not any("optimism gap" in remark for remark in said)


def test_the_band_holds_for_all_names_together():
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(300):
        centre = rng.normal(size=20)  # twenty true differences of 0, each seen with deviation 1
        called += compare.beyond(centre, centre[:, None] + rng.normal(size=(20, 400))).any()
    assert called / 300 < 0.09
    clear = compare.beyond(
        np.array([0.0, 9.0]), np.array([[0.0], [9.0]]) + rng.normal(size=(2, 400))
    )
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
        scores = np.sqrt(0.5) * (common + rng.normal(size=labels.shape)) + labels * norm.ppf(
            auroc
        ) * np.sqrt(2)
        raw = 1 / (1 + np.exp(-scores))
        sides.append(Predictions(labels, raw, np.full(labels.shape, 0.5), raw, np.arange(rows)))
    groups = np.arange(rows).astype(object)
    return pairing.PairedRuns(*sides, PANEL.of(CODES[:2]), groups, np.full(rows, "a", object), 0)


def called(repetitions, rows, aurocs, resamples):
    """How often two models are called different: in macro AUROC better or worse, in any headline,
    in any class, as shares of the repetitions."""
    found = dict.fromkeys(("better", "worse", "any headline", "any class"), 0)
    for seed in range(repetitions):
        table = compare.compare(pair_of(seed, rows, aurocs), resamples, seed)
        differ = table[table["verdict"].isin(["better", "worse"])]
        verdict = table.loc[
            (table["kind"] == "headline") & (table["metric"] == "auroc_macro"), "verdict"
        ].iloc[0]
        found["better"] += verdict == "better"
        found["worse"] += verdict == "worse"
        found["any headline"] += int((differ["kind"] == "headline").any())
        found["any class"] += int(
            ((differ["kind"] == "class") & (differ["metric"] == "auroc")).any()
        )
    return {name: count / repetitions for name, count in found.items()}


def test_equal_models_are_seldom_called_different_and_a_difference_of_two_hundredths_is_found():
    assert called(60, 300, (0.85, 0.85), 100)["any headline"] <= 0.15
    assert called(3, 5000, (0.85, 0.87), 100)["better"] == 1


@pytest.mark.campaign
def test_two_equal_models_are_called_different_in_at_most_7_of_100():
    found = called(200, 2000, (0.85, 0.85), 1000)
    print(f"equal models: {found}")
    assert max(found["any headline"], found["any class"]) <= 0.07


@pytest.mark.campaign
def test_a_difference_of_two_hundredths_on_5000_recordings_is_found():
    found = called(40, 5000, (0.85, 0.87), 1000)
    print(f"a difference of .02: {found}")
    assert found["better"] >= 0.85
    assert found["any headline"] >= 0.9


def test_both_runs_are_drawn_on_the_same_resamples_of_groups(tmp_path):
    given = pairing.pair(project(tmp_path / "a"), project(tmp_path / "b", seed=1), "out_of_fold")
    table = compare.compare(given, 100, 3)
    pd.testing.assert_frame_equal(table, compare.compare(given, 100, 3))
    weights = bootstrap.counts(given.groups, 100, 3)
    assert len(set(given.groups)) < len(given.groups)
    a, b = (intervals.draws(side, given.classes, weights) for side in (given.a, given.b))
    rows = table.set_index(["kind", "name", "metric"])
    for index, name in enumerate(PANEL.names):
        expected = bootstrap.percentiles(b["auroc"][index] - a["auroc"][index])
        assert tuple(rows.loc[("class", name, "auroc"), ["low", "high"]]) == expected
    expected = bootstrap.percentiles(b["ap_macro"] - a["ap_macro"])
    assert tuple(rows.loc[("headline", "all", "ap_macro"), ["low", "high"]]) == expected
    here = np.flatnonzero(given.sources == "b")
    a, b = (
        intervals.draws(side.take(here), given.classes, weights[here])
        for side in (given.a, given.b)
    )
    expected = bootstrap.percentiles(b["auroc_macro"] - a["auroc_macro"])
    assert tuple(rows.loc[("source", "b", "auroc_macro"), ["low", "high"]]) == expected


def test_a_verdict_needs_both_the_own_interval_and_the_band(monkeypatch):
    given = pair_of(0, 1500, (0.80, 0.88))
    free = compare.compare(given, 200, 1)
    assert set(free.loc[free["metric"] == "auroc", "verdict"]) == {"better"}
    monkeypatch.setattr(
        compare, "beyond", lambda differences, draws: np.zeros(len(differences), bool)
    )
    assert set(compare.compare(given, 200, 1)["verdict"]) <= {
        "within noise",
        "not beyond the joint band",
    }


def test_a_setting_without_common_recordings_is_left_out(tmp_path):
    a, b = project(tmp_path / "a"), project(tmp_path / "b")
    whole = b.found.whole["test_ensemble"]
    b.found.whole["test_ensemble"] = whole.take(np.arange(0))
    assert [one.setting for one in compare.every(a, b, None, 100, 1)] == ["out_of_fold"]
    with pytest.raises(
        ValueError, match="test_ensemble: the two runs have 0 recordings and 3 classes in common"
    ):
        compare.every(a, b, "test_ensemble", 100, 1)
