import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from ecgpipe import (
    catalogue,
    checkpoint,
    conditioning,
    dataset,
    inference,
    model,
    predicting,
    records,
    signals,
    writers,
)
from tests.limbs import lawful

NETWORK = model.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)
CODES = ["426783006", "164889003", "270492004"]
SOURCE = catalogue.Source(
    form="h5", vocabulary="sim-west", codes="aha", rate_hz=500, table="metadata.csv",
    columns={"record": "ECG_ID", "labels": "AHA_Code", "age": "Age", "sex": "Sex"},
)  # fmt: skip
CONDITIONING = {"to_rate_hz": 100.0, "low_hz": 0.5, "high_hz": 40.0, "order": 2}
SHARED = {
    "classes": CODES, "rate_hz": 100.0, "window": 400, "normalise": "none", "conditioning": CONDITIONING,
    "names": ["NSR", "AF", "IAVB"], "full_names": ["sinus rhythm", "atrial fibrillation", "1st degree av block"],
    "folds": [0, 1], "split": "one", "network": NETWORK.model_dump(),
}  # fmt: skip


@pytest.fixture
def models(tmp_path):
    for fold in (0, 1):
        torch.manual_seed(fold)
        about = {**SHARED, "validation": f"of {fold}"}
        checkpoint.save(tmp_path / f"models/fold-{fold}", model.SEResNet18(3, NETWORK), about)
    one = {"slope": [0.5, 1.0, 2.0], "shift": [-1.0, 0.0, 0.5], "threshold": [0.3, 0.4, 0.5]}
    one["validation_auroc"] = [0.9, 0.65, None]
    folds = {str(fold): {**one, "validation": f"of {fold}"} for fold in (0, 1)}
    said = {"params": {}, "classes": CODES, "folds": folds, "ensemble": one}
    (tmp_path / "models/operating.json").write_text(json.dumps(said))
    return tmp_path / "models"


@pytest.fixture
def recordings(tmp_path):
    rng = np.random.default_rng(1)
    for number, rate_hz in enumerate((500, 257, 1000)):
        signal_mv = lawful(rng.normal(0, 0.2, (6 * rate_hz, 12)))
        writers.write_challenge(
            tmp_path / "raw/g 1", f"R{number}", signal_mv, rate_hz, age=[50, None, 0][number], sex="F", labels=["1"]
        )
    (tmp_path / "raw/g 1/R9.hea").write_text("R9 12 500 5000\n")
    return tmp_path / "raw"


@pytest.fixture
def west(tmp_path):
    """Three .h5 files without a rate, as the demo's sim-west and SPH have them; the table tells of two."""
    rng = np.random.default_rng(2)
    for name in ("W1", "W2", "W3"):
        writers.write_h5(tmp_path / "west", name, lawful(rng.normal(0, 0.2, (3000, 12))))
    (tmp_path / "west/metadata.csv").write_text("ECG_ID,AHA_Code,Age,Sex\nW1,1,50,F\nW2,1,,M\n")
    return tmp_path / "west"


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
    logits = np.log(expected / (1 - expected)) * [0.5, 1.0, 2.0] + [-1.0, 0.0, 0.5]
    calibrated = 1 / (1 + np.exp(-logits))
    assert np.allclose(row[["NSR", "AF", "IAVB"]].astype(float), calibrated, atol=1e-6)
    assert [row[f"{name}_present"] for name in ensemble.names] == list((calibrated >= [0.3, 0.4, 0.5]).astype(int))
    assert ensemble.doubtful == ["AF (0.65)", "IAVB"]


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


def test_operating_points_of_other_models_are_refused(models):
    path = models / "fold-1/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"validation": "trained again"}))
    with pytest.raises(ValueError, match=r"operating\.json: its operating points were chosen for other models"):
        predicting.load_ensemble(models)
    (models / "operating.json").unlink()
    with pytest.raises(ValueError, match="no operating points beside these models; run `dvc repro evaluate`"):
        predicting.load_ensemble(models)


