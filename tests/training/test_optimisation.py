import pytest

from ecgpipe.model.network import HEAD, SEResNet18
from ecgpipe.training import optimisation
from ecgpipe.training.params import TrainParams
from tests.fixtures.small_models import NETWORK
from tests.fixtures.small_training import TRAIN


def begun(steps: int, **values):
    params = TrainParams(**TRAIN | values)
    return optimisation.begin(SEResNet18(2, NETWORK), params, steps), params


def rates_of(state, steps: int) -> list[float]:
    """The learning rate of the first group at each step."""
    rates = []
    for _ in range(steps):
        rates.append(state.optimizer.param_groups[0]["lr"])
        state.optimizer.step()
        state.schedule.step()
    return rates


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine"])
@pytest.mark.parametrize("start", ["scratch", "model"])
@pytest.mark.parametrize("total", [1, 2, 3, 4, 10])
def test_however_few_the_steps_some_are_taken_at_a_rate_that_learns(schedule, start, total):
    state, params = begun(1, epochs=total, schedule=schedule, start=start)
    rates = rates_of(state, total)
    assert 0.2 * params.learning_rate < max(rates) <= params.learning_rate


def test_the_body_learns_at_its_share_and_each_weight_is_in_one_group():
    state, _ = begun(5, start="model", start_body_rate=0.1)
    rates = {
        id(tensor): group["lr"]
        for group in state.optimizer.param_groups
        for tensor in group["params"]
    }
    named = list(state.network.named_parameters())
    assert (
        len(rates)
        == len(named)
        == sum(len(group["params"]) for group in state.optimizer.param_groups)
    )
    head = rates[id(state.network.classifier.weight)]
    for name, tensor in named:
        share = 1.0 if name.startswith(HEAD) else 0.1
        assert rates[id(tensor)] == pytest.approx(share * head)
    assert state.optimizer.param_groups[0]["lr"] == head


def test_only_the_head_of_a_frozen_network_is_in_training():
    network = SEResNet18(2, NETWORK)
    optimisation.freeze(network, True)
    optimisation.to_training(network, network, True)
    assert {name for name, tensor in network.named_parameters() if tensor.requires_grad} == {
        f"{HEAD}weight",
        f"{HEAD}bias",
    }
    learning = [name for name, module in network.named_modules() if module.training]
    assert set(learning) == {"", "classifier"}
    optimisation.freeze(network, False)
    optimisation.to_training(network, network, False)
    assert all(tensor.requires_grad for tensor in network.parameters())
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize(
    ("values", "frozen"),
    [
        ({"start": "scratch", "start_frozen_epochs": 2, "start_body_rate": 0.0}, []),
        ({"start": "model"}, []),
        ({"start": "model", "start_frozen_epochs": 2}, [0, 1]),
        ({"start": "model", "start_body_rate": 0.0}, [0, 1, 2, 3]),
    ],
)
def test_in_which_epochs_the_body_is_frozen(values, frozen):
    params = TrainParams(**TRAIN | values)
    assert [epoch for epoch in range(4) if optimisation.is_frozen(params, epoch)] == frozen
