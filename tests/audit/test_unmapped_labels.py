"""Labels that no class counts, and the hints at the classes near to them."""

import numpy as np
import pandas as pd
import pytest

from ecgpipe.audit import unmapped_labels
from ecgpipe.diagnoses import classes
from ecgpipe.snomed import concepts

OFFICIAL = classes.select("official")


def test_ventricular_ectopics_are_near_pvc_until_they_are_merged():
    ectopics = {concepts.VENTRICULAR_ECTOPICS}
    hint = unmapped_labels.hint(ectopics, OFFICIAL)
    assert hint.startswith("near PVC/VPB: ")
    assert "labels.merge_ectopics: true" in hint
    merged = classes.select("official", merge_ectopics=True)
    assert unmapped_labels.hint(ectopics, merged) == ""
    assert unmapped_labels.hint(ectopics, classes.select(["164889003"])) == ""


@pytest.mark.parametrize(
    ("code", "chosen"), [("733534002", "164909002"), ("63593006", "284470004")]
)
def test_an_equivalent_code_left_out_of_ones_own_list_is_named(code, chosen):
    hint = unmapped_labels.hint({code}, classes.select([chosen]))
    assert "the official list counts" in hint
    assert chosen in hint
    assert unmapped_labels.hint({code}, OFFICIAL) == ""


def test_a_code_near_to_nothing_has_no_hint():
    assert unmapped_labels.hint({"164873001"}, OFFICIAL) == ""
    assert unmapped_labels.hint((), OFFICIAL) == ""


def test_labels_are_listed_by_source_kind_and_number():
    report = {
        "sources": {
            "a": {
                "unscored": {"x": 9, "y": 2},
                "unknown": {"z": 5},
                "did_you_mean": {"z": "zz"},
                "outside_vocabulary": {"164889003 af": 1},
            },
            "b": {"unscored": {}},
        }
    }
    meanings = {"a": {"y": {concepts.VENTRICULAR_ECTOPICS}, "164889003 af": {"164889003"}}}
    rows = unmapped_labels.listed(report, meanings, OFFICIAL)
    assert rows[["label", "recordings", "kind"]].to_numpy().tolist() == [
        ["x", 9, "unscored"],
        ["y", 2, "unscored"],
        ["164889003 af", 1, "outside_vocabulary"],
        ["z", 5, "unknown"],
    ]
    assert rows["hint"].iloc[1].startswith("near PVC/VPB")
    assert rows["hint"].iloc[2].startswith("a code of AF: ")
    assert rows["hint"].iloc[3] == "did you mean 'zz'?"


def test_the_relatives_are_codes_of_the_official_list():
    known = {code for diagnosis in OFFICIAL for code in diagnosis.codes}
    assert {relative for relative, _ in unmapped_labels.RELATIVES.values()} <= known


def test_a_class_nobody_annotates_is_named():
    entries = pd.DataFrame(
        {"abbreviation": ["AF", "AF", "LPR", "LPR"], "positives": [0, np.nan, np.nan, np.nan]}
    )
    assert unmapped_labels.unsaid(entries) == ["LPR"]
