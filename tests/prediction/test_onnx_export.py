import builtins
import dataclasses
import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from ecgpipe.dataset.demographics import demographics
from ecgpipe.evaluation import calibration, operating_points
from ecgpipe.prediction import onnx_export
from ecgpipe.prediction.ensemble import load
from ecgpipe.preprocessing import bandpass, store_writer
from ecgpipe.recordings import recording
from tests.fixtures import small_models
from tests.fixtures.sealed import write_sealed_text

onnxruntime = pytest.importorskip("onnxruntime", reason="it runs the files; requirements-dev.txt")
onnx = pytest.importorskip("onnx", reason="it writes the files; requirements-export.txt")
pytest.importorskip("onnxscript", reason="torch.onnx needs it; requirements-export.txt")


@pytest.fixture
def models(tmp_path):
    return small_models.write(tmp_path / "models")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Models of two folds, each a whole network, and their file. It takes seconds to write, so that
    the tests share it, change it never, and write files of shallow networks otherwise."""
    folder = tmp_path_factory.mktemp("exported")
    return written(load(small_models.write(folder / "models")), folder / "m.onnx")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Fold 1 alone, shallow, of models that normalise each lead, with an operating point of its
    own."""
    folder = tmp_path_factory.mktemp("alone")
    path = small_models.write(folder / "models") / "operating/operating.json"
    operating = json.loads(path.read_text())
    own = {"shift": [0.0, 0.0, 0.0], "slope": [1.0, 1.0, 1.0], "threshold": [0.1, 0.2, None]}
    operating["folds"]["1"] |= own
    write_sealed_text(json.dumps(operating), path)
    ensemble = shallow(load(folder / "models", fold=1))
    ensemble.about["normalise"] = "lead"
    return written(ensemble, folder / "m.onnx")


@pytest.fixture(scope="module")
def unlearnt(tmp_path_factory):
    """Fold 0 alone, shallow, of models that did not learn AF, take no demographics, and answer to
    microvolts as others do to millivolts."""
    folder = tmp_path_factory.mktemp("unlearnt")
    small_models.write(folder / "models", demographics=False, auroc=(0.9, None, 0.8))
    ensemble = shallow(load(folder / "models", fold=0))
    ensemble.networks[0].stem[0].weight.data *= 1000
    return written(ensemble, folder / "m.onnx")


def shallow(ensemble):
    """The ensemble with the first block of each network alone."""
    torch.manual_seed(2)
    width, classes = small_models.NETWORK.width, len(ensemble.codes)
    for network in ensemble.networks:
        network.blocks = network.blocks[:1]
        inputs = width + (network.demographics.out_features if network.demographics else 0)
        network.classifier = nn.Linear(inputs, classes)
    return ensemble


def written(ensemble, path):
    """The ensemble, its file, and the session that runs it."""
    onnx_export.write(ensemble, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return ensemble, path, onnxruntime.InferenceSession(path, options)


NEAR = 2e-6  # float32 adds in another order


def distance(ensemble, run, signals_mv, age, sex):
    """The largest difference between the file's probabilities and the models' own, of signals of
    one length."""
    stored = [store_writer.to_microvolts(signal_mv) for signal_mv in signals_mv]
    want = np.nan_to_num(ensemble.probabilities(stored, age, sex))
    inputs = {"signal": np.stack([signal_mv.T for signal_mv in signals_mv]).astype(np.float32)}
    if len(run.get_inputs()) > 1:
        inputs["demographics"] = demographics(age, sex)
    probabilities = run.run(["probabilities"], inputs)[0]
    assert probabilities.shape == want.shape
    return np.abs(probabilities - want).max()


def noise(samples):
    return np.random.default_rng(3).normal(0, 0.3, (samples, 12))


def people(count, seed=1):
    rng = np.random.default_rng(seed)
    ages = [None if rng.random() < 0.3 else float(rng.integers(0, 99)) for _ in range(count)]
    return ages, ["F", "M", None] * count


def test_a_class_that_was_not_learnt_is_0_and_has_no_threshold(unlearnt):
    _, _, run = unlearnt
    metadata = run.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["thresholds"]) == [0.3, None, 0.5]
    assert json.loads(metadata["unlearnt"]) == ["AF"]
    probabilities = run.run(None, {"signal": np.full((2, 12, 500), 1e-3, np.float32)})[0]
    assert (probabilities[:, 1] == 0).all()
    assert (probabilities[:, [0, 2]] > 0.01).all()


def test_models_without_demographics_take_the_signal_alone(unlearnt):
    ensemble, _, run = unlearnt
    assert [value.name for value in run.get_inputs()] == ["signal"]
    assert distance(ensemble, run, [noise(500) / 1000], [50.0], ["F"]) < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_what_does_not_fit_gets_no_answer(exported):
    _, _, run = exported
    for batch, rows, samples in ((2, 1, 400), (1, 2, 1000), (3, 2, 400), (2, 0, 400), (1, 1, 0)):
        inputs = {
            "signal": np.zeros((batch, 12, samples), np.float32),
            "demographics": np.zeros((rows, 4), np.float32),
        }
        with pytest.raises(Exception, match="invalid index found"):
            run.run(None, inputs)


@pytest.mark.parametrize("size_mv", [32.5, 40.0])
def test_the_signal_is_held_within_16_bits_as_it_is_stored(exported, size_mv):
    ensemble, _, run = exported
    signal_mv = size_mv * np.random.default_rng(5).choice([-1, 1], (400, 12))
    assert distance(ensemble, run, [signal_mv], [50.0], ["F"]) < 1e-5