def test_paths_without_recordings_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: no such file, or no \.hea or \.h5 recording"):
        predicting.expand([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="no such file"):
        predicting.expand([tmp_path])


def test_a_rate_below_the_band_is_a_doubt(models, tmp_path):
    signal_mv = lawful(np.random.default_rng(1).normal(0, 0.2, (400, 12)))
    writers.write_challenge(tmp_path / "slow", "S1", signal_mv, 64, age=50, sex="M", labels=["1"])
    table = predicting.predict(predicting.load_ensemble(models), predicting.expand([tmp_path / "slow"]), quiet)
    assert table["reason"][0] == "low-rate"


def test_h5_recordings_take_rate_age_and_sex_from_their_source(models, west):
    ensemble = predicting.load_ensemble(models)
    files = predicting.expand([west])
    table = predicting.predict(ensemble, files, quiet, SOURCE, predicting.people([west], SOURCE))
    assert list(table["reason"]) == ["", "age-unknown", "no-metadata|age-unknown"]
    recording = records.read(west / "W1.h5", SOURCE)
    writers.write_challenge(west / "twin", "W1", recording.signal_mv, 500, age=50, sex="F", labels=["1"])
    twin = predicting.predict(ensemble, predicting.expand([west / "twin"]), quiet)
    assert np.allclose(table.iloc[0, 3:6].astype(float), twin.iloc[0, 3:6].astype(float), atol=1e-3)
    nobody = predicting.predict(ensemble, files, quiet, predicting.of_rate(500))
    assert list(nobody["reason"]) == ["age-unknown"] * 3
    assert abs(nobody["AF"][0] - table["AF"][0]) > 1e-6


def test_the_table_of_single_files_lies_beside_them_and_its_absence_is_named(west):
    assert predicting.people([west / "W1.h5"], SOURCE)[west / "W1.h5"].age == 50
    (west / "metadata.csv").unlink()
    with pytest.raises(ValueError, match=r"west/metadata\.csv: no such table; .* or --rate-hz instead of --source"):
        predicting.people([west / "W1.h5"], SOURCE)


def test_a_row_that_stands_twice_and_a_name_that_two_files_have_tell_of_nobody(west):
    with (west / "metadata.csv").open("a") as handle:
        handle.write("W2,1,70,F\n")
    (west / "sub").mkdir()
    (west / "sub/W1.h5").write_bytes((west / "W1.h5").read_bytes())
    assert set(predicting.people([west], SOURCE).values()) == {None}


def test_an_unknown_rate_is_refused_with_the_next_step(west):
    said, reason, _ = predicting.verdict(west / "W1.h5")
    assert said == "refused"
    assert reason.startswith("rate: ")
    assert "--source NAME" in reason
    assert "--rate-hz HZ" in reason
    assert [row[1] for row in predicting.check(predicting.expand([west]), SOURCE)] == ["ok"] * 3
    for wrong in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="--rate-hz: a rate is above 0 Hz"):
            predicting.of_rate(wrong)


def test_records_are_named_as_wfdb_does_and_hidden_files_are_none(recordings):
    folder = recordings / "g 1"
    header = folder / "R1.hea"
    paths = [folder / "R1", folder / "R1.mat", folder / "R1.dat", header, folder / "R1.hea"]
    assert [predicting.expand([path]) for path in paths] == [[header]] * 5
    assert predicting.expand(paths) == [header]
    (folder / "a.b.hea").write_bytes(header.read_bytes())
    assert predicting.expand([folder / "a.b"]) == [folder / "a.b.hea"]
    before = predicting.expand([folder])
    (folder / "._R1.hea").write_bytes(b"\0\5\26\7")
    assert predicting.expand([folder]) == before


def test_a_signal_file_without_header_is_refused_and_costs_itself_alone(recordings):
    (recordings / "g 1/R1.hea").unlink()
    rows = list(predicting.check(predicting.expand([recordings / "g 1/R1.mat", recordings / "g 1/R2"])))
    assert [row[1] for row in rows] == ["refused", "ok"]
    assert rows[0][2] == "missing" and "no such file" in rows[0][3]


def test_a_model_without_names_is_to_be_trained_again(models):
    path = models / "fold-0/model.json"
    path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "names"}))
    with pytest.raises(ValueError, match=r"fold-0/model\.json: it does not say names; train again"):
        predicting.load_ensemble(models)


def test_bfloat16_predicts_nearly_the_same_and_networks_are_folded_once(models):
    exact, rounded = (predicting.load_ensemble(models, precision) for precision in ("fp32", "bf16"))
    assert (exact.bf16, rounded.bf16) == (False, True)
    assert all(model.folded(network) is network for network in exact.networks)
    recording = [np.random.default_rng(1).integers(-900, 900, (1000, 12)).astype(np.int16)]
    known = [SimpleNamespace(age=50.0, sex="F")]
    found = [predicting._probabilities(ensemble, recording, known) for ensemble in (exact, rounded)]
    assert 0 < np.abs(found[0] - found[1]).max() < 5e-3
