import json

import numpy as np
import pandas as pd
import pytest
import torch

from ecgpipe import checkpoint, conditioning, dataset, inference, model, predicting, records, signals, writers

NETWORK = model.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)
CODES = ["426783006", "164889003", "270492004"]
CONDITIONING = {"to_rate_hz": 100.0, "low_hz": 0.5, "high_hz": 40.0, "order": 2}
SHARED = {
    "classes": CODES, "rate_hz": 100.0, "window": 400, "normalise": "none", "conditioning": CONDITIONING,
    "folds": [0, 1], "split": "one", "network": NETWORK.model_dump(),
}  # fmt: skip


@pytest.fixture
def models(tmp_path):
    for fold in (0, 1):
        torch.manual_seed(fold)
        about = {**SHARED, "thresholds": [0.5 - 0.2 * fold] * 3}
        checkpoint.save(tmp_path / f"models/fold-{fold}", model.SEResNet18(3, NETWORK), about)
    return tmp_path / "models"


@pytest.fixture
def recordings(tmp_path):
    rng = np.random.default_rng(1)
    for number, rate_hz in enumerate((500, 257, 1000)):
        signal_mv = rng.normal(0, 0.2, (6 * rate_hz, 12))
        writers.write_challenge(
            tmp_path / "raw/g 1", f"R{number}", signal_mv, rate_hz, age=[50, None, 0][number], sex="F", labels=["1"]
        )
    (tmp_path / "raw/g 1/R9.hea").write_text("R9 12 500 5000\n")
    return tmp_path / "raw"


def quiet(batches):
    return batches


def test_a_prediction_is_the_folds_mean_over_the_windows_of_the_conditioned_recording(models, recordings):
    ensemble = predicting.load_ensemble(models)
    table = predicting.predict(ensemble, predicting.expand([recordings]), quiet)
    path = recordings / "g 1/R1.hea"
    recording = records.read(path)
    signal_mv = conditioning.condition(recording.signal_mv, 257, **CONDITIONING)
    data = dataset.of_signals(
        [signals.to_microvolts(signal_mv)], np.array([np.nan]), np.array(["F"]), rate_hz=100, classes=3
    )
    expected = np.mean([inference.probabilities_of(n, data, 400, "none").numpy()[0] for n in ensemble.networks], axis=0)
    row = table[table["path"] == str(path)].iloc[0]
    assert np.allclose(row[["NSR", "AF", "IAVB"]].astype(float), expected, atol=1e-6)
    assert [row[f"{name}_present"] for name in ensemble.names] == list((expected >= 0.4).astype(int))


def test_a_recording_that_cannot_be_read_costs_itself_alone_and_says_why(models, recordings):
    table = predicting.predict(predicting.load_ensemble(models), predicting.expand([recordings]), quiet)
    assert list(table["verdict"]) == ["ok", "flagged", "ok", "refused"]
    assert table["reason"][1] == "age-unknown"
    assert "R9" in table["reason"][3]
    assert table.iloc[3, 3:].isna().all()
    assert table.iloc[:3, 3:].notna().all().all()


def test_an_unknown_age_and_an_age_of_zero_differ(models, recordings):
    ensemble = predicting.load_ensemble(models)
    found = predicting.expand([recordings / "g 1/R2.hea"])
    newborn = predicting.predict(ensemble, found, quiet)
    header = recordings / "g 1/R2.hea"
    header.write_text(header.read_text().replace("#Age: 0", "#Age: NaN"))
    unknown = predicting.predict(ensemble, found, quiet)
    assert newborn["reason"][0] == ""
    assert unknown["reason"][0] == "age-unknown"
    assert newborn["AF"][0] != unknown["AF"][0]


def test_batches_change_nothing(models, recordings, monkeypatch):
    ensemble = predicting.load_ensemble(models)
    files = predicting.expand([recordings])
    whole = predicting.predict(ensemble, files, quiet)
    monkeypatch.setattr(predicting, "_BATCH", 1)
    single = predicting.predict(ensemble, files, quiet)
    pd.testing.assert_frame_equal(whole, single, rtol=1e-5)


def test_models_of_different_trainings_are_not_mixed(models):
    path = models / "fold-1/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"split": "another"}))
    with pytest.raises(ValueError, match=r"fold-1: split differ from fold-0's"):
        predicting.load_ensemble(models)
    with pytest.raises(ValueError, match=r"no fold-K/model\.json below this folder"):
        predicting.load_ensemble(models / "fold-0")


def test_paths_without_recordings_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: no such file, or no \.hea or \.h5 recording"):
        predicting.expand([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="no such file"):
        predicting.expand([tmp_path])


def test_a_rate_below_the_band_is_a_doubt(models, tmp_path):
    signal_mv = np.random.default_rng(1).normal(0, 0.2, (400, 12))
    writers.write_challenge(tmp_path / "slow", "S1", signal_mv, 64, age=50, sex="M", labels=["1"])
    table = predicting.predict(predicting.load_ensemble(models), predicting.expand([tmp_path / "slow"]), quiet)
    assert table["reason"][0] == "low-rate"
