import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecgpipe.evaluation import bootstrap, challenge_score, held_out, intervals
from ecgpipe.evaluation.params import EvaluateParams
from ecgpipe.project import digests, params, paths, tables
from ecgpipe.project.errors import UserError
from ecgpipe.project.leads import LEADS
from ecgpipe.signals import store
from stages import evaluate
from tests.fixtures.sealed import write_sealed, write_sealed_text

CODES = ["426783006", "164889003", "164890007"]


def project(folds=("0", "1"), test=True, seed=0):
    """Folds, predictions and histories of a small trained project in the working folder."""
    rng = np.random.default_rng(seed)
    parts = [*folds, *(["test"] if test else [])]
    fold = np.array(parts * 40, object)
    labels = pd.DataFrame((rng.random((len(fold), 3)) < 0.3).astype(float), columns=CODES)
    labels.loc[::7, CODES[2]] = np.nan
    table = pd.DataFrame({"path": "p", "age": 60.0, "gender": "F"}, index=labels.index).join(labels)
    table = table.assign(
        source="sim",
        record=[f"{row:04d}" for row in range(len(fold))],
        patient="",
        group=[f"g{row // 4}" for row in range(len(fold))],
        fold=fold,
    )
    write_sealed(table, paths.FOLDS)
    info = {"folds": [int(k) for k in folds], "unused": [9]}
    write_sealed_text(json.dumps(info), paths.FOLDS_INFO)
    values = {
        "calibration": "platt",
        "thresholds": "f1",
        "sensitivity": 0.9,
        "resamples": 100,
        "seed": 1,
    }
    Path("params.yaml").write_text(json.dumps({"evaluate": values}))  # JSON is YAML
    tables.write(table[["record"]].assign(flags=""), paths.store("sim") / "index.csv")
    write_features(labels, rng)
    for k in folds:
        paths.predictions(k).mkdir(parents=True)
        for part, name in ((k, "val"), ("test", "test")):
            rows = table[table["fold"] == part]
            present = rows[CODES].fillna(0).to_numpy()
            predicted = rows[["source", "record"]].copy()
            predicted[CODES] = 0.5 * rng.random(present.shape) + 0.5 * present
            tables.write(predicted, paths.predictions(k) / f"{name}.csv")
        head = "epoch,learning_rate,train_loss,val_loss,val_auroc_macro,seconds"
        history = f"{head}\n1,0.001,0.5,0.6,,1.5\n"
        (paths.predictions(k) / "history.csv").write_text(history)
        digests.write_digests(paths.predictions(k))


def write_features(labels, rng):
    """The store's features: one that says a little of each class."""
    values = np.nan_to_num(labels.to_numpy()) + rng.normal(size=labels.shape)
    about = {"format": store.FORMAT, "leads": list(LEADS), "unit": store.UNIT}
    about["features"] = {"first": "1", "second": "mV", "third": "deg"}
    np.save(paths.store("sim") / store.FEATURES, values.astype(np.float32))
    (paths.store("sim") / store.ABOUT).write_text(json.dumps(about))
    digests.write_digests(paths.store("sim"))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(name):
    return json.loads((paths.METRICS / name).read_text())


def written():
    return {
        str(path): path.read_bytes()
        for top in ("metrics", "plots")
        for path in sorted(Path(top).rglob("*.*"))
    }


def test_the_stage_writes_metrics_and_plots_and_prunes_folds_of_another_run():
    project()
    stale, unused = paths.predictions("7"), paths.predictions("9")
    stale.mkdir()
    unused.mkdir()
    evaluate.main()
    assert not stale.exists()
    assert unused.exists()
    assert sorted(path.name for path in (paths.METRICS / "folds").iterdir()) == ["0.json", "1.json"]
    assert read("summary.json")["counts"] == {
        "classes": 3,
        "folds": 2,
        "recordings": 80,
        "test_recordings": 40,
    }
    assert read("summary.json")["test_ensemble"]["challenge_subset"] is not None
    assert read("classes.json")["AFL"]["out_of_fold"]["annotated"] < 80
    whole = read("subgroups.json")
    everyone = whole["sex"]["F"]
    assert whole["source"]["sim"] == whole["age"]["60-79"] == whole["flag"]["none"] == everyone
    summary = read("summary.json")
    ensemble = summary["test_ensemble"]
    assert everyone["test_ensemble"]["auroc_macro"] == ensemble["auroc_macro"]
    of_folds = read("settings.json")["test"]["auroc_macro"]
    assert of_folds == summary["test"]["auroc_macro"]
    assert set(read("folds/0.json")["point"]) == {"NSR", "AF", "AFL"}
    assert json.loads(paths.OPERATING.read_text())["folds"].keys() == {"0", "1"}
    assert "<html" in (paths.PLOTS / "report.html").read_text()


