"""Trainings that start from a trained model."""

import json
import signal

import pytest
import torch

from ecgpipe.model import saved_model
from ecgpipe.model.network import HEAD, SEResNet18
from ecgpipe.project import digests, paths, tables
from ecgpipe.training import checkpoint, outputs, start
from ecgpipe.training.params import TrainParams
from tests.fixtures import small_models
from tests.fixtures.small_models import CODES, CONDITIONING, NETWORK
from tests.fixtures.small_training import TRAIN, equal, fold_of, load, quiet, weights_of

BUNDLE = ["713427006", "59118001"]  # complete right bundle branch block, and its equivalent
PARAMS = TrainParams(**TRAIN | {"start": "model", "start_model": "theirs"})


def info(codes: list[list[str]]) -> dict:
    """What folds.json says of a run with these classes."""
    names = [f"class {place}" for place in range(len(codes))]
    return {"classes": [each[0] for each in codes], "codes": codes, "names": names}


def write_start(folder, classes: list[str], **said) -> SEResNet18:
    """Writes a model of these classes with drawn weights; its network."""
    torch.manual_seed(11)
    network = SEResNet18(len(classes), NETWORK)
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            tensor.uniform_(0.5, 2.0)
    named = {"classes": classes, "names": classes, "full_names": classes}
    about = small_models.SHARED | named | {"validation": "theirs", "split": "theirs"}
    saved_model.save(folder, network, about | said)
    return network


def begun(codes: list[list[str]]) -> start.Start:
    """The start of a run of these classes from the model in `theirs`."""
    return start.read(PARAMS, NETWORK, info(codes), CONDITIONING)


@pytest.fixture
def theirs(tmp_path, monkeypatch) -> SEResNet18:
    """The network of the model in `theirs`, in the working directory: of sinus rhythm, right bundle
    branch block by its other code, and atrial fibrillation."""
    monkeypatch.chdir(tmp_path)
    return write_start(tmp_path / "theirs", [CODES[0], BUNDLE[1], CODES[1]])


def test_classes_are_matched_by_any_of_their_codes_the_first_before_others():
    known = [["1", "2"], ["3"], ["4", "5"]]
    runs = [["3", "1"], ["5", "4"], ["2"], ["9"], ["7", "4"]]
    assert start.matched(runs, known) == [1, 2, 0, None, 2]
    assert start.matched([["1", "2"], ["2", "1"]], [["2"], ["1"]]) == [1, 0]
    assert start.matched([["1"]], []) == [None]


def test_from_scratch_there_is_no_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert start.read(TrainParams(**TRAIN), NETWORK, info([["1"]]), CONDITIONING) is None


@pytest.mark.usefixtures("theirs")
def test_the_log_says_which_classes_are_new(caplog):
    caplog.set_level("INFO")
    assert begun([BUNDLE, [CODES[2]], [CODES[0]]]).heads == [1, None, 0]
    assert begun([[CODES[0]]]).heads == [0]
    assert start.read(PARAMS, NETWORK, info([[CODES[0]]]), CONDITIONING, mute=True).heads == [0]
    assert caplog.messages == [
        "starts from theirs, with its heads of 2 classes; new to it: class 1",
        "starts from theirs, with its heads of 1 classes; none is new to it",
    ]


def test_a_class_takes_its_head_and_a_new_one_begins_at_the_prevalence(theirs):
    torch.manual_seed(1)
    network = SEResNet18(3, NETWORK)
    drawn = network.classifier.weight.detach().clone()
    begun([BUNDLE, [CODES[2]], [CODES[0]]]).give(network, torch.tensor([7.0, -2.5, 7.0]))
    found, given = network.state_dict(), theirs.state_dict()
    body = [name for name in given if not name.startswith(HEAD)]
    assert len(body) > 100
    assert all(torch.equal(found[name], given[name]) for name in body)
    for row, source in ((0, 1), (2, 0)):
        assert torch.equal(network.classifier.weight[row], theirs.classifier.weight[source])
        assert network.classifier.bias[row] == theirs.classifier.bias[source]
    assert torch.allclose(network.classifier.weight[1], drawn[1] * start.NEW_SCALE)
    assert network.classifier.bias[1] == -2.5


def test_a_run_of_the_same_classes_answers_as_its_start_before_it_learns(theirs):
    network = SEResNet18(3, NETWORK)
    begun([[CODES[1]], [CODES[0]], BUNDLE]).give(network, torch.zeros(3))
    signal, person = torch.randn(5, 12, 300), torch.rand(5, 4)
    with torch.no_grad():
        expected = theirs.eval()(signal, person)[:, [2, 0, 1]]
        assert torch.allclose(network.eval()(signal, person), expected, atol=1e-6)


def test_weights_averaged_with_the_start_lie_between_and_new_heads_stay(theirs):
    torch.manual_seed(2)
    trained = SEResNet18(2, NETWORK).state_dict()
    starting, given = begun([[CODES[1]], [CODES[2]]]), theirs.state_dict()
    found = starting.blended(trained, 0.25)
    for name, tensor in trained.items():
        if not tensor.is_floating_point():
            assert torch.equal(found[name], tensor)
        elif name.startswith(HEAD):
            expected = 0.75 * tensor[0] + 0.25 * given[name][2]
            assert torch.allclose(found[name][0], expected, atol=1e-6)
            assert torch.equal(found[name][1], tensor[1])
        else:
            assert torch.allclose(found[name], 0.75 * tensor + 0.25 * given[name], atol=1e-6)


