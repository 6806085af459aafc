import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from ecgpipe import model

FULL = model.Params(width=64, stem_kernel=15, kernel=7, dropout=0.2, reduction=16, demographics=True)
SMALL = model.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=True)


def test_the_full_network_has_the_published_number_of_parameters():
    # 8.84 M with 26 classes; ours has one more input, the flag of an unknown age (10 weights).
    network = model.SEResNet18(26, FULL)
    assert sum(tensor.numel() for tensor in network.parameters()) == 8_840_136


def test_one_forward_pass_of_4096_samples_costs_the_published_3_2_gflop():
    network = model.SEResNet18(26, FULL).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 12, 4096), torch.zeros(1, 4))
    assert counter.get_total_flops() == pytest.approx(3.2e9, rel=0.02)


@pytest.mark.parametrize("samples", [500, 1000, 1001, 4096])
def test_any_length_gives_one_logit_per_class(samples):
    assert model.SEResNet18(5, SMALL)(torch.randn(3, 12, samples), torch.zeros(3, 4)).shape == (3, 5)


def test_demographics_are_used_only_when_asked_for():
    torch.manual_seed(1)
    signal, known = torch.randn(2, 12, 500), torch.tensor([[0.5, 1, 0, 1], [0.2, 1, 1, 0]])
    fused = model.SEResNet18(5, SMALL).eval()
    blind = model.SEResNet18(5, SMALL.model_copy(update={"demographics": False})).eval()
    assert not torch.equal(fused(signal, known), fused(signal, torch.zeros(2, 4)))
    assert torch.equal(blind(signal, known), blind(signal, torch.zeros(2, 4)))


def test_lead_normalisation_does_not_skip_a_lead_that_holds_a_zero_and_leaves_flat_leads_at_zero():
    torch.manual_seed(2)
    signal = torch.randn(4, 12, 300) * 3 + 1
    signal[0, 3, 17] = 0.0
    signal[1, 5] = 0.7
    whole = torch.ones(4, 300, dtype=torch.bool)
    made = model.normalise(signal, whole, "lead")
    moving = torch.ones(4, 12, dtype=torch.bool)
    moving[1, 5] = False
    assert made.mean(dim=2).abs().max() < 1e-5
    assert (made.std(dim=2, correction=0)[moving] - 1).abs().max() < 1e-4
    assert made[1, 5].abs().max() < 1e-6
    assert torch.equal(model.normalise(signal, whole, "none"), signal)


def test_what_lies_outside_a_short_recording_changes_no_normalised_sample_within_it():
    torch.manual_seed(3)
    short = torch.randn(2, 12, 200) + 1
    padded = torch.cat([short, torch.zeros(2, 12, 100)], dim=2)
    inside = torch.arange(300).repeat(2, 1) < 200
    made = model.normalise(padded, inside, "lead")
    assert torch.allclose(made[:, :, :200], model.normalise(short, inside[:, :200], "lead"), atol=1e-6)
    assert not made[:, :, 200:].any()


def test_faulty_arguments_are_named():
    with pytest.raises(ValueError, match=r"stem_kernel\n.*a kernel must be odd"):
        model.Params(**SMALL.model_dump() | {"stem_kernel": 8})
    with pytest.raises(ValueError, match="'zscore' is not one of none, lead"):
        model.normalise(torch.zeros(1, 12, 5), torch.ones(1, 5) > 0, "zscore")
