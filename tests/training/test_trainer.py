import signal

import numpy as np
import pandas as pd
import pytest
import torch

from ecgpipe.dataset import examples
from ecgpipe.model import inference
from ecgpipe.project import paths, stage
from ecgpipe.training import loss, progress, trainer, validation
from ecgpipe.training.distributed import Peers
from tests.fixtures.small_training import ALONE, TRAIN, equal, fold_of, load, quiet, weights_of

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU"),
    ),
]


def test_unannotated_taken_for_absent_is_plain_cross_entropy_on_zeros(split_project):
    _, data = load()
    fold = fold_of(data, unannotated="negative", augment=("crop",))
    zeros = data["train"].labels.nan_to_num(nan=0.0)
    assert torch.isnan(data["train"].labels).any(), (
        "the examples, which the augmentations see, stay as in the table"
    )
    assert torch.isnan(fold.validation.labels).any()
    positives = zeros.sum(dim=0)
    assert torch.allclose(
        fold.weights, ((len(zeros) - positives) / positives).clamp(1, TRAIN["most_weight"])
    )
    rows = torch.arange(12)
    logits = torch.linspace(-2, 2, 36, requires_grad=True).reshape(12, 3)
    fixed = torch.nn.Parameter(torch.ones(()))
    plain = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, zeros[rows], pos_weight=fold.weights
    )
    found = fold.step(lambda *_: logits * fixed, rows, fold.augmenter.batch(rows, 0))
    assert torch.isclose(found, plain)
    masked = fold_of(data, augment=("crop",))
    known = torch.isfinite(data["train"].labels[rows])
    each = torch.nn.BCEWithLogitsLoss(reduction="none", pos_weight=masked.weights)(
        logits, zeros[rows]
    )
    found = masked.step(lambda *_: logits * fixed, rows, masked.augmenter.batch(rows, 0))
    assert torch.isclose(found, each[known].mean())
    assert not torch.isclose(found, plain)


@pytest.mark.parametrize(("has_bf16", "expected"), [(False, "fp32"), (True, "bf16")])
def test_precision_auto_trains_in_what_the_processor_multiplies(
    has_bf16, expected, split_project, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has_bf16})
    _, data = load()
    trained = {}
    for precision in ("auto", "fp32", "bf16"):
        fold = fold_of(data, key=precision, precision=precision, epochs=1)
        assert fold.bf16 == ("bf16" in (precision, expected) and precision != "fp32")
        fold.run(quiet)
        trained[precision] = weights_of(fold)
    assert equal(trained["auto"], trained[expected])
    assert not equal(trained["fp32"], trained["bf16"])


def test_a_training_tells_of_its_work_and_is_the_same_whether_it_tells_or_not(
    split_project, caplog, monkeypatch
):
    caplog.set_level("INFO")
    monkeypatch.setattr(progress, "MEASURED_S", 0.0)
    rows, data = load()
    told, untold = fold_of(data), fold_of(data, key="another")
    told.run(progress.of_fold("0", [0, 1], rows, rank=0))
    heard = list(caplog.messages)
    told.state_path.unlink()
    untold.run(quiet)
    assert caplog.messages == heard, "a quiet one tells nothing"
    steps = len(rows["train"]) // TRAIN["batch"]
    counts = ", ".join(f"{part} {len(rows[part])}" for part in ("train", "val", "test"))
    work = f"{TRAIN['epochs']} epochs of {steps} steps on {TRAIN['batch']} recordings"
    assert heard[0] == f"train fold 0 (1 of 2): recordings: {counts}; {work}"
    assert "s a step, about" in heard[1] and "with the fold after it" in heard[1]
    assert f"epoch 4 of 4, val_loss {told.state.history[-1]['val_loss']:.4f}" in heard[-1]
    assert told.state.history == untold.state.history
    assert equal(weights_of(told), weights_of(untold))


def test_a_training_that_was_stopped_counts_what_is_done(split_project):
    _, data = load()
    fold = fold_of(data)
    assert (fold.work().done, fold.work().may_end_early) == (0, False)
    fold._epoch(fold.state.network, lambda: None)
    fold.state.pause(torch.tensor([0.5]))
    assert fold.work().done == fold.steps + 1
    assert fold_of(data, patience=1).work().may_end_early


