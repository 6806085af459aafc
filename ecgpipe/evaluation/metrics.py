"""The formulas by which predictions are judged, class by class; `metric_list` says where each is
shown.

Labels [row, class] are 1, 0 or NaN: what is not annotated counts in no metric. AUROC and average
precision need positives and negatives, F1 needs positives; what is undefined is NaN and left out of
macro means; so is a class that all annotated rows have, which the challenge's official scorer
counts with an average precision of 1 (`challenge_score.official_scores`). AUROC and average
precision are scikit-learn's, and it is loaded where they are asked for.

A metric that is a formula of sums over rows stands here in two parts, `terms` of each row and the
formula of their sums: the bootstrap then weighs rows instead of copying them.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgpipe.evaluation.calibration import reliability

# Positives: with fewer, one recording more or less moves a number a lot.
FEW = 10


def auroc(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: area under the ROC curve of the annotated rows of [row, class]."""
    from sklearn.metrics import roc_auc_score

    return _each_class(roc_auc_score, labels, probabilities)


def average_precision(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: step-wise area under the precision-recall curve of the annotated rows."""
    from sklearn.metrics import average_precision_score

    return _each_class(average_precision_score, labels, probabilities)


def _each_class(
    metric: Callable[[NDArray, NDArray], float], labels: NDArray, probabilities: NDArray
) -> NDArray[np.float64]:
    values = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        annotated = ~np.isnan(labels[:, index])
        truth = labels[annotated, index]
        if 0 < truth.sum() < len(truth):
            values[index] = metric(truth, probabilities[annotated, index])
    return values


def f1(labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
    """[class]: F1 of answers [row, class]; NaN where no label is positive."""
    return f1_where_positive(answer_terms(labels, binary).sum(axis=1))


def answer_terms(labels: NDArray, binary: NDArray) -> NDArray[np.bool_]:
    """[3, row, class]: true positives, positive answers, positive labels."""
    positive = labels == 1
    return np.stack([positive & binary, ~np.isnan(labels) & binary, positive])


def f1_of_counts(
    true_positives: ArrayLike, answered: ArrayLike, positives: ArrayLike
) -> NDArray[np.float64]:
    """2 TP / (2 TP + FP + FN); NaN where neither label nor answer is positive."""
    return ratio(2.0 * np.asarray(true_positives), np.asarray(answered) + positives)


def f1_where_positive(sums: NDArray) -> NDArray[np.float64]:
    """F1 of sums [3, ...] of `answer_terms`; without a positive label it is no score of the class
    but NaN."""
    return np.where(sums[2] > 0, f1_of_counts(*sums), np.nan)


def sensitivity(labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
    """[class]: the share of positives that are answered, TP / (TP + FN)."""
    positive = labels == 1
    return ratio((positive & binary).sum(axis=0), positive.sum(axis=0))


def specificity(labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
    """[class]: the share of negatives that are not answered, TN / (TN + FP)."""
    negative = labels == 0
    return ratio((negative & ~binary).sum(axis=0), negative.sum(axis=0))


def precision(labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
    """[class]: the share of answers that are right (positive predictive value), TP / (TP + FP)."""
    true_positives, answered, _ = answer_terms(labels, binary).sum(axis=1)
    return ratio(true_positives, answered)


def brier(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: mean squared difference of probability and label over annotated rows (Brier 1950,
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2)."""
    return ratio(*brier_terms(labels, probabilities).sum(axis=1))


def brier_terms(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[2, row, class]: the squared difference, 0 where not annotated; and 1 where annotated."""
    annotated = ~np.isnan(labels)
    difference = np.where(annotated, probabilities - np.nan_to_num(labels), 0.0)
    return np.stack([difference**2, annotated])


def calibration_error(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: expected calibration error over ten equal bins of probability: the mean of |share of
    positives - mean probability|, bins weighted by their annotated rows (Naeini et al. 2015,
    doi:10.1609/aaai.v29i1.9602)."""
    errors = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        annotated = ~np.isnan(labels[:, index])
        if annotated.any():
            _, predicted, observed, count = reliability(
                labels[annotated, index], probabilities[annotated, index]
            )
            errors[index] = (np.abs(observed - predicted) * count).sum() / count.sum()
    return errors


def ratio(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """part / whole; NaN where the whole is 0."""
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def frequent(labels: NDArray) -> NDArray[np.bool_]:
    """[class]: whether it has `FEW` positives or more, so that one recording moves its score
    little."""
    return (labels == 1).sum(axis=0) >= FEW


def macro(values: NDArray) -> float:
    """The mean over the classes where a metric is defined; NaN where it is defined nowhere."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan
