from pathlib import Path

import pytest

from ecgpipe.project import digests, paths
from ecgpipe.training import start_faults
from tests.fixtures import small_models
from tests.fixtures.small_models import CONDITIONING, NETWORK, SHARED


def test_a_model_of_this_very_network_and_conditioning_fits_whatever_its_window_and_dropout():
    about = SHARED | {"window": 77, "network": SHARED["network"] | {"dropout": 0.9}}
    assert start_faults.unlike(about, NETWORK, "none", CONDITIONING) == []


@pytest.mark.parametrize(
    ("part", "there", "said"),
    [
        ("conditioning", {"to_rate_hz": 250.0}, "preprocess.rate_hz: 250 there, 100 here"),
        ("conditioning", {"low_hz": 1.0}, "preprocess.low_hz: 1 there, 0.5 here"),
        ("conditioning", {"high_hz": 45.0}, "preprocess.high_hz: 45 there, 40 here"),
        ("conditioning", {"order": 3}, "preprocess.order: 3 there, 2 here"),
        ("network", {"width": 20}, "model.width: 20 there, 4 here"),
        ("network", {"stem_kernel": 7}, "model.stem_kernel: 7 there, 15 here"),
        ("network", {"kernel": 9}, "model.kernel: 9 there, 7 here"),
        ("network", {"reduction": 2}, "model.reduction: 2 there, 4 here"),
        ("network", {"demographics": False}, "model.demographics: false there, true here"),
    ],
)
def test_what_differs_is_named_as_params_yaml_has_it(part, there, said):
    about = SHARED | {part: SHARED[part] | there}
    assert start_faults.unlike(about, NETWORK, "none", CONDITIONING) == [said]


def test_another_normalisation_is_named():
    (said,) = start_faults.unlike(SHARED, NETWORK, "lead", CONDITIONING)
    assert said == "train.normalise: none there, lead here"


def test_all_that_differs_is_told_with_what_to_do():
    other = start_faults.in_words(Path("models/theirs"), ["model.width: 20 there, 4 here", "b"])
    assert other == (
        "train.start_model: models/theirs does not fit this run (model.width: 20 there, 4 here; b);"
        " set them as there, or set train.start to scratch"
    )
    assert "dvc repro -f pretrain" in start_faults.in_words(paths.PRETRAINED, ["b"])


def test_a_folder_of_models_is_no_model_and_one_of_it_is_named(tmp_path):
    small_models.write(tmp_path / "models")
    said = start_faults.no_model(tmp_path / "models")
    assert said.endswith(f"give one of the models in it, such as {tmp_path / 'models/fold-0'}")
    assert "set train.start to scratch" in start_faults.no_model(tmp_path)
    assert start_faults.no_model(paths.PRETRAINED).endswith(
        "no model.json; bring it back with `git checkout data/pretrained`, make it with "
        "`dvc repro -f pretrain`, or give the folder of a trained model, or set train.start to "
        "scratch"
    )


def test_settings_are_held_to_the_model_as_soon_as_it_is_there(tmp_path):
    small_models.write(tmp_path / "models")
    folder = tmp_path / "models/fold-0"
    wider = NETWORK.model_copy(update={"width": 8})
    assert start_faults.of_settings(folder, NETWORK, "none", CONDITIONING) == []
    (fault,) = start_faults.of_settings(folder, wider, "none", CONDITIONING)
    assert "does not fit this run (model.width: 4 there, 8 here)" in fault
    (folder / "model.json").write_text("{}")
    (fault,) = start_faults.of_settings(folder, NETWORK, "none", CONDITIONING)
    assert "model.json: damaged or changed" in fault
    digests.write_digests(folder)
    (fault,) = start_faults.of_settings(folder, NETWORK, "none", CONDITIONING)
    assert fault.startswith(f"train.start_model: {folder}/model.json: classes: it is missing")


def test_a_start_that_is_not_there_is_told_before_anything_runs_but_the_one_that_a_stage_makes(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (fault,) = start_faults.of_settings(Path("data/nowhere"), NETWORK, "none", CONDITIONING)
    assert "data/nowhere holds no model.json; give the folder of a trained model" in fault
    assert start_faults.of_settings(paths.PRETRAINED, NETWORK, "none", CONDITIONING) == []
