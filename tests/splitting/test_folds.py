"""Groups and sources on the sides of a split, whatever the table: properties, and cases by hand."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.splitting import join, summary
from ecgpipe.splitting.folds import check_disjoint, split
from tests.fixtures.split_tables import recordings, split_params, stores


def fold_of(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["source"] + "/" + table["record"], table["fold"], strict=True))


@given(
    st.integers(0, 10_000),
    st.sampled_from([0, 15, 40]),
    st.sampled_from([0.0, 0.2]),
    st.integers(0, 10),
)
@settings(max_examples=25, deadline=None)
def test_no_group_is_torn_and_every_recording_has_one_place_whatever_the_order_of_rows(
    seed, patients, test, doubles
):
    table = recordings({"a": 40, "b": 25, "c": 25}, patients=patients, seed=seed)
    generator = np.random.default_rng(seed)
    table.loc[generator.choice(90, doubles), "digest"] = generator.choice(table["digest"], doubles)
    params = split_params(test_fraction=test, seed=seed)
    done, left_out = split(table, ["a", "b", "c"], params)
    assert len(left_out) == 0
    assert sorted(fold_of(done)) == sorted(table["source"] + "/" + table["record"])
    assert (done.groupby("group")["fold"].nunique() == 1).all()
    assert (done.groupby("digest")["fold"].nunique() == 1).all()
    known = done[done["patient"] != ""]
    assert (known.groupby(["source", "patient"])["fold"].nunique() <= 1).all()
    assert set(done["fold"]) == {"0", "1", "2"} | ({"test"} if test else set())
    shuffled = split(table.sample(frac=1, random_state=seed), ["c", "a", "b"], params)[0]
    pd.testing.assert_frame_equal(shuffled[list(done.columns)], done)


def test_recordings_with_a_fault_a_refusal_or_no_partner_are_left_out_and_listed():
    table = recordings({"a": 6, "b": 3})
    stored = stores(table)
    refused = pd.DataFrame([["00001", "g1/00001.hea", "flat", "g1/00001.hea: all leads are flat"]])
    refused.columns = ["record", "path", "reason", "message"]
    index = stored["a"].index
    extra = pd.DataFrame({"record": ["99"], "digest": ["n"]})
    index = pd.concat([index[~index["record"].isin(["00001", "00002"])], extra])
    stored["a"] = join.StoreTables(index, refused)
    labels = table.drop(columns="digest")
    labels.loc[0, "fault"] = "header: no age line"
    kept, left_out = join.join(labels, stored)
    assert kept["record"].tolist() == ["00003", "00004", "00005", "00000", "00001", "00002"]
    assert left_out.values.tolist() == [
        ["a", "00000", "00000.hea", "label-map", "header: no age line"],
        ["a", "00001", "g1/00001.hea", "preprocess", "flat: g1/00001.hea: all leads are flat"],
        ["a", "00002", "00002.hea", "preprocess", "missing: no signal is stored"],
        ["a", "99", "", "label-map", "missing: no row in data/labels/labels.csv"],
    ]
    done, _ = split(kept, ["a", "b"], split_params())
    counted = summary.summary(done, left_out, split_params())["left_out"]
    numbers = {"flat": 1, "header": 1, "missing": 2}
    assert counted == {reason: {"recordings": number} for reason, number in numbers.items()}


def test_whole_sources_are_dealt_largest_first_to_the_emptiest_fold():
    table = recordings({"a": 4, "b": 9, "c": 5, "d": 3})
    done, left_out = split(table, list("abcd"), split_params(folds=[0, 1], protocol="source"))
    assert done.groupby("source")["fold"].unique().map(list).to_dict() == {
        "a": ["1"],
        "b": ["0"],
        "c": ["1"],
        "d": ["0"],
    }
    assert len(left_out) == 0


def test_leave_one_source_out_has_one_source_in_each_fold_and_its_test_source_apart():
    table = recordings({"a": 4, "b": 9, "c": 5, "d": 3})
    params = split_params(protocol="source", test_sources=["d"])
    done, _ = split(table, list("abcd"), params)
    assert (done.groupby("fold")["source"].nunique() == 1).all()
    assert set(done["source"][done["fold"] == "test"]) == {"d"}
    figures = summary.summary(done, pd.DataFrame(columns=join.LEFT_OUT, dtype=object), params)
    assert figures["deviation"] == {"class_by_source": None, "class": None, "fold_sizes": 1.25}


def test_folds_beyond_the_institutions_stay_unused_and_are_told(caplog):
    table = recordings({"a": 4, "b": 9, "c": 5})
    params = split_params(folds=[0, 1, 2, 3, 4], protocol="source", institutions=[["c", "a"]])
    with caplog.at_level(logging.WARNING):
        done, left_out = split(table, list("abc"), params)
    assert "institutions are fewer than folds; 2, 3, 4 stay unused" in caplog.text
    assert {fold: set(rows["source"]) for fold, rows in done.groupby("fold")} == {
        "0": {"a", "c"},
        "1": {"b"},
    }
    figures = summary.summary(done, left_out, params)
    assert list(figures["parts"]) == ["0", "1"]
    assert figures["deviation"]["fold_sizes"] == 0


def test_a_single_institution_cannot_be_held_out():
    table = recordings({"a": 4, "b": 9, "c": 5})
    with pytest.raises(
        ValueError, match=r"needs 2 at least, found \[c\]; add another to data.sources"
    ):
        split(table, list("abc"), split_params(protocol="source", test_sources=["a", "b"]))
    with pytest.raises(
        ValueError, match=r"needs 2 at least, found \[a, b, c\]; .*edit split.institutions"
    ):
        split(table, list("abc"), split_params(protocol="source", institutions=[["a", "b", "c"]]))


@given(
    st.lists(st.integers(1, 12), min_size=6, max_size=6),
    st.permutations(list("abcdef")),
    st.integers(1, 5),
    st.integers(2, 5),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_an_institution_stands_in_one_part_with_every_recording_and_doubles_of_its_own(
    sizes, order, cut, folds, tested
):
    together = [order[:cut], order[cut : cut + 2]]
    table = recordings(dict(zip("abcdef", sizes, strict=True)))
    firsts = table.groupby("source").head(1)
    table.loc[firsts.index[firsts["source"].isin(together[0])], "digest"] = "the same"
    params = split_params(
        folds=list(range(folds)),
        protocol="source",
        institutions=together,
        test_sources=together[0] if tested else [],
    )
    if len(order[cut + 2 :]) + (len(together[1]) > 0) + (not tested) < 2:
        with pytest.raises(ValueError, match="needs 2 at least"):
            split(table, list("abcdef"), params)
        return
    done, left_out = split(table, list("abcdef"), params)
    assert len(left_out) == 0
    assert len(done) == len(table)
    for names in together:
        assert done["fold"][done["source"].isin(names)].nunique() == (1 if names else 0)
    used = sorted(set(done["fold"]) - {"test"})
    assert used == [str(fold) for fold in range(len(used))]
    assert ("test" in set(done["fold"])) == tested


@pytest.mark.parametrize("protocol", ["stratified", "source"])
def test_a_part_of_an_institution_is_no_test_part(protocol):
    table = recordings({"a": 9, "b": 9, "c": 9, "d": 9})
    params = split_params(protocol=protocol, test_sources=["a"], institutions=[["a", "b"]])
    with pytest.raises(
        ValueError,
        match=r"institution \[a, b\] is to be tested whole .* b is not named; name all of it",
    ):
        split(table, list("abcd"), params)
    without = table[table["source"] != "b"]
    done, _ = split(without, list("acd"), params.model_copy(update={"folds": [0, 1]}))
    assert set(done["source"][done["fold"] == "test"]) == {"a"}


def test_institutions_change_nothing_under_protocol_stratified():
    table = recordings({"a": 20, "b": 20}, seed=4)
    plain = split(table, ["a", "b"], split_params(test_fraction=0.2))[0]
    params = split_params(test_fraction=0.2, institutions=[["a", "b"]])
    together = split(table, ["a", "b"], params)[0]
    pd.testing.assert_frame_equal(plain, together)


def test_duplicates_across_sources_share_a_fold_when_stratified():
    table = recordings({"a": 40, "b": 40})
    table.loc[[40, 41, 42], "digest"] = table["digest"][[5, 6, 7]].to_numpy()
    folds = fold_of(split(table, ["a", "b"], split_params())[0])
    assert [folds[f"b/0000{n}"] for n in (0, 1, 2)] == [folds[f"a/0000{n}"] for n in (5, 6, 7)]


def test_duplicates_across_sources_are_left_out_beyond_their_first_source_under_protocol_source():
    table = recordings({"a": 5, "b": 5, "c": 5})
    table.loc[[6, 11], "digest"] = "a-1"
    table.loc[[11, 12], "patient"] = "7"
    done, left_out = split(table, list("abc"), split_params(protocol="source"))
    assert left_out.values.tolist() == [
        ["b", "00001", "00001.hea", "split", "duplicate of a/00001"],
        ["c", "00001", "00001.hea", "split", "duplicate of a/00001"],
        ["c", "00002", "00002.hea", "split", "same-patient as a duplicate: a/00001"],
    ]
    assert len(done) == 12
    assert summary.summary(done, left_out, split_params(protocol="source"))["left_out"] == {
        "duplicate": {"recordings": 2},
        "same-patient": {"recordings": 1},
    }


@pytest.mark.parametrize("protocol", ["stratified", "source"])
def test_test_sources_are_the_whole_test_part_and_keep_the_duplicates(protocol, caplog):
    table = recordings({"a": 30, "b": 30, "z": 10})
    table.loc[0, "digest"] = "z-3"
    params = split_params(folds=[0, 1], protocol=protocol, test_sources=["z"], test_fraction=0.3)
    with caplog.at_level(logging.WARNING):
        done, left_out = split(table, ["a", "b", "z"], params)
    assert (
        "split.test_fraction is not applied: the test part is split.test_sources ['z']"
        in caplog.text
    )
    assert set(done["source"][done["fold"] == "test"]) == {"z"} == set(done["source"]) - {"a", "b"}
    assert (done["fold"][done["source"] == "z"] == "test").all()
    assert left_out.values.tolist() == [
        ["a", "00000", "00000.hea", "split", "duplicate of z/00003"]
    ]


def test_an_unknown_test_source_an_empty_fold_and_an_empty_test_part_are_errors():
    table = recordings({"a": 4, "b": 4})
    with pytest.raises(
        ValueError, match=r"split.test_sources: 'q' is not one of data.sources \['a', 'b'\]; add it"
    ):
        split(table, ["a", "b"], split_params(test_sources=["q"]))
    with pytest.raises(ValueError, match="leave no recording for the folds"):
        split(table, ["a", "b"], split_params(test_sources=["a", "b"]))
    with pytest.raises(
        ValueError,
        match=r"none of the 2 recordings in 2 groups falls to '[012]'; set fewer split.folds",
    ):
        split(table.iloc[:2], ["a", "b"], split_params())
    with pytest.raises(ValueError, match="falls to 'test'"):
        split(table, ["a", "b", "c"], split_params(test_sources=["c"]))


@pytest.mark.parametrize("protocol", ["stratified", "source"])
def test_train_sources_stand_in_no_fold_and_leave_those_of_the_others_as_they_are(protocol):
    table = recordings({"a": 30, "m": 20, "z": 30, "t": 9})
    params = split_params(folds=[0, 1], protocol=protocol, train_sources=["m"], test_sources=["t"])
    done, left_out = split(table, ["a", "m", "t", "z"], params)
    assert set(done["source"][done["fold"] == "train"]) == {"m"}
    assert set(done["fold"][done["source"] == "m"]) == {"train"}
    plain = params.model_copy(update={"train_sources": []})
    without = split(table[table["source"] != "m"], ["a", "t", "z"], plain)[0]
    assert fold_of(done[done["fold"] != "train"]) == fold_of(without)
    figures = summary.summary(done, left_out, params)
    assert list(figures["parts"]) == ["0", "1", "test", "train"]
    assert figures["parts"]["train"]["recordings"] == 20
    assert figures["deviation"] == summary.summary(without, left_out, plain)["deviation"]


@pytest.mark.parametrize("protocol", ["stratified", "source"])
def test_what_is_scored_is_left_out_of_train_sources_whatever_its_name(protocol):
    table = recordings({"a": 30, "m": 20, "z": 30, "t": 9})
    # The 6th to 8th recordings of m are one of a, of z and of t.
    table.loc[[35, 36, 37], "digest"] = table["digest"][[0, 52, 81]].to_numpy()
    params = split_params(folds=[0, 1], protocol=protocol, train_sources=["m"], test_sources=["t"])
    done, left_out = split(table, ["a", "m", "t", "z"], params)
    assert left_out[["source", "record", "reason"]].values.tolist() == [
        ["m", "00005", "duplicate of a/00000"],
        ["m", "00006", "duplicate of z/00002"],
        ["m", "00007", "duplicate of t/00001"],
    ]
    assert (done["fold"] == "train").sum() == 17


def test_a_part_of_an_institution_is_not_trained_on_while_another_is_held_out():
    table = recordings({"a": 9, "b": 9, "c": 9, "d": 9})
    params = split_params(protocol="source", train_sources=["a"], institutions=[["a", "b"]])
    fault = r"train_sources: institution \[a, b\] is to be trained on whole .* b is not named"
    with pytest.raises(ValueError, match=fault):
        split(table, list("abcd"), params)
    stratified = params.model_copy(update={"protocol": "stratified"})
    assert set(split(table, list("abcd"), stratified)[0]["fold"]) == {"0", "1", "2", "train"}


def test_an_unknown_train_source_and_nothing_but_train_sources_are_errors():
    table = recordings({"a": 4, "b": 4})
    with pytest.raises(ValueError, match=r"split.train_sources: 'q' is not one of data.sources"):
        split(table, ["a", "b"], split_params(train_sources=["q"]))
    with pytest.raises(ValueError, match="train_sources leave no recording for the folds"):
        split(table, ["a", "b"], split_params(test_sources=["a"], train_sources=["b"]))


def test_a_torn_group_is_named():
    table = pd.DataFrame({"group": ["a:1", "a:1", "b/2"], "fold": ["0", "test", "1"]})
    with pytest.raises(ValueError, match=r"group 'a:1' stands in \['0', 'test'\]"):
        check_disjoint(table)
    check_disjoint(table[1:])


def test_folds_may_be_text_as_dvc_passes_them():
    assert split_params(folds=["0", "1"]).parts == ["0", "1", "test"]
