import numpy as np
import pandas as pd

from ecgpipe.evaluation import subgroups
from ecgpipe.project import paths
from tests.fixtures.sealed import write_sealed


def table():
    return pd.DataFrame(
        {
            "source": ["a", "a", "b", "b", "b"],
            "record": ["1", "2", "1", "3", "4"],
            "age": [0.5, 17.9, 18.0, np.nan, 101.0],
            "gender": ["F", "M", "", "F", "F"],
        }
    )


def test_every_recording_has_one_source_sex_and_age_band():
    masks = subgroups.masks(
        table(), np.array(["", "flat-lead", "flat-lead|saturated", "", ""], object)
    )
    for kind in ("source", "sex", "age"):
        np.testing.assert_array_equal(np.sum(list(masks[kind].values()), axis=0), np.ones(5))
    assert {name: mask.tolist() for name, mask in masks["age"].items()} == {
        "0-17": [True, True, False, False, False],
        "18-39": [False, False, True, False, False],
        "80+": [False, False, False, False, True],
        "unknown": [False, False, False, True, False],
    }
    assert masks["sex"].keys() == {"F", "M", "unknown"}


def test_a_recording_counts_for_each_of_its_flags_or_for_none():
    masks = subgroups.masks(
        table(), np.array(["", "flat-lead", "flat-lead|saturated", "", ""], object)
    )["flag"]
    assert {name: int(mask.sum()) for name, mask in masks.items()} == {
        "flat-lead": 2,
        "saturated": 1,
        "none": 3,
    }
    assert masks["saturated"].tolist() == [False, False, True, False, False]


def test_flags_come_from_the_stores_by_source_and_record(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, rows in (
        ("a", [("2", "x"), ("1", "")]),
        ("b", [("1", "y|z"), ("3", ""), ("4", ""), ("9", "q")]),
    ):
        write_sealed(
            pd.DataFrame(rows, columns=["record", "flags"]), paths.store(name) / "index.csv"
        )
    assert subgroups.read_flags(table()).tolist() == ["", "x", "y|z", "", ""]
