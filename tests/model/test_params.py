import pytest
import torch

from ecgpipe.dataset import gather
from ecgpipe.model.params import ModelParams
from tests.fixtures.small_models import NETWORK


def test_faulty_arguments_are_named():
    with pytest.raises(ValueError, match=r"stem_kernel\n.*a kernel must be odd"):
        ModelParams(**NETWORK.model_dump() | {"stem_kernel": 8})
    with pytest.raises(ValueError, match="'zscore' is not one of none, lead"):
        gather.normalise(torch.zeros(1, 5, 12), None, "zscore")
