import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from ecgpipe.training import validation


def test_macro_auroc_equals_scikit_learn_over_annotated_cells_and_leaves_undefined_classes_out():
    rng = np.random.default_rng(1)
    labels = (rng.random((50, 3)) < 0.4).astype(float)
    labels[:, 2] = 0
    labels[:9, 1] = np.nan
    scores = rng.random((50, 3))
    expected = np.mean(
        [roc_auc_score(labels[:, 0], scores[:, 0]), roc_auc_score(labels[9:, 1], scores[9:, 1])]
    )
    found = validation.macro_auroc(torch.from_numpy(labels), torch.from_numpy(scores))
    assert found == pytest.approx(expected, abs=1e-6)
    assert np.isnan(validation.macro_auroc(torch.zeros(4, 1), torch.rand(4, 1)))


NONE = torch.nan
PLENTY = [[1.0, 0.0]] * 5 + [[0.0, 0.0]] * 5
ALL_ALIKE = "no class has positives and negatives to validate with: its loss chooses"
FEW = "has at most 4 positives or negatives of any class: it chooses by chance"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (PLENTY, None),
        ([[NONE, NONE]] * 9, "nothing is annotated in the validation part: the last epoch is kept"),
        ([[0.0, NONE]] * 9, ALL_ALIKE),
        ([[1.0, NONE]] * 3, ALL_ALIKE),
        (PLENTY[1:], FEW),
        (PLENTY[:-1], FEW),
    ],
)
def test_a_validation_part_that_can_hardly_choose_says_so(labels, said):
    found = validation.remark(torch.tensor(labels))
    assert found is None if said is None else said in found
    assert validation.can_choose(torch.tensor(labels)) == bool(np.isfinite(labels).any())
