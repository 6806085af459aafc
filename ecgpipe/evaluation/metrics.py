"""What answers are worth: AUROC, average precision, F1 and the score of the PhysioNet/CinC Challenge 2021.

Labels [row, class] are 1, 0 or NaN: a not annotated cell counts in no measure. AUROC and average precision need
positives and negatives, F1 needs positives; what is undefined is NaN and left out of macro means. AUROC and average
precision per class are scikit-learn's. The challenge score is that of physionetchallenges/evaluation-2021: `challenge`
over its 26 classes, `challenge_subset` over others; before it, not annotated cells are removed from labels and answers
alike. A local score is no score on the challenge's hidden data.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from ecgpipe.diagnoses import classes

SINUS_RHYTHM = "426783006"
FEW = 10  # positives: a class or a group with fewer is marked


@dataclasses.dataclass(frozen=True)
class Panel:
    """The classes scored: names for people, and the challenge's weights (None where a class has no severity)."""

    codes: list[str]
    names: list[str]
    weights: NDArray[np.float64] | None
    sinus: int | None
    challenge: str  # the score's name

    def of(self, codes: Sequence[str]) -> "Panel":
        """The panel of some of these classes, under the names that they have here; its score is that of a subset."""
        places = [self.codes.index(code) for code in codes]
        weights = None if self.weights is None else self.weights[np.ix_(places, places)]
        sinus = list(codes).index(SINUS_RHYTHM) if SINUS_RHYTHM in codes else None
        challenge = self.challenge if list(codes) == self.codes else "challenge_subset"
        return Panel(list(codes), [self.names[place] for place in places], weights, sinus, challenge)


def panel(codes: Sequence[str]) -> Panel:
    """The panel of a table's class columns; a code that no class list holds keeps its code as its name."""
    found = classes.of_columns(codes)
    names = [one.abbreviation for one in found]
    same = list(codes) == [one.code for one in classes.classes("official")]
    weighted = all(one.severity is not None for one in found)
    weights = classes.score_weights(found) if weighted else None
    sinus = list(codes).index(SINUS_RHYTHM) if SINUS_RHYTHM in codes else None
    return Panel(list(codes), names, weights, sinus, "challenge" if same else "challenge_subset")


def auroc(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: area under the ROC curve of the annotated cells of [row, class]; NaN where undefined."""
    return _each(roc_auc_score, labels, probabilities)


def average_precision(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: step-wise area under the precision-recall curve of the annotated cells; NaN where undefined."""
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
    """[class]: 2 TP / (2 TP + FP + FN) over annotated cells; NaN where neither label nor answer is positive."""
    hits = ((labels == 1) & binary).sum(axis=0)
    total = (labels == 1).sum(axis=0) + (~np.isnan(labels) & binary).sum(axis=0)
    return np.divide(2.0 * hits, total, out=np.full(len(hits), np.nan), where=total > 0)


def rates(labels: NDArray, binary: NDArray) -> dict[str, NDArray[np.float64]]:
    """`sensitivity`, `specificity` and `precision` (positive predictive value) [class] of answers [row, class] over
    annotated cells; NaN where nothing divides."""
    positive, negative = labels == 1, labels == 0
    hits = (positive & binary).sum(axis=0).astype(np.float64)
    counts = {
        "sensitivity": (hits, positive.sum(axis=0)),
        "specificity": ((negative & ~binary).sum(axis=0), negative.sum(axis=0)),
        "precision": (hits, hits + (negative & binary).sum(axis=0)),
    }
    unknown = np.full(labels.shape[1], np.nan)
    return {key: np.divide(one, of, out=unknown.copy(), where=of > 0) for key, (one, of) in counts.items()}


def gains(labels: NDArray, binary: NDArray, weights: NDArray, sinus: int | None) -> NDArray[np.float64]:
    """[3, row]: what each row adds to the challenge's sum by the answers given, by `sinus` (its column) alone, and by
    the labels themselves. Without such a class the second is that of answering nothing."""
    known, truth = ~np.isnan(labels), labels == 1
    inactive = np.zeros_like(truth)
    if sinus is not None:
        inactive[:, sinus] = known[:, sinus]
    worth = truth @ weights  # [row, class]: what answering the class is worth, before it is shared

    def of(answers: NDArray) -> NDArray:
        return (worth * answers).sum(axis=1) / np.maximum(1, (truth | answers).sum(axis=1))

    return np.stack([of(binary & known), of(inactive), of(truth)])


def scaled(sums: NDArray) -> NDArray[np.float64]:
    """The challenge score of sums of `gains` [3, ...]: 1 is the score of the labels themselves and 0 that of answering
    sinus rhythm everywhere; NaN where these two gain the same."""
    span = sums[2] - sums[1]
    return np.divide(sums[0] - sums[1], span, out=np.full(np.shape(span), np.nan), where=span != 0)


def challenge(labels: NDArray, binary: NDArray, weights: NDArray, sinus: int | None) -> float:
    """The challenge score of answers [row, class]; NaN where undefined."""
    return float(scaled(gains(labels, binary, weights, sinus).sum(axis=1)))


def frequent(labels: NDArray) -> NDArray[np.bool_]:
    """[class]: whether it has `FEW` positives or more, so that one recording moves its score little."""
    return (labels == 1).sum(axis=0) >= FEW


def macro(values: NDArray) -> float:
    """The mean over the classes where a metric is defined; NaN where it is defined nowhere."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else np.nan


def official_scores(labels: ArrayLike, binary: ArrayLike, scalar: ArrayLike) -> dict[str, float | None]:
    """What the official scorer of the challenge returns, for arrays [recording, 26] in the official order.

    None where undefined; the challenge score is 0.0 there, and a class without positives but with positive answers
    has an F of 0, as in the official scorer.
    """
    truth, answered = np.asarray(labels, np.float64), np.asarray(binary) == 1
    probabilities = np.asarray(scalar, np.float64)
    official = panel([one.code for one in classes.classes("official")])
    score = challenge(truth, answered, official.weights, official.sinus)
    values = {
        "auroc_macro": macro(auroc(truth, probabilities)),
        "auprc_macro": macro(average_precision(truth, probabilities)),
        "accuracy": float(((truth == 1) == answered).all(axis=1).mean()) if len(truth) else np.nan,
        "f_macro": macro(f1(truth, answered)),
        "challenge": 0.0 if np.isnan(score) else score,
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}
