"""Suspicious entries, on the counts of the public recordings and on counts made up."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgpipe.audit import prevalence
from ecgpipe.diagnoses import classes, vocabularies

SIZES = {
    "CPSC2018": 6877,
    "CPSC2018-Extra": 3453,
    "INCART": 74,
    "PTB": 516,
    "PTB-XL": 21837,
    "Georgia": 10344,
    "Chapman-Shaoxing": 10247,
    "Ningbo": 34905,
}
# Positives in the public recordings of the CinC Challenge 2021 (its dx_mapping_scored.csv); None:
# not annotated.
PUBLIC = {
    "164889003": [1221, 153, 2, 15, 1514, 570, 1780, 0],
    "164890007": [None, 54, None, 1, 73, 186, 445, 7615],
    "270492004": [722, 106, None, None, 797, 769, 247, 893],
    "10370003": [None, 3, None, None, 296, 0, None, 1182],
    "365413008": [None, None, None, None, None, None, None, 638],
    "426627000": [None, 271, 11, None, None, 6, None, 7],
    "426177001": [None, 45, None, None, 637, 1677, 3889, 12670],
}


@pytest.fixture
def public():
    rows = []
    for code, counts in PUBLIC.items():
        (diagnosis,) = classes.select([code])
        about = [code, diagnosis.abbreviation, diagnosis.name]
        for (source, size), count in zip(SIZES.items(), counts, strict=True):
            positives = np.nan if count is None else count
            rows.append([source, *about, size, positives])
    return judged(rows)


def judged(rows):
    """Rows as `prevalence.count` makes them, judged."""
    return prevalence.judge(pd.DataFrame(rows, columns=prevalence.COUNTED))


def verdicts(entries, abbreviation):
    rows = entries[entries["abbreviation"] == abbreviation]
    return {row["source"]: row["verdict"] for _, row in rows.iterrows() if row["verdict"]}


def test_ningbos_fibrillation_and_flutter_are_found_in_the_public_counts(public):
    assert verdicts(public, "AF") == {"Ningbo": "few"}
    assert verdicts(public, "AFL")["Ningbo"] == "many"
    assert verdicts(public, "AFL").keys() == {"Ningbo", "PTB-XL"}
    assert verdicts(public, "IAVB") == {}
    first = prevalence.suspicious(public).iloc[0]
    assert (first["source"], first["abbreviation"]) == ("Ningbo", "AFL")
    for code in ("164889003", "164890007"):
        entry = public[(public["source"] == "Ningbo") & (public["code"] == code)].iloc[0]
        text = prevalence.explain(entry, "Ningbo", ["AF"], [])
        assert "native label `AF` is atrial flutter" in text
        assert "10.1038/s41597-020-0386-x" in text


def test_what_is_known_agrees_with_our_table_of_native_labels():
    for name in ("Ningbo", "Chapman-Shaoxing"):
        vocabulary = vocabularies.vocabulary(name)
        assert vocabulary["AF"] == {"164890007"}
        assert vocabulary["AFIB"] == {"164889003"}
    for name, code in prevalence.KNOWN:
        assert any(code in codes for codes in vocabularies.vocabulary(name).values())


def test_the_expectation_is_the_median_share_of_the_sisters(public):
    entry = public[(public["source"] == "Ningbo") & (public["code"] == "164889003")].iloc[0]
    shares = [n / size for n, size in zip(PUBLIC["164889003"], SIZES.values(), strict=True)][:-1]
    assert entry["expected"] == pytest.approx(34905 * np.median(shares))
    assert entry["sisters"] == 7
    assert (entry["lowest"], entry["highest"]) == pytest.approx((2 / 74, 1221 / 6877))


def test_a_class_that_one_source_alone_annotates_is_not_judged(public):
    assert verdicts(public, "PRWP") == {"Ningbo": "not judged"}
    blank = public[public["positives"].isna()]
    assert len(blank)
    assert blank["expected"].isna().all()
    assert set(blank["verdict"]) == {""}


def test_a_source_too_small_to_tell_is_no_sister():
    rows = [
        ["a", "1", "X", "x", 1000, 0],
        ["b", "1", "X", "x", 1000, 100],
        ["c", "1", "X", "x", 19, 5],
    ]
    assert list(judged(rows)["verdict"]) == ["not judged", "not judged", ""]


@pytest.mark.parametrize(
    ("counts", "verdict"), [((2, 30, 30), "few"), ((8, 30, 30), ""), ((200, 30, 30), "many")]
)
def test_five_times_is_the_bound(counts, verdict):
    rows = [[name, "1", "X", "x", 1000, n] for name, n in zip("abc", counts, strict=True)]
    assert judged(rows)["verdict"].iloc[0] == verdict


def test_small_numbers_are_no_finding():
    rows = [
        ["a", "1", "X", "x", 111, 10],
        ["b", "1", "X", "x", 27, 0],
        ["c", "1", "X", "x", 43, 3],
        ["d", "1", "X", "x", 37, 0],
    ]
    assert set(judged(rows)["verdict"]) == {""}


@given(st.integers(0, 40), st.integers(1, 500), st.integers(0, 40), st.integers(1, 500))
def test_the_chance_is_a_tail_of_the_binomial_law(positives, recordings, others, other_recordings):
    together, share = positives + others, recordings / (recordings + other_recordings)
    each = [
        math.comb(together, k) * share**k * (1 - share) ** (together - k)
        for k in range(together + 1)
    ]
    expected = min(sum(each[: positives + 1]), sum(each[positives:]))
    chance = prevalence.rates_chance(positives, recordings, others, other_recordings)
    assert chance == pytest.approx(expected, abs=1e-12)


def test_counts_leave_faulty_recordings_out_and_blank_what_is_not_annotated():
    table = pd.DataFrame(
        {
            "source": ["a", "a", "a", "b"],
            "fault": ["", "", "short: x", ""],
            "164889003": [1.0, 0.0, 1.0, np.nan],
        }
    )
    counted = prevalence.count(table, classes.select(["164889003"]))
    assert list(counted["recordings"]) == [2, 1]
    assert counted["positives"].iloc[0] == 1
    assert np.isnan(counted["positives"].iloc[1])


def test_other_entries_are_explained_by_where_to_look(public):
    entry = public[(public["source"] == "Georgia") & (public["code"] == "10370003")].iloc[0]
    assert "no recording does" in prevalence.explain(entry, "Georgia", ["pacing rhythm"], [])
    entry = public[(public["source"] == "Ningbo") & (public["code"] == "426627000")].iloc[0]
    (near,) = prevalence.neighbours_of(entry, public)
    assert near.startswith("SB, its neighbour, has 12,670 positives here")
    assert prevalence.explain(entry, "Ningbo", ["Brady"], [near]).endswith(near)
    assert "`Brady`" in prevalence.explain(entry, "Ningbo", ["Brady"], [])
    many = prevalence.explain({**entry, "verdict": "many"}, "Ningbo", ["Brady"], [])
    assert "a native label too many" in many
