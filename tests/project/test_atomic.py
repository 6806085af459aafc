import errno
import json
import multiprocessing
import os
import subprocess
from pathlib import Path

import pytest

from ecgpipe.project import atomic


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Paths are relative to the project's root: here a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_artefact_has_its_place():
    assert atomic.store("ptb-xl").as_posix() == "data/signals/ptb-xl"
    assert atomic.model(3).as_posix() == "data/models/fold-3"
    assert atomic.predictions("0").as_posix() == "data/predictions/fold-0"
    assert atomic.checkpoints(1).as_posix() == "data/checkpoints/fold-1"


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


def _try_lock(answers):
    try:
        with atomic.lock("train-0"):
            answers.put("held")
    except ValueError as error:
        answers.put(str(error))


def test_a_lock_is_held_once_and_is_free_after():
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with atomic.lock("train-0"):
        other = context.Process(target=_try_lock, args=(answers,))
        other.start()
        assert "another process is running stage train-0" in answers.get(timeout=30)
        other.join()
    with atomic.lock("train-0"), atomic.lock("train-1"):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_as_what_it_is(monkeypatch, number):
    def without(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.fcntl, "flock", without)
    with pytest.raises(ValueError, match=r"split\.lock: this file system gives no lock \("), atomic.lock("split"):
        pass


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
        with atomic.atomic(project / name, sealed=True) as temporary:
            if name == "store":
                temporary.mkdir()
                (temporary / "x").write_text("x")
            else:
                temporary.write_text("x")
        new = [project / name, *(project / name).glob("*")]
        new += [project / "table.csv.sha256"] if name == "table.csv" else []
        inodes = {path.stat().st_ino for path in new}
        place = next(k for k, (what, inode) in enumerate(events) if what == "rename" and inode in inodes)
        assert {inode for what, inode in events[:place] if what == "fsync"} >= inodes
        assert events[-1] == ("fsync", project.stat().st_ino), "and the folder that holds the new name"


def test_the_facts_of_the_split_are_read_and_a_missing_file_names_the_stage():
    with pytest.raises(ValueError, match=r"folds.json is missing; run `dvc repro split` first"):
        atomic.folds_info()
    atomic.FOLDS_INFO.parent.mkdir()
    atomic.FOLDS_INFO.write_text('{"folds": [0, 1], "unused": [2]}')
    with pytest.raises(ValueError, match=r"folds.json: no digest beside it"):
        atomic.folds_info()
    atomic.seal(atomic.FOLDS_INFO)
    assert atomic.folds_info() == {"folds": [0, 1], "unused": [2]}
    atomic.FOLDS_INFO.write_text('{"folds": [0, 1]}')
    atomic.seal(atomic.FOLDS_INFO)
    assert atomic.folds_info()["unused"] == []


def test_digests_are_written_as_sha256sum_checks_them(project):
    with atomic.atomic(project / "labels.csv", sealed=True) as temporary:
        temporary.write_text("a,b")
    with atomic.atomic(project / "model", sealed=True) as temporary:
        temporary.mkdir()
        for name in ("model.json", "a b.bin"):
            (temporary / name).write_text(name)
    assert names(project) == ["labels.csv", "labels.csv.sha256", "model"]
    for folder, sums in ((project, "labels.csv.sha256"), (project / "model", "SHA256SUMS")):
        done = subprocess.run(["sha256sum", "--strict", "-c", sums], cwd=folder, capture_output=True, check=True)
        assert b"OK" in done.stdout
    assert atomic.checked(project / "labels.csv", required=True) == b"a,b"
    assert atomic.checked(project / "model/a b.bin", required=True) == b"a b.bin"
    atomic.verify(project / "model/model.json", required=True)


@pytest.mark.parametrize("sealed", ["file", "folder"])
def test_every_flipped_bit_and_every_cut_of_a_file_or_its_digest_is_refused_by_name(project, sealed):
    path = project / ("table.csv" if sealed == "file" else "store/table.csv")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"record\n1\n")
    atomic.seal(path if sealed == "file" else path.parent)
    note = path.with_name("table.csv.sha256" if sealed == "file" else atomic.SUMS)
    for victim in (path, note):
        whole = victim.read_bytes()
        broken = [whole[:length] for length in range(len(whole))]
        broken += [
            whole[:k] + bytes([whole[k] ^ (1 << bit)]) + whole[k + 1 :] for k in range(len(whole)) for bit in range(8)
        ]
        for content in broken:
            victim.write_bytes(content)
            with pytest.raises(ValueError, match="damaged"):
                atomic.checked(path)
        with pytest.raises(ValueError, match="damaged"):
            atomic.verify(path)
        victim.write_bytes(whole)
    assert atomic.checked(path) == b"record\n1\n"


def test_a_file_without_a_digest_is_refused_where_one_is_required_and_a_folder_lists_every_file(project):
    (project / "table.csv").write_text("made elsewhere")
    assert atomic.checked(project / "table.csv") == b"made elsewhere"
    with pytest.raises(ValueError, match=r"table.csv: no digest beside it, neither table.csv.sha256 nor SHA256SUMS"):
        atomic.checked(project / "table.csv", required=True)
    atomic.seal(project)
    (project / "late.csv").touch()
    with pytest.raises(ValueError, match=r"SHA256SUMS: it is damaged, or lacks the digest of late.csv"):
        atomic.checked(project / "late.csv")


def test_a_file_written_anew_without_a_digest_keeps_no_stale_one(project):
    for sealed in (True, False):
        with atomic.atomic(project / "table.csv", sealed=sealed) as temporary:
            temporary.write_text(str(sealed))
    assert names(project) == ["table.csv"]
    assert atomic.checked(project / "table.csv") == b"False"


def test_what_killed_writers_left_is_removed_and_that_of_living_ones_stays(project):
    dead = subprocess.Popen(["true"])
    dead.wait()
    living = os.getppid()
    for pid in (dead.pid, living, os.getpid()):
        (project / f".store.{pid}.tmp/deep").mkdir(parents=True)
    (project / f".store.sha256.{dead.pid}.tmp").touch()
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


def test_json_is_written_whole_and_sealed_where_asked(tmp_path):
    atomic.write_json(tmp_path / "a/x.json", {"b": [1, None]}, sealed=True)
    assert json.loads(atomic.checked(tmp_path / "a/x.json", required=True)) == {"b": [1, None]}
    atomic.write_json(tmp_path / "y.json", [])
    assert (tmp_path / "y.json").read_text() == "[]\n"
    assert atomic.noted(tmp_path / "y.json") is None
