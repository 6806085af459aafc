"""The floor: fitted on annotated rows of other folds alone, scored as scikit-learn scores, and set
against the network on the same resamples."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dvc.utils.serialize import load_yaml
from sklearn.metrics import roc_auc_score

from ecgpipe.evaluation import challenge_score, floor, held_out, metrics
from ecgpipe.evaluation.held_out import OUT_OF_FOLD, TEST_ENSEMBLE
from ecgpipe.project import paths, tables
from ecgpipe.signals import store
from stages import label_map, preprocess, split
from tests.fixtures.made_predictions import PARAMS
from tests.fixtures.split_project import UNITS

ROOT = Path(__file__).parents[2]
FOLDS = ["0", "1"]


@pytest.fixture
def table(split_project, monkeypatch) -> pd.DataFrame:
    """The split table of the small project, from whose folder all is read."""
    monkeypatch.chdir(split_project)
    return tables.read(paths.FOLDS)


def settings(table: pd.DataFrame, network: np.ndarray | None = None) -> held_out.HeldOut:
    """The settings of a network that answers `network` [row, class], else 0.5 to everything."""
    labels, fold = table[tables.class_codes(table)].to_numpy(float), table["fold"].to_numpy()
    answers = np.full(labels.shape, 0.5) if network is None else network
    classes = challenge_score.scored_classes(tables.class_codes(table))
    validation = {k: answers[fold == k] for k in FOLDS}
    test = dict.fromkeys(FOLDS, answers[fold == "test"])
    return held_out.build(labels, fold, validation, test, classes, PARAMS)


def reported(table: pd.DataFrame, network: np.ndarray | None = None) -> dict:
    scored = settings(table, network)
    made = floor.compute(table, FOLDS, scored, seed=1)
    classes = challenge_score.scored_classes(tables.class_codes(table))
    return floor.report(made, scored, classes, table["group"].to_numpy(), PARAMS)


def test_features_are_read_in_the_order_of_the_table(table):
    mixed = table.sample(frac=1, random_state=3)
    units, values = floor.read_features(mixed)
    assert units == UNITS
    for row, (source, record) in enumerate(zip(mixed["source"], mixed["record"], strict=True)):
        stored = store.read_features(paths.store(source))[1][int(record)]
        assert np.array_equal(values[row], stored, equal_nan=True)


def test_a_direction_counts_by_its_sine_and_cosine():
    values = np.array([[10.0, 90.0], [20.0, -180.0], [30.0, np.nan]])
    inputs = floor.as_inputs({"rate_bpm": "1/min", "qrs_axis_deg": "deg"}, values)
    assert inputs[:2] == pytest.approx(np.array([[10, 1, 0], [20, 0, -1]]), abs=1e-12)
    assert np.isnan(inputs[2, 1:]).all()


def test_the_scores_are_scikit_learns_of_what_the_floor_answered(table):
    scored = settings(table)
    raw = floor.compute(table, FOLDS, scored, seed=1).raw
    told = reported(table)
    for setting in (OUT_OF_FOLD, TEST_ENSEMBLE):
        labels, by_class = scored.whole[setting].labels, []
        for truth, answers in zip(labels.T, raw[setting].T, strict=True):
            known = ~np.isnan(truth)
            by_class.append(roc_auc_score(truth[known], answers[known]))
        told_by_class = [each["floor_auroc"] for each in told[setting]["classes"].values()]
        assert told_by_class == pytest.approx(by_class)
        assert told[setting]["floor_auroc_macro"] == pytest.approx(np.mean(by_class))
        assert np.mean(by_class) > 0.8, "the features say which class is there"
        low, high = (told[setting][f"floor_auroc_macro_{end}"] for end in ("low", "high"))
        assert low < np.mean(by_class) < high
        assert told[setting]["floor_features"] == len(UNITS)


def test_a_fold_is_scored_by_what_other_folds_taught(table):
    before = floor.compute(table, FOLDS, settings(table), seed=1).raw
    turned = table.copy()
    codes = tables.class_codes(table)
    in_fold, in_test = (table["fold"] == "0").to_numpy(), (table["fold"] == "test").to_numpy()
    turned.loc[in_fold | in_test, codes] = 1 - turned.loc[in_fold | in_test, codes]
    scored = settings(turned)
    after = floor.compute(turned, FOLDS, scored, seed=1).raw
    rows = scored.whole[OUT_OF_FOLD].rows
    unchanged = np.isclose(before[OUT_OF_FOLD], after[OUT_OF_FOLD]).all(axis=1)
    assert (unchanged == in_fold[rows]).all()


def test_rows_that_do_not_annotate_a_class_teach_nothing_of_it():
    rng = np.random.default_rng(2)
    inputs, labels = rng.normal(size=(200, 3)), rng.integers(0, 2, (200, 2)).astype(float)
    labels[:150, 0] = np.nan
    other = rng.normal(size=(20, 3))
    answers = floor.fitted(inputs, labels, other, seed=1)
    labels[150:, 0] = np.nan
    assert (floor.fitted(inputs, labels, other, seed=1)[:, 0] == 0.5).all()
    assert (answers[:, 0] != 0.5).all()
    labels[:, 1] = 1
    assert (floor.fitted(inputs, labels, other, seed=1) == 0.5).all()


def test_what_could_not_be_measured_counts_as_usual_and_may_tell_by_being_unknown():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, (400, 1)).astype(float)
    inputs = rng.normal(size=(400, 3))
    inputs[:, 0] = np.where(labels[:, 0] == 1, np.nan, inputs[:, 0])  # as PR in fibrillation
    inputs[:, 2] = np.nan  # a lead that nobody recorded
    answers = floor.fitted(inputs[:300], labels[:300], inputs[300:], seed=1)
    assert roc_auc_score(labels[300:, 0], answers[:, 0]) > 0.99


def test_a_network_that_answers_as_the_floor_does_is_not_above_it(table):
    scored = settings(table)
    raw = floor.compute(table, FOLDS, scored, seed=1).raw
    network = np.full((len(table), 3), 0.5)
    for setting, answers in raw.items():
        network[scored.whole[setting].rows] = answers
    for numbers in reported(table, network).values():
        above = [numbers[f"auroc_macro_above_floor{end}"] for end in ("", "_low", "_high")]
        assert above == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_perfect_network_is_above_the_floor_in_every_resample(table):
    network = np.nan_to_num(table[tables.class_codes(table)].to_numpy(float))
    for numbers in reported(table, network).values():
        assert numbers["auroc_macro_above_floor"] == pytest.approx(1 - numbers["floor_auroc_macro"])
        assert numbers["auroc_macro_above_floor_low"] > 0


def test_of_many_rows_some_are_enough(monkeypatch):
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, (3000, 1)).astype(float)
    inputs = labels + rng.normal(size=(3000, 1))
    whole = floor.fitted(inputs, labels, inputs, seed=1)
    monkeypatch.setattr(floor, "MOST_ROWS", 300)
    some = floor.fitted(inputs, labels, inputs, seed=1)
    assert np.array_equal(some, floor.fitted(inputs, labels, inputs, seed=1))
    assert 0 < np.abs(whole - some).max() < 0.1


def test_without_a_test_part_the_floor_is_scored_out_of_fold_alone(table):
    table = table[table["fold"] != "test"].reset_index(drop=True)
    labels, fold = table[tables.class_codes(table)].to_numpy(float), table["fold"].to_numpy()
    classes = challenge_score.scored_classes(tables.class_codes(table))
    validation = {k: np.full(labels[fold == k].shape, 0.5) for k in FOLDS}
    scored = held_out.build(labels, fold, validation, {}, classes, PARAMS)
    assert floor.compute(table, FOLDS, scored, seed=1).raw.keys() == {OUT_OF_FOLD}


@pytest.mark.campaign
def test_the_floor_of_real_recordings_is_no_low_one(real_data, tmp_path, monkeypatch):
    """The 344 recordings of the README in five folds; 14 classes have ten positives or more."""
    names = ["chapman_shaoxing", "cpsc_2018", "cpsc_2018_extra", "georgia", "ludb", "ningbo"]
    names += ["ptb", "ptb-xl", "sph"]
    values = load_yaml(ROOT / "params.yaml")
    values["data"] |= {"root": str(real_data), "sources": names}
    values["labels"]["classes"] = "official"
    values["split"] |= {"folds": [0, 1, 2, 3, 4], "test_fraction": 0}
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    (tmp_path / "params.yaml").write_text(json.dumps(values))  # JSON is YAML
    monkeypatch.chdir(tmp_path)
    label_map.main()
    for name in names:
        preprocess.main(name)
    split.main()
    table = tables.read(paths.FOLDS)
    codes, folds = tables.class_codes(table), list("01234")
    labels, fold = table[codes].to_numpy(float), table["fold"].to_numpy()
    classes = challenge_score.scored_classes(codes)
    nothing = {k: np.full(labels[fold == k].shape, 0.5) for k in folds}
    scored = held_out.build(labels, fold, nothing, {}, classes, PARAMS)
    made = floor.compute(table, folds, scored, seed=1)
    part = scored.whole[OUT_OF_FOLD]
    frequent = metrics.frequent(part.labels)
    auroc = metrics.auroc(part.labels, made.raw[OUT_OF_FOLD])[frequent]
    print(f"floor over {np.isfinite(auroc).sum()} classes: {np.nanmean(auroc):.3f}")
    assert np.nanmean(auroc) > 0.84
