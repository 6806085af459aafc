import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.augmentation import lead_dropout
from ecgpipe.project.leads import LEADS


@given(share=st.floats(0, 0.99), seed=st.integers(0, 1000))
@settings(max_examples=50)
def test_dropping_leads_never_drops_all_and_drops_the_share_asked_for(share, seed):
    draw = torch.rand(400, 12, generator=torch.Generator().manual_seed(seed))
    kept = lead_dropout.kept_leads(draw, share)
    assert kept.any(dim=1).all()
    if share < 0.7:  # above, the lead that always stays counts
        assert (~kept).double().mean() == pytest.approx(share, abs=0.05)


def test_reduced_sets_are_those_of_the_challenge_each_as_often():
    kept = lead_dropout.reduced_leads(
        lead_dropout.reduced_sets(torch.device("cpu")),
        torch.rand(4000, 1, generator=torch.Generator().manual_seed(1)),
    )
    found = {
        tuple(lead for lead, on in zip(LEADS, row, strict=True) if on) for row in kept.tolist()
    }
    assert found == set(lead_dropout.REDUCED)
    assert [len(leads) for leads in lead_dropout.REDUCED] == [6, 4, 3, 2]
    counts = torch.bincount(kept.sum(dim=1))[[6, 4, 3, 2]]
    assert (counts - 1000).abs().max() < 120
