"""Settings of the split that cannot be met are refused."""

import pytest

from ecgpipe.project import params
from ecgpipe.splitting.params import SplitParams


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"folds": [0]}, r"split.folds: .*must be 0, 1, ..., K-1 .*found \[0\]"),
        ({"folds": [1, 2]}, "split.folds: .*must be 0, 1, ..., K-1"),
        ({"folds": ["0", "2"]}, "split.folds: .*must be 0, 1, ..., K-1"),
        ({"protocol": "random"}, "split.protocol: .*'stratified' or 'source'.*found 'random'"),
        ({"test_fraction": 0.6}, "split.test_fraction: 0.5 or less"),
        ({"test_sources": ["a", "a"]}, "split.test_sources: .*each source once"),
        ({"train_sources": ["a", "a"]}, "split.train_sources: .*each source once"),
        (
            {"test_sources": ["b", "a"], "train_sources": ["a"]},
            "split: test_sources and train_sources both name a",
        ),
        ({"institutions": [["a", "b"], ["b"]]}, "split.institutions: .*in one institution at most"),
        (
            {"institutions": [["a", "a"]]},
            "split.institutions: .*in one institution at most, and once",
        ),
        ({"institutions": ["a"]}, "split.institutions.0: a list .*found 'a'"),
        ({"seed": -1}, "split.seed: 0 or more"),
        ({"fold": 5}, "split.fold: no such setting"),
    ],
)
def test_params_refuse_what_would_not_make_folds(change, text):
    values = {"folds": [0, 1], "protocol": "stratified", "test_fraction": 0, "seed": 0}
    values |= {"test_sources": [], "institutions": []}
    assert params.section(SplitParams, {"split": values}, "split").parts == ["0", "1", "test"]
    with pytest.raises(ValueError, match=text):
        params.section(SplitParams, {"split": {**values, **change}}, "split")
