import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ecgpipe.training import averaging
from ecgpipe.training.params import TrainParams
from tests.fixtures.small_training import TRAIN, equal, fold_of, load, quiet, state_of, weights_of

EMA = TrainParams(**TRAIN | {"average": "ema"})


def moved(state, steps: int):
    """The state's network after each of so many random moves of its weights and statistics."""
    torch.manual_seed(4)
    for _ in range(steps):
        for tensor in state.network.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor))
            else:
                tensor.add_(1)
        yield state.network


def test_the_average_of_weights_and_of_running_statistics_is_torchs_own():
    state, decay = state_of(1), 0.15  # below the ramp from its first step on, so constant
    expected = AveragedModel(
        state.network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True
    )
    for network in moved(state, 5):
        expected.update_parameters(network)
        averaging.update(state, decay)
    for name, tensor in expected.module.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(state.average[name], tensor, atol=1e-6), name
        else:
            assert state.average[name] == 5


def test_first_steps_are_soon_forgotten_by_a_ramp():
    state, expected = state_of(1), None
    for step, network in enumerate(moved(state, 6)):
        averaging.update(state, 0.999)
        weight = network.classifier.weight.detach().clone()
        decay = (1 + step) / (10 + step)
        expected = weight if expected is None else decay * expected + (1 - decay) * weight
    assert torch.allclose(state.average["classifier.weight"], expected, atol=1e-6)


def test_where_nothing_is_averaged_the_network_itself_is_delivered():
    state = state_of(1)
    assert averaging.delivered(state, TrainParams(**TRAIN), None) is state.network


def test_the_average_is_what_is_scored_kept_and_delivered(split_project):
    _, data = load()
    plain = fold_of(data, keep="last")
    plain.run(quiet)
    fold = fold_of(data, key="averaged", keep="last", average="ema", average_decay=0.9)
    trained = []
    original = fold.state.keep

    def watched(*arguments):
        trained.append(weights_of(fold))
        original(*arguments)

    fold.state.keep = watched
    fold.run(quiet)
    assert equal(trained[-1], weights_of(plain)), "it is trained as without an average"
    assert equal(weights_of(fold), fold.state.average)
    assert not equal(weights_of(fold), trained[-1])
    pairs = zip(plain.state.history, fold.state.history, strict=True)
    for row, averaged in pairs:
        assert row["train_loss"] == averaged["train_loss"]
        assert row["val_loss"] != averaged["val_loss"]


@pytest.mark.parametrize("key", ["average", "averaged"])
def test_the_average_is_in_the_state_that_is_saved(tmp_path, key):
    state, other = state_of(1), state_of(2)
    for _ in moved(state, 3):
        averaging.update(state, EMA.average_decay)
    state.save(tmp_path / "state.pt", "key")
    assert other.resume(tmp_path / "state.pt", "key", torch.device("cpu"))
    assert str(getattr(other, key)) == str(getattr(state, key))
    assert other.averaged == 2
