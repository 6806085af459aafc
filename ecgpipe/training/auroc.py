"""The AUROC of validation while training, apart from the scores that evaluate reports.

It is the share of pairs of a positive and a negative in which the positive has the higher
probability, ties counting half: the statistic U of Mann and Whitney (1947,
doi:10.1214/aoms/1177730491), scaled to 0..1. Written out here because the libraries that have it
take a second and more to import in each process that trains.
"""

import torch


def auroc(positive: torch.Tensor, probability: torch.Tensor) -> float:
    """The AUROC of one class: bool and float [row]; there are positives and negatives."""
    _, inverse, counts = torch.unique(probability, return_inverse=True, return_counts=True)
    last = counts.cumsum(dim=0).double()  # the rank of the last of those that are tied
    ranks = (last - (counts - 1) / 2.0)[inverse]  # from 1, the mean of those that are tied
    positives = int(positive.sum())
    negatives = len(positive) - positives
    least = positives * (positives + 1) / 2.0  # the sum of ranks of positives below all negatives
    return float((ranks[positive].sum() - least) / (positives * negatives))
