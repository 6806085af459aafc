"""Two runs on their common recordings, with the cells that both annotate alike."""

import dataclasses
import json

import numpy as np
import pytest

from ecgpipe.comparison import compare, pairing
from ecgpipe.project import paths
from tests.fixtures.made_runs import CLASSES, CODES, EVALUATE, made_run


def test_cells_count_where_both_annotate_them_alike(tmp_path):
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b")
    pooled = b.settings.whole["out_of_fold"]
    labels = pooled.labels.copy()
    place = np.flatnonzero(labels[:, 0] == 1)[0]
    labels[place, 0] = 0  # labelled otherwise
    labels[np.flatnonzero(labels[:, 1] == 1)[0], 1] = np.nan  # not annotated
    b.settings.whole["out_of_fold"] = dataclasses.replace(pooled, labels=labels)
    paired = pairing.pair(a, b, "out_of_fold")
    assert paired.unlike == 1
    whole = pairing.pair(a, a, "out_of_fold")
    assert paired.a.annotated.sum() == whole.a.annotated.sum() - 2
    np.testing.assert_array_equal(paired.a.labels, paired.b.labels)
    comparison = compare.every(a, b, "out_of_fold", 100, 1)[0]
    assert "1 cells are left out: the two runs label them differently." in comparison.remarks


def test_runs_of_other_classes_are_compared_on_the_common_ones(tmp_path):
    a, b = made_run(tmp_path / "a"), made_run(tmp_path / "b", codes=CODES[:2])
    comparison = compare.every(a, b, "out_of_fold", 100, 1)[0]
    table = comparison.table
    assert list(table.loc[table["kind"] == "class", "name"].unique()) == CLASSES.names[:2]
    assert f"Left out, since one run alone has them: {CLASSES.names[2]}." in comparison.remarks
    with pytest.raises(ValueError, match="have 80 recordings and 0 classes in common there"):
        pairing.pair(a, made_run(tmp_path / "c", codes=["1", "2"]), "out_of_fold")


def test_what_either_split_keeps_together_is_one_group(tmp_path):
    paired = pairing.pair(made_run(tmp_path / "a"), made_run(tmp_path / "b"), "out_of_fold")
    assert len(set(paired.groups)) < len(paired.groups)
    united = pairing.united(np.array(["x", "x", "y", "z"]), np.array(["1", "2", "2", "3"]))
    assert len(set(united)) == 2
    assert united[0] == united[1] == united[2]


def test_each_run_is_read_with_its_own_operating_points(tmp_path):
    made_run(tmp_path)
    values = {"evaluate": EVALUATE | {"thresholds": "sensitivity", "sensitivity": 1.0}}
    (tmp_path / "params.yaml").write_text(json.dumps(values))  # JSON is YAML
    run = pairing.load(tmp_path, tmp_path / paths.PREDICTIONS, {"evaluate": EVALUATE})
    plain = made_run(tmp_path / "plain")
    sensitive, usual = (each.settings.points["ensemble"].thresholds for each in (run, plain))
    assert (sensitive < usual).all()
