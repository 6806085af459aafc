import pytest
import torch

from ecgpipe.model import soundness
from ecgpipe.model.network import SEResNet18
from tests.fixtures.small_models import NETWORK


def network(seed=1):
    torch.manual_seed(seed)
    return SEResNet18(3, NETWORK).eval()


@pytest.mark.parametrize("normalisation", ["none", "lead"])
@pytest.mark.parametrize("window", [1, 2, 400, 100_000])
def test_a_network_of_drawn_weights_answers(window, normalisation):
    assert soundness.fault(network(), window, normalisation) is None


def test_the_name_of_what_is_not_finite_is_told():
    tensors = {"a": torch.zeros(2), "b": torch.tensor([1.0, torch.nan]), "c": torch.tensor(3)}
    assert soundness.not_finite(tensors) == "b"
    assert soundness.not_finite({"a": tensors["a"], "c": tensors["c"]}) is None


def test_what_overflows_in_a_large_signal_alone_is_found():
    """A flat signal would give finite answers."""
    one = network()
    with torch.no_grad():
        one.stem[0].weight.mul_(1e37)
    flat = torch.zeros(1, 12, 400)
    assert torch.isfinite(one(flat, torch.zeros(1, 4))).all()
    assert "no usable answers to test signals" in soundness.fault(one, 400, "none")


def test_the_networks_weights_stay_as_they_are():
    one = network()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    soundness.fault(one, 400, "lead")
    assert all(torch.equal(before[name], tensor) for name, tensor in one.state_dict().items())
