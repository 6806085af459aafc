import dataclasses

import numpy as np
import pandas as pd
import torch

from ecgpipe.dataset import examples
from ecgpipe.model import inference
from ecgpipe.prediction import predict, reading
from ecgpipe.prediction.ensemble import Ensemble, load
from ecgpipe.preprocessing import bandpass, store_writer
from ecgpipe.recordings import recording
from ecgpipe.simulation import writers
from tests.fixtures import small_models
from tests.fixtures.limbs import lawful
from tests.fixtures.small_models import CONDITIONING
from tests.prediction.conftest import SOURCE


def test_predictions_come_while_files_are_still_unread(models, recordings, monkeypatch):
    monkeypatch.setattr(predict, "_BATCH", 1)
    read = []
    read_one = recording.read

    def counted(path, *arguments):
        read.append(path)
        return read_one(path, *arguments)

    monkeypatch.setattr(recording, "read", counted)
    file = reading.expand([recordings])[0]
    predictions = predict.predict(load(models), [file] * 50)
    next(predictions)
    predictions.close()
    assert 0 < len(read) <= 3 * torch.get_num_threads() + 3


def test_what_a_model_does_not_take_is_no_doubt(models, recordings):
    ensemble = load(models)
    ensemble.about["network"]["demographics"] = False
    (prediction,) = predict.predict(ensemble, reading.expand([recordings / "g 1/R1"]))
    assert prediction.verdict == "ok"


def test_a_probability_at_its_threshold_is_present(models, recordings, monkeypatch):
    ensemble, files = load(models), reading.expand([recordings / "g 1/R1"])
    values = next(iter(predict.predict(ensemble, files))).probabilities
    cuts = np.array([values[0], np.nextafter(values[1], 1), np.inf])
    exact = dataclasses.replace(
        ensemble, point=dataclasses.replace(ensemble.point, thresholds=cuts)
    )
    assert list(next(iter(predict.predict(exact, files))).present) == [1, 0, 0]


def test_a_class_that_was_not_learnt_is_present_in_nobody(recordings, tmp_path):
    ensemble = load(small_models.write(tmp_path / "few", auroc=(0.9, None, 0.8)))
    predictions = list(predict.predict(ensemble, reading.expand([recordings])))
    scored = [prediction for prediction in predictions if prediction.verdict != "refused"]
    assert len(scored) == 3
    for prediction in scored:
        assert np.isnan(prediction.probabilities[1])
        assert prediction.present[1] == 0


def test_an_answer_that_is_no_number_is_refused_for_its_recording_alone(models, recordings):
    """As of weights that a loaded model cannot have, in one fold of two."""
    ensemble = load(models)
    bias = ensemble.networks[1].classifier.bias
    for value in (torch.nan, torch.inf):
        with torch.no_grad():
            bias[1] = value
            bias[1] -= value  # inf - inf is no number either
        predictions = list(predict.predict(ensemble, reading.expand([recordings])))
        assert [prediction.verdict for prediction in predictions] == ["refused"] * 4
        for prediction in predictions[:3]:
            assert prediction.probabilities is prediction.present is None
            assert prediction.reason == (
                f"not-finite: {prediction.path}: the models' answer is no finite number for AF; "
                "check its signal, then the models"
            )


def test_the_beginning_alone_is_kept_to_be_drawn(models, recordings):
    options = predict.ReadingOptions(keep_s=2.0)
    *kept, refused = predict.predict(load(models), reading.expand([recordings]), options)
    signals_mv = [prediction.recording.signal_mv for prediction in kept]
    assert [len(signal_mv) for signal_mv in signals_mv] == [1000, 514, 2000]
    assert all(signal_mv.base is None for signal_mv in signals_mv)
    assert [prediction.duration_s for prediction in kept] == [6.0, 6.0, 6.0]
    assert (refused.recording, refused.duration_s) == (None, 0.0)


def tabled(ensemble, files, *options):
    """What `predict` says, as a table."""
    decisions = [f"{name}_present" for name in ensemble.names]
    rows = []
    for prediction in predict.predict(ensemble, files, predict.ReadingOptions(*options)):
        row = {
            "path": str(prediction.path),
            "verdict": prediction.verdict,
            "reason": prediction.reason,
        }
        if prediction.probabilities is not None:
            row |= dict(zip(ensemble.names, prediction.probabilities, strict=True))
            row |= dict(zip(decisions, prediction.present, strict=True))
        rows.append(row)
    return pd.DataFrame(rows, columns=["path", "verdict", "reason", *ensemble.names, *decisions])


def test_a_prediction_is_the_folds_mean_over_the_windows_of_the_conditioned_recording(
    models, recordings
):
    ensemble = load(models)
    table = tabled(ensemble, reading.expand([recordings]))
    path = recordings / "g 1/R1.hea"
    signal_mv = bandpass.condition(recording.read(path).signal_mv, 257, **CONDITIONING)
    data = examples.of_signals(
        [store_writer.to_microvolts(signal_mv)],
        np.array([np.nan]),
        np.array(["F"]),
        rate_hz=100,
        classes=3,
    )
    expected = np.mean(
        [inference.probabilities_of(n, data, 400, "none").numpy()[0] for n in ensemble.networks],
        axis=0,
    )
    row = table[table["path"] == str(path)].iloc[0]
    logits = np.log(expected / (1 - expected)) * [0.5, 1.0, 2.0] + [-1.0, 0.0, 0.5]
    calibrated = 1 / (1 + np.exp(-logits))
    assert np.allclose(row[["NSR", "AF", "IAVB"]].astype(float), calibrated, atol=1e-6)
    assert [row[f"{name}_present"] for name in ensemble.names] == list(
        (calibrated >= [0.3, 0.4, 0.5]).astype(int)
    )
    assert ensemble.doubtful == ["AF (0.65)"]


