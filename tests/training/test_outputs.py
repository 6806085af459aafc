"""What a trained fold delivers."""

import numpy as np
import pytest

from ecgpipe.dataset import examples
from ecgpipe.model import inference, saved_model
from ecgpipe.project import digests, paths, tables
from ecgpipe.training import outputs
from tests.fixtures.sealed import write_sealed
from tests.fixtures.small_models import CONDITIONING, SHARED
from tests.fixtures.small_training import TRAIN, equal, fold_of, load, quiet, weights_of


@pytest.mark.parametrize("keep", ["last", "best"])
def test_weights_that_the_last_step_of_an_epoch_spoils_are_neither_kept_nor_delivered(
    split_project, keep
):
    rows, data = load()
    few = data | {"train": data["train"].take(np.arange(12))}
    fold = fold_of(few, epochs=1, keep=keep, learning_rate=1e33)
    assert fold.steps == 1
    with pytest.raises(
        ValueError, match=r"^epoch 1: a validation probability is nan; no epoch was finished"
    ):
        fold.run(quiet)
    assert not fold.state_path.exists()
    with pytest.raises(ValueError, match="is not finite"):
        outputs.deliver(fold, rows, data["test"], name="0", facts={})
    assert not paths.model("0").exists() and not paths.predictions("0").exists()


def test_delivery_writes_predictions_history_and_a_model_that_predicts_the_same(split_project):
    rows, data = load()
    fold = fold_of(data)
    fold.run(quiet)
    facts = {key: SHARED[key] for key in ("folds", "split", "names", "full_names", "conditioning")}
    outputs.deliver(fold, rows, data["test"], name="0", facts=facts)
    found = tables.read(paths.predictions("0") / "test.csv")
    assert list(found.columns) == ["source", "record", *tables.class_codes(rows["test"])]
    assert list(found["record"]) == list(rows["test"]["record"])
    network, said = saved_model.load(paths.model("0"))
    again = inference.probabilities_of(network, data["test"], said["window"], said["normalise"])
    assert np.allclose(found[tables.class_codes(found)], again.numpy(), atol=1e-6)
    assert said["validation"] == digests.digest(paths.predictions("0") / "val.csv")
    assert said["conditioning"] == CONDITIONING
    assert len(tables.read(paths.predictions("0") / "history.csv")) == TRAIN["epochs"]
    assert not (paths.state("0")).exists()


def test_labels_and_signals_of_the_test_part_change_no_weight_and_no_validation_prediction(
    split_project,
):
    results = []
    for disturbed in (False, True):
        if disturbed:
            table = tables.read(paths.FOLDS)
            test = table["fold"] == "test"
            table.loc[test, tables.class_codes(table)] = 1.0
            write_sealed(table, paths.FOLDS)
        rows, data = load()
        if disturbed:
            noise = list(
                np.random.default_rng(1)
                .integers(-9000, 9000, (len(data["test"]), 200, 12))
                .astype(np.int16)
            )
            unknown = np.full(len(noise), np.nan)
            data["test"] = examples.of_signals(
                noise, unknown, np.full(len(noise), ""), rate_hz=100, classes=3
            )
        fold = fold_of(data)
        fold.run(quiet)
        outputs.deliver(
            fold,
            rows,
            data["test"],
            name="0",
            facts={"conditioning": {}, "folds": [0], "split": ""},
        )
        validation = (paths.predictions("0") / "val.csv").read_bytes()
        results.append(
            (weights_of(fold), validation, (paths.predictions("0") / "test.csv").read_bytes())
        )
    assert equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    assert results[0][2] != results[1][2]
