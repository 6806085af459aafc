"""Which models answer on a fresh clone, and what is said of them."""

import json
import shutil

import numpy as np
import pytest

from ecgpipe.prediction import ensemble, onnx_export, predict, pretrained
from ecgpipe.project import digests, paths
from tests.fixtures import small_models


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A fresh clone: the pretrained network is there, no other."""
    monkeypatch.chdir(tmp_path)
    paths.PRETRAINED.parent.mkdir()
    small_models.write_one(paths.PRETRAINED)


def on_real(**changes):
    mean = {"auroc": 0.8765, "low": 0.85, "high": 0.9}
    scores = {"recordings": 695, "classes_of_mean": 22, "auroc_macro": mean, "classes": {}}
    weights = digests.recorded(paths.PRETRAINED / "weights.safetensors")
    said = {"weights": weights, "sources": {"ptb": 95, "sph": 600}, "scores": scores} | changes
    pretrained.on_real_of(paths.PRETRAINED).write_text(json.dumps(said))


def test_it_answers_where_nothing_is_trained_and_only_there(clone, tmp_path):
    assert pretrained.chosen(paths.MODELS) == paths.PRETRAINED
    assert pretrained.chosen(tmp_path / "other") == tmp_path / "other"
    small_models.write(paths.MODELS)
    assert pretrained.chosen(paths.MODELS) == paths.MODELS
    assert pretrained.told(paths.MODELS, paths.MODELS) == []
    shutil.rmtree(paths.MODELS)
    shutil.rmtree(paths.PRETRAINED)
    assert pretrained.chosen(paths.MODELS) == paths.MODELS
    missing = (
        r"data/models: no fold-K/model\.json below this folder; .*`git checkout data/pretrained`"
    )
    with pytest.raises(ValueError, match=missing):
        ensemble.load(pretrained.chosen(paths.MODELS))


def test_one_line_says_what_it_is_and_how_good_on_real_recordings(clone):
    (line,) = pretrained.told(paths.MODELS, paths.PRETRAINED)
    assert line == (
        "nothing is trained in data/models yet, so data/pretrained answers: made from simulated "
        "hearts alone; not scored on real recordings; not for patients"
    )
    on_real()
    (line,) = pretrained.told(paths.PRETRAINED, paths.PRETRAINED)
    assert line == (
        "data/pretrained answers: made from simulated hearts alone; on 695 real recordings of 2 "
        "sources its mean AUROC over 22 classes was 0.876 (0.850 to 0.900); not for patients"
    )


def test_scores_of_other_weights_are_not_told_and_damaged_ones_are_refused(clone):
    on_real(weights="0" * 64)
    assert "not scored on real recordings" in pretrained.told(paths.MODELS, paths.PRETRAINED)[0]
    on_real(sources={})
    with pytest.raises(ValueError, match=r"on_real\.json: sources: .*; bring it back with `git"):
        pretrained.told(paths.MODELS, paths.PRETRAINED)


def test_the_scores_of_one_folder_do_not_stand_in_the_place_of_anothers(clone):
    on_real()
    shutil.copytree(paths.PRETRAINED, "data/other")
    assert pretrained.on_real_of(paths.Path("data/other")).name == "other_on_real.json"
    (line,) = pretrained.told(paths.Path("data/other"), paths.Path("data/other"))
    assert "not scored on real recordings" in line


def test_its_ensemble_is_the_one_network_at_its_own_point(clone, recordings):
    models = ensemble.load(paths.PRETRAINED)
    assert models.remark == "made from simulated hearts alone; not for patients"
    assert models.words.remark == models.remark == onnx_export.metadata(models)["remark"]
    assert (models.folds, models.names) == ([0], ["NSR", "AF", "IAVB"])
    small_models.write(paths.MODELS)
    alone = ensemble.load(paths.MODELS, fold=0)
    assert alone.remark == ""
    files = sorted(recordings.rglob("*.hea"))[:3]
    pairs = zip(predict.predict(models, files), predict.predict(alone, files), strict=True)
    compared = [np.array_equal(one.probabilities, other.probabilities) for one, other in pairs]
    assert compared == [True] * 3


def test_points_of_another_network_are_refused(clone):
    path = paths.PRETRAINED / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validation": "trained again"}))
    digests.write_digests(path.parent)
    with pytest.raises(ValueError, match=r"were chosen for other models .*; bring it back with `g"):
        ensemble.load(paths.PRETRAINED)
