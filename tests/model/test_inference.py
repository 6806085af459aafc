import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgpipe.dataset import examples, gather
from ecgpipe.model import inference
from ecgpipe.model.network import SEResNet18
from ecgpipe.model.params import ModelParams

NETWORK = ModelParams(
    width=4, stem_kernel=15, kernel=7, dropout=0.5, reduction=4, demographics=True
)


def data_of(lengths, seed=1):
    rng = np.random.default_rng(seed)
    signals = [rng.integers(-900, 900, (length, 12)).astype(np.int16) for length in lengths]
    known = np.linspace(20, 80, len(lengths))
    return examples.of_signals(signals, known, np.full(len(lengths), "M"), rate_hz=100, classes=3)


def test_probabilities_are_the_mean_over_windows_and_batches_change_nothing():
    torch.manual_seed(1)
    network = SEResNet18(3, NETWORK).eval()
    data = data_of([1000, 2300, 400])
    found = inference.probabilities_of(network, data, 1000, "none", batch=2)
    for row, starts in enumerate([[0], [0, 500, 1000, 1300], [0]]):
        time = torch.arange(1000).repeat(len(starts), 1) + torch.tensor(starts).double()[:, None]
        signal = gather.gather(data, torch.tensor([row] * len(starts)), time)[0].transpose(1, 2)
        expected = torch.sigmoid(network(signal, data.demographics[[row] * len(starts)])).mean(
            dim=0
        )
        assert torch.allclose(found[row], expected, atol=1e-6)
    assert torch.allclose(
        found, inference.probabilities_of(network, data, 1000, "none", batch=64), atol=1e-6
    )


def test_a_long_recording_is_never_passed_whole():
    seen = []

    class Watching(SEResNet18):
        def forward(self, signal, demographics):
            seen.append(signal.shape[2])
            return super().forward(signal, demographics)

    inference.probabilities_of(Watching(3, NETWORK), data_of([5000, 90]), 1000, "none")
    assert set(seen) == {1000}


def test_prediction_leaves_dropout_off_and_statistics_alone():
    torch.manual_seed(2)
    network = SEResNet18(3, NETWORK).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    data = data_of([800, 900])
    assert torch.equal(
        inference.probabilities_of(network, data, 500, "lead"),
        inference.probabilities_of(network, data, 500, "lead"),
    )
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_bfloat16_stays_within_a_few_thousandths_of_float32():
    torch.manual_seed(4)
    network, data = SEResNet18(3, NETWORK).eval(), data_of([1000] * 24)
    exact = inference.probabilities_of(network, data, 1000, "none")
    rounded = inference.probabilities_of(network, data, 1000, "none", bf16=True)
    assert 0 < (exact - rounded).abs().max() < 5e-3


def test_bf16_is_taken_as_asked_or_where_the_processor_has_it():
    cpu = torch.device("cpu")
    assert inference.bf16_helps("bf16", cpu)
    assert not inference.bf16_helps("fp32", cpu)
    flags = Path("/proc/cpuinfo").read_text().split() if sys.platform == "linux" else []
    assert inference.bf16_helps("auto", cpu) == ("avx512_bf16" in flags)


@pytest.mark.parametrize("capabilities", [{}, {"avx2": True, "avx512_bf16": False}])
def test_without_bfloat16_auto_takes_float32_and_bf16_says_that_it_is_slow(
    capabilities, monkeypatch, caplog
):
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert not inference.bf16_helps("auto", cpu)
    assert not inference.bf16_helps("fp32", cpu)
    assert caplog.text == ""
    assert inference.bf16_helps("bf16", cpu)
    assert "precision bf16: this processor does not multiply it" in caplog.text


def test_with_bfloat16_auto_takes_it_without_a_word(monkeypatch, caplog):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert inference.bf16_helps("auto", torch.device("cpu"))
    assert inference.bf16_helps("bf16", torch.device("cpu"))
    assert caplog.text == ""


def test_no_recordings_give_no_rows():
    empty = examples.of_signals(
        [np.zeros((0, 12), np.int16)], np.array([50.0]), np.array(["F"]), rate_hz=100, classes=3
    )
    none = empty.take(np.zeros(0))
    assert inference.probabilities_of(SEResNet18(3, NETWORK), none, 500, "none").shape == (0, 3)
