import pytest

from ecgpipe.labels import mapping
from ecgpipe.labels.params import LabelParams
from ecgpipe.project import params
from tests.fixtures.labelled import AF, RBBB


def test_params_choose_the_classes():
    labels = {"classes": ["164889003", "59118001|713427006"], "merge_ectopics": False}
    values = {"labels": {**labels, "unscored": "drop"}}
    chosen = mapping.chosen(params.section(LabelParams, values, "labels"))
    assert [diagnosis.code for diagnosis in chosen] == [AF, RBBB]
    with pytest.raises(ValueError, match=r"labels\.unscored: 'keep' or 'drop'"):
        params.section(LabelParams, {"labels": values["labels"] | {"unscored": "yes"}}, "labels")


@pytest.mark.parametrize(
    ("classes", "codes"),
    [
        ([164889003, 59118001], [("164889003",), ("59118001",)]),
        (["AF", "LBBB"], [("164889003",), ("733534002", "164909002")]),
        (["CLBBB/LBBB", "PVC"], [("733534002", "164909002"), ("427172004", "17338001")]),
        (["AF|AFL", 426783006], [("164889003", "164890007"), ("426783006",)]),
    ],
)
def test_classes_are_codes_as_text_or_numbers_and_abbreviations(classes, codes):
    values = {"labels": {"classes": classes, "merge_ectopics": False, "unscored": "drop"}}
    chosen = mapping.chosen(params.section(LabelParams, values, "labels"))
    assert [diagnosis.codes for diagnosis in chosen] == codes


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (
            ["AFF"],
            r"'AFF' is no SNOMED CT code .* and no abbreviation .*; did you mean 'AF'\?$",
        ),
        (
            ["Pacemaker"],
            "'Pacemaker' is no SNOMED CT code .* and no abbreviation of the official list$",
        ),
        (["LBBB", "CLBBB"], r"code 733534002 \(.*\) stands twice; a code belongs to one class"),
        ([164889004], "'164889004' is no SNOMED CT code"),
        ("AF", r"'AF' is none of official, study; or give a list, such as \[AF\]"),
        ([1.5], r"labels\.classes\.0: text; put it in quotes \(found 1\.5\)"),
        ([True], r"labels\.classes\.0: text; put it in quotes \(found True\)"),
        (3, r"labels\.classes: text; put it in quotes or a list \(found 3\)"),
    ],
)
def test_what_is_no_class_is_told_with_how_classes_are_written(classes, told):
    values = {"labels": {"classes": classes, "merge_ectopics": False, "unscored": "drop"}}
    with pytest.raises(ValueError, match=told):
        mapping.chosen(params.section(LabelParams, values, "labels"))