def test_the_intervals_are_those_of_groups():
    project()
    evaluate.main()
    table = tables.read(paths.FOLDS)
    classes = challenge_score.scored_classes(CODES)
    evaluate_params = params.section(EvaluateParams, params.load(), "evaluate")
    pooled = held_out.read(table, ["0", "1"], classes, evaluate_params).whole["out_of_fold"]
    weights = bootstrap.counts(table["group"].to_numpy()[pooled.rows], 100, 1)
    low, high = bootstrap.percentiles(intervals.draws(pooled, classes, weights)["ap_macro"])
    of_all = read("settings.json")["out_of_fold"]
    assert (of_all["ap_macro_low"], of_all["ap_macro_high"]) == pytest.approx((low, high), abs=1e-6)


def test_the_stage_ends_with_its_scores_and_the_path_of_the_report(caplog):
    caplog.set_level("INFO")
    project()
    evaluate.main()
    scores = read("summary.json")["out_of_fold"]
    assert f"AUROC, macro: out of fold {scores['auroc_macro']:.3f}" in caplog.text
    assert "plots/report.html" in caplog.messages[-1]


def test_the_floor_stands_beside_the_network_in_files_and_report(caplog):
    caplog.set_level("INFO")
    project()
    evaluate.main()
    pooled, summary = read("settings.json")["out_of_fold"], read("summary.json")["out_of_fold"]
    assert 0.5 < pooled["floor_auroc_macro"] < pooled["auroc_macro"]
    ends = ("floor_auroc_macro", "floor_auroc_macro_low", "floor_auroc_macro_high")
    assert [summary[key] for key in ends] == [pooled[key] for key in ends]
    assert "floor_auroc" in read("classes.json")["AF"]["test_ensemble"]
    words = "a logistic regression on 3 features reaches a mean AUROC of "
    assert f"out of fold, {words}{pooled['floor_auroc_macro']:.3f}" in caplog.text
    assert words in (paths.PLOTS / "report.html").read_text()


def test_a_store_without_features_is_refused_with_what_to_do():
    project()
    about = json.loads((paths.store("sim") / store.ABOUT).read_text())
    (paths.store("sim") / store.ABOUT).write_text(json.dumps(about | {"features": {}}))
    digests.write_digests(paths.store("sim"))
    with pytest.raises(UserError, match="data/signals/sim: this store has no features; make it"):
        evaluate.main()


def test_the_same_predictions_give_the_same_files():
    project()
    evaluate.main()
    first = written()
    evaluate.main()
    assert len(first) > 15
    assert written() == first


def test_without_a_test_part_the_stage_says_so():
    project(test=False)
    evaluate.main()
    assert read("summary.json")["undefined"]["test"] == "no recording is in the test part"
    assert read("folds/0.json")["test"] is None
    assert "test" not in read("classes.json")["AF"]


def test_folds_of_another_split_are_refused():
    project()
    write_sealed_text('{"folds": [0, 1, 2]}', paths.FOLDS_INFO)
    with pytest.raises(
        ValueError, match=r"folds \['0', '1', '2'\] are not those of data/folds/folds.csv"
    ):
        evaluate.main()


def test_predictions_of_other_classes_are_refused():
    project()
    path = paths.predictions("1") / "test.csv"
    tables.write(tables.read(path).rename(columns={CODES[0]: "5"}), path)
    digests.write_digests(path.parent)
    with pytest.raises(
        ValueError, match=r"fold-1/test.csv: its classes are not those of data/folds/folds.csv"
    ):
        evaluate.main()
    assert not paths.METRICS.exists()


def test_a_stage_that_fails_prunes_nothing():
    project()
    (paths.predictions("7")).mkdir()
    write_sealed_text('{"folds": [0, 1, 2]}', paths.FOLDS_INFO)
    with pytest.raises(ValueError, match="run the stage split again"):
        evaluate.main()
    assert paths.predictions("7").exists()
