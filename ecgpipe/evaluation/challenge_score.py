"""The score of the PhysioNet/CinC Challenge 2021: its classes, its weights, and the classes that a
run scores."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgpipe.diagnoses import classes
from ecgpipe.diagnoses.classes import Diagnosis
from ecgpipe.evaluation.metrics import auroc, average_precision, f1, macro
from ecgpipe.project.errors import UserError
from ecgpipe.snomed import concepts

# The two pairs whose published weight is not 0.5 - |difference in severity|: (BBB, LBBB) and
# (LQRSV, PRWP).
_PAIRS = (
    (concepts.BUNDLE_BRANCH_BLOCK, concepts.LEFT_BUNDLE_BRANCH_BLOCK),
    (concepts.LOW_QRS_VOLTAGES, concepts.POOR_R_WAVE_PROGRESSION),
)
_PAIR_WEIGHT = 0.475


def score_weights(classes: Sequence[Diagnosis]) -> np.ndarray:
    """The CinC 2021 weights [class, class]: 1 on the diagonal, 0.5 less the difference in severity
    elsewhere.

    Two pairs stand apart at 0.475: (BBB, LBBB) and (LQRSV, PRWP). UserError where a class has no
    severity. Source: the published table of evaluation-2021, which this reproduces.
    """
    without = [diagnosis.code for diagnosis in classes if diagnosis.severity is None]
    if without:
        raise UserError(
            f"no score weights: classes {', '.join(without)} have no severity; choose official classes"
        )
    severity = np.array([diagnosis.severity for diagnosis in classes], dtype=np.float64)
    weights = 0.5 - np.abs(severity[:, None] - severity[None, :])
    np.fill_diagonal(weights, 1.0)
    column = {code: index for index, diagnosis in enumerate(classes) for code in diagnosis.codes}
    for one, other in _PAIRS:
        if one in column and other in column and column[one] != column[other]:
            weights[column[one], column[other]] = weights[column[other], column[one]] = _PAIR_WEIGHT
    return weights


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
        """The panel of some of these classes, under the names that they have here; its score is
        that of a subset."""
        places = [self.codes.index(code) for code in codes]
        weights = None if self.weights is None else self.weights[np.ix_(places, places)]
        sinus = list(codes).index(concepts.SINUS_RHYTHM) if concepts.SINUS_RHYTHM in codes else None
        challenge = self.challenge if list(codes) == self.codes else "challenge_subset"
        return ScoredClasses(
            list(codes), [self.names[place] for place in places], weights, sinus, challenge
        )


def scored_classes(codes: Sequence[str]) -> ScoredClasses:
    """The panel of a table's class columns; a code that no class list holds keeps its code as its
    name."""
    found = classes.of_columns(codes)
    names = [one.abbreviation for one in found]
    same = list(codes) == [one.code for one in classes.select("official")]
    weighted = all(one.severity is not None for one in found)
    weights = score_weights(found) if weighted else None
    sinus = list(codes).index(concepts.SINUS_RHYTHM) if concepts.SINUS_RHYTHM in codes else None
    return ScoredClasses(
        list(codes), names, weights, sinus, "challenge" if same else "challenge_subset"
    )


def gains(
    labels: NDArray, binary: NDArray, weights: NDArray, sinus: int | None
) -> NDArray[np.float64]:
    """[3, row]: what each row adds to the challenge's sum by the answers given, by `sinus` (its
    column) alone, and by the labels themselves. Without such a class the second is that of
    answering nothing."""
    known, truth = ~np.isnan(labels), labels == 1
    inactive = np.zeros_like(truth)
    if sinus is not None:
        inactive[:, sinus] = known[:, sinus]
    worth = truth @ weights  # [row, class]: what answering the class is worth, before it is shared

    def of(answers: NDArray) -> NDArray:
        return (worth * answers).sum(axis=1) / np.maximum(1, (truth | answers).sum(axis=1))

    return np.stack([of(binary & known), of(inactive), of(truth)])


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
    positive answers has an F of 0, as in the official scorer.
    """
    truth, answered = np.asarray(labels, np.float64), np.asarray(binary) == 1
    probabilities = np.asarray(scalar, np.float64)
    official = scored_classes([one.code for one in classes.select("official")])
    score = challenge(truth, answered, official.weights, official.sinus)
    values = {
        "auroc_macro": macro(auroc(truth, probabilities)),
        "auprc_macro": macro(average_precision(truth, probabilities)),
        "accuracy": float(((truth == 1) == answered).all(axis=1).mean()) if len(truth) else np.nan,
        "f_macro": macro(f1(truth, answered)),
        "challenge": 0.0 if np.isnan(score) else score,
    }
    return {name: None if np.isnan(value) else value for name, value in values.items()}
