"""The probability from which a class is answered: per class, the threshold of maximal F1.

A class is answered where its probability is at least its threshold. Thresholds are chosen on rows that are
not scored with them: on validation predictions, never on test predictions.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The threshold of a class without positives, for which no threshold has an F1 above 0.
UNDECIDED = 0.5


def without_positives(labels: ArrayLike) -> NDArray[np.bool_]:
    """[class]: True where `labels` [row, class] (1, 0, NaN) hold no positive; these classes get `UNDECIDED`."""
    return ~(np.asarray(labels, np.float64) == 1).any(axis=0)


def maximal_f1(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """[class]: the threshold of maximal F1 over the annotated rows, exact.

    `labels` [row, class] are 1, 0 or NaN (not annotated: the row does not count for the class), `probabilities`
    [row, class] lie in 0..1. Of thresholds with equal F1 the highest is taken (the fewest positive answers). A
    threshold lies halfway between the lowest probability that it answers and the next lower one (or 0), so that
    rounding of probabilities moves no answer. A class without positives gets `UNDECIDED`.

    >>> maximal_f1([[1], [0], [1], [np.nan]], [[0.9], [0.2], [0.6], [0.1]])
    array([0.4])
    """
    truth = np.asarray(labels, np.float64)
    scores = np.asarray(probabilities, np.float64)
    if truth.shape != scores.shape or truth.ndim != 2:
        raise ValueError(
            f"labels {truth.shape} and probabilities {scores.shape}: both must be [row, class]; align them"
        )
    annotated = ~np.isnan(truth)
    outside = annotated & ~((scores >= 0) & (scores <= 1))
    if outside.any():
        value = scores[outside][0]
        raise ValueError(f"probabilities: {value} is not in 0..1 where the label is annotated; apply the sigmoid first")
    undecided = without_positives(truth)
    thresholds = np.full(truth.shape[1], UNDECIDED)
    if not undecided.all():
        thresholds[~undecided] = _cut(truth[:, ~undecided], scores[:, ~undecided], annotated[:, ~undecided])
    return thresholds


def _cut(truth: NDArray, scores: NDArray, annotated: NDArray) -> NDArray[np.float64]:
    """The thresholds of classes that have a positive: F1 after each row in descending order, ties cut as one."""
    scores = np.where(annotated, scores, -1.0)  # rows that do not count go last
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    hits = np.cumsum(np.take_along_axis(truth == 1, order, axis=0), axis=0)
    answered = np.arange(1, len(ranked) + 1)[:, None]
    f1 = 2 * hits / (answered + hits[-1])
    below = np.vstack([ranked[1:], np.full((1, ranked.shape[1]), -1.0)])
    f1[(ranked == below) | (ranked < 0)] = -1.0
    best = np.argmax(f1, axis=0)[None]
    upper = np.take_along_axis(ranked, best, axis=0)[0]
    lower = np.maximum(np.take_along_axis(below, best, axis=0)[0], 0.0)
    middle = (upper + lower) / 2
    return np.where(middle > lower, middle, upper)
