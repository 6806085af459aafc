"""The network that a clone has: what `predict` and `train.start` begin with."""

import json

from dvc.repo import Repo

from ecgpipe.prediction import ensemble, pretrained
from ecgpipe.pretraining.params import PretrainParams
from ecgpipe.project import params, paths
from tests.fixtures.small_project import ROOT

FOLDER = ROOT / paths.PRETRAINED
MOST_MB = 10


def test_dvc_finds_it_as_its_lock_has_it_so_that_no_repro_pretrains_unasked():
    with Repo(str(ROOT)) as repo:
        assert repo.status(targets=["pretrain"]) == {}


def test_it_is_small_enough_for_git():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= MOST_MB * 1e6


def test_it_was_made_by_the_params_that_would_make_it_again():
    section = params.section(PretrainParams, params.load(ROOT / paths.PARAMS), "pretrain")
    card = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
    assert card["params"] == json.loads(section.model_dump_json())


def test_it_answers_for_all_classes_and_says_how_good_it_is_on_real_recordings(monkeypatch):
    monkeypatch.chdir(ROOT)
    models = ensemble.load(paths.PRETRAINED)
    assert len(models.names) == 26 and models.unlearnt == []
    (line,) = pretrained.told(paths.PRETRAINED, paths.PRETRAINED)
    assert "real recordings of" in line and "not scored" not in line
