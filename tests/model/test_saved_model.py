import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from ecgpipe.model import saved_model
from ecgpipe.model.network import SEResNet18
from ecgpipe.project import digests, paths
from ecgpipe.project.errors import UserError
from tests.fixtures.sealed import write_sealed_text
from tests.fixtures.small_models import NETWORK, SHARED

ABOUT = SHARED | {
    "classes": ["426783006", "164889003"],
    "names": ["NSR", "AF"],
    "full_names": ["sinus rhythm", "atrial fibrillation"],
    "validation": "digest",
}


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
    three = {"classes": ["1", "2", "3"], "names": list("abc"), "full_names": list("abc")}
    path.write_text(json.dumps(about | three))
    with pytest.raises(ValueError, match=r"m/model.json: damaged or changed"):
        saved_model.load(tmp_path / "m")
    digests.write_digests(tmp_path / "m")
    with pytest.raises(
        ValueError, match=r"does not fit model\.json: classifier\.weight: .*3, 42.*2, 42"
    ):
        saved_model.load(tmp_path / "m")
    path.write_text(json.dumps(about | {"format": 0}))
    digests.write_digests(tmp_path / "m")
    with pytest.raises(ValueError, match="format 0 is not 3"):
        saved_model.load(tmp_path / "m")
    path.write_text(json.dumps(about | {"leads": ["I"]}))
    digests.write_digests(tmp_path / "m")
    with pytest.raises(UserError, match=r"m/model\.json: leads \['I'\] is not \['I', 'II', "):
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


@pytest.fixture
def model(tmp_path):
    """A model of drawn weights, which loads."""
    torch.manual_seed(1)
    saved_model.save(tmp_path / "m", SEResNet18(2, NETWORK), ABOUT)
    saved_model.load(tmp_path / "m")
    return tmp_path / "m"


def _change(folder, change):
    """Changes the weights of a model and seals them again."""
    path = folder / "weights.safetensors"
    weights = safetensors.torch.load(path.read_bytes())
    change(weights)
    path.write_bytes(safetensors.torch.save(weights))
    digests.write_digests(folder)


def _one_nan(weights):
    weights["blocks.3.first.0.weight"].view(-1)[7] = torch.nan


def _infinite(weights):
    weights["classifier.bias"][0] = torch.inf


def _large(weights):
    for name, tensor in weights.items():
        if tensor.is_floating_point():
            weights[name] = tensor * 1e30


def _large_at_the_end(weights):
    weights["classifier.weight"] *= 1e30


def _large_for_people(weights):
    weights["demographics.weight"] *= 1e30


def _negative(weights):
    weights["stem.1.running_var"][0] = -1e-7


def _half(weights):
    weights["stem.0.weight"] = weights["stem.0.weight"].half()


def _renamed(weights):
    weights["stem"] = weights.pop("stem.0.weight")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_one_nan, r"blocks\.3\.first\.0\.weight holds a value that is not finite"),
        (_infinite, r"classifier\.bias holds a value that is not finite"),
        (_large, "no usable answers to test signals .*found (nan|inf)"),
        (_large_at_the_end, r"no usable answers to test signals .*found \d.*e\+"),
        (_large_for_people, r"no usable answers to test signals .*found \d.*e\+"),
        (_negative, r"stem\.1\.running_var holds a variance below 0 \(-1e-07\)"),
        (_half, r"stem\.0\.weight: expected torch\.float32 .*found torch\.float16"),
        (_renamed, r"stem\.0\.weight: expected torch\.float32 .*, found none"),
    ],
)
def test_weights_that_no_training_leaves_are_refused(model, change, message):
    _change(model, change)
    with pytest.raises(UserError, match=rf"weights\.safetensors: .*{message}") as caught:
        saved_model.load(model)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; make it again in the project that it comes from")


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_cut_weights_are_refused(model, kept):
    path = model / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    digests.write_digests(model)
    with pytest.raises(UserError, match=r"weights\.safetensors: no readable safetensors \("):
        saved_model.load(model)


def test_missing_weights_are_named_with_what_to_do(model, monkeypatch):
    monkeypatch.chdir(model.parent)
    (model / "weights.safetensors").unlink()
    rule = r"weights\.safetensors: no weights beside model\.json; make it again with `dvc repro -s"
    with pytest.raises(UserError, match=rule):
        saved_model.load(model)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a": NaN}', "[]", '{"format": 3e999}'])
def test_a_description_that_is_none_is_refused(model, text):
    write_sealed_text(text, model / "model.json")
    with pytest.raises(UserError, match=r"m/model\.json: ") as caught:
        saved_model.load(model)
    assert "\n" not in str(caught.value)


def test_a_loaded_network_lies_in_memory_as_a_new_one(model):
    """Channels last: in another order convolutions are slower, and round otherwise."""
    loaded, _ = saved_model.load(model)
    new = SEResNet18(2, NETWORK).state_dict()
    strides = {name: tensor.stride() for name, tensor in loaded.state_dict().items()}
    assert strides == {name: tensor.stride() for name, tensor in new.items()}


def test_a_large_network_takes_no_memory_before_its_weights_are_known(model, monkeypatch):
    about = json.loads((model / "model.json").read_text())
    about["network"]["width"] = 256
    write_sealed_text(json.dumps(about), model / "model.json")
    sizes = []
    built = saved_model.SEResNet18

    def counted(*arguments):
        network = built(*arguments)
        sizes.append(sum(p.numel() for p in network.parameters() if p.device.type != "meta"))
        return network

    monkeypatch.setattr(saved_model, "SEResNet18", counted)
    with pytest.raises(UserError, match=r"does not fit model\.json"):
        saved_model.load(model)
    assert sizes == [0]
