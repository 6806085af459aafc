import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ecgpipe.model import layers
from ecgpipe.model.network import SEResNet18, folded
from ecgpipe.model.params import ModelParams
from tests.fixtures.small_models import NETWORK

FULL = ModelParams(width=64, stem_kernel=15, kernel=7, dropout=0.2, reduction=16, demographics=True)


def test_the_full_network_has_the_published_number_of_parameters():
    # 8.84 M with 26 classes; ours has one more input, the flag of an unknown age (10 weights).
    network = SEResNet18(26, FULL)
    assert sum(tensor.numel() for tensor in network.parameters()) == 8_840_136


def test_one_forward_pass_of_4096_samples_costs_the_published_3_2_gflop():
    network = SEResNet18(26, FULL).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 12, 4096), torch.zeros(1, 4))
    assert counter.get_total_flops() == pytest.approx(3.2e9, rel=0.02)


@pytest.mark.parametrize("samples", [500, 1000, 1001, 4096])
def test_any_length_gives_one_logit_per_class(samples):
    assert SEResNet18(5, NETWORK)(torch.randn(3, 12, samples), torch.zeros(3, 4)).shape == (3, 5)


def test_demographics_are_used_only_when_asked_for():
    torch.manual_seed(1)
    signal, known = torch.randn(2, 12, 500), torch.tensor([[0.5, 1, 0, 1], [0.2, 1, 1, 0]])
    fused = SEResNet18(5, NETWORK).eval()
    blind = SEResNet18(5, NETWORK.model_copy(update={"demographics": False})).eval()
    assert not torch.equal(fused(signal, known), fused(signal, torch.zeros(2, 4)))
    assert torch.equal(blind(signal, known), blind(signal, torch.zeros(2, 4)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiler_can_follow_the_whole_network():
    network = SEResNet18(5, NETWORK).train()
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    whole = torch.compile(network, backend=backend, fullgraph=True)  # an error where it breaks
    whole(torch.randn(4, 12, 400), torch.zeros(4, 4))
    assert len(graphs) == 1


def test_folding_batch_norms_changes_no_logit_and_leaves_the_network_alone():
    torch.manual_seed(6)
    network, signal = SEResNet18(5, NETWORK).train(), torch.randn(16, 12, 400) * 2
    for _ in range(5):
        network(signal, torch.zeros(16, 4))  # running statistics that are not those of the start
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast = folded(network)
    assert not any(isinstance(module, layers.BatchNorm) for module in fast.modules())
    assert torch.allclose(
        fast(signal, torch.zeros(16, 4)), network.eval()(signal, torch.zeros(16, 4)), atol=1e-5
    )
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_batch_in_the_order_of_time_and_leads_is_channels_last_already():
    signal = torch.randn(3, 500, 12).transpose(1, 2)
    moved = signal.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    assert moved.data_ptr() == signal.data_ptr()
