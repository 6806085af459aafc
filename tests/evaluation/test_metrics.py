import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import precision_score, recall_score

from ecgpipe.evaluation import metrics

CASES = json.loads((Path(__file__).parent / "cinc2021_score_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_class_is_equal_to_the_official_scorer(case):
    labels = np.array(case["labels"], float)
    binary, scalar = np.array(case["binary"]) == 1, np.array(case["scalar"])
    found = (
        metrics.auroc(labels, scalar),
        metrics.average_precision(labels, scalar),
        metrics.f1(labels, binary),
    )
    for values, name in zip(found, ("auroc_class", "auprc_class", "f_class"), strict=True):
        expected = np.array(case["expected"][name], float)
        np.testing.assert_allclose(values, expected, atol=1e-12, err_msg=name)


LABELS = arrays(np.float64, (15, 2), elements=st.sampled_from([0.0, 1.0, np.nan]))
SCORES = arrays(np.float64, (15, 2), elements=st.integers(0, 20).map(lambda value: value / 20))


@trials(max_examples=40, deadline=None)
@given(LABELS, SCORES)
def test_auroc_does_not_change_under_a_monotone_map(labels, scores):
    np.testing.assert_array_equal(
        metrics.auroc(labels, scores), metrics.auroc(labels, scores**3 / 2 + 0.1)
    )


@trials(max_examples=40, deadline=None)
@given(LABELS, arrays(np.bool_, (15, 2)))
def test_rates_are_scikit_learns_on_annotated_cells(labels, binary):
    found = metrics.rates(labels, binary)
    for index in range(2):
        known = ~np.isnan(labels[:, index])
        truth, answered = labels[known, index].astype(int), binary[known, index].astype(int)
        if not known.any():
            assert all(np.isnan(values[index]) for values in found.values())
            continue
        expected = {
            "sensitivity": recall_score(truth, answered, zero_division=np.nan),
            "specificity": recall_score(1 - truth, 1 - answered, zero_division=np.nan),
            "precision": precision_score(truth, answered, zero_division=np.nan),
        }
        for key, value in expected.items():
            np.testing.assert_allclose(found[key][index], value, err_msg=key)
