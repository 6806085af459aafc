"""Probabilities that mean what they say: per class a scale (and a shift) of the logit, fitted on
validation rows.

`temperature` divides the logit by a temperature of its class (Guo et al. 2017, arXiv:1706.04599).
`platt` also shifts it (Platt 1999, Probabilistic outputs for support vector machines), which a loss
that weighs positives needs: its probabilities are too high as a whole, and no temperature takes
that back. Both minimise the log loss over annotated rows, with Platt's targets (positives + 1) /
(positives + 2) and 1 / (negatives + 2), so that the fit is finite even where a score separates the
classes. Both keep the order within a class, up to ties within 1e-7 of 0 and 1.
"""

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

How = Literal["none", "temperature", "platt"]
BINS = 10
# Probabilities are written with seven digits: nearer to 0 or 1 is not known.
LEAST = 1e-7
_STEEPEST = 20.0
_STEPS = 100


@dataclasses.dataclass(frozen=True)
class Scaling:
    """p -> sigmoid(slope logit(p) + shift); `slope` and `shift` are [class], the temperature is 1 /
    slope."""

    slope: NDArray[np.float64]
    shift: NDArray[np.float64]

    def apply(self, probabilities: NDArray) -> NDArray[np.float64]:
        """Calibrated probabilities [row, class]."""
        if (self.slope == 1).all() and (self.shift == 0).all():
            return np.asarray(probabilities, np.float64)
        return special.expit(self.slope * logit(probabilities) + self.shift)


def logit(probabilities: NDArray) -> NDArray[np.float64]:
    """log(p / (1 - p)), p held within 1e-7 of 0 and 1."""
    held = np.clip(np.asarray(probabilities, np.float64), LEAST, 1 - LEAST)
    return np.log(held) - np.log1p(-held)


def fit(labels: NDArray, probabilities: NDArray, how: How) -> Scaling:
    """The scaling of [row, class]: labels 1, 0 or NaN. A class without positives or without
    negatives stays as it is.

    The slope lies within 1/20 and 20: a class whose probabilities fall where they should rise is
    flattened, not turned.
    """
    classes = labels.shape[1]
    slope, shift = np.ones(classes), np.zeros(classes)
    if how != "none":
        logits = logit(probabilities)
        for index in range(classes):
            known = ~np.isnan(labels[:, index])
            truth = labels[known, index]
            if 0 < truth.sum() < len(truth):
                slope[index], shift[index] = _fitted(truth, logits[known, index], how == "platt")
    return Scaling(slope, shift)


def _fitted(truth: NDArray, logits: NDArray, shifted: bool) -> tuple[float, float]:
    """Slope and shift of one class. Where the best slope lies outside its bounds, the shift is
    fitted at the bound."""
    positives = truth.sum()
    target = np.where(
        truth == 1, (positives + 1) / (positives + 2), 1 / (len(truth) - positives + 2)
    )
    ones = np.ones_like(logits)
    design = np.stack([logits, ones] if shifted else [logits])
    found = _newton(design, target, np.zeros(len(logits)), np.eye(len(design))[0])
    slope = float(np.clip(found[0], 1 / _STEEPEST, _STEEPEST))
    if slope != found[0] and shifted:
        found = np.append(slope, _newton(ones[None], target, slope * logits, np.zeros(1)))
    return slope, float(found[1]) if shifted else 0.0


def _newton(
    design: NDArray, target: NDArray, offset: NDArray, start: NDArray
) -> NDArray[np.float64]:
    """Weights of the rows of `design` [weight, row] of least log loss, by Newton's method; a step
    that does not lower the loss, which is convex, is halved. `offset` [row] is added to the
    logits."""
    found, loss = start.astype(np.float64), _loss(start @ design + offset, target)
    for _ in range(_STEPS):
        probability = special.expit(found @ design + offset)
        gradient = design @ (probability - target)
        hessian = (design * (probability * (1 - probability))) @ design.T
        ridge = (1e-9 * np.trace(hessian) + 1e-12) * np.eye(
            len(found)
        )  # far out the curvature vanishes
        step = np.linalg.solve(hessian + ridge, gradient)
        while (lower := _loss((found - step) @ design + offset, target)) > loss and np.abs(
            step
        ).max() > 1e-10:
            step = step / 2
        if np.abs(step).max() <= 1e-10:
            break
        found, loss = found - step, lower
    return found


def _loss(logits: NDArray, target: NDArray) -> float:
    return float((np.logaddexp(0, logits) - target * logits).sum())


def brier(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: mean squared difference of probability and label over annotated rows (Brier 1950,
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2); NaN where none is annotated."""
    known = ~np.isnan(labels)
    squares = np.where(known, probabilities - np.nan_to_num(labels), 0.0) ** 2
    count = known.sum(axis=0)
    return np.divide(
        squares.sum(axis=0), count, out=np.full(labels.shape[1], np.nan), where=count > 0
    )


def expected_error(labels: NDArray, probabilities: NDArray) -> NDArray[np.float64]:
    """[class]: expected calibration error over ten equal bins of probability: the mean of |share of
    positives - mean probability|, bins weighted by their annotated rows (Naeini et al. 2015,
    doi:10.1609/aaai.v29i1.9602)."""
    found = np.full(labels.shape[1], np.nan)
    for index in range(labels.shape[1]):
        known = ~np.isnan(labels[:, index])
        if known.any():
            _, predicted, observed, count = reliability(
                labels[known, index], probabilities[known, index]
            )
            found[index] = (np.abs(observed - predicted) * count).sum() / count.sum()
    return found


def reliability(
    truth: NDArray, probabilities: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Of the ten equal bins that hold a row: which, mean probability, share of positives, rows; all
    [bin]."""
    place = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    used = np.flatnonzero(count)
    predicted = np.bincount(place, probabilities, BINS)[used] / count[used]
    observed = np.bincount(place, truth, BINS)[used] / count[used]
    return used, predicted, observed, count[used]
