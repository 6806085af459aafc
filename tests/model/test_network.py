import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ecgpipe.model.network import BatchNorm, Dropout, Params, SEResNet18, folded, normalise

FULL = Params(width=64, stem_kernel=15, kernel=7, dropout=0.2, reduction=16, demographics=True)
SMALL = Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)


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
    assert SEResNet18(5, SMALL)(torch.randn(3, 12, samples), torch.zeros(3, 4)).shape == (3, 5)


def test_demographics_are_used_only_when_asked_for():
    torch.manual_seed(1)
    signal, known = torch.randn(2, 12, 500), torch.tensor([[0.5, 1, 0, 1], [0.2, 1, 1, 0]])
    fused = SEResNet18(5, SMALL).eval()
    blind = SEResNet18(5, SMALL.model_copy(update={"demographics": False})).eval()
    assert not torch.equal(fused(signal, known), fused(signal, torch.zeros(2, 4)))
    assert torch.equal(blind(signal, known), blind(signal, torch.zeros(2, 4)))


def test_lead_normalisation_does_not_skip_a_lead_that_holds_a_zero_and_leaves_flat_leads_at_zero():
    torch.manual_seed(2)
    signal = torch.randn(4, 300, 12) * 3 + 1
    signal[0, 17, 3] = 0.0
    signal[1, :, 5] = 0.7
    whole = torch.ones(4, 300, 1)
    made = normalise(signal.clone(), whole, "lead")
    assert torch.allclose(made, normalise(signal.clone(), None, "lead"))
    moving = torch.ones(4, 12, dtype=torch.bool)
    moving[1, 5] = False
    assert made.mean(dim=1).abs().max() < 1e-5
    assert (made.std(dim=1, correction=0)[moving] - 1).abs().max() < 1e-4
    assert made[1, :, 5].abs().max() < 1e-6
    assert torch.equal(normalise(signal.clone(), whole, "none"), signal)


def test_what_lies_outside_a_short_recording_changes_no_normalised_sample_within_it():
    torch.manual_seed(3)
    short = torch.randn(2, 200, 12) + 1
    padded = torch.cat([short, torch.zeros(2, 100, 12)], dim=1)
    inside = (torch.arange(300).repeat(2, 1) < 200).float()[..., None]
    made = normalise(padded, inside, "lead")
    assert torch.allclose(made[:, :200], normalise(short, inside[:, :200], "lead"), atol=1e-6)
    assert not made[:, 200:].any()


def test_dropout_zeroes_its_share_scales_the_rest_and_is_off_in_evaluation():
    torch.manual_seed(5)
    dropout, ones = Dropout(0.2), torch.ones(8, 16, 1, 500).contiguous(memory_format=torch.channels_last)
    made = dropout.train()(ones)
    share = 51 / 256
    assert float((made == 0).double().mean()) == pytest.approx(share, abs=0.01)
    assert torch.allclose(made[made != 0], torch.tensor(1 / (1 - share)))
    assert made.mean() == pytest.approx(1, abs=0.01)
    assert not torch.equal(made, dropout(ones))
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert dropout.eval()(ones) is ones
    assert Dropout(0.0).train()(ones) is ones


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiler_can_follow_the_whole_network():
    network = SEResNet18(5, SMALL).train()
    told = torch._dynamo.explain(network)(torch.randn(4, 12, 400), torch.zeros(4, 4))
    assert told.graph_count == 1, told.break_reasons


def test_folding_batch_norms_changes_no_logit_and_leaves_the_network_alone():
    torch.manual_seed(6)
    network, signal = SEResNet18(5, SMALL).train(), torch.randn(16, 12, 400) * 2
    for _ in range(5):
        network(signal, torch.zeros(16, 4))  # running statistics that are not those of the start
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fast = folded(network)
    assert not any(isinstance(module, BatchNorm) for module in fast.modules())
    assert torch.allclose(fast(signal, torch.zeros(16, 4)), network.eval()(signal, torch.zeros(16, 4)), atol=1e-5)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_batch_in_the_order_of_time_and_leads_is_channels_last_already():
    signal = torch.randn(3, 500, 12).transpose(1, 2)
    moved = signal.unsqueeze(2).contiguous(memory_format=torch.channels_last)
    assert moved.data_ptr() == signal.data_ptr()


def test_faulty_arguments_are_named():
    with pytest.raises(ValueError, match=r"stem_kernel\n.*a kernel must be odd"):
        Params(**SMALL.model_dump() | {"stem_kernel": 8})
    with pytest.raises(ValueError, match="'zscore' is not one of none, lead"):
        normalise(torch.zeros(1, 5, 12), None, "zscore")