@pytest.mark.usefixtures("theirs")
def test_what_does_not_fit_is_refused_by_name(tmp_path):
    network = NETWORK.model_copy(update={"width": 8})
    with pytest.raises(ValueError, match=r"theirs does not fit this run \(model.width: 4 there, 8"):
        start.read(PARAMS, network, info([["1"]]), CONDITIONING)
    (tmp_path / "theirs/model.json").unlink()
    with pytest.raises(ValueError, match=r"^train.start_model: theirs holds no model.json; give"):
        begun([["1"]])


@pytest.mark.usefixtures("theirs")
def test_a_model_of_the_same_split_is_refused_since_it_learnt_what_is_to_be_scored(tmp_path):
    said = info([["1"]])
    write_start(tmp_path / "theirs", ["1"], split=checkpoint.digest(said))
    with pytest.raises(ValueError, match=r"theirs was trained in this split.* train.start to scr"):
        start.read(PARAMS, NETWORK, said, CONDITIONING)


@pytest.fixture
def project(split_project):
    """The small split project with a model to start from: it knows two of its three classes."""
    write_start(split_project / "theirs", [CODES[1], "59931005", CODES[0]])
    said = tables.folds_info() | info([[code] for code in CODES])
    return start.read(PARAMS, NETWORK, said, CONDITIONING)


def started(data: dict, begun_from: start.Start, **values):
    return fold_of(data, start=begun_from, **{"learning_rate": 0.001} | values)


def test_a_training_begins_with_the_start_and_new_classes_at_their_prevalence(project):
    _, data = load()
    fold = started(data, project)
    known = project.weights[f"{HEAD}weight"]
    assert torch.equal(fold.state.network.classifier.weight[:2], known[[2, 0]])
    labels = data["train"].labels[:, 2]
    positives, negatives = (labels == 1).sum(), (labels == 0).sum()
    odds = fold.weights[2] * (positives + 0.5) / (negatives + 0.5)
    assert torch.isclose(fold.state.network.classifier.bias[2], odds.log())
    learnt = weights_of(fold)
    fold.run(quiet)
    assert not equal(learnt, weights_of(fold))


@pytest.mark.parametrize("body_rate", [1.0, 0.0])
def test_a_frozen_body_keeps_all_its_weights_and_statistics_until_it_thaws(project, body_rate):
    _, data = load()
    fold = started(data, project, start_frozen_epochs=2, start_body_rate=body_rate, keep="last")
    before, seen = weights_of(fold), []
    fold.state_path.unlink(missing_ok=True)
    original = fold.state.keep

    def watched(*arguments):
        seen.append(weights_of(fold))
        original(*arguments)

    fold.state.keep = watched
    fold.run(quiet)
    body = [name for name in before if not name.startswith(HEAD)]
    for epoch, weights in enumerate(seen):
        stays = all(torch.equal(before[name], weights[name]) for name in body)
        assert stays == (epoch < 2 or body_rate == 0)
        assert not torch.equal(before[f"{HEAD}weight"], weights[f"{HEAD}weight"])
    assert len(seen) == TRAIN["epochs"]


def test_a_slower_body_moves_less_than_its_head(project):
    _, data = load()
    moved = {}
    for rate in (1.0, 0.01):
        fold = started(data, project, key=str(rate), start_body_rate=rate, epochs=1)
        before = weights_of(fold)
        fold.run(quiet)
        after = weights_of(fold)
        moved[rate] = (after["stem.0.weight"] - before["stem.0.weight"]).abs().mean()
    assert moved[0.01] < 0.03 * moved[1.0]


@pytest.mark.parametrize("stopped", ["after epoch 1", "after epoch 3", "within epoch 3"])
def test_it_resumes_to_the_same_bytes_frozen_or_thawed_and_under_its_own_start_alone(
    project, stopped
):
    _, data = load()
    values = {"start_frozen_epochs": 2, "start_body_rate": 0.5, "start_average": 0.3}
    values |= {"average": "ema", "mixup": 0.4}
    whole = started(data, project, **values)
    whole.run(quiet)
    whole.state_path.unlink()
    halted = started(data, project, **values)
    step, save = halted.step, halted.state.save

    def stopped_in_step(*arguments):
        if stopped == "within epoch 3" and halted.state.epoch == 2:
            signal.raise_signal(signal.SIGINT)
        return step(*arguments)

    def stopped_once_saved(*arguments):
        save(*arguments)
        if stopped == f"after epoch {halted.state.epoch}":
            raise KeyboardInterrupt

    halted.step, halted.state.save = stopped_in_step, stopped_once_saved
    with pytest.raises(KeyboardInterrupt):
        halted.run(quiet)
    another = start.Start(project.folder, "of other weights", project.weights, project.heads)
    other = started(data, another, **values)
    assert not other.state.resume(other.state_path, other.key, torch.device("cpu"))
    resumed = started(data, project, **values)
    resumed.run(quiet)
    assert equal(weights_of(resumed), weights_of(whole))
    assert resumed.state.history == whole.state.history


def test_the_start_counts_by_its_share_in_what_is_scored_and_delivered(project):
    rows, data = load()
    plain, averaged = (
        started(data, project, key=str(share), start_average=share, keep="last", epochs=2)
        for share in (0.0, 0.4)
    )
    plain.run(quiet)
    averaged.run(quiet)
    assert averaged.state.history[0]["train_loss"] == plain.state.history[0]["train_loss"]
    expected = project.blended(weights_of(plain), 0.4)
    found = weights_of(averaged)
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in expected)
    outputs.deliver(
        averaged,
        rows,
        data["test"],
        name="0",
        facts=outputs.facts(json.loads(paths.FOLDS_INFO.read_text()), CONDITIONING),
    )
    network, about = saved_model.load(paths.model("0"))
    digest = digests.digest(paths.Path("theirs/weights.safetensors"))
    assert about["start"] == {"model": "theirs", "digest": digest}
    assert equal(dict(network.state_dict()), found)
