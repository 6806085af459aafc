"""Augmentations of a batch: time maps, gains and additions, each under a contract."""