def test_permuted_labels_may_be_taken_for_absent_where_not_annotated(split_project):
    _, data = load()
    fold = fold_of(data, unannotated="negative", permute_labels=True)
    assert torch.equal(
        fold.labels, loss.permuted(data["train"].labels, TRAIN["seed"]).nan_to_num(nan=0.0)
    )
    assert len(fold.run(quiet).history) == TRAIN["epochs"]


def test_validation_is_scored_on_annotated_cells_however_training_takes_the_others(split_project):
    _, data = load()
    fold = fold_of(data, unannotated="negative", epochs=1)
    (row,) = fold.run(quiet).history
    found = inference.probabilities_of(fold.state.network, data["val"], fold.window, "none")
    labels = data["val"].labels
    assert row["val_auroc_macro"] == pytest.approx(validation.macro_auroc(labels, found), abs=1e-6)
    expected = loss.masked_loss(torch.logit(found, 1e-6), labels, fold.weights)
    assert row["val_loss"] == pytest.approx(float(expected), abs=1e-5)


def test_training_learns_what_is_there_to_learn(split_project):
    _, data = load()
    fold = fold_of(data, augment=("crop",), epochs=12)
    state = fold.run(quiet)
    assert state.best > 0.85
    assert state.history[-1]["train_loss"] < state.history[0]["train_loss"]


def test_twice_the_same_bytes(split_project):
    _, data = load()
    first = fold_of(data)
    first.run(quiet)
    (paths.state("0")).unlink()
    second = fold_of(data)
    second.run(quiet)
    assert equal(weights_of(first), weights_of(second))


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
def test_a_stopped_training_resumes_to_the_same_bytes(split_project, schedule):
    _, data = load()
    whole = fold_of(data, schedule=schedule)
    whole.run(quiet)
    (paths.state("0")).unlink()
    stopped = fold_of(data, schedule=schedule)
    stopped._epoch(stopped.state.network, lambda: None)
    stopped._epoch(stopped.state.network, lambda: None)
    resumed = fold_of(data, schedule=schedule)
    resumed.run(quiet)
    assert equal(weights_of(whole), weights_of(resumed))
    assert resumed.state.history == whole.state.history


@pytest.mark.parametrize("where", [0, "validation"])
def test_a_training_asked_to_stop_saves_its_step_and_goes_on_to_the_same_bytes(
    split_project, monkeypatch, where
):
    """The signal comes during a step of the second epoch, or while its validation part is
    scored."""
    _, data = load()
    whole = fold_of(data)
    whole.run(quiet)
    whole.state_path.unlink()
    halted = fold_of(data)
    place = where if where != "validation" else halted.steps - 1
    name, owner = ("probabilities_of", trainer) if where == "validation" else ("step", halted)
    original, calls = getattr(owner, name), []

    def interrupted(*arguments, **named):
        calls.append(halted.state.epoch)
        if calls.count(1) == (1 if where == "validation" else place + 1) and calls[-1] == 1:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        said = f"the state in epoch 2 at step {place + 1} of {halted.steps} is saved"
        with pytest.raises(stage.Stopped, match=said):
            halted.run(quiet)
    again = fold_of(data)
    again.run(quiet)
    assert equal(weights_of(again), weights_of(whole))
    assert again.state.history == whole.state.history


def test_a_loss_that_is_not_finite_stops_within_its_step_and_leaves_the_last_good_state(
    split_project, monkeypatch
):
    _, data = load()
    fold = fold_of(data, epochs=3)
    calls, original = [], loss.masked_loss

    def spoilt(*arguments):
        calls.append(fold.state.epoch)
        return original(*arguments) * (torch.nan if calls.count(1) == 2 else 1)

    monkeypatch.setattr(trainer, "masked_loss", spoilt)
    with pytest.raises(
        ValueError, match=r"epoch 2: the loss is nan; the state after epoch 1 of 3 is kept"
    ):
        fold.run(quiet)
    assert calls.count(1) == 2, "no step after it"
    saved = fold_of(data, epochs=3).state
    assert saved.resume(fold.state_path, "key", torch.device("cpu"))
    assert saved.epoch == 1
    assert all(torch.isfinite(tensor).all() for tensor in saved.network.state_dict().values())


