import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import is_annotated, select
from ecgpipe.labels import mapping
from ecgpipe.project import tables
from ecgpipe.recordings.descriptions import Description
from ecgpipe.recordings.sources import Source
from tests.fixtures.labelled import (
    AF,
    CPSC,
    EAST,
    LUDB,
    NINGBO,
    NSR,
    OFFICIAL,
    PTB_XL,
    PVC,
    RBBB,
    SPH,
    STUDY,
    TAB,
    TINV,
    described,
)


def mapped(source, *labels, classes=STUDY, unscored="keep"):
    vocabulary = vocabularies.vocabulary(source.vocabulary)
    return mapping.map_source("a", described(*labels), source, vocabulary, classes, unscored)


def present(row):
    return {code for code in tables.class_codes(row.to_frame().T) if row[code] == 1}


def test_the_columns_are_those_of_the_table():
    table = mapped(CPSC, (AF,))
    assert list(table.columns) == [*tables.IDENTITY, *(d.code for d in STUDY)]
    identity = ["a", "R0", "R0.hea", "", 60, "F", 500, 5000, ""]
    assert table.iloc[0][: len(tables.IDENTITY)].tolist() == identity


def test_unannotated_is_blank_and_not_negative():
    row = mapped(CPSC, (AF,), classes=OFFICIAL).iloc[0]
    values = {d.abbreviation: row[d.code] for d in OFFICIAL}
    assert {name for name, value in values.items() if value == 1} == {"AF"}
    assert {name for name, value in values.items() if value == 0} == {
        "CLBBB/LBBB",
        "CRBBB/RBBB",
        "IAVB",
        "NSR",
        "PAC/SVPB",
    }
    assert sum(np.isnan(value) for value in values.values()) == 20


def test_equivalent_codes_are_one_class():
    table = mapped(PTB_XL, ("713427006",), ("59118001",), ("713427006", "59118001"))
    assert [present(row) for _, row in table.iterrows()] == [{RBBB}] * 3


def test_ectopics_count_as_pvc_on_demand():
    merged = select("official", merge_ectopics=True)
    assert np.isnan(mapped(CPSC, ("164884008",), classes=OFFICIAL)[PVC][0])
    assert mapped(CPSC, ("164884008",), (AF,), classes=merged)[PVC].tolist() == [1, 0]


def test_a_class_that_the_vocabulary_lacks_is_blank_even_where_a_recording_carries_it():
    table = mapped(CPSC, (AF, TAB), (AF,), (TAB,))
    assert table[TAB].isna().all()
    assert table["fault"].tolist() == ["", "", ""]
    assert mapped(CPSC, (AF, TAB), (TAB,), unscored="drop")["fault"].tolist() == ["", "unscored"]


@settings(deadline=None)
@given(
    st.sampled_from(["CPSC2018", "PTB", "Ningbo", "sim-south"]),
    st.lists(
        st.lists(st.sampled_from([code for d in OFFICIAL for code in d.codes]), min_size=1),
        min_size=1,
        max_size=6,
    ),
)
def test_a_class_is_annotated_in_every_row_of_a_source_or_in_none(vocabulary, labels):
    table = mapped(
        Source(form="wfdb", vocabulary=vocabulary, codes="snomed"),
        *map(tuple, labels),
        classes=OFFICIAL,
    )
    said = is_annotated(vocabularies.vocabulary(vocabulary), OFFICIAL)
    for diagnosis, annotated in zip(OFFICIAL, said, strict=True):
        assert (
            table[diagnosis.code].notna().all() == table[diagnosis.code].notna().any() == annotated
        )


def test_native_labels_are_words():
    table = mapped(
        EAST, ("first degree AV block", "sinus rhythm"), ("Sinus Rhythm", "atrial flutter")
    )
    assert present(table.iloc[0]) == {"270492004", NSR}
    assert present(table.iloc[1]) == {"164890007"}


@pytest.mark.parametrize(
    ("source", "good", "unknown"),
    [
        (CPSC, AF, "AFIB"),
        (CPSC, AF, "147"),
        (LUDB, NSR, "Rhythm: Sinus Rhythm"),
        (EAST, "sinus rhythm", "Sinus Rhythm"),
        (EAST, "sinus rhythm", AF),
        (SPH, "1", "normal"),
        (SPH, "1", AF),
        (SPH, "1", "147,367"),
    ],
)
def test_labels_that_nobody_understands_are_a_fault_and_no_negatives(source, good, unknown):
    table = mapped(source, (good,), (unknown, "other words"), (good, unknown), (good,))
    assert table["fault"].str.partition(":")[0].tolist() == ["", "unknown-labels", "", ""]
    assert table.loc[1, tables.class_codes(table)].isna().all()
    for text in (
        repr(unknown),
        "'other words'",
        source.vocabulary,
        "correct `codes` or the vocabulary",
    ):
        assert text in table["fault"][1]


