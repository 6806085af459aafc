"""The probability from which a class is answered: maximal F1, a given sensitivity, or the maximal
challenge score.

A class is answered where its probability is at least its threshold. Thresholds are chosen on rows
that are not scored with them: on validation predictions, never on test predictions. A threshold
lies halfway between the lowest probability that it answers and the next lower one (or 0), so that
rounding of probabilities moves no answer.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgpipe.evaluation.metrics import f1_of_counts

# The threshold of a class without positives, for which no threshold has an F1 above 0.
UNDECIDED = 0.5
# Coordinate search ends by itself after a few passes; this is a bound.
_PASSES = 50


def without_positives(labels: ArrayLike) -> NDArray[np.bool_]:
    """[class]: True where `labels` [row, class] (1, 0, NaN) hold no positive; these classes get
    `UNDECIDED`."""
    return ~(np.asarray(labels, np.float64) == 1).any(axis=0)


def maximal_f1(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """[class]: the threshold of maximal F1 over the annotated rows, exact.

    `labels` [row, class] are 1, 0 or NaN (not annotated: the row does not count for the class),
    `probabilities` [row, class] lie in 0..1. Of thresholds with equal F1 the highest is taken (the
    fewest positive answers). A class without positives gets `UNDECIDED`.

    >>> maximal_f1([[1], [0], [1], [np.nan]], [[0.9], [0.2], [0.6], [0.1]])
    array([0.4])
    """

    def chosen(cuts: "_Cuts") -> int:
        return int(np.argmax(f1_of_counts(cuts.hits, cuts.answered, cuts.hits[-1])))

    return _each_class(*_checked(labels, probabilities), chosen)


def at_sensitivity(
    labels: ArrayLike, probabilities: ArrayLike, least: float
) -> NDArray[np.float64]:
    """[class]: the highest threshold that answers at least the share `least` (above 0, at most 1)
    of the positives.

    >>> at_sensitivity([[1], [0], [1], [1]], [[0.9], [0.2], [0.6], [0.4]], 0.6)
    array([0.5])
    """

    def chosen(cuts: "_Cuts") -> int:
        enough = cuts.hits >= least * cuts.hits[-1] - 1e-9  # a share such as 0.9 is no exact float
        return int(np.argmax(enough))

    return _each_class(*_checked(labels, probabilities), chosen)


def maximal_challenge(
    labels: ArrayLike, probabilities: ArrayLike, weights: NDArray
) -> NDArray[np.float64]:
    """[class]: thresholds of a maximal challenge score (`challenge_score.challenge`), by coordinate
    search: one class after the other gets its best threshold, exactly, the others held, until a
    pass changes none.

    It starts from the thresholds of maximal F1 and ends where no single threshold can be bettered,
    which need not be the best of all. A class without positives keeps `UNDECIDED`. `weights` are
    [class, class] as `challenge_score.score_weights` has them; what answering sinus rhythm alone
    would score is a constant and plays no part.
    """
    truth, scores, annotated = _checked(labels, probabilities)
    thresholds = maximal_f1(labels, probabilities)
    positive = truth == 1
    worth = positive @ weights  # [row, class]: what an answer is worth, before it is shared
    answers = (scores >= thresholds) & annotated
    total, union = (worth * answers).sum(axis=1), (positive | answers).sum(axis=1)
    cuts_by_class = {
        k: _Cuts.of(positive[:, k], scores[:, k], annotated[:, k])
        for k in np.flatnonzero(positive.any(axis=0))
    }
    for _ in range(_PASSES):
        before = thresholds.copy()
        for k, cuts in cuts_by_class.items():
            others = total - worth[:, k] * answers[:, k]
            shared = union - (answers[:, k] & ~positive[:, k])
            without = others / np.maximum(1, shared)
            # [row]: what the score gains where this class is answered too.
            gain = (others + worth[:, k]) / np.maximum(1, shared + ~positive[:, k]) - without
            better = _better(cuts, gain, answers[:, k])
            if better is not None:
                thresholds[k] = better
                answers[:, k] = (scores[:, k] >= better) & annotated[:, k]
                total = others + worth[:, k] * answers[:, k]
                union = shared + (answers[:, k] & ~positive[:, k])
        if (thresholds == before).all():
            break
    return thresholds


def _better(cuts: "_Cuts", gain: NDArray, answered: NDArray) -> float | None:
    """The threshold whose answers gain most, of what each row gains (`gain` [row]); None where they
    gain no more than those that are `answered` [row]."""
    rising = np.cumsum(gain[cuts.rows])[cuts.answered - 1]
    rising = np.append(rising, 0.0)  # the last: no row is answered
    best = int(np.argmax(rising))
    # Sums in another order differ in the last digits.
    if rising[best] <= np.sum(gain[answered]) + 1e-9:
        return None
    return cuts.threshold(best) if best < len(cuts.answered) else cuts.above()


@dataclasses.dataclass(frozen=True)
class _Cuts:
    """The places where the annotated rows of one class can be cut, from the highest probability
    down: rows of equal probability are never separated. After each cut: how many rows are
    `answered`, how many of them are `hits`."""

    rows: NDArray[np.int64]  # [row]: in descending order
    scores: NDArray[np.float64]  # [row]: in that order
    answered: NDArray[np.int64]  # [cut]
    hits: NDArray[np.int64]  # [cut]

    @classmethod
    def of(cls, positive: NDArray, scores: NDArray, annotated: NDArray) -> "_Cuts":
        """The cuts of one class: `positive`, `scores` and `annotated` are [row]."""
        rows = np.flatnonzero(annotated)
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        ranked = scores[rows]
        last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(rows, ranked, last + 1, np.cumsum(positive[rows])[last])

    def above(self) -> float:
        """A threshold that answers no row: halfway to 1, or beyond 1 where a probability is 1."""
        highest = self.scores[0]
        middle = (highest + 1) / 2
        return float(middle if middle > highest else np.nextafter(1, 2))

    def threshold(self, cut: int) -> float:
        """Halfway between the lowest answered probability and the next lower one."""
        answered = self.answered[cut]
        upper = self.scores[answered - 1]
        lower = self.scores[answered] if answered < len(self.scores) else 0.0
        middle = (upper + lower) / 2
        return float(middle if middle > lower else upper)


def _each_class(
    truth: NDArray, scores: NDArray, annotated: NDArray, chosen: Callable[[_Cuts], int]
) -> NDArray[np.float64]:
    """The threshold of each class at its chosen cut; `UNDECIDED` where it has no positive."""
    thresholds = np.full(truth.shape[1], UNDECIDED)
    for k in np.flatnonzero((truth == 1).any(axis=0)):
        cuts = _Cuts.of(truth[:, k] == 1, scores[:, k], annotated[:, k])
        thresholds[k] = cuts.threshold(chosen(cuts))
    return thresholds


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Labels, probabilities and where they are annotated; ValueError where they do not fit or are
    no probabilities."""
    truth, scores = np.asarray(labels, np.float64), np.asarray(probabilities, np.float64)
    if truth.shape != scores.shape or truth.ndim != 2:
        raise ValueError(
            f"labels {truth.shape} and probabilities {scores.shape}: both must be [row, class]; "
            "align them"
        )
    annotated = ~np.isnan(truth)
    outside = annotated & ~((scores >= 0) & (scores <= 1))
    if outside.any():
        value = scores[outside][0]
        raise ValueError(
            f"probabilities: {value} is not in 0..1 where the label is annotated; "
            "apply the sigmoid first"
        )
    return truth, scores, annotated
