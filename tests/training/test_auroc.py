import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from ecgpipe.training import auroc


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), rows=st.integers(2, 60), values=st.integers(1, 30))
def test_auroc_equals_scikit_learn_with_ties_too(seed, rows, values):
    rng = np.random.default_rng(seed)
    positive = np.roll(rng.random(rows) < 0.5, 1)
    positive[:2] = True, False
    scores = rng.integers(values, size=rows).astype(np.float32) / values
    found = auroc.auroc(torch.from_numpy(positive), torch.from_numpy(scores))
    assert found == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
