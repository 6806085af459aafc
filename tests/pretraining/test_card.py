"""The card's scores, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ecgpipe.pretraining import card

NAMES = ["NSR", "AF", "PR"]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(1)
    labels = (rng.random((300, 3)) < [0.5, 0.05, 0.2]).astype(float)
    labels[:50, 0] = np.nan
    labels[:, 2] = np.nan
    probabilities = 1 / (1 + np.exp(-rng.normal(size=labels.shape) - np.nan_to_num(labels)))
    return labels, probabilities


def test_scores_are_those_of_scikit_learn_with_an_interval_around_them(rows):
    labels, probabilities = rows
    found = card.scores(*rows, NAMES, groups=range(300), resamples=400, seed=1)
    expected = [roc_auc_score(labels[50:, 0], probabilities[50:, 0])]
    expected.append(roc_auc_score(labels[:, 1], probabilities[:, 1]))
    for name, value in zip(NAMES, expected, strict=False):
        of_class = found["classes"][name]
        assert of_class["auroc"] == pytest.approx(value)
        assert of_class["low"] < value < of_class["high"]
    assert found["auroc_macro"]["auroc"] == pytest.approx(np.mean(expected))
    assert found["classes"]["NSR"]["annotated"] == 250
    assert found["classes"]["AF"]["positives"] == labels[:, 1].sum()
    assert np.isnan(found["classes"]["PR"]["auroc"])
    assert (found["recordings"], found["classes_of_mean"]) == (300, 2)


def test_the_interval_is_about_as_wide_as_theory_says(rows):
    """Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747."""
    found = card.scores(*rows, NAMES, groups=range(300), resamples=400, seed=1)["classes"]["NSR"]
    area, positives = found["auroc"], found["positives"]
    negatives = found["annotated"] - positives
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area)
    variance += (positives - 1) * (first - area**2) + (negatives - 1) * (second - area**2)
    expected = 2 * 1.96 * np.sqrt(variance / (positives * negatives))
    assert found["high"] - found["low"] == pytest.approx(expected, rel=0.15)


def test_the_mean_leaves_out_classes_with_few_positives(rows):
    found = card.scores(*rows, NAMES, groups=range(300), resamples=100, seed=1, least=50)
    assert found["classes_of_mean"] == 1
    assert found["auroc_macro"]["auroc"] == found["classes"]["NSR"]["auroc"]


def test_the_page_has_a_row_per_class_and_says_what_it_is_not_for(rows):
    scored = card.scores(*rows, NAMES, groups=range(300), resamples=100, seed=1)
    made = {"made": card.MADE, "recordings": {"train": 1000}, "scores": scored}
    page = card.page(made, {"NSR": "sinus rhythm", "AF": "atrial fibrillation", "PR": "pacing"})
    assert "simulated hearts alone; not for patients" in page
    assert "| PR pacing | not learnt | | 0 |" in page
    assert f"| AF atrial fibrillation | {scored['classes']['AF']['auroc']:.3f} |" in page
