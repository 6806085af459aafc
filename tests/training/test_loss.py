import math

import pytest
import torch

from ecgpipe.training import loss


def test_masked_loss_equals_torch_on_annotated_entries_and_ignores_the_others():
    torch.manual_seed(1)
    logits, labels = torch.randn(6, 3), (torch.rand(6, 3) < 0.4).float()
    weights = torch.tensor([1.0, 4.0, 2.0])
    labels[1, 2] = labels[4, 0] = torch.nan
    known = torch.isfinite(labels)
    each = torch.nn.BCEWithLogitsLoss(reduction="none", pos_weight=weights)(
        logits, labels.nan_to_num()
    )
    assert torch.isclose(loss.masked_loss(logits, labels, weights), each[known].mean())
    moved = logits.clone()
    moved[1, 2] = 99.0
    assert torch.isclose(
        loss.masked_loss(moved, labels, weights), loss.masked_loss(logits, labels, weights)
    )
    assert loss.masked_loss(logits, torch.full_like(labels, torch.nan), weights) == 0


def test_unannotated_cells_give_no_gradient():
    logits = torch.zeros(2, 2, requires_grad=True)
    loss.masked_loss(
        logits, torch.tensor([[1.0, torch.nan], [0.0, torch.nan]]), torch.ones(2)
    ).backward()
    assert logits.grad[:, 1].abs().max() == 0
    assert logits.grad[:, 0].abs().min() > 0


def test_class_weights_are_negatives_over_positives_among_annotated_recordings():
    nan = torch.nan
    labels = torch.tensor([[1, 0, 0, nan], [0, 0, 0, nan], [0, 1, 0, 1], [0, nan, 0, 1.0]])
    assert loss.class_weights(labels, "balanced", 10).tolist() == [3, 2, 1, 1]
    assert loss.class_weights(labels, "balanced", 2.5).tolist() == [2.5, 2, 1, 1]
    assert loss.class_weights(labels, "none", 10).tolist() == [1, 1, 1, 1]


def test_permuted_labels_are_the_same_rows_in_another_order():
    labels = torch.arange(30.0).reshape(10, 3)
    moved = loss.permuted(labels, 1)
    assert sorted(map(tuple, moved.tolist())) == sorted(map(tuple, labels.tolist()))
    assert not torch.equal(moved, labels)


def test_processes_that_share_a_batch_average_to_its_own_loss():
    torch.manual_seed(4)
    logits, labels, weights = torch.randn(8, 3), (torch.rand(8, 3) < 0.4).float(), torch.ones(3)
    labels[:5, 1] = torch.nan
    count = torch.isfinite(labels).sum() / 2
    halves = [loss.masked_loss(logits[r::2], labels[r::2], weights, total=count) for r in (0, 1)]
    assert torch.isclose(torch.stack(halves).mean(), loss.masked_loss(logits, labels, weights))


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
        ),
    ],
)
def test_a_loss_that_is_not_finite_is_seen_within_a_step(device):
    watch = loss.Watch()
    for value, seen in ((0.7, None), (math.inf, "inf"), (math.nan, "nan")):
        given = torch.tensor(value, device=device, requires_grad=True)
        found = watch.bad(given)
        if device == "cuda" and math.isfinite(value):
            assert found is None
        found = watch.bad(given) if device == "cuda" else found
        assert (None if found is None else str(found)) == seen
