import numpy as np
import pytest
import torch
from scipy import stats

from ecgpipe.training import loss, mixup
from ecgpipe.training.distributed import Peers
from tests.fixtures.small_training import ALONE, fold_of, load, quiet

ALPHA = 0.4


def test_shares_are_drawn_from_the_beta_distribution_anew_at_each_step():
    drawn = [
        mixup.shares(ALPHA, 500, draw=(7, epoch, step), peers=ALONE)[:, 0].numpy()
        for epoch in (0, 1)
        for step in (0, 1)
    ]
    assert stats.kstest(np.concatenate(drawn), stats.beta(ALPHA, ALPHA).cdf).pvalue > 0.01
    assert len({tuple(shares) for shares in drawn}) == 4
    again = mixup.shares(ALPHA, 500, draw=(7, 1, 1), peers=ALONE)[:, 0].numpy()
    assert np.array_equal(again, drawn[-1])


def test_each_recording_is_mixed_with_the_one_half_a_batch_further():
    values, share = torch.randn(6, 3, 5), torch.rand(6, 1)
    found = mixup.mixed(values, share)
    for row in range(6):
        expected = share[row] * values[row] + (1 - share[row]) * values[(row + 3) % 6]
        assert torch.allclose(found[row], expected, atol=1e-6)


def test_the_loss_of_mixed_labels_is_that_of_both_recordings_by_their_shares():
    torch.manual_seed(1)
    logits, share = torch.randn(8, 3), torch.rand(8, 1)
    labels = (torch.rand(8, 3) < 0.5).float()
    labels[torch.rand(8, 3) < 0.3] = torch.nan
    labels[[2, 6], 1] = torch.nan  # annotated in neither of a pair
    weights = torch.tensor([1.0, 3.0, 9.0])
    total, count = 0.0, 0.0
    for row in range(8):
        for place, part in ((row, share[row]), ((row + 4) % 8, 1 - share[row])):
            known = torch.isfinite(labels[place])
            each = torch.nn.functional.binary_cross_entropy_with_logits(
                logits[row], labels[place].nan_to_num(), pos_weight=weights, reduction="none"
            )
            total, count = total + float(part * each[known].sum()), count + part * known.sum()
    mixed, counted = mixup.mixed_labels(labels, share)
    assert torch.isnan(mixed[2, 1]) and counted[2, 1] == 0
    found = loss.masked_loss(logits, mixed, weights, counted)
    assert float(found) == pytest.approx(total / float(count), rel=1e-5)


def test_two_processes_mix_the_pairs_of_one():
    values, labels = torch.randn(8, 2), torch.rand(8, 3).round()
    share = mixup.shares(ALPHA, 8, draw=(1, 2, 3), peers=ALONE)
    for rank in (0, 1):
        peers = Peers(rank, 2, torch.device("cpu"))
        mine = mixup.shares(ALPHA, 8, draw=(1, 2, 3), peers=peers)
        assert torch.equal(mixup.mixed(values[rank::2], mine), mixup.mixed(values, share)[rank::2])
        here, whole = mixup.mixed_labels(labels[rank::2], mine), mixup.mixed_labels(labels, share)
        assert torch.equal(here[0], whole[0][rank::2])


def test_a_batch_whose_pairs_cannot_be_shared_is_refused():
    mixup.check(7, 1)
    mixup.check(8, 2)
    with pytest.raises(ValueError, match=r"^train.batch: pairs of 6 .* multiple of 4, or set"):
        mixup.check(6, 2)


def test_it_trains_on_mixed_recordings(split_project):
    _, data = load()
    plain, mixed = fold_of(data), fold_of(data, key="mixed", mixup=ALPHA, epochs=12)
    assert plain.run(quiet).history[0]["train_loss"] != mixed.run(quiet).history[0]["train_loss"]
    losses = [row["val_loss"] for row in mixed.state.history]
    assert min(losses[6:]) < losses[0]
