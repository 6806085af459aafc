"""Examples read from a small project."""

import pytest

from ecgpipe.dataset import examples
from ecgpipe.project import tables


@pytest.fixture
def loaded(split_project):
    table = tables.read(split_project / "data/folds/folds.csv")
    stores = examples.open_stores(["a", "b"])
    return table, stores, examples.examples(table, stores)
