"""Which stage makes what, by the project's own dvc.yaml."""

import os
import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from ecgpipe.project import stage_list

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ours(project):
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, name)


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    ("path", "maker"),
    [
        ("data/labels/labels.csv", "label-map"),
        ("data/folds/folds.json", "split"),
        ("data/left_out.csv", "split"),
        ("data/signals/sim-west/store.json", "preprocess@sim-west"),
        ("data/signals", "preprocess"),
        ("data/signals/ptb_xl/store.json", None),
        ("data/raw/sim-south/a.hea", "simulate@sim-south"),
        ("data/raw/my-hospital/a.hea", None),
        ("data/models/fold-0/model.json", "train@0"),
        ("data/models/operating/operating.json", "evaluate"),
        ("data/predictions", "train"),
        ("metrics/summary.json", "evaluate"),
        ("metrics/signals/sim-east.json", "preprocess@sim-east"),
        ("params.yaml", None),
        ("elsewhere/data/labels/labels.csv", None),
    ],
)
def test_the_stage_that_makes_a_path(path, maker):
    assert stage_list.maker(path) == maker


def test_the_stage_that_makes_a_path_is_the_one_that_dvc_runs_for_it():
    compared = 0
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with Repo(str(ROOT)) as repo:
            for stage in repo.index.stages:
                for out in stage.outs:
                    assert stage_list.maker(out.def_path) == stage.name
                    compared += 1
    finally:
        os.chdir(before)
    assert compared > 30


@pytest.mark.usefixtures("ours")
def test_what_a_stage_is_called_with_and_reads():
    names = ("simulate", "preprocess", "train", "split", "none")
    assert [stage_list.argument_of(name) for name in names] == [
        "simulate.sources",
        "data.sources",
        "split.folds",
        None,
        None,
    ]
    assert stage_list.inputs_of("split") == {
        "data/labels": "label-map",
        "data/signals": "preprocess",
    }
    assert stage_list.inputs_of("label-map") == {"the recordings below data.root": None}
    assert "the folder train.start_model" in stage_list.inputs_of("train")


@pytest.mark.parametrize("text", [None, "", "stages: [", "stages: 3\n", "stages: {a: 1}\n"])
def test_a_dvc_yaml_that_is_none_costs_no_more_than_the_hint(project, text):
    if text is not None:
        Path("dvc.yaml").write_text(text)
    assert stage_list.maker("data/labels") is None
    assert stage_list.argument_of("train") is None
    assert stage_list.inputs_of("train") == {}
