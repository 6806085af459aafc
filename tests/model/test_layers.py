"""Dropout, batch norm and blocks against torch's own."""

import pytest
import torch

from ecgpipe.model import layers


def test_dropout_zeroes_its_share_scales_the_rest_and_is_off_in_evaluation():
    torch.manual_seed(5)
    dropout = layers.Dropout(0.2)
    ones = torch.ones(8, 16, 1, 500).contiguous(memory_format=torch.channels_last)
    made = dropout.train()(ones)
    share = 51 / 256
    assert float((made == 0).double().mean()) == pytest.approx(share, abs=0.01)
    assert torch.allclose(made[made != 0], torch.tensor(1 / (1 - share)))
    assert made.mean() == pytest.approx(1, abs=0.01)
    assert not torch.equal(made, dropout(ones))
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert dropout.eval()(ones) is ones
    assert layers.Dropout(0.0).train()(ones) is ones
