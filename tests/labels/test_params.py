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
