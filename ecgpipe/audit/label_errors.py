"""Recordings whose label is most likely wrong, class by class, from out-of-fold probabilities:
confident learning.

Per class, over annotated recordings (Northcutt et al. 2021, doi:10.1613/jair.1.12125): the usual
probability of a label is the mean of it over the recordings that carry it. A recording is a suspect
where the other label's probability is at least usual for those that carry that other label. Its
score is how far the other label's probability exceeds the usual, plus how far its own label's falls
short (the margin of their code, cleanlab). So in a class that was hardly learned, nobody's score is
high.

Probabilities of a network that weighs rare classes up are too high for these, and by other amounts
in each class, so they are brought to scale first (`evaluation.calibration`, Platt). Not judged is a
class with fewer than ten recordings of either label, or with a coefficient of discrimination below
.1 (Tjur 2009, doi:10.1198/tast.2009.08210): mean probability of those with the label less that of
those without, which is also the least score that a suspect of the class can have.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgpipe.evaluation import calibration
from ecgpipe.evaluation.metrics import FEW
from ecgpipe.report.templates import number

TOLD_APART = 0.1
COLUMNS = ["row", "column", "label", "probability", "score"]


class LabelErrors(NamedTuple):
    """`suspects`: row, column (of the arrays), label, calibrated probability of the class, score,
    highest first; `unjudged`: column -> why the class was not judged."""

    suspects: pd.DataFrame
    unjudged: dict[int, str]


def find(labels: NDArray, probabilities: NDArray) -> LabelErrors:
    """Suspects among [recording, class]: labels 1, 0 or NaN (not annotated), out-of-fold
    probabilities of 1."""
    scaled = calibration.fit(labels, probabilities, "platt").apply(probabilities)
    rows, unjudged = [], {}
    for column in range(labels.shape[1]):
        known = np.flatnonzero(~np.isnan(labels[:, column]))
        truth, probability = labels[known, column], scaled[known, column]
        why = _unjudged(truth, probability)
        if why:
            unjudged[column] = why
            continue
        excess, score = margins(truth, probability)
        for place in np.flatnonzero(excess >= 0):
            label = int(truth[place])
            rows.append((known[place], column, label, probability[place], score[place]))
    suspects = pd.DataFrame(rows, columns=COLUMNS)
    suspects = suspects.sort_values("score", ascending=False, kind="stable", ignore_index=True)
    return LabelErrors(suspects, unjudged)


def _unjudged(truth: NDArray, probability: NDArray) -> str:
    """Why a class is not judged, '' where it is; both [recording], the annotated ones."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if min(positives, negatives) < FEW:
        return f"{positives} with it, {negatives} without; {FEW} of each are needed"
    with_it, without = probability[truth == 1].mean(), probability[truth == 0].mean()
    if with_it - without < TOLD_APART:
        return (
            f"hardly told apart, mean probability {number(with_it)} with it and "
            f"{number(without)} without"
        )
    return ""


def margins(truth: NDArray, probability: NDArray) -> tuple[NDArray, NDArray]:
    """Of one class, both [recording]: how far the other label's probability exceeds what is usual
    for that label, and the same plus how far the own label's falls short. `truth` 1 or 0,
    `probability` that of 1."""
    own = np.where(truth == 1, probability, 1 - probability)
    # [label]: the mean probability of label 0 over those that carry it, and of label 1.
    usual = np.array([(1 - probability)[truth == 0].mean(), probability[truth == 1].mean()])
    label = truth.astype(int)
    excess = (1 - own) - usual[1 - label]
    return excess, excess + usual[label] - own
