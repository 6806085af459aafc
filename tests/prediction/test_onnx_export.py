import builtins
import dataclasses
import json

import numpy as np
import pytest

from ecgpipe.dataset import examples
from ecgpipe.evaluation import calibration, operating_points
from ecgpipe.prediction import onnx_export
from ecgpipe.prediction.ensemble import load
from ecgpipe.preprocessing import bandpass, store_writer
from ecgpipe.project import digests
from ecgpipe.recordings import recording
from tests.fixtures import small_models

onnxruntime = pytest.importorskip(
    "onnxruntime", reason="onnxruntime runs exported models; requirements-dev.txt has it"
)
pytest.importorskip("onnx", reason="onnx writes them; requirements-export.txt has it")


@pytest.fixture
def models(tmp_path):
    return small_models.write(tmp_path / "models")


def session(ensemble, folder):
    onnx_export.write(ensemble, folder / "m.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(folder / "m.onnx", options)


def distance(ensemble, run, signals_mv, age, sex):
    """The largest difference between the file's probabilities and the models' own, of signals of
    one length."""
    want = np.nan_to_num(
        ensemble.probabilities([store_writer.to_microvolts(one) for one in signals_mv], age, sex)
    )
    given = {"signal": np.stack([one.T for one in signals_mv]).astype(np.float32)}
    if len(run.get_inputs()) > 1:
        years = np.array([np.nan if one is None else one for one in age], float)
        given["demographics"] = examples.demographics(years, np.array([one or "" for one in sex]))
    found = run.run(["probabilities"], given)[0]
    assert found.shape == want.shape
    return np.abs(found - want).max()


def people(count, seed=1):
    rng = np.random.default_rng(seed)
    return [None if rng.random() < 0.3 else float(rng.integers(0, 99)) for _ in range(count)], [
        "F",
        "M",
        None,
    ] * count


def test_a_class_that_was_not_learnt_is_0_and_has_no_threshold(tmp_path):
    ensemble = load(small_models.write(tmp_path / "models", auroc=(0.9, None, 0.8)))
    run = session(ensemble, tmp_path)
    said = run.get_modelmeta().custom_metadata_map
    assert json.loads(said["thresholds"]) == [0.3, None, 0.5]
    assert json.loads(said["unlearnt"]) == ["AF"]
    given = {
        "signal": np.ones((2, 12, 500), np.float32),
        "demographics": np.zeros((2, 4), np.float32),
    }
    found = run.run(None, given)[0]
    assert (found[:, 1] == 0).all()
    assert (found[:, [0, 2]] > 0.01).all()
    assert (
        distance(ensemble, run, [np.random.default_rng(4).normal(0, 0.3, (500, 12))], [50.0], ["F"])
        < 1e-5
    )


@pytest.mark.filterwarnings("ignore")
def test_what_does_not_fit_gets_no_answer(models, tmp_path):
    run = session(load(models), tmp_path)
    for batch, people_, samples in ((2, 1, 400), (1, 2, 1000), (3, 2, 400), (2, 0, 400), (1, 1, 0)):
        given = {
            "signal": np.zeros((batch, 12, samples), np.float32),
            "demographics": np.zeros((people_, 4), np.float32),
        }
        with pytest.raises(Exception, match=r"indices element out of data bounds"):
            run.run(None, given)


@pytest.mark.parametrize("size_mv", [0.0006, 32.5, 40.0])
def test_the_signal_is_rounded_and_held_as_it_is_stored(models, tmp_path, size_mv):
    ensemble = load(models)
    signal_mv = np.where(np.random.default_rng(5).random((400, 12)) < 0.5, size_mv, -size_mv)
    for network in ensemble.networks:  # so that the smallest step of the input shows
        network.stem[0].weight.data *= 1000 if size_mv < 1 else 1
    assert distance(ensemble, session(ensemble, tmp_path), [signal_mv], [50.0], ["F"]) < 1e-5


@pytest.mark.parametrize("how", ["none", "lead"])
def test_any_batch_and_any_length_give_what_predict_gives(models, tmp_path, how):
    ensemble = load(models)
    ensemble.about["normalise"] = how
    run, rng = session(ensemble, tmp_path), np.random.default_rng(2)
    for count, samples in ((1, 400), (5, 400), (3, 1), (2, 399), (2, 401), (3, 1000), (2, 2345)):
        signals_mv = rng.normal(0, 0.4, (count, samples, 12)).cumsum(axis=1) / 5
        signals_mv[0, :, 3] = 0.25
        age, sex = people(count)
        assert distance(ensemble, run, list(signals_mv), age, sex[:count]) < 1e-5, (count, samples)


def test_one_fold_is_exported_with_its_own_operating_point(models, tmp_path):
    path = models / "operating/operating.json"
    said = json.loads(path.read_text())
    said["folds"]["1"] |= {
        "shift": [0.0, 0.0, 0.0],
        "slope": [1.0, 1.0, 1.0],
        "threshold": [0.1, 0.2, None],
    }
    path.write_text(json.dumps(said))
    digests.write_digests(path.parent)
    alone, signal_mv = load(models, fold=1), np.random.default_rng(3).normal(0, 0.3, (700, 12))
    assert alone.folds == [1]
    run = session(alone, tmp_path)
    assert distance(alone, run, [signal_mv], [50.0], ["F"]) < 1e-5
    together = load(models).probabilities([store_writer.to_microvolts(signal_mv)], [50.0], ["F"])
    assert distance(alone, run, [signal_mv], [None], ["F"]) < 1e-5
    assert (
        np.abs(
            together - alone.probabilities([store_writer.to_microvolts(signal_mv)], [50.0], ["F"])
        ).max()
        > 1e-3
    )
    assert json.loads(run.get_modelmeta().custom_metadata_map["thresholds"]) == [0.1, 0.2, None]
    with pytest.raises(ValueError, match=r"no fold 7 here \(there: 0, 1\)"):
        load(models, fold=7)


def test_models_without_demographics_take_the_signal_alone(tmp_path):
    models = small_models.write(tmp_path / "models", demographics=False)
    ensemble = load(models)
    run = session(ensemble, tmp_path)
    assert [one.name for one in run.get_inputs()] == ["signal"]
    assert (
        distance(ensemble, run, [np.random.default_rng(4).normal(0, 0.3, (500, 12))], [50.0], ["F"])
        < 1e-5
    )


def test_probabilities_at_the_ends_are_calibrated_alike(models, tmp_path):
    ensemble = load(models)
    for network in ensemble.networks:
        network.classifier.weight.data *= 0
        network.classifier.bias.data[:] = network.classifier.bias.new_tensor([30.0, -30.0, 0.0])
    scaling = calibration.Scaling(np.array([0.4, 0.4, 3.0]), np.array([-2.0, 2.0, 1.0]))
    ensemble = dataclasses.replace(
        ensemble, point=operating_points.OperatingPoint(scaling, np.full(3, 0.5))
    )
    assert (
        distance(ensemble, session(ensemble, tmp_path), [np.zeros((400, 12))], [50.0], ["F"]) < 1e-5
    )


def test_the_file_says_how_it_is_to_be_used(models, tmp_path):
    run = session(load(models), tmp_path)
    said = {
        key: json.loads(value) for key, value in run.get_modelmeta().custom_metadata_map.items()
    }
    same = ("classes", "names", "full_names", "rate_hz", "window", "normalise", "conditioning")
    assert {key: said[key] for key in same} == {key: small_models.SHARED[key] for key in same}
    assert said["leads"][3] == "aVR"
    assert said["thresholds"] == [0.3, 0.4, 0.5]
    assert said["folds"] == [0, 1]
    names = {}
    exec(said["conditioning_numpy"], names)
    signal_mv = np.random.default_rng(6).normal(0, 0.3, (2570, 12)).astype(np.float32)
    want = bandpass.condition(signal_mv, 257, **said["conditioning"])
    assert np.abs(names["condition"](signal_mv, 257, **said["conditioning"]) - want).max() < 1e-5
    assert len(said["demographics"]) == 4
    assert "0 where unknown" in said["demographics"][0]
    assert [one.shape for one in run.get_inputs()] == [["batch", 12, "time"], ["batch", 4]]


def test_real_recordings_give_what_predict_gives(real_data, models, tmp_path):
    ensemble, worst = load(models), []
    run = session(ensemble, tmp_path)
    for path in sorted(real_data.rglob("*.hea"))[::8]:
        one = recording.read(path)
        signal_mv = bandpass.condition(one.signal_mv, one.rate_hz, **ensemble.about["conditioning"])
        worst.append(distance(ensemble, run, [signal_mv], [one.age], [one.sex]))
    assert len(worst) > 20
    assert max(worst) < 1e-4


def test_a_missing_package_is_named(models, tmp_path, monkeypatch):
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "onnx":
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ValueError, match=r"needs the package onnx; pip install -r requirements-export\.txt"
    ):
        onnx_export.write(load(models), tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()
