"""What answers are worth: AUROC, average precision, F1 and the score of the PhysioNet/CinC
Challenge 2021.

Labels [row, class] are 1, 0 or NaN: a not annotated cell counts in no measure. AUROC and average
precision need positives and negatives, F1 needs positives; what is undefined is NaN and left out of
macro means. AUROC and average precision per class are scikit-learn's. The challenge score is that
of physionetchallenges/evaluation-2021: `challenge` over its 26 classes, `challenge_subset` over
others; before it, not annotated cells are removed from labels and answers alike. A local score is
no score on the challenge's hidden data.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

FEW = 10  # positives: a class or a group with fewer is marked


def auroc(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: area under the ROC curve of the annotated cells of [row, class]; NaN where
    undefined."""
    return _each(roc_auc_score, labels, probabilities)


def average_precision(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: step-wise area under the precision-recall curve of the annotated cells; NaN where
    undefined."""
    return _each(average_precision_score, labels, probabilities)


def _each(measure: Callable, labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    values = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        known = ~np.isnan(labels[:, index])
        truth = labels[known, index]
        if 0 < truth.sum() < len(truth):
            values[index] = measure(truth, probabilities[known, index])
    return values


def f1(labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
    """[class]: 2 TP / (2 TP + FP + FN) over annotated cells; NaN where neither label nor answer is
    positive."""
    hits = ((labels == 1) & binary).sum(axis=0)
    total = (labels == 1).sum(axis=0) + (~np.isnan(labels) & binary).sum(axis=0)
    return np.divide(2.0 * hits, total, out=np.full(len(hits), np.nan), where=total > 0)


def rates(labels: NDArray, binary: NDArray) -> dict[str, NDArray[np.float64]]:
    """`sensitivity`, `specificity` and `precision` (positive predictive value) [class] of answers
    [row, class] over annotated cells; NaN where nothing divides."""
    positive, negative = labels == 1, labels == 0
    hits = (positive & binary).sum(axis=0).astype(np.float64)
    counts = {
        "sensitivity": (hits, positive.sum(axis=0)),
        "specificity": ((negative & ~binary).sum(axis=0), negative.sum(axis=0)),
        "precision": (hits, hits + (negative & binary).sum(axis=0)),
    }
    unknown = np.full(labels.shape[1], np.nan)
    return {
        key: np.divide(one, of, out=unknown.copy(), where=of > 0)
        for key, (one, of) in counts.items()
    }


def frequent(labels: NDArray) -> NDArray[np.bool_]:
    """[class]: whether it has `FEW` positives or more, so that one recording moves its score
    little."""
    return (labels == 1).sum(axis=0) >= FEW


def macro(values: NDArray) -> float:
    """The mean over the classes where a metric is defined; NaN where it is defined nowhere."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan
