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

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ecgpipe.evaluation.params import Method

BINS = 10
# Probabilities are written with seven digits: nearer to 0 or 1 is not known.
LEAST = 1e-7
STEEPEST = 20.0
# Of Newton's method: how many steps, and the step below which it has arrived.
_STEPS = 100
_SMALLEST = 1e-10


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


def fit(labels: NDArray, probabilities: NDArray, method: Method) -> Scaling:
    """The scaling of [row, class]: labels 1, 0 or NaN. A class without positives or without
    negatives stays as it is.

    The slope lies within 1/20 and 20: a class whose probabilities fall where they should rise is
    flattened, not turned.
    """
    classes = labels.shape[1]
    slope, shift = np.ones(classes), np.zeros(classes)
    if method == "none":
        return Scaling(slope, shift)
    logits = logit(probabilities)
    for index in range(classes):
        annotated = ~np.isnan(labels[:, index])
        truth = labels[annotated, index]
        if 0 < truth.sum() < len(truth):
            slope[index], shift[index] = _fitted(truth, logits[annotated, index], method == "platt")
    return Scaling(slope, shift)


def _fitted(truth: NDArray, logits: NDArray, shifted: bool) -> tuple[float, float]:
    """Slope and shift of one class. Where the best slope lies outside its bounds, the shift is
    fitted at the bound."""
    positives = truth.sum()
    negatives = len(truth) - positives
    target = np.where(truth == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    ones = np.ones_like(logits)
    design = np.stack([logits, ones] if shifted else [logits])
    weights = _newton(design, target, np.zeros(len(logits)), np.eye(len(design))[0])
    slope = float(np.clip(weights[0], 1 / STEEPEST, STEEPEST))
    if slope != weights[0] and shifted:
        weights = np.append(slope, _newton(ones[None], target, slope * logits, np.zeros(1)))
    return slope, float(weights[1]) if shifted else 0.0


def _newton(
    design: NDArray, target: NDArray, offset: NDArray, start: NDArray
) -> NDArray[np.float64]:
    """Weights of the rows of `design` [weight, row] of least log loss, by Newton's method; a step
    that does not lower the loss, which is convex, is halved. `offset` [row] is added to the
    logits."""
    weights, loss = start.astype(np.float64), _loss(start @ design + offset, target)
    for _ in range(_STEPS):
        probability = special.expit(weights @ design + offset)
        gradient = design @ (probability - target)
        hessian = (design * (probability * (1 - probability))) @ design.T
        # Far out the curvature vanishes.
        ridge = (1e-9 * np.trace(hessian) + 1e-12) * np.eye(len(weights))
        step = np.linalg.solve(hessian + ridge, gradient)
        lower = _loss((weights - step) @ design + offset, target)
        while lower > loss and np.abs(step).max() > _SMALLEST:
            step = step / 2
            lower = _loss((weights - step) @ design + offset, target)
        if np.abs(step).max() <= _SMALLEST:
            break
        weights, loss = weights - step, lower
    return weights


def _loss(logits: NDArray, target: NDArray) -> float:
    return float((np.logaddexp(0, logits) - target * logits).sum())


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
