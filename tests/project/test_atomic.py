import errno
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.project import atomic, digests

pytestmark = pytest.mark.usefixtures("project")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_place_when_the_block_ends_well(project):
    target = project / "new" / "table.csv"
    with atomic.atomic(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["table.csv"]


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
def test_a_failed_block_leaves_the_old_and_no_trace(project, make):
    (project / "table.csv").write_text("old")

    def fail():
        with atomic.atomic(project / "table.csv") as temporary:
            make(temporary)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert (project / "table.csv").read_text() == "old"
    assert names(project) == ["table.csv"]


def test_an_error_of_a_write_names_the_file(project):
    def fail():
        with atomic.atomic(project / "table.csv"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match=r"No space left on device: '.*/table\.csv'"):
        fail()


def test_a_folder_replaces_an_older_one_whole(project):
    for content in ("old", "new"):
        with atomic.atomic(project / "store") as temporary:
            temporary.mkdir()
            (temporary / content).touch()
    assert names(project / "store") == ["new"]


def test_prune_removes_the_folders_that_are_not_kept_and_no_file(project):
    for name in ("fold-0", "fold-1", "fold-7"):
        (project / "models" / name).mkdir(parents=True)
    (project / "models" / "note.txt").touch()
    others = [".fold-9.123.tmp", ".fold-9.old"]  # of another stage that is writing
    for name in others:
        (project / "models" / name).mkdir()
    assert atomic.prune(project / "models", ["fold-0", "fold-1"]) == ["fold-7"]
    assert names(project / "models") == [*others, "fold-0", "fold-1", "note.txt"]


def test_everything_is_on_the_disk_before_it_takes_its_place(project, monkeypatch):
    """The order of flushes and renames, by the inodes that they concern."""
    events, flush, rename, replace = [], os.fsync, Path.rename, Path.replace

    def flushed(descriptor):
        events.append(("fsync", os.fstat(descriptor).st_ino))
        flush(descriptor)

    def moved(original):
        def move(path, target):
            events.append(("rename", path.stat().st_ino))
            return original(path, target)

        return move

    monkeypatch.setattr(atomic.os, "fsync", flushed)
    monkeypatch.setattr(Path, "rename", moved(rename))
    monkeypatch.setattr(Path, "replace", moved(replace))
    for name in ("table.csv", "store", "store"):
        events.clear()
        write = atomic.sealed_folder if name == "store" else atomic.atomic
        with write(project / name) as temporary:
            (temporary / "x" if name == "store" else temporary).write_text("x")
        new = [project / name, *(project / name).glob("*")]
        inodes = {path.stat().st_ino for path in new}
        place = next(
            k for k, (what, inode) in enumerate(events) if what == "rename" and inode in inodes
        )
        assert {inode for what, inode in events[:place] if what == "fsync"} >= inodes
        assert events[-1] == ("fsync", project.stat().st_ino), (
            "and the folder that holds the new name"
        )


def test_what_killed_writers_left_is_removed_and_that_of_living_ones_stays(project):
    dead = subprocess.Popen(["true"])
    dead.wait()
    living = os.getppid()
    for pid in (dead.pid, living, os.getpid()):
        (project / f".store.{pid}.tmp/deep").mkdir(parents=True)
    (project / f".other.{dead.pid}.tmp").touch()
    with atomic.atomic(project / "store") as temporary:
        temporary.mkdir()
    assert names(project) == sorted([f".other.{dead.pid}.tmp", f".store.{living}.tmp", "store"])


@pytest.mark.parametrize("moment", ["set aside", "replaced"])
def test_a_folder_that_a_killed_writer_set_aside_comes_back_or_goes(project, moment):
    (project / ".store.old").mkdir()
    (project / ".store.old/old").touch()
    if moment == "replaced":
        (project / "store").mkdir()

    def fail():
        with atomic.atomic(project / "store"):
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert names(project) == ["store"]
    assert names(project / "store") == (["old"] if moment == "set aside" else [])


def test_json_is_written_whole_and_a_sealed_folder_knows_its_files(project):
    with atomic.sealed_folder(project / "a") as folder:
        atomic.write_json(folder / "x.json", {"b": [1, None]})
    content = digests.read_verified(project / "a/x.json")
    assert json.loads(content) == {"b": [1, None]}
    assert names(project / "a") == ["SHA256SUMS", "x.json"]
    atomic.write_json(project / "y.json", [])
    assert (project / "y.json").read_text() == "[]\n"
    assert names(project) == ["a", "y.json"]


def test_a_sealed_folder_that_fails_leaves_the_old_one(project):
    with atomic.sealed_folder(project / "a") as folder:
        (folder / "x").write_text("old")

    def fail():
        with atomic.sealed_folder(project / "a") as folder:
            (folder / "x").write_text("new")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert names(project) == ["a"]
    assert digests.read_verified(project / "a/x") == b"old"


def test_json_has_six_digits_null_for_nan_and_keys_in_their_order_or_sorted(tmp_path):
    path = tmp_path / "one.json"
    content = {
        "b": np.float64(1) / 3,
        "a": [np.nan, np.int64(2), np.True_],
        1: None,
        "\u00e9": "\u00b5",
    }
    atomic.write_json(path, content, sort_keys=True)
    assert path.read_text(encoding="utf-8").splitlines() == [
        "{",
        ' "1": null,',
        ' "a": [',
        "  null,",
        "  2,",
        "  true",
        " ],",
        ' "b": 0.333333,',
        ' "\u00e9": "\u00b5"',
        "}",
    ]
    atomic.write_json(path, content)
    assert list(json.loads(path.read_text(encoding="utf-8"))) == ["b", "a", "1", "\u00e9"]
    atomic.write_json(path, [{"b": 1, "a": 2.0}], sort_keys=True)
    assert path.read_text() == '[\n{"a": 2.0, "b": 1}\n]\n'


def test_a_report_has_no_list_that_dvc_would_draw_or_stumble_over(project):
    report = {"a": [], "b": {"c": [], "d": ["x"], "e": 1}, "f": {"g": ()}, "h": [1.5]}
    atomic.write_report(project / "r.json", report)
    written = json.loads((project / "r.json").read_text())
    assert written == {"b": {"d": ["x"], "e": 1}, "f": {}, "h": [1.5]}
    with pytest.raises(AssertionError, match="g: DVC would draw it"):
        atomic.write_report(project / "r.json", {"f": {"g": [{"x": 1}]}})
    assert json.loads((project / "r.json").read_text()) == written
