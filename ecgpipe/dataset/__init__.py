"""Stores and folds to the tensors of a batch."""
