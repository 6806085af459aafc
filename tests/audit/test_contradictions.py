"""Contradicting pairs of labels, and the recordings that carry both."""

import pandas as pd
import pytest

from ecgpipe.audit import contradictions
from ecgpipe.diagnoses.classes import select

OFFICIAL = select("official")


def table(*rows, classes=OFFICIAL):
    """Rows of labels.csv that carry the abbreviations given."""
    columns = {
        diagnosis.code: [float(diagnosis.abbreviation in carried) for carried in rows]
        for diagnosis in classes
    }
    return pd.DataFrame(columns).assign(
        source="a", record=[f"r{number}" for number in range(len(rows))]
    )


def test_the_pairs_of_the_house_are_found_and_nothing_else():
    rows = table(
        {"AF", "NSR"},
        {"SB", "STach"},
        {"LAD", "RAD"},
        {"AF", "CRBBB/RBBB", "TAb"},
        {"AFL", "AF"},
    )
    pairs = contradictions.find(rows, OFFICIAL)
    assert pairs[["record", "one", "other"]].to_numpy().tolist() == [
        ["r0", "AF", "NSR"],
        ["r1", "SB", "STach"],
        ["r2", "LAD", "RAD"],
    ]
    assert pairs["labels"].tolist() == ["AF NSR", "SB STach", "LAD RAD"]
    assert (pairs["reason"] != "").all()


def test_three_labels_at_odds_make_three_pairs():
    assert len(contradictions.find(table({"NSR", "SB", "STach"}), OFFICIAL)) == 3


def test_equivalent_codes_count_as_their_class():
    pairs = contradictions.find(table({"CLBBB/LBBB", "CRBBB/RBBB"}), OFFICIAL)
    assert pairs[["one", "other"]].to_numpy().tolist() == [["CLBBB/LBBB", "CRBBB/RBBB"]]


def test_a_class_that_holds_both_codes_is_checked_once_and_not_against_itself():
    pairs = contradictions.chosen_pairs(select("study"))
    names = [(first.abbreviation, second.abbreviation) for first, second, _ in pairs]
    assert names.count(("AF", "IAVB")) == 1
    assert len(names) == len(set(names))
    assert contradictions.chosen_pairs(select(["426177001|427084000"])) == []


def test_a_blank_is_no_label():
    rows = table({"AF", "NSR"})
    rows["426783006"] = float("nan")
    assert contradictions.find(rows, OFFICIAL).empty


@pytest.mark.parametrize("pair", contradictions.PAIRS)
def test_every_code_of_the_pairs_is_an_official_one(pair):
    known = {code for diagnosis in OFFICIAL for code in diagnosis.codes}
    assert known >= {*pair.one, *pair.other}