def test_the_signal_is_rounded_as_it_is_stored(unlearnt):
    ensemble, _, run = unlearnt
    signal_mv = 0.0006 * np.random.default_rng(5).choice([-1, 1], (400, 12))
    assert distance(ensemble, run, [signal_mv], [50.0], ["F"]) < 1e-5


@pytest.mark.parametrize("normalise", ["none", "lead"])
def test_any_batch_and_any_length_give_what_predict_gives(exported, alone, normalise):
    ensemble, _, run = alone if normalise == "lead" else exported
    assert ensemble.about["normalise"] == normalise
    rng = np.random.default_rng(2)
    shapes = (1, 400), (5, 400), (3, 1), (1, 2), (2, 399), (2, 401), (1, 600), (3, 1000), (2, 2345)
    for count, samples in shapes:
        signals_mv = rng.normal(0, 0.4, (count, samples, 12)).cumsum(axis=1) / 5
        signals_mv[0, :, 3] = 0.25
        age, sex = people(count)
        assert distance(ensemble, run, list(signals_mv), age, sex[:count]) < NEAR, (count, samples)


def test_one_fold_is_exported_with_its_own_operating_point(alone):
    ensemble, path, run = alone
    assert ensemble.folds == [1]
    assert distance(ensemble, run, [noise(700)], [None], ["F"]) < NEAR
    recording_of = [store_writer.to_microvolts(noise(700))], [50.0], ["F"]
    together = load(path.parent / "models").probabilities(*recording_of)
    assert np.abs(together - ensemble.probabilities(*recording_of)).max() > 1e-3
    assert json.loads(run.get_modelmeta().custom_metadata_map["thresholds"]) == [0.1, 0.2, None]
    with pytest.raises(ValueError, match=r"no fold 7 here \(there: 0, 1\)"):
        load(path.parent / "models", fold=7)


def test_probabilities_at_the_ends_are_calibrated_alike(models, tmp_path):
    ensemble = shallow(load(models, fold=0))
    classifier = ensemble.networks[0].classifier
    classifier.weight.data *= 0
    classifier.bias.data[:] = classifier.bias.new_tensor([30.0, -30.0, 0.0])
    scaling = calibration.Scaling(np.array([0.4, 0.4, 3.0]), np.array([-2.0, 2.0, 1.0]))
    ensemble = dataclasses.replace(
        ensemble, point=operating_points.OperatingPoint(scaling, np.full(3, 0.5))
    )
    ensemble, _, run = written(ensemble, tmp_path / "m.onnx")
    assert distance(ensemble, run, [np.zeros((400, 12))], [50.0], ["F"]) < NEAR


def test_the_file_says_how_it_is_to_be_used(exported):
    _, _, run = exported
    texts = run.get_modelmeta().custom_metadata_map
    metadata = {key: json.loads(value) for key, value in texts.items()}
    same = ("classes", "names", "full_names", "rate_hz", "window", "normalise", "conditioning")
    assert {key: metadata[key] for key in same} == {key: small_models.SHARED[key] for key in same}
    assert metadata["leads"][3] == "aVR"
    assert metadata["thresholds"] == [0.3, 0.4, 0.5]
    assert metadata["folds"] == [0, 1]
    names = {}
    exec(metadata["conditioning_numpy"], names)
    signal_mv = noise(2570).astype(np.float32)
    want = bandpass.condition(signal_mv, 257, **metadata["conditioning"])
    again = names["condition"](signal_mv, 257, **metadata["conditioning"])
    assert np.abs(again - want).max() < 1e-5
    assert len(metadata["demographics"]) == 4
    assert "0 where unknown" in metadata["demographics"][0]
    assert [value.shape for value in run.get_inputs()] == [["batch", 12, "time"], ["batch", 4]]
    assert [(value.name, value.shape) for value in run.get_outputs()] == [
        ("probabilities", ["batch", 3])
    ]


def test_the_file_holds_no_trace_of_the_machine_that_wrote_it(exported):
    _, path, _ = exported
    model = onnx.load(path)
    assert not [node.name for node in model.graph.node if node.metadata_props or node.doc_string]
    assert not re.search(rb"site-packages|onnx_export\.py|/ecgpipe/", path.read_bytes())
    assert (model.opset_import[0].version, model.ir_version) == (18, 9)


def test_the_same_models_give_the_same_bytes(alone, tmp_path):
    ensemble, path, _ = alone
    onnx_export.write(ensemble, tmp_path / "again.onnx")
    assert path.read_bytes() == (tmp_path / "again.onnx").read_bytes()


def test_real_recordings_give_what_predict_gives(real_data, exported):
    ensemble, _, run = exported
    worst = []
    for path in sorted(real_data.rglob("*.hea"))[::8]:
        read = recording.read(path)
        conditioning = ensemble.about["conditioning"]
        signal_mv = bandpass.condition(read.signal_mv, read.rate_hz, **conditioning)
        worst.append(distance(ensemble, run, [signal_mv], [read.age], [read.sex]))
    assert len(worst) > 20
    assert max(worst) < 1e-4


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named(models, tmp_path, monkeypatch, package):
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name == package:
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    needed = r"needs the packages onnx and onnxscript; pip install -r requirements-export\.txt"
    with pytest.raises(ValueError, match=needed):
        onnx_export.write(load(models), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
