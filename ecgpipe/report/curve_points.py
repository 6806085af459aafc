"""The points of curves, as the plots draw them: ROC, precision-recall (both scikit-learn's),
calibration, co-occurrence, confusion."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgpipe.evaluation.calibration import reliability
from ecgpipe.evaluation.predictions import Predictions

POINTS = 200
Record = dict[str, Any]


def roc(predictions: Predictions, names: Sequence[str]) -> list[Record]:
    """Records `class, fpr, tpr` of each class that has positives and negatives, from (0, 0) to
    (1, 1)."""
    from sklearn.metrics import roc_curve

    records = []
    for name, truth, scores in _scorable(predictions, names):
        fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
        kept = _thin(fpr, tpr)
        points = zip(fpr[kept], tpr[kept], strict=True)
        records += [{"class": name, "fpr": x, "tpr": y} for x, y in points]
    return records


def precision_recall(predictions: Predictions, names: Sequence[str]) -> list[Record]:
    """Records `class, recall, precision` of each class that has positives and negatives, by rising
    recall.

    A step from the left is meant: a point's precision holds from the recall before it (first from
    0) up to its own.
    """
    from sklearn.metrics import precision_recall_curve

    records = []
    for name, truth, scores in _scorable(predictions, names):
        precision, recall, _ = precision_recall_curve(truth, scores)
        precision, recall = precision[::-1], recall[::-1]
        precision[0] = precision[1]  # scikit-learn has 1 at recall 0, where no recording stands
        kept = _thin(recall, precision)
        points = zip(recall[kept], precision[kept], strict=True)
        records += [{"class": name, "recall": x, "precision": y} for x, y in points]
    return records


def calibration(predictions: Predictions, names: Sequence[str]) -> list[Record]:
    """Records `class, probabilities, predicted, observed, recordings`: mean probability and share
    of positives in ten equal bins, of the probabilities `raw` (before calibration) and
    `calibrated`. The bins are those of the calibration error, each with its lower end;
    scikit-learn's have the upper end, and it does not say how many recordings lie in each."""
    records = []
    for index, name in enumerate(names):
        known = predictions.annotated[:, index]
        truth = predictions.labels[known, index]
        for kind, scores in (("raw", predictions.raw), ("calibrated", predictions.probabilities)):
            _, *bins = reliability(truth, scores[known, index])
            for x, y, n in zip(*bins, strict=True):
                record = {
                    "class": name,
                    "probabilities": kind,
                    "predicted": x,
                    "observed": y,
                    "recordings": int(n),
                }
                records.append(record)
    return records


def cooccurrence(predictions: Predictions) -> NDArray[np.float64]:
    """[class, class]: of recordings with class j (row), the share with class k (column) among those
    where both are annotated; NaN where there are none."""
    present = (predictions.labels == 1).astype(np.float64)
    annotated = predictions.annotated.astype(np.float64)
    counted = present.T @ annotated
    return np.divide(
        present.T @ present, counted, out=np.full(counted.shape, np.nan), where=counted > 0
    )


def confusion(predictions: Predictions) -> NDArray[np.float64]:
    """[class + 1, class + 1]: of recordings with class j (row), the share answered with class k
    (column).

    On the diagonal this is the sensitivity. Off the diagonal only recordings that truly lack k
    count, so that every such cell is a share of errors. The last row holds recordings without any
    of the classes, the last column the share answered with no class at all. Entries not annotated
    count nowhere; NaN where no recording counts. (The idea of a "none" row and column is that of
    the multi-label confusion matrix, Heydarian et al. 2022, doi:10.1109/ACCESS.2022.3151048; its
    way of sharing a recording between cells is not used.)
    """
    present, absent = predictions.labels == 1, predictions.labels == 0
    answered = predictions.binary & predictions.annotated
    present_or_none = np.column_stack([present, ~present.any(axis=1)]).astype(np.float64)
    lacking = np.column_stack([absent, np.ones(len(absent))]).astype(np.float64)
    given = np.column_stack([answered, ~answered.any(axis=1)]).astype(np.float64)
    counted, wrong = present_or_none.T @ lacking, present_or_none.T @ (lacking * given)
    classes = np.arange(present.shape[1])
    counted[classes, classes] = present.sum(axis=0)
    wrong[classes, classes] = (present & answered).sum(axis=0)
    return np.divide(wrong, counted, out=np.full(counted.shape, np.nan), where=counted > 0)


def _scorable(
    predictions: Predictions, names: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """(name, labels, probabilities of the network) of each class that has positives and negatives,
    over the recordings where it is annotated."""
    for index, name in enumerate(names):
        known = predictions.annotated[:, index]
        truth = predictions.labels[known, index]
        if 0 < truth.sum() < len(truth):
            yield name, truth, predictions.raw[known, index]


def _thin(x: NDArray, y: NDArray) -> NDArray[np.int64]:
    """Indices of at most `POINTS` points of a curve, evenly along its length, both ends kept."""
    if len(x) <= POINTS:
        return np.arange(len(x))
    length = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    picked = np.searchsorted(length, np.linspace(0, length[-1], POINTS))
    return np.unique(np.append(np.minimum(picked, len(x) - 1)[:-1], len(x) - 1))