def test_no_step_is_taken_after_a_bad_loss_in_the_midst_of_an_epoch(split_project, monkeypatch):
    _, data = load()
    fold = fold_of(data, batch=4)
    calls, steps, original, step = [], [], loss.masked_loss, fold.state.schedule.step
    assert fold.steps > 3

    def spoilt(*arguments):
        calls.append(1)
        return original(*arguments) * (torch.inf if len(calls) == 2 else 1)

    monkeypatch.setattr(trainer, "masked_loss", spoilt)
    monkeypatch.setattr(
        fold.state.schedule, "step", lambda: steps.append(step())
    )  # it follows the optimizer's
    with pytest.raises(
        ValueError, match=r"^epoch 1: the loss is inf; no epoch was finished\. Lower"
    ):
        fold.run(quiet)
    assert (len(calls), len(steps)) == (2, 1)
    assert not fold.state_path.exists()


@pytest.mark.parametrize("what", ["a validation probability", "the validation loss"])
def test_an_epoch_whose_validation_is_not_finite_is_not_kept(split_project, monkeypatch, what):
    _, data = load()
    fold, original = fold_of(data), inference.probabilities_of
    if what == "the validation loss":
        fold.weights[:] = torch.inf
        monkeypatch.setattr(fold, "_steps", lambda *_: torch.zeros(2))
    else:
        monkeypatch.setattr(
            trainer, "probabilities_of", lambda *a, **k: original(*a, **k) * torch.nan
        )
    with pytest.raises(ValueError, match=f"^epoch 1: {what} is (nan|inf); no epoch was finished"):
        fold.run(quiet)
    assert not fold.state_path.exists()