def test_a_recording_that_cannot_be_read_costs_itself_alone_and_says_why(models, recordings):
    table = tabled(load(models), reading.expand([recordings]))
    assert list(table["verdict"]) == ["ok", "flagged", "ok", "refused"]
    assert table["reason"][1] == "age-unknown"
    assert "R9" in table["reason"][3]
    assert table.iloc[3, 3:].isna().all()
    assert table.iloc[:3, 3:].notna().all().all()


def test_an_unknown_age_and_an_age_of_zero_differ(models, recordings):
    ensemble = load(models)
    files = reading.expand([recordings / "g 1/R2.hea"])
    newborn = tabled(ensemble, files)
    header = recordings / "g 1/R2.hea"
    header.write_text(header.read_text().replace("#Age: 0", "#Age: NaN"))
    unknown = tabled(ensemble, files)
    assert newborn["reason"][0] == ""
    assert unknown["reason"][0] == "age-unknown"
    assert newborn["AF"][0] != unknown["AF"][0]


def test_batches_change_nothing(models, recordings, monkeypatch):
    ensemble = load(models)
    files = reading.expand([recordings])
    whole = tabled(ensemble, files)
    monkeypatch.setattr(predict, "_BATCH", 1)
    single = tabled(ensemble, files)
    pd.testing.assert_frame_equal(whole, single, rtol=1e-5)


def test_a_rate_below_the_band_is_a_doubt(models, tmp_path):
    signal_mv = lawful(np.random.default_rng(1).normal(0, 0.2, (400, 12)))
    writers.write_challenge(tmp_path / "slow", "S1", signal_mv, 64, age=50, sex="M", labels=["1"])
    table = tabled(load(models), reading.expand([tmp_path / "slow"]))
    assert table["reason"][0] == "low-rate (64 Hz, the models need 80 Hz)"


def test_h5_recordings_take_rate_age_and_sex_from_their_source(models, west):
    ensemble = load(models)
    files = reading.expand([west])
    table = tabled(ensemble, files, SOURCE, reading.metadata_rows([west], SOURCE))
    assert list(table["reason"]) == ["", "age-unknown", "no-metadata|age-unknown|sex-unknown"]
    signal_mv = recording.read(west / "W1.h5", SOURCE).signal_mv
    writers.write_challenge(west / "same", "W1", signal_mv, 500, age=50, sex="F", labels=["1"])
    same = tabled(ensemble, reading.expand([west / "same"]))
    assert np.allclose(table.iloc[0, 3:6].astype(float), same.iloc[0, 3:6].astype(float), atol=1e-3)
    nobody = tabled(ensemble, files, reading.source_of_rate(500))
    assert list(nobody["reason"]) == ["age-unknown|sex-unknown"] * 3
    assert abs(nobody["AF"][0] - table["AF"][0]) > 1e-6


def test_a_long_recording_is_a_batch_of_its_own_and_the_order_stays(
    models, recordings, monkeypatch
):
    ensemble, files = load(models), reading.expand([recordings])
    whole, sizes = tabled(ensemble, files), []
    ask = Ensemble.probabilities
    monkeypatch.setattr(predict, "_BATCH_S", 7.0)
    monkeypatch.setattr(
        Ensemble,
        "probabilities",
        lambda self, *args: sizes.append(len(args[0])) or ask(self, *args),
    )
    pd.testing.assert_frame_equal(whole, tabled(ensemble, files), rtol=1e-5)
    assert sizes == [2, 1]


def test_the_number_of_threads_changes_no_byte_and_is_left_as_it_was(
    models, recordings, monkeypatch
):
    monkeypatch.setattr(predict, "_BATCH", 1)
    ensemble, files = load(models), reading.expand([recordings]) * 4
    before = torch.get_num_threads()
    try:
        tables = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            tables.append(tabled(ensemble, files))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_a_list_names_files_and_folders_and_what_is_missing_gets_a_row(models, recordings):
    named = [recordings / name for name in ("g 1/R1", "gone.hea", "g 1")]
    files = reading.expand(named, strict=False)
    assert [path.name for path in files] == ["R1.hea", "gone.hea", "R0.hea", "R2.hea", "R9.hea"]
    table = tabled(load(models), files)
    assert list(table["verdict"]) == ["flagged", "refused", "ok", "ok", "refused"]
    assert table["reason"][1].startswith("missing: ")


def test_a_recording_shorter_than_the_window_is_a_doubt(models, tmp_path):
    rng = np.random.default_rng(1)
    for name, rate_hz, seconds in (("S1", 500, 3), ("S2", 500, 4), ("S3", 257, 4)):
        signal_mv = lawful(rng.normal(0, 0.2, (seconds * rate_hz, 12)))
        writers.write_challenge(
            tmp_path / "short", name, signal_mv, rate_hz, age=50, sex="M", labels=["1"]
        )
    table = tabled(load(models), reading.expand([tmp_path / "short"]))
    assert list(table["reason"]) == [
        "short (3 s, the models were trained on windows of 4 s)",
        "",
        "",
    ]


def test_flags_of_the_signal_name_their_leads(models, tmp_path):
    signal_mv = np.random.default_rng(1).normal(0, 0.2, (3000, 12))
    signal_mv[:, [6, 8]] = 0
    signal_mv[1000:1500, 1] = 12.5
    writers.write_challenge(tmp_path / "odd", "O1", signal_mv, 500, age=50, sex="M", labels=["1"])
    table = tabled(load(models), reading.expand([tmp_path / "odd"]))
    flags = table["reason"][0].split("|")
    assert {
        "flat-lead (V1, V3)",
        "saturated (II up to 12.5 mV)",
        "out-of-range (II up to 12.5 mV)",
    } <= set(flags)
