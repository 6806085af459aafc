"""Figures of a split, and the columns of its table."""

import numpy as np
import pytest

from ecgpipe.project import tables
from ecgpipe.splitting import summary
from ecgpipe.splitting.folds import split
from tests.fixtures.split_tables import AF, CODES, recordings, split_params


def test_prevalence_counts_annotated_recordings_only_and_is_null_without_any():
    table = recordings({"a": 30, "b": 30}, seed=2)
    table.loc[table["source"] == "b", AF] = np.nan
    params = split_params(test_fraction=0.2)
    done, left_out = split(table, ["a", "b"], params)
    figures = summary.summary(done, left_out, params)
    assert list(figures["parts"]) == ["0", "1", "2", "test"]
    for part, held in figures["parts"].items():
        rows = done[(done["fold"] == part) & (done["source"] == "a")]
        assert held["prevalence"]["AF"] == pytest.approx(rows[AF].sum() / len(rows), abs=1e-6)
        assert held["prevalence"]["STach"] is None
    assert figures["deviation"]["class_by_source"] <= 2
    assert figures["deviation"]["class"] <= 3


def test_the_table_has_the_columns_of_folds_csv():
    done, _ = split(recordings({"a": 9}), ["a"], split_params())
    columns = list(summary.folds_table(done).columns)
    assert columns == [*tables.FOLDS_HEAD, *CODES, *tables.FOLDS_TAIL]
    written = ["path", "age", "gender", *CODES, "source", "record", "patient", "group", "fold"]
    assert columns == written
