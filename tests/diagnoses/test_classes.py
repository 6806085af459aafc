"""Outside oracles: the published facts, and the tables read afresh."""

import csv

import pytest

from ecgpipe.diagnoses import vocabularies
from ecgpipe.diagnoses.classes import is_annotated, of_columns, select

OFFICIAL = select("official")
STUDY = select("study")
REAL = [
    "CPSC2018",
    "CPSC2018-Extra",
    "INCART",
    "PTB",
    "PTB-XL",
    "Georgia",
    "Chapman-Shaoxing",
    "Ningbo",
    "SPH",
    "LUDB",
]
DEMO = ["sim-north", "sim-east", "sim-south", "sim-west"]


def annotated(source, classes):
    """Abbreviations of the classes that a source can say."""
    sayable = is_annotated(vocabularies.vocabulary(source), classes)
    return [diagnosis.abbreviation for diagnosis, yes in zip(classes, sayable, strict=True) if yes]


def test_the_official_26_classes_hold_30_codes_in_the_official_order():
    assert len(OFFICIAL) == 26
    assert sum(len(diagnosis.codes) for diagnosis in OFFICIAL) == 30
    assert " ".join(d.abbreviation for d in OFFICIAL) == (
        "AF AFL BBB Brady CLBBB/LBBB CRBBB/RBBB IAVB IRBBB LAD LAnFB LPR LQRSV LQT NSIVCB NSR "
        "PAC/SVPB PR PRWP PVC/VPB QAb RAD SA SB STach TAb TInv"
    )
    assert OFFICIAL[4].codes == ("733534002", "164909002")
    assert OFFICIAL[4].code == "733534002"


def test_the_study_has_17_classes_with_their_equivalents():
    assert " ".join(d.abbreviation for d in STUDY) == (
        "NSR SB TAb SA IRBBB STach RBBB AF TInv RAD LAnFB LAD AFL LBBB IAVB LQRSV PAC"
    )
    merged = {d.abbreviation: d.codes for d in STUDY if len(d.codes) > 1}
    assert merged == {
        "RBBB": ("59118001", "713427006"),
        "LBBB": ("164909002", "733534002"),
        "IAVB": ("270492004", "164947007"),
        "PAC": ("284470004", "63593006"),
    }


def test_complete_rbbb_is_rbbb_everywhere():
    for classes in (OFFICIAL, STUDY):
        assert [d for d in classes if "59118001" in d.codes] == [
            d for d in classes if "713427006" in d.codes
        ]


def test_the_studys_severities_are_the_official_ones():
    official = {code: d.severity for d in OFFICIAL for code in d.codes}
    for diagnosis in STUDY:
        assert {official[code] for code in diagnosis.codes} == {diagnosis.severity}, diagnosis


def test_own_classes_are_named_after_the_official_table():
    atrial, ischemia = select(["164889003|164890007", "429622005"])
    assert (atrial.abbreviation, atrial.name) == ("AF/AFL", "atrial fibrillation / atrial flutter")
    assert (atrial.severity, ischemia.severity, ischemia.name) == (0.0, None, "st depression")


@pytest.mark.parametrize("text", ["CLBBB", "LBBB", "CLBBB/LBBB", "CLBBB|LBBB", "733534002|LBBB"])
def test_each_way_to_write_an_official_class_names_all_its_codes_once(text):
    assert select([text])[0].codes == ("733534002", "164909002")


def test_ectopics_are_merged_on_demand_only():
    def with_pvc(classes):
        return next(d.codes for d in classes if "427172004" in d.codes)

    assert "164884008" not in with_pvc(OFFICIAL)
    assert with_pvc(select("official", merge_ectopics=True)) == (
        "427172004",
        "17338001",
        "164884008",
    )
    assert "PVC/VPB" not in annotated("PTB-XL", OFFICIAL)
    assert "PVC/VPB" in annotated("PTB-XL", select("official", merge_ectopics=True))
    with pytest.raises(
        ValueError, match=r"labels\.merge_ectopics: none of the chosen classes holds 427172004"
    ):
        select("study", merge_ectopics=True)


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ("cinc2020", "'cinc2020' is none of official, study"),
        ([], "no class chosen"),
        (["AFF"], "'AFF' is no SNOMED CT code"),
        (["164889004"], "'164889004' is no SNOMED CT code .* the last of which checks the others"),
        (["164889003", "1|164889003"], r"code 164889003 \(atrial fibrillation\) stands twice"),
        (["164889003|"], "'' is no SNOMED CT code"),
    ],
)
def test_bad_choices_are_named(choice, says):
    with pytest.raises(ValueError, match=says):
        select(choice)


def test_what_each_source_can_say():
    assert " ".join(annotated("CPSC2018", OFFICIAL)) == "AF CLBBB/LBBB CRBBB/RBBB IAVB NSR PAC/SVPB"
    assert [source for source in REAL if "PRWP" in annotated(source, OFFICIAL)] == ["Ningbo"]


def test_the_demos_sources_say_what_they_should():
    for source in ("sim-north", "sim-east", "sim-west"):
        assert len(annotated(source, STUDY)) == 17
    assert " ".join(annotated("sim-south", STUDY)) == "NSR SB TAb STach RBBB AF LBBB IAVB PAC"
    west, sph = vocabularies.vocabulary("sim-west"), vocabularies.vocabulary("SPH")
    # Statement 3 of the AHA, an abnormal ECG, is one that SPH itself never makes.
    assert all(west[label] == sph[label] for label in west if label != "3")
    for source in DEMO:
        assert not any("," in label for label in vocabularies.vocabulary(source))


def test_the_shipped_vocabularies_are_well_formed():
    with vocabularies.NATIVE_LABELS.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["source"] for row in rows} == {*REAL, *DEMO}
    assert set(vocabularies.vocabularies()) == {*REAL, *DEMO}
    assert len({tuple(row.values()) for row in rows}) == len(rows)
    assert all(vocabularies.vocabulary(source) for source in REAL)


@pytest.mark.parametrize("choice", ["official", "study", ["164889003", "63593006", "49436004"]])
def test_columns_are_named_as_the_list_that_they_come_from_and_never_alike(choice):
    chosen = select(choice)
    named = of_columns([diagnosis.code for diagnosis in chosen])
    abbreviations = [diagnosis.abbreviation for diagnosis in named]
    assert len(set(abbreviations)) == len(abbreviations)
    if isinstance(choice, str):
        assert abbreviations == [diagnosis.abbreviation for diagnosis in chosen]
    else:
        assert abbreviations == ["AF", "SVPB", "49436004"]


def test_a_code_that_stands_twice_names_its_column_itself():
    pvc, vpb = of_columns(["427172004", "17338001"])
    assert (pvc.abbreviation, vpb.abbreviation) == ("PVC/VPB", "VPB")
    first, second = of_columns(["164889003", "164889003"])
    assert first.abbreviation == second.abbreviation == "164889003"