@pytest.mark.parametrize(
    ("source", "label"), [(NINGBO, "106068003"), (SPH, "145"), (SPH, "145+310 + 346"), (CPSC, TAB)]
)
def test_a_diagnosis_that_the_vocabulary_lacks_is_one_all_the_same(source, label):
    table = mapped(source, (label,))
    assert table["fault"].tolist() == [""]
    assert (table.loc[0, [NSR, AF]] == 0).all()
    assert mapped(source, (label,), unscored="drop")["fault"].tolist() == ["unscored"]


def test_a_label_known_to_mean_no_class_is_known():
    ningbo = Source(form="wfdb", vocabulary="Ningbo", codes="native")
    assert mapped(ningbo, ("ARH",))["fault"].tolist() == [""]


def test_ludb_maps_alike_as_released_and_as_converted():
    released = ("Rhythm: Atrial fibrillation", "Complete right bundle branch block")
    converted = (AF, "713427006")
    table = mapped(LUDB, released, converted)
    assert [present(row) for _, row in table.iterrows()] == [{AF, RBBB}] * 2


def test_a_source_of_mostly_unknown_labels_is_a_wrong_entry():
    labels = [("AFIB",), ("SR",), ("SR",), (AF,), (AF,), (AF,), ()]
    assert mapped(CPSC, *labels)["fault"].str.startswith("unknown-labels").sum() == 3
    with pytest.raises(
        ValueError,
        match=r"source 'a': 3 of 5 labelled recordings .* 'AFIB' of record R0; .*found snomed",
    ):
        mapped(CPSC, *labels[:5])


def test_a_vocabulary_of_ones_own_lies_in_the_sources_folder(tmp_path):
    own = Source(form="wfdb", vocabulary="words/my.csv", codes="native")
    with pytest.raises(
        ValueError,
        match=r"words/my\.csv: no such vocabulary; put it there, into its source's folder",
    ):
        mapping.vocabulary(own, tmp_path)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "my.csv").write_text("native_label,snomed_ct\nflimmern,164889003\n")
    assert mapping.vocabulary(own, tmp_path) == {"flimmern": {AF}}
    assert mapping.vocabulary(EAST, tmp_path) == vocabularies.vocabulary("sim-east")


def test_a_label_that_would_be_taken_for_two_is_refused(tmp_path):
    """`block, left` was read as `block` and as `left`, which another class may be called."""
    own = EAST.model_copy(update={"vocabulary": "own.csv"})
    words = f'native_label,snomed_ct\n"block, left",{AF}\nblock,{AF}\n'
    (tmp_path / "own.csv").write_text(words)
    with pytest.raises(ValueError, match=r"own\.csv: label 'block, left': a comma separates .*;"):
        mapping.vocabulary(own, tmp_path)
    (tmp_path / "own.csv").write_text(words.replace(", left", " left"))
    assert set(mapping.vocabulary(own, tmp_path)) == {"block left", "block"}


@pytest.mark.parametrize(
    ("statements", "classes"),
    [
        (("60+310", "147"), {PVC, TAB}),
        (("147+367",), {TINV}),
        (("147+367", "147"), {TINV, TAB}),
        (("147+310+367",), {TINV}),
        (("147 + 367",), {TINV}),
        (("147+310",), {TAB}),
        (("1",), {NSR}),
        (("20", "50+346"), {NSR, AF}),
        (("147 +367", "014"), {TINV}),
        (("001", "050+346"), {NSR, AF}),
        (("14", "367"), set()),
        (("999+147",), set()),
        (("147+999", "1"), {NSR}),
    ],
)
def test_aha_statements_are_parsed(statements, classes):
    table = mapped(SPH, statements, ("1",), classes=select([NSR, AF, TAB, TINV, PVC]))
    assert present(table.iloc[0]) == classes


def test_a_recording_without_a_chosen_class_is_kept_as_absent_or_dropped():
    st_depression = ("429622005",)
    kept = mapped(CPSC, st_depression, (AF,), unscored="keep")
    dropped = mapped(CPSC, st_depression, (AF,), unscored="drop")
    assert kept["fault"].tolist() == ["", ""]
    assert (kept.iloc[0][["426783006", RBBB]] == 0).all()
    assert dropped["fault"].tolist() == ["unscored", ""]
    assert dropped.loc[0, tables.class_codes(dropped)].isna().all()


def test_a_recording_without_any_label_is_not_one_without_any_class():
    table = mapped(CPSC, (), (AF,))
    assert table["fault"][0].startswith("no-labels: ")
    assert "none in a line `#Dx: `" in table["fault"][0]
    assert table.loc[0, tables.class_codes(table)].isna().all()


