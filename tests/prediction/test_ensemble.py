import json
import shutil

import numpy as np
import pytest
import safetensors.torch
import torch

from ecgpipe.model.network import folded
from ecgpipe.prediction.ensemble import load
from ecgpipe.project import digests
from tests.fixtures import small_models


@pytest.fixture
def models(tmp_path):
    return small_models.write(tmp_path / "models")


def test_models_of_different_trainings_are_not_mixed(models):
    path = models / "fold-1/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"split": "another"}))
    digests.write_digests(path.parent)
    with pytest.raises(ValueError, match=r"fold-1: split differ from fold-0's"):
        load(models)
    with pytest.raises(ValueError, match=r"no fold-K/model\.json below this folder"):
        load(models / "fold-0")


def test_operating_points_of_other_models_are_refused(models):
    path = models / "fold-1/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validation": "trained again"}))
    digests.write_digests(path.parent)
    with pytest.raises(
        ValueError, match=r"operating\.json: its operating points were chosen for other models"
    ):
        load(models)
    (models / "operating/operating.json").unlink()
    with pytest.raises(
        ValueError, match="no operating points beside these models; run `dvc repro evaluate`"
    ):
        load(models)


@pytest.mark.parametrize("key", ["validation", "network", "classes", "names", "window"])
def test_a_model_that_lacks_what_is_needed_is_named(models, key):
    path = models / "fold-1/model.json"
    path.write_text(
        json.dumps(
            {name: value for name, value in json.loads(path.read_text()).items() if name != key}
        )
    )
    digests.write_digests(path.parent)
    with pytest.raises(
        ValueError,
        match=rf"fold-1/model\.json: {key}: it is missing; make it again",
    ):
        load(models)


def test_every_fold_is_held_to_what_a_model_can_be(models):
    path = models / "fold-1/weights.safetensors"
    weights = safetensors.torch.load(path.read_bytes())
    weights["classifier.weight"][2, 1] = torch.nan
    path.write_bytes(safetensors.torch.save(weights))
    digests.write_digests(path.parent)
    for fold in (None, 0, 1):
        with pytest.raises(ValueError, match=r"fold-1/weights.*classifier\.weight.* not finite"):
            load(models, fold=fold)


def test_networks_of_two_kinds_are_not_one_training(models, tmp_path):
    small_models.write(tmp_path / "other", demographics=False)
    shutil.rmtree(models / "fold-1")
    (tmp_path / "other/fold-1").rename(models / "fold-1")
    with pytest.raises(ValueError, match="fold-1: network differ from fold-0's"):
        load(models)


def test_a_class_that_was_not_learnt_has_no_probability_and_is_named_apart(tmp_path):
    whole = load(small_models.write(tmp_path / "whole", auroc=(0.9, 0.65, 0.8)))
    part = load(small_models.write(tmp_path / "part", auroc=(0.9, 0.65, None)))
    assert whole.unlearnt == [] and len(whole.warnings) == 1
    assert part.unlearnt == ["IAVB"]
    assert part.doubtful == ["AF (0.65)"]
    assert part.warnings == [
        "not learnt, so never answered (no recording to tell it by): IAVB",
        "validation showed little skill (AUROC below 0.7) in: AF (0.65)",
    ]
    recording = [np.random.default_rng(1).integers(-900, 900, (1000, 12)).astype(np.int16)]
    expected = whole.probabilities(recording, [50.0], ["F"])
    probabilities = part.probabilities(recording, [50.0], ["F"])
    assert np.isnan(probabilities[0, 2])
    assert (probabilities[0, :2] == expected[0, :2]).all()


def test_bfloat16_predicts_nearly_the_same_and_networks_are_folded_once(models):
    exact, rounded = load(models, "fp32"), load(models, "bf16")
    assert (exact.bf16, rounded.bf16) == (False, True)
    assert all(folded(network) is network for network in exact.networks)
    recording = [np.random.default_rng(1).integers(-900, 900, (1000, 12)).astype(np.int16)]
    differences = exact.probabilities(recording, [50.0], ["F"]) - rounded.probabilities(
        recording, [50.0], ["F"]
    )
    assert 0 < np.abs(differences).max() < 5e-3
