"""What messages recommend: that it makes what is meant, and runs no stage unasked."""

import re

import pytest

from ecgpipe.model import saved_model
from ecgpipe.project import digests, paths, remedies
from ecgpipe.signals import store
from tests.fixtures.small_project import ROOT

TEXTS = [
    ROOT / "README.md",
    ROOT / "dvc.yaml",
    *sorted((ROOT / "configs").iterdir()),
    *sorted(path for path in (ROOT / "ecgpipe").rglob("*.*") if path.suffix in (".py", ".md")),
    *sorted((ROOT / "stages").glob("*.*")),
]


def test_no_text_recommends_a_forced_run_of_more_than_one_stage():
    """`dvc repro -f` forces all that a stage needs, and without a stage all of them: pretrain for
    an hour."""
    forced = []
    for path in TEXTS:
        commands = re.findall(r"`(dvc\s+repro\s[^`]*)`", path.read_text("utf-8"))
        forced += [command for command in commands if {"-f", "--force"} & set(command.split())]
    assert len(forced) > 5
    alone = r"dvc repro (-s -f \S+|-f pretrain)"
    assert [command for command in forced if not re.fullmatch(alone, command)] == [
        "dvc repro -f"  # the one of `remedies` that says why not
    ]


@pytest.mark.parametrize("name", ["data/pretrained", "data/../data/pretrained"])
def test_the_pretrained_network_comes_back_from_git_whatever_is_wrong_with_it(
    tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    paths.PRETRAINED.mkdir(parents=True)
    step = "; bring it back with `git checkout data/pretrained`"
    with pytest.raises(ValueError, match=f"no model here{step}"):
        saved_model.load(paths.Path(name))
    (paths.PRETRAINED / "model.json").write_text("{}")
    with pytest.raises(ValueError, match=f"no digest beside it in SHA256SUMS{step}"):
        saved_model.load(paths.Path(name))
    digests.write_digests(paths.PRETRAINED)
    with pytest.raises(ValueError, match=f"format None is not 3{step}"):
        saved_model.load(paths.Path(name))


def test_simulated_recordings_of_a_pretraining_are_made_again_by_the_same_command(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = paths.CHECKPOINTS / "simulated/f00"
    folder.mkdir(parents=True)
    (folder / "store.json").write_text("{}")
    with pytest.raises(ValueError, match="; remove its folder and give the same command again"):
        store.read_about(folder)
    digests.write_digests(folder)
    with pytest.raises(ValueError, match="; remove its folder and give the same command again"):
        store.read_about(folder)


def test_a_store_is_made_again_alone():
    assert remedies.again(paths.store("ptb"), "preprocess@ptb") == (
        "make it again with `dvc repro -s -f preprocess@ptb`, then `dvc repro`"
    )