def test_a_row_without_labels_is_told_with_its_table_and_column():
    columns = {"record": "id", "labels": "said"}
    entry = {"form": "h5", "vocabulary": "SPH", "codes": "aha", "rate_hz": 500, "table": "t.csv"}
    table = mapped(Source.model_validate(entry | {"columns": columns}), (), ("1",))
    assert "its row of t.csv has none in the column said" in table["fault"][0]


def test_a_fault_found_before_stays():
    fault = Description("R9", "R9.hea", fault="leads: R9.hea: missing V6")
    table = mapping.map_source(
        "a", [fault, *described((AF,))], CPSC, vocabularies.vocabulary("CPSC2018"), STUDY
    )
    assert table["fault"].tolist() == ["leads: R9.hea: missing V6", ""]
    assert table.loc[0, tables.class_codes(table)].isna().all()
    assert table.loc[0, "age":"samples"].replace("", np.nan).isna().all()


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([d.code for d in STUDY] + ["429622005", "106068003"]), min_size=1),
        min_size=1,
        max_size=8,
    )
)
def test_the_table_says_what_the_labels_say(labels):
    table = mapped(PTB_XL, *map(tuple, labels))
    for row, one in zip(table.itertuples(), labels, strict=True):
        assert present(table.loc[row.Index]) == {d.code for d in STUDY if set(d.codes) & set(one)}


def test_beside_a_label_that_nobody_understands_other_classes_are_blank():
    table = mapped(PTB_XL, (AF, "heart"), (AF,), ("heart",), (AF,))
    said = zip(STUDY, is_annotated(vocabularies.vocabulary("PTB-XL"), STUDY), strict=True)
    annotated = [one.code for one, yes in said if yes]
    assert table.loc[0, annotated].dropna().to_dict() == {AF: 1.0}
    assert table.loc[1, annotated].notna().all()
    assert table["fault"].str.partition(":")[0].tolist() == ["", "", "unknown-labels", ""]


@pytest.mark.parametrize(
    ("source", "good", "unknown"),
    [
        (PTB_XL, AF, "164889004"),
        (PTB_XL, AF, "999999"),
        (PTB_XL, AF, "49436004"),
        (PTB_XL, AF, "426783006.0"),
        (SPH, "50", "999"),
        (SPH, "50", "147+999"),
        (SPH, "50", "367"),
    ],
)
def test_beside_a_code_that_nobody_knows_other_classes_are_blank(source, good, unknown):
    table = mapped(source, (good, unknown), (good,), (unknown,), (good,))
    codes = tables.class_codes(table)
    assert table.loc[0, codes].dropna().to_dict() == {AF: 1.0}
    assert table["fault"].str.partition(":")[0].tolist() == ["", "", "unknown-labels", ""]
    with pytest.raises(ValueError, match=rf"2 of 3 labelled recordings .* '{re.escape(unknown)}'"):
        mapped(source, (good, unknown), (unknown,), (good,))


def test_a_code_of_the_chosen_classes_or_of_ones_own_vocabulary_is_known(tmp_path):
    rare = "49436004"
    assert mapped(PTB_XL, (rare,), classes=select([rare, AF]))["fault"].tolist() == [""]
    words = tmp_path / "own.csv"
    for code in ("", rare):
        words.write_text(f"native_label,snomed_ct\n{rare},{code}\nx,{AF}\n")
        own = vocabularies.vocabulary(words)
        table = mapping.map_source("a", described((rare,)), PTB_XL, own, select([AF]))
        assert table.loc[0, ["fault", AF]].tolist() == ["", 0]


def test_a_source_of_which_most_recordings_have_no_label_is_a_wrong_entry():
    assert mapped(CPSC, (AF,), ())["fault"].str.startswith("no-labels").sum() == 1
    says = "source 'a': 2 of 3 recordings state no diagnosis, the first is R1; write them into the"
    with pytest.raises(ValueError, match=says):
        mapped(CPSC, (AF,), (), ())
    lost = Description("R9", "R9.h5", fault="no-metadata: R9.h5: t.csv has no row")
    unread = Description("R8", "R8.h5", fault="leads: R8.h5: missing V6")
    own = vocabularies.vocabulary("CPSC2018")
    several = [*described((AF,)), unread, unread]
    assert len(mapping.map_source("a", [*several, lost], CPSC, own, STUDY)) == 4
    with pytest.raises(ValueError, match="2 of 3 recordings state no diagnosis"):
        mapping.map_source("a", [*several, lost, lost], CPSC, own, STUDY)


def test_an_unknown_label_is_told_with_the_entry_that_may_be_meant():
    faults = mapped(EAST, ("sinus rhythm",), ("Sinus  rhythm",))["fault"]
    assert "'Sinus  rhythm' (did you mean 'sinus rhythm'?): none is" in faults[1]
    with pytest.raises(ValueError, match=r"'SINUS RHYTHM' \(did you mean 'sinus rhythm'\?\)"):
        mapped(EAST, ("SINUS RHYTHM",))
