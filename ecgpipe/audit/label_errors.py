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


class Found(NamedTuple):
    """`suspects`: row, column (of the arrays), label, calibrated probability of the class, score,
    highest first; `unjudged`: column -> why the class was not judged."""

    suspects: pd.DataFrame
    unjudged: dict[int, str]


def find(labels: NDArray, probabilities: NDArray) -> Found:
    """Suspects among [recording, class]: labels 1, 0 or NaN (not annotated), out-of-fold
    probabilities of 1."""
    scaled = calibration.fit(labels, probabilities, "platt").apply(probabilities)
    found, unjudged = [], {}
    for column in range(labels.shape[1]):
        known = np.flatnonzero(~np.isnan(labels[:, column]))
        truth, ones = labels[known, column], scaled[known, column]
        positives = int(truth.sum())
        if min(positives, len(truth) - positives) < FEW:
            unjudged[column] = (
                f"{positives} with it, {len(truth) - positives} without; {FEW} of each are needed"
            )
            continue
        means = ones[truth == 1].mean(), ones[truth == 0].mean()
        if means[0] - means[1] < TOLD_APART:
            unjudged[column] = (
                f"hardly told apart, mean probability {number(means[0])} with it and "
                f"{number(means[1])} without"
            )
            continue
        excess, score = margins(truth, ones)
        places = np.flatnonzero(excess >= 0)
        found += [
            (known[place], column, int(truth[place]), ones[place], score[place]) for place in places
        ]
    table = pd.DataFrame(found, columns=COLUMNS)
    return Found(
        table.sort_values("score", ascending=False, kind="stable", ignore_index=True), unjudged
    )


def margins(truth: NDArray, ones: NDArray) -> tuple[NDArray, NDArray]:
    """Of one class, both [recording]: how far the other label's probability exceeds what is usual
    for that label, and the same plus how far the own label's falls short. `truth` 1 or 0, `ones`
    the probability of 1."""
    own = np.where(truth == 1, ones, 1 - ones)
    usual = np.array([(1 - ones)[truth == 0].mean(), ones[truth == 1].mean()])
    mine = truth.astype(int)
    excess = (1 - own) - usual[1 - mine]
    return excess, excess + usual[mine] - own
