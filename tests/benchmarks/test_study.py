"""The study on made-up recordings: who learns from whom, what is kept, what a start answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ecgpipe.dataset import examples
from ecgpipe.diagnoses import classes
from ecgpipe.model import saved_model
from ecgpipe.model.inference import probabilities_of
from ecgpipe.model.network import SEResNet18
from ecgpipe.project import params
from tests.benchmarks import real_recordings, study, study_data, study_methods, study_page
from tests.benchmarks.study_data import ALL, Divided
from tests.benchmarks.study_methods import FLOOR, RANDOM, Method
from tests.benchmarks.study_trials import TRIALS, trials
from tests.fixtures import small_models

RECORDINGS, SAMPLES = 60, 300
CODES = [diagnosis.code for diagnosis in classes.select("official")]


@pytest.fixture
def made() -> Divided:
    """60 recordings of three sources in three folds; those of the first class are waves, in the
    signal as in the inputs."""
    rng = np.random.default_rng(1)
    labels = (rng.random((RECORDINGS, len(CODES))) < 0.3).astype(float)
    labels[:20, 1] = np.nan
    wave = np.sin(np.arange(SAMPLES) / 5)[:, None]
    signals = []
    for row in labels:
        signal = rng.normal(0, 50, (SAMPLES, 12)) + 400 * wave * row[0]
        signals.append(signal.astype(np.int16))
    unknown = [None] * RECORDINGS
    data = examples.of_signals(signals, unknown, unknown, rate_hz=100.0, classes=len(CODES))
    table = pd.DataFrame(labels, columns=CODES)
    table["source"] = ["a"] * 40 + ["b"] * 16 + ["c"] * 4
    table["group"] = table["digest"] = [f"r{row}" for row in range(RECORDINGS)]
    table["fold"] = [str(row % 3) for row in range(RECORDINGS)]
    inputs = np.column_stack(
        [labels[:, 0] + rng.normal(0, 0.1, RECORDINGS), rng.random(RECORDINGS)]
    )
    keyed = {"labels": torch.tensor(labels).float(), "keys": torch.arange(RECORDINGS)}
    order = study_data.learning_order(table["source"], seed=1)
    return Divided(table, replace(data, **keyed), inputs, order, small_models.CONDITIONING)


@pytest.fixture
def work(tmp_path, monkeypatch, made) -> study.Work:
    """A study of these recordings by networks of one epoch and two steps at least."""
    monkeypatch.setattr(study, "divided", lambda work, protocol, seed: made)
    monkeypatch.setattr(study_methods, "LEAST_STEPS", 2)
    settings = study.settings_of(real_recordings.ROOT / "params.yaml")
    settings["model"] |= {"width": 4}
    settings["train"] |= {"epochs": 1, "window_s": 3, "precision": "fp32"}
    preprocess = real_recordings.preprocess_params()
    return study.Work(tmp_path / "work", tmp_path, None, preprocess, settings)


def start_of(folder: Path, classes: list[str]) -> Path:
    """A tiny model with drawn weights, which knows these classes."""
    torch.manual_seed(1)
    names = [f"class {code}" for code in classes]
    about = {"classes": classes, "names": names, "full_names": names, "validation": ""}
    network = SEResNet18(len(classes), small_models.NETWORK)
    saved_model.save(folder, network, small_models.SHARED | about)
    return folder


def test_sets_are_nested_and_have_every_source_and_nobody_of_the_fold(made):
    before: set[int] = set()
    for size in (6, 12, 24, ALL):
        rows = made.trained("0", size)
        assert before <= set(rows)
        assert not set(rows) & set(made.held("0"))
        before = set(rows)
    assert len(before) == 40
    assert made.table["source"][made.trained("0", 30)].value_counts().to_dict() == pytest.approx(
        {"a": 20, "b": 8, "c": 2}, abs=1
    )
    assert sorted(made.held(ALL)) == list(range(RECORDINGS))


def test_a_score_is_the_mean_over_frequent_classes_and_seeds(made):
    rng = np.random.default_rng(2)
    labels = made.data.labels.double().numpy()
    labels[:, 2:], labels[:3, 2] = 0, 1
    table = made.table.copy()
    table[CODES] = labels
    answers = [rng.random(labels.shape) for _ in range(2)]
    found = study_data.scored(table, answers)
    expected = []
    for said in answers:
        first = roc_auc_score(labels[:, 0], said[:, 0])
        second = roc_auc_score(labels[20:, 1], said[20:, 1])
        expected.append((first + second) / 2)  # the third has three positives
    assert found["seeds"] == pytest.approx(expected, abs=1e-5)
    assert found["auroc"] == pytest.approx(np.mean(expected))
    assert found["low"] < found["auroc"] < found["high"]
    assert len(found["classes"]) == 2


@pytest.mark.parametrize("method", [Method("floor", FLOOR), Method("random", RANDOM)])
def test_regressions_learn_what_inputs_or_signals_tell(made, monkeypatch, method):
    monkeypatch.setattr(study_methods, "RANDOM_WIDTH", 4)
    rows, held = made.trained("0", ALL), made.held("0")
    said = study_methods.answers(method, {}, made, rows, held, seed=1)
    assert roc_auc_score(made.data.labels[held, 0], said[:, 0]) > 0.95


def test_a_start_answers_as_it_is_and_a_training_moves_it(work, made, tmp_path):
    start = start_of(tmp_path / "start", classes=CODES[:1] + CODES[5:7])
    method = Method("start", start=str(start))
    held, nobody = made.held("0"), np.zeros(0, np.int64)
    said = study_methods.answers(method, work.settings, made, nobody, held, seed=1)
    network, about = saved_model.load(start)
    blank = replace(made.data, labels=torch.full((RECORDINGS, 3), torch.nan)).take(held)
    expected = probabilities_of(network, blank, about["window"], "none").numpy()
    np.testing.assert_allclose(said[:, [0, 5, 6]], expected, atol=1e-7)
    assert set(said[:, 1]) == {0.5}
    taught = replace(method, teachers=2)
    for one in (method, taught, Method("from scratch")):
        moved = study_methods.answers(one, work.settings, made, made.trained("0", 12), held, 1)
        assert moved.shape == said.shape
        assert np.abs(moved - said).max() > 1e-4


def test_few_recordings_make_small_batches_and_many_epochs():
    train = {"batch": 16, "epochs": 15}
    assert study_methods.long_enough(25, train) == {"batch": 8, "epochs": 50}
    assert study_methods.long_enough(552, train) == {"batch": 16, "epochs": 15}
    assert study_methods.long_enough(3, train)["batch"] == 3


def test_a_cell_is_kept_until_its_settings_change(work):
    folds = {"source": ["0", "1", "2"]}
    methods = [Method("floor", FLOOR)]
    wanted = study.cells(methods, ["source"], [0, 12, ALL], [1, 2], folds)
    assert len(wanted) == 12, "without recordings there is no floor"
    study.compute(work, wanted, jobs=1)
    before = work.path(wanted[0]).stat().st_mtime_ns
    assert study.run(work, wanted[1]) == wanted[1]
    study.compute(work, wanted, jobs=1)
    assert work.path(wanted[0]).stat().st_mtime_ns == before
    rows = study.results(work, wanted)
    assert {(row["size"], len(row["seeds"])) for row in rows} == {(ALL, 2), (12, 2)}
    assert min(row["auroc"] for row in rows) > 0.4
    changed = replace(work, settings={**work.settings, "train": {"epochs": 9}})
    assert study.kept(work, wanted[0]) is not None
    assert study.kept(changed, wanted[0]) is None
    assert study.results(changed, wanted) == []


def test_every_trial_is_a_set_of_valid_settings(work, made, tmp_path):
    start = start_of(tmp_path / "start", classes=CODES)
    listed = trials({"first": str(start), "wide": str(start)})
    assert [method.name for method in listed][:3] == ["first", "wide", next(iter(TRIALS))]
    values = params.load(real_recordings.ROOT / "params.yaml")
    for method in listed:
        for section, changes in method.changes.items():
            assert set(changes) <= set(values[section]), method.name
        study_methods.fresh(method, work.settings, made, np.arange(20), 1, tmp_path)


def row(method: str, size: int | str, auroc: float, protocol: str = "source") -> dict:
    """A row of results."""
    of_seeds = [auroc - 0.01, auroc + 0.01]
    ends = {"low": auroc - 0.03, "high": auroc + 0.03, "seeds": of_seeds}
    found = {"protocol": protocol, "method": method, "size": size, "seconds": 12.0}
    return found | ends | {"auroc": auroc, "classes": {"AF": auroc, "PVC": 0.7}}


def test_the_page_shows_curves_and_what_trials_gain(tmp_path):
    curves = [row("start", 0, 0.8), row("start", ALL, 0.9), row("floor", ALL, 0.85, "stratified")]
    gains = [row("start", ALL, 0.9), row("mixup", ALL, 0.92)]
    content = {"recordings": 60, "sources": 3, "first": "start", "curves": curves, "trials": gains}
    text = study_page.page(content)
    assert "| start | .800 (.770-.830) | .900 (.870-.930) | 12 |" in text
    assert "| mixup | .920 (.890-.950) | +0.0200 (+0.020, +0.020) | 12 |" in text
    assert "Below 0.75: start, 0: PVC" in text
    study_page.draw(curves, tmp_path / "study.png")
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")


def test_a_study_without_its_folders_says_which(monkeypatch):
    monkeypatch.delenv("ECGPIPE_REAL_DATA", raising=False)
    with pytest.raises(SystemExit, match="ECGPIPE_REAL_DATA is unset"):
        real_recordings.folders()
    monkeypatch.setenv("ECGPIPE_REAL_DATA", "here")
    assert real_recordings.folders()[0] == Path("here")
