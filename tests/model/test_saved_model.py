import json
from pathlib import Path

import pytest
import torch

from ecgpipe.model import saved_model
from ecgpipe.model.network import SEResNet18
from ecgpipe.project import digests, paths
from ecgpipe.project.errors import UserError
from tests.fixtures.small_models import NETWORK

ABOUT = {"classes": ["426783006", "164889003"], "network": NETWORK.model_dump()}


def test_all_weights_come_back_and_predict_the_same(tmp_path):
    torch.manual_seed(1)
    network = SEResNet18(2, NETWORK)
    network(torch.randn(8, 12, 400), torch.zeros(8, 4))  # moves the running statistics
    saved_model.save(tmp_path / "fold-0", network, ABOUT)
    loaded, about = saved_model.load(tmp_path / "fold-0")
    signal, person = torch.randn(2, 12, 400), torch.rand(2, 4)
    assert torch.equal(loaded(signal, person), network.eval()(signal, person))
    assert about["versions"]["torch"] == torch.__version__
    assert about["leads"][0] == "I"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "SHA256SUMS",
        "fold-0",
        "model.json",
        "weights.safetensors",
    ]


def test_a_missing_model_another_format_and_unfit_weights_are_named(tmp_path):
    with pytest.raises(ValueError, match="no model here"):
        saved_model.load(tmp_path)
    saved_model.save(tmp_path / "m", SEResNet18(2, NETWORK), ABOUT)
    path = tmp_path / "m/model.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"classes": ["1", "2", "3"]}))
    with pytest.raises(ValueError, match=r"m/model.json: damaged or changed"):
        saved_model.load(tmp_path / "m")
    digests.write_digests(tmp_path / "m")
    with pytest.raises(ValueError, match=r"does not fit model.json"):
        saved_model.load(tmp_path / "m")
    path.write_text(json.dumps(about | {"format": 0}))
    digests.write_digests(tmp_path / "m")
    with pytest.raises(ValueError, match="format 0 is not 3"):
        saved_model.load(tmp_path / "m")
    path.write_text(json.dumps(about | {"network": NETWORK.model_dump() | {"kernel": 8}}))
    digests.write_digests(tmp_path / "m")
    with pytest.raises(UserError, match=r"m/model\.json: network\.kernel: a kernel must be odd.*8"):
        saved_model.load(tmp_path / "m")


def test_versions_name_every_package_behind_a_model():
    pins = (Path(__file__).parents[2] / "requirements.txt").read_text().splitlines()
    pinned = {line.split("==")[0] for line in pins if "==" in line}
    # They run, deal into folds (which are told by their digest), score, plot, print.
    beside = {
        "dvc",
        "pygtrie",
        "iterative-stratification",
        "scikit-learn",
        "matplotlib",
        "jinja2",
        "markupsafe",
        "tqdm",
    }
    assert set(saved_model.versions()) == pinned - beside | {"python"}


def test_an_unused_fold_leaves_its_reason_alone_where_a_model_and_predictions_stood(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    saved_model.save(paths.model(3), SEResNet18(2, NETWORK), ABOUT)
    saved_model.leave_unused(3, rank=1)
    assert len(list(paths.model(3).iterdir())) == 3, "the first process alone writes"
    saved_model.leave_unused(3)
    assert "fold 3 has no recordings: there are fewer institutions than split.folds" in caplog.text
    for folder in (paths.model(3), paths.predictions(3)):
        assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "unused.json"]
        digests.verify(folder / "unused.json")
        assert json.loads((folder / "unused.json").read_text())["unused"].startswith(
            "fold 3 has no recordings"
        )
    with pytest.raises(ValueError, match="no model here"):
        saved_model.load(paths.model(3))
