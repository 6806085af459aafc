import multiprocessing
from pathlib import Path

import pytest

from ecgpipe import layout


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Paths are relative to the project's root: here a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_artefact_has_its_place():
    assert layout.store("ptb-xl").as_posix() == "data/signals/ptb-xl"
    assert layout.model(3).as_posix() == "data/models/fold-3"
    assert layout.predictions("0").as_posix() == "data/predictions/fold-0"
    assert layout.checkpoints(1).as_posix() == "data/checkpoints/fold-1"


def test_a_file_takes_its_place_when_the_block_ends_well(project):
    target = project / "new" / "table.csv"
    with layout.atomic(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["table.csv"]


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_a_failed_block_leaves_the_old_and_no_trace(project, make):
    (project / "table.csv").write_text("old")

    def fail():
        with layout.atomic(project / "table.csv") as temporary:
            make(temporary)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert (project / "table.csv").read_text() == "old"
    assert names(project) == ["table.csv"]


def test_a_folder_replaces_an_older_one_whole(project):
    for content in ("old", "new"):
        with layout.atomic(project / "store") as temporary:
            temporary.mkdir()
            (temporary / content).touch()
    assert names(project / "store") == ["new"]


def test_prune_removes_the_folders_that_are_not_kept_and_no_file(project):
    for name in ("fold-0", "fold-1", "fold-7"):
        (project / "models" / name).mkdir(parents=True)
    (project / "models" / "note.txt").touch()
    assert layout.prune(project / "models", ["fold-0", "fold-1"]) == ["fold-7"]
    assert names(project / "models") == ["fold-0", "fold-1", "note.txt"]


def _try_lock(answers):
    try:
        with layout.lock("train-0"):
            answers.put("held")
    except ValueError as error:
        answers.put(str(error))


def test_a_lock_is_held_once_and_is_free_after():
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with layout.lock("train-0"):
        other = context.Process(target=_try_lock, args=(answers,))
        other.start()
        assert "another process is running stage train-0" in answers.get(timeout=30)
        other.join()
    with layout.lock("train-0"), layout.lock("train-1"):
        pass


def test_the_facts_of_the_split_are_read_and_a_missing_file_names_the_stage():
    with pytest.raises(ValueError, match=r"folds.json is missing; run `dvc repro split` first"):
        layout.folds_info()
    layout.FOLDS_INFO.parent.mkdir()
    layout.FOLDS_INFO.write_text('{"folds": [0, 1], "unused": [2]}')
    assert layout.folds_info() == {"folds": [0, 1], "unused": [2]}
    layout.FOLDS_INFO.write_text('{"folds": [0, 1]}')
    assert layout.folds_info()["unused"] == []