def test_an_interruption_says_what_is_saved(split_project, monkeypatch):
    _, data = load()
    fold = fold_of(data)
    original = fold.state.save

    def interrupted(*arguments):
        if fold.state.epoch == 2:
            raise KeyboardInterrupt
        original(*arguments)

    monkeypatch.setattr(fold.state, "save", interrupted)
    with pytest.raises(stage.Stopped, match=r"^the state after epoch 1 of 4 is saved$"):
        fold.run(quiet)
    first = fold_of(data, key="another")
    monkeypatch.setattr(first, "_epoch", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(stage.Stopped, match=r"^$"):
        first.run(quiet)


def test_a_state_of_other_params_or_data_is_not_resumed(split_project, caplog):
    _, data = load()
    fold_of(data, key="one").run(quiet)
    other, same = fold_of(data, key="other").state, fold_of(data, key="one").state
    path = paths.state("0")
    with caplog.at_level("INFO"):
        assert not other.resume(path, "other", ALONE.device)
    assert (
        "fold-0/state.pt: a state of other params, data or code; training begins anew"
        in caplog.text
    )
    assert other.epoch == 0
    assert same.resume(path, "one", ALONE.device)
    assert same.epoch == TRAIN["epochs"]


def test_patience_stops_and_the_best_epoch_is_kept(split_project):
    _, data = load()
    fold = fold_of(data, epochs=40, patience=3, learning_rate=0.02)
    state = fold.run(quiet)
    scores = [row["val_auroc_macro"] for row in state.history]
    assert state.epoch < 40
    assert state.best_epoch == int(np.argmax(scores)) + 1 == state.epoch - 3
    last = fold_of(data, key="last", keep="last", patience=1)
    assert last.run(quiet).best_epoch == TRAIN["epochs"]


def test_a_loss_that_is_not_finite_stops_at_once_and_says_what_to_do(split_project):
    _, data = load()
    fold = fold_of(data, learning_rate=1e30, epochs=3)
    with pytest.raises(ValueError, match=r"the loss is (nan|inf).*Lower train.learning_rate"):
        fold.run(quiet)


def few(data: dict, recordings: int, validation: int) -> dict:
    """So many recordings; of the classes the first has two positives to train on, the second none,
    and the third is annotated nowhere."""
    small = {"train": data["train"].take(np.arange(recordings))}
    small["val"] = data["val"].take(np.arange(validation))
    for part in small.values():
        part.labels[:] = torch.tensor([0.0, 0.0, torch.nan])
    small["train"].labels[:2, 0] = 1.0
    return small


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
@pytest.mark.parametrize(("recordings", "validation"), [(2, 1), (11, 3), (20, 5)])
def test_few_recordings_are_enough_to_train_whatever_their_classes(
    split_project, recordings, validation, schedule, caplog
):
    _, data = load()
    small = few(data, recordings, validation)
    small["val"].labels[0, 0] = 1.0
    fold = fold_of(small, schedule=schedule)
    state = fold.run(quiet)
    assert fold.steps == 1
    assert len(state.history) == TRAIN["epochs"]
    assert all(np.isfinite(row["val_loss"]) for row in state.history)
    assert ("it chooses by chance" in caplog.text) == (validation > 1)
    found = inference.probabilities_of(state.network, small["val"], fold.window, "none")
    assert bool(torch.isfinite(found).all())
    first = fold_of(small, key="first", schedule=schedule)
    assert not equal(weights_of(first), weights_of(fold)), "it has learnt"


def test_the_last_epoch_is_kept_where_nothing_is_there_to_choose_by(split_project, caplog):
    _, data = load()
    small = few(data, 20, 5)
    small["val"].labels[:] = torch.nan
    fold = fold_of(small, patience=1)
    assert not fold.work().may_end_early
    assert fold.run(quiet).best_epoch == TRAIN["epochs"]
    assert "nothing is annotated in the validation part: the last epoch is kept" in caplog.text


def test_parts_take_the_fold_for_validation_and_leave_the_test_part_out_of_training():
    folds = ["0", "1", "2", "test", "0", "train"]
    table = pd.DataFrame({"fold": folds, "record": list("abcdef")})
    found = examples.parts(table, "0")
    assert {name: list(rows["record"]) for name, rows in found.items()} == {
        "train": ["b", "c", "f"],
        "val": ["a", "e"],
        "test": ["d"],
    }
    with pytest.raises(ValueError, match="no 'val' recordings for fold 7"):
        examples.parts(table, "7")


def test_the_class_weights_reach_the_loss(split_project):
    _, data = load()
    balanced, plain = fold_of(data, epochs=1), fold_of(data, epochs=1, class_weights="none")
    plain.state_path = plain.state_path.with_name("plain.pt")
    assert (
        balanced.run(quiet).history[0]["train_loss"]
        > plain.run(quiet).history[0]["train_loss"] * 1.1
    )


def test_the_network_receives_unit_deviation_however_the_gain_was_augmented(split_project):
    _, data = load()
    fold = fold_of(data, augment=("triangle", "star", "noise"), normalise="lead")
    seen = []

    def watching(signal, demographics):
        seen.append(signal)
        return fold.state.network(signal, demographics)

    rows = torch.arange(12)
    fold.step(watching, rows, fold.augmenter.batch(rows, 0))
    within = seen[0][seen[0].abs().sum(dim=(1, 2)) > 0]
    share = (data["train"].place[:12, 2].clamp(max=300) / 300.0)[:, None]
    assert torch.allclose(within.square().mean(dim=2), share.expand(-1, 12).float(), atol=0.02)


@pytest.mark.parametrize("cache", ["device", "host"])
@pytest.mark.parametrize("device", DEVICES)
def test_a_device_trains_as_the_processor_does_wherever_the_signals_lie(
    split_project, monkeypatch, device, cache
):
    _, data = load()
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    alone = fold_of(data, epochs=2).run(quiet)
    group = Peers(0, 1, torch.device(device))
    moved = {name: part.to(group.device, cache) for name, part in data.items()}
    fold = fold_of(moved, key=device + cache, peers=group, epochs=2)
    found = fold.run(quiet)
    rows = torch.arange(12)
    batches = [
        fold_of(one).augmenter.batch(rows.to(one["train"].place.device), 1).cpu()
        for one in (data, moved)
    ]
    assert torch.allclose(*batches, atol=1e-5)
    assert found.history[0]["train_loss"] == pytest.approx(alone.history[0]["train_loss"], rel=0.02)
    assert found.history[0]["val_loss"] == pytest.approx(alone.history[0]["val_loss"], rel=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_an_epoch_with_the_signals_on_the_device_never_waits_for_it(split_project, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    group = Peers(0, 1, torch.device("cuda", 0))
    _, data = load()
    fold = fold_of({name: part.to(group.device) for name, part in data.items()}, peers=group)
    network = fold.state.network.train()
    for number, (rows, traces) in enumerate(fold._batches()):
        torch.cuda.set_sync_debug_mode("error" if number else "default")  # the first step warms up
        fold.step(network, rows, traces)
    torch.cuda.set_sync_debug_mode("default")


def test_batches_made_ahead_by_a_thread_are_the_same(split_project):
    _, data = load()
    here, ahead = fold_of(data), fold_of(data)
    ahead.elsewhere = True  # as where a GPU's signals stay on the host
    pairs = list(zip(here._batches(), ahead._batches(), strict=True))
    assert len(pairs) == here.steps
    for (rows, traces), (same, again) in pairs:
        assert torch.equal(rows, same)
        assert torch.equal(traces, again)
