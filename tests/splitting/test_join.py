"""Labels and stores joined: what is in one alone is left out, with its reason."""

import pandas as pd
import pytest

from ecgpipe.splitting import join
from tests.fixtures.split_tables import recordings, stores


def test_equal_record_names_of_two_sources_stay_two_recordings():
    table = recordings({"cpsc": 3, "sph": 3})
    kept, left_out = join.join(table.drop(columns="digest"), stores(table))
    assert len(kept) == 6 and len(left_out) == 0
    assert kept["digest"].nunique() == 6


def test_a_source_that_the_params_do_not_list_and_a_double_row_are_named():
    table = recordings({"a": 3, "b": 3})
    labels, stored = table.drop(columns="digest"), stores(table)
    with pytest.raises(
        ValueError,
        match=r"source 'b' is not one of data.sources \['a'\]; run `dvc repro label-map`",
    ):
        join.join(labels, {"a": stored["a"]})
    with pytest.raises(ValueError, match=r"labels.csv: a/00000 stands twice"):
        join.join(pd.concat([labels, labels]), stored)


def test_a_missing_store_names_the_stage_to_run(tmp_path):
    with pytest.raises(
        ValueError, match=r"ptb-xl.index.csv is missing; run `dvc repro preprocess@ptb-xl` first"
    ):
        join.read_store(tmp_path / "ptb-xl")
