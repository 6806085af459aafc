"""The score of the PhysioNet/CinC Challenge 2021, and the classes that a run scores.

The score is that of physionetchallenges/evaluation-2021: `challenge` over its 26 classes,
`challenge_subset` over others; before it, what is not annotated is removed from labels and answers
alike. A local score is no score on the challenge's hidden data.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgpipe.diagnoses import classes as diagnoses
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.evaluation import metrics
from ecgpipe.project.errors import UserError
from ecgpipe.snomed import concepts

OFFICIAL, SUBSET = "challenge", "challenge_subset"
# The two pairs whose published weight is not 0.5 - |difference in severity|: (BBB, LBBB) and
# (LQRSV, PRWP).
_PAIRS = (
    (concepts.BUNDLE_BRANCH_BLOCK, concepts.LEFT_BUNDLE_BRANCH_BLOCK),
    (concepts.LOW_QRS_VOLTAGES, concepts.POOR_R_WAVE_PROGRESSION),
)
_PAIR_WEIGHT = 0.475


@dataclasses.dataclass(frozen=True)
class ScoredClasses:
    """The classes scored: names for people, and the challenge's weights (None where a class has no
    severity)."""

    codes: list[str]
    names: list[str]
    weights: NDArray[np.float64] | None
    sinus: int | None
    challenge: str  # the score's name

    def of(self, codes: Sequence[str]) -> "ScoredClasses":
        """Some of these classes, under the names that they have here; their score is that of a
        subset."""
        places = [self.codes.index(code) for code in codes]
        names = [self.names[place] for place in places]
        weights = None if self.weights is None else self.weights[np.ix_(places, places)]
        score = self.challenge if list(codes) == self.codes else SUBSET
        return ScoredClasses(list(codes), names, weights, _column_of_sinus(codes), score)

    def gains(self, labels: NDArray, binary: NDArray) -> NDArray[np.float64]:
        """[3, row]: `gains` by these classes' weights; without weights nothing is gained, and the
        score is undefined."""
        if self.weights is None:
            return np.zeros((3, len(labels)))
        return gains(labels, binary, self.weights, self.sinus)

    def score(self, labels: NDArray, binary: NDArray) -> float:
        """The challenge score of answers [row, class]; NaN where undefined."""
        if self.weights is None:
            return np.nan
        return challenge(labels, binary, self.weights, self.sinus)


def scored_classes(codes: Sequence[str]) -> ScoredClasses:
    """The classes of a table's columns; a code that no class list holds keeps its code as its
    name."""
    classes = diagnoses.of_columns(codes)
    names = [diagnosis.abbreviation for diagnosis in classes]
    weighted = all(diagnosis.severity is not None for diagnosis in classes)
    weights = score_weights(classes) if weighted else None
    official = list(codes) == [diagnosis.code for diagnosis in diagnoses.select("official")]
    score = OFFICIAL if official else SUBSET
    return ScoredClasses(list(codes), names, weights, _column_of_sinus(codes), score)


def _column_of_sinus(codes: Sequence[str]) -> int | None:
    return list(codes).index(concepts.SINUS_RHYTHM) if concepts.SINUS_RHYTHM in codes else None


def score_weights(classes: Sequence[Diagnosis]) -> NDArray[np.float64]:
    """The CinC 2021 weights [class, class]: 1 on the diagonal, 0.5 less the difference in severity
    elsewhere.

    Two pairs stand apart at 0.475: (BBB, LBBB) and (LQRSV, PRWP). UserError where a class has no
    severity. Source: the published table of evaluation-2021, which this reproduces.
    """
    without = [diagnosis.code for diagnosis in classes if diagnosis.severity is None]
    if without:
        raise UserError(
            f"no score weights: classes {', '.join(without)} have no severity; "
            "choose official classes"
        )
    severity = np.array([diagnosis.severity for diagnosis in classes], dtype=np.float64)
    weights = 0.5 - np.abs(severity[:, None] - severity[None, :])
    np.fill_diagonal(weights, 1.0)
    column = {code: index for index, diagnosis in enumerate(classes) for code in diagnosis.codes}
    for first, second in _PAIRS:
        row, other = column.get(first), column.get(second)
        if row is not None and other is not None and row != other:
            weights[row, other] = _PAIR_WEIGHT
            weights[other, row] = _PAIR_WEIGHT
    return weights


def gains(
    labels: NDArray, binary: NDArray, weights: NDArray, sinus: int | None
) -> NDArray[np.float64]:
    """[3, row]: what each row adds to the challenge's sum by the answers given, by `sinus` (its
    column) alone, and by the labels themselves. Without such a class the second is that of
    answering nothing."""
    annotated, truth = ~np.isnan(labels), labels == 1
    inactive = np.zeros_like(truth)
    if sinus is not None:
        inactive[:, sinus] = annotated[:, sinus]
    worth = truth @ weights  # [row, class]: what answering the class is worth, before it is shared

    def gain(answers: NDArray) -> NDArray:
        shared = np.maximum(1, (truth | answers).sum(axis=1))
        return (worth * answers).sum(axis=1) / shared

    return np.stack([gain(binary & annotated), gain(inactive), gain(truth)])


def scaled(sums: NDArray) -> NDArray[np.float64]:
    """The challenge score of sums of `gains` [3, ...]: 1 is the score of the labels themselves and
    0 that of answering sinus rhythm everywhere; NaN where these two gain the same."""
    span = sums[2] - sums[1]
    return np.divide(sums[0] - sums[1], span, out=np.full(np.shape(span), np.nan), where=span != 0)


def challenge(labels: NDArray, binary: NDArray, weights: NDArray, sinus: int | None) -> float:
    """The challenge score of answers [row, class]; NaN where undefined."""
    return float(scaled(gains(labels, binary, weights, sinus).sum(axis=1)))


def official_scores(
    labels: ArrayLike, binary: ArrayLike, scalar: ArrayLike
) -> dict[str, float | None]:
    """What the official scorer of the challenge returns, for arrays [recording, 26] in the official
    order.

    None where undefined; the challenge score is 0.0 there, and a class without positives but with
    positive answers has an F of 0, as in the official scorer. As there, a class that every
    recording has counts in the AUPRC, with 1, whatever its probabilities: all answers are right.
    The metrics of this project leave such a class out (`metrics.average_precision`).
    """
    truth, answered = np.asarray(labels, np.float64), np.asarray(binary) == 1
    probabilities = np.asarray(scalar, np.float64)
    official = scored_classes([diagnosis.code for diagnosis in diagnoses.select("official")])
    score = official.score(truth, answered)
    f_class = metrics.f1_of_counts(*metrics.answer_terms(truth, answered).sum(axis=1))
    right = ((truth == 1) == answered).all(axis=1)
    precision = metrics.average_precision(truth, probabilities)
    if len(truth):
        precision[(truth == 1).all(axis=0)] = 1.0
    values = {
        "auroc_macro": metrics.macro(metrics.auroc(truth, probabilities)),
        "auprc_macro": metrics.macro(precision),
        "accuracy": float(right.mean()) if len(truth) else np.nan,
        "f_macro": metrics.macro(f_class),
        "challenge": 0.0 if np.isnan(score) else score,
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}
