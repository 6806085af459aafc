"""Stages that are killed, find the disk full, or read what was damaged since: small projects, each
case in a process of its own, which is forked so that nothing is imported twice (but for simulate,
whose pool of workers stands no fork). The campaigns take the whole lists of cases."""

import contextlib
import importlib
import logging
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgpipe.dataset import examples
from ecgpipe.evaluation import operating_points, predictions
from ecgpipe.model import saved_model
from ecgpipe.project import checked_params, paths, tables
from ecgpipe.project.digests import SUMS, digest
from ecgpipe.project.stage import run
from ecgpipe.report import plots
from ecgpipe.signals.store import read_features
from ecgpipe.splitting.join import read_store
from tests.fixtures.small_project import (
    ROOT,
    write_params,
)
from tests.fixtures.small_training import state_of

FORK = multiprocessing.get_context("fork")
# What each stage is run with, and what it leaves.
STAGES = {
    "simulate": ("sim-south", ["data/raw/sim-south"]),
    "label_map": ("", ["data/labels", "metrics/labels.json"]),
    "preprocess": ("sim-north", ["data/signals", "metrics/signals"]),
    "split": ("", ["data/folds", "data/left_out.csv", "metrics/split.json"]),
    "train": ("0", ["data/models/fold-0", "data/predictions/fold-0"]),
    "evaluate": ("", ["metrics", "plots", "data/models/operating"]),
}
WRITING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


@pytest.fixture(scope="module")
def project(whole, tmp_path_factory):
    """The project with two workers a stage. Its params have passed, so that no stage checks them
    again in a process of seconds."""
    folder = tmp_path_factory.mktemp("faults") / "project"
    shutil.copytree(whole, folder)
    write_params(folder / "params.yaml", compute={"workers": 2})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        checked_params.check(with_folders=False)
    return folder


@pytest.fixture
def copy(project, tmp_path, monkeypatch):
    """A copy of the project; the working directory is there."""
    shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def stage(name: str, before: Callable[[], None] = lambda: None, stderr: int | None = None) -> None:
    """Runs a stage as its script does, in a process that ends with its status."""
    before()
    if stderr is not None:
        os.dup2(stderr, 2)
        logging.basicConfig(
            level=logging.INFO, format="%(message)s", force=True, stream=os.fdopen(2, "w")
        )
    torch.set_num_threads(1)
    script = importlib.import_module(f"stages.{name}")
    sys.argv = [script.__file__, *filter(None, [STAGES[name][0]])]
    run(script.main, *sys.argv[1:])


def outputs(root: Path, name: str) -> dict[str, bytes]:
    """The bytes of all that a stage leaves, hidden files too."""
    contents = {}
    for out in STAGES[name][1]:
        for path in (root / out, *(root / out).rglob("*")):
            if path.is_file():
                contents[path.relative_to(root).as_posix()] = path.read_bytes()
    assert contents
    return contents


class Alone(subprocess.Popen):
    """A stage in a process that is not forked, with the face of one that is."""

    def __init__(
        self, name: str, before: Callable[[], None] | None = None, stderr: int | None = None
    ) -> None:
        command = [sys.executable, "-m", f"stages.{name}", STAGES[name][0]]
        surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
        super().__init__(
            command, env=surroundings, preexec_fn=before, stderr=stderr or subprocess.DEVNULL
        )

    def join(self, timeout: float | None = None) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(timeout)

    @property
    def exitcode(self) -> int | None:
        return self.returncode


def begun(name: str, *arguments):
    """A stage that has begun in a process of its own."""
    if name == "simulate":
        return Alone(name, *arguments)
    process = FORK.Process(target=stage, args=(name, *arguments))
    process.start()
    return process


def forked(*arguments) -> int:
    """The exit code of a stage in a process of its own."""
    process = begun(*arguments)
    process.join()
    return process.exitcode


def error_of(name: str, before: Callable[[], None] = lambda: None) -> str:
    """What a stage that fails writes to the console."""
    receiving, sending = os.pipe()
    assert forked(name, before, sending) == 1
    os.close(sending)
    with os.fdopen(receiving) as console:
        return console.read()


def writes_counted(strike: int, counted=None) -> Callable[[], None]:
    """Makes this process kill itself at its write number `strike` below the working directory;
    `counted` gets them."""

    def hook(event: str, arguments: tuple) -> None:
        opened = (
            event == "open"
            and isinstance(arguments[2], int)
            and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if not (opened or event in WRITING) or not isinstance(arguments[0], str | os.PathLike):
            return
        if Path(arguments[0]).absolute().is_relative_to(root):
            hook.seen += 1
            if counted is not None:
                counted.value = hook.seen
            if hook.seen == strike:
                os.kill(os.getpid(), signal.SIGKILL)

    hook.seen, root = 0, Path.cwd()
    return lambda: sys.addaudithook(hook)


def struck_at(name: str, strike: int) -> None:
    """Kills a stage at one of its writes, and runs it again."""
    assert forked(name, writes_counted(strike)) == -signal.SIGKILL
    assert forked(name) == 0


def same(whole: Path, name: str) -> None:
    """Asserts that a stage has left what it leaves undisturbed, to the byte, and nothing else."""
    contents, expected = outputs(Path(), name), outputs(whole, name)
    assert contents.keys() == expected.keys()
    assert [path for path in contents if contents[path] != expected[path]] == []
    assert list(Path("data/checkpoints").rglob("state.pt*")) == []
    assert [path for path in Path().rglob(".*") if path.suffix in (".tmp", ".old")] == []


def writes(name: str) -> int:
    """How often a stage writes below the working directory."""
    counted = FORK.Value("i", 0)
    assert forked(name, writes_counted(0, counted)) == 0
    return counted.value


@pytest.mark.parametrize(("name", "share"), [("preprocess", 0.5), ("train", 0.4), ("train", 0.95)])
def test_a_stage_killed_at_a_write_gives_the_same_bytes_when_it_runs_again(
    whole, copy, name, share
):
    struck_at(name, max(1, round(share * writes(name))))
    same(whole, name)


@pytest.mark.campaign
@pytest.mark.parametrize(("name", "points"), [("preprocess", 10), ("train", 10), ("evaluate", 10)])
def test_campaign_kills_at_chosen_writes(whole, copy, name, points):
    chosen = np.unique(np.linspace(1, writes(name), points).round().astype(int)).tolist()
    for strike in chosen:
        struck_at(name, strike)
        same(whole, name)
    print(f"{name}: {len(chosen)} of {len(chosen)} kills at its writes {chosen}: same bytes")
    assert len(chosen) == points


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("name", "times"), [("preprocess", 15), ("train", 15), ("simulate", 5), ("evaluate", 5)]
)
def test_campaign_kills_at_random_moments(whole, copy, name, times):
    begin = time.monotonic()
    assert forked(name) == 0
    lasts_s = time.monotonic() - begin
    rng, hit = random.Random(7), 0
    while hit < times:  # a run that ended before its kill does not count
        process = begun(name)
        process.join(rng.uniform(0, lasts_s))
        process.kill()
        process.join()
        hit += process.exitcode == -signal.SIGKILL
        assert forked(name) == 0
        same(whole, name)
    print(f"{name}: {hit} of {hit} kills at random moments of {lasts_s:.1f} s: same bytes")


@pytest.mark.parametrize("name", ["preprocess", pytest.param("train", marks=pytest.mark.campaign)])
def test_signals_stop_a_stage_within_seconds_and_it_goes_on_to_the_same_bytes(whole, copy, name):
    for number in (signal.SIGINT, signal.SIGTERM):
        process = begun(name)
        time.sleep(0.7)
        os.kill(process.pid, number)
        begin = time.monotonic()
        process.join()
        assert process.exitcode in (130, 0)
        assert time.monotonic() - begin < 5
        assert forked(name) == 0
        same(whole, name)


@pytest.mark.parametrize(
    "name",
    [
        "split",
        "train",
        *(
            pytest.param(name, marks=pytest.mark.campaign)
            for name in ("simulate", "label_map", "preprocess", "evaluate")
        ),
    ],
)
def test_a_full_disk_is_told_and_the_old_files_stay_whole(whole, copy, name):
    """No file may grow beyond 300 bytes: a write meets then what it meets on a full disk, but for
    its number."""

    def before() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    text = error_of(name, before)
    assert "the disk is full or a limit is reached" in text, text
    assert "Traceback" not in text
    print(f"{name}: {text.strip().splitlines()[-1]}")
    same(whole, name)
    assert forked(name) == 0
    same(whole, name)


def _split(name: str) -> None:
    tables.read(paths.FOLDS)
    tables.folds_info()


def _fold(name: str) -> None:
    table = tables.read(paths.FOLDS)
    for part, rows in (("val", "0"), ("test", "test")):
        predictions.read_probabilities(
            paths.predictions("0") / f"{part}.csv", table[table["fold"] == rows]
        )
    plots.read_histories(["0"])


def _store(name: str) -> None:
    examples.open_stores(["sim-north"])
    read_store(paths.store("sim-north"))
    read_features(paths.store("sim-north"))


def _points(name: str) -> None:
    about = saved_model.load(paths.model("0"))[1]
    operating_points.read(
        paths.OPERATING, about["classes"], {k: digest(path) for k, path in _validations().items()}
    )


def _state(name: str) -> None:
    state_of(1).resume(Path(name), "key", torch.device("cpu"))


def _validations() -> dict[str, Path]:
    return {k: paths.predictions(k) / "val.csv" for k in "01"}


KINDS = {
    "store": ("data/signals/sim-north/*", _store),
    "labels": ("data/labels/*", lambda _: tables.read(paths.LABELS)),
    "folds": ("data/folds/*", _split),
    "predictions": ("data/predictions/fold-0/*", _fold),
    "model": ("data/models/fold-0/*", lambda _: saved_model.load(paths.model("0"))),
    "operating points": ("data/models/operating/*", _points),
    "training state": ("state.pt", _state),
}
FILES = {"store": 7, "predictions": 4, "model": 3, "folds": 3, "training state": 1}  # else 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_of_an_artefact_is_refused_by_name_where_a_bit_its_end_or_its_digest_is_lost(
    copy, kind
):
    pattern, read = KINDS[kind]
    state_of(1).save(Path("state.pt"), "key")
    files, rng = sorted(Path().glob(pattern)), np.random.default_rng(6)
    read("state.pt")
    assert len(files) == FILES.get(kind, 2)
    for path in files:
        kept = path.read_bytes()
        flipped = bytearray(kept)
        place = int(rng.integers(len(kept)))
        flipped[place] ^= 1 << int(rng.integers(8))
        for content in (flipped, kept[:place], b""):
            path.write_bytes(content)
            with pytest.raises(ValueError, match="damaged") as caught:
                read("state.pt")
            assert path.parent.as_posix() in str(caught.value)
        if path.name == SUMS:
            path.unlink()
            with pytest.raises(ValueError, match="no digest beside it"):
                read("state.pt")
        path.write_bytes(kept)
    read("state.pt")


READERS = [
    (
        "split",
        {
            "data/labels/SHA256SUMS": "data/labels/",
            "data/signals/sim-east/SHA256SUMS": "sim-east/",
        },
    ),
    ("train", {"data/folds/SHA256SUMS": "data/folds/"}),
    (
        "evaluate",
        {
            "data/folds/SHA256SUMS": "data/folds/",
            "data/predictions/fold-1/SHA256SUMS": "fold-1/",
        },
    ),
]


@pytest.mark.parametrize(("name", "digests"), READERS)
def test_a_stage_refuses_what_it_reads_without_its_digest_and_leaves_what_there_is(
    whole, copy, name, digests
):
    for path, named in digests.items():
        kept = Path(path).read_bytes()
        Path(path).unlink()
        text = error_of(name)
        assert named in text and "no digest beside it" in text, text
        Path(path).write_bytes(kept)
        same(whole, name)


def test_workers_that_outlive_a_killed_simulation_leave_nothing(whole, copy):
    """Two workers go on for a moment after their owner is killed, while the same command runs
    again."""
    process = begun("simulate")
    deadline = time.monotonic() + 60
    while not list(Path("data/raw").glob(".sim-south.*.tmp/*.hea")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert forked("simulate") == 0
    same(whole, "simulate")


@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS)
def test_campaign_every_flipped_bit_and_every_cut_is_refused_by_name(copy, kind):
    pattern, read = KINDS[kind]
    state_of(1).save(Path("state.pt"), "key")
    files, rng = sorted(Path().glob(pattern)), np.random.default_rng(5)
    read("state.pt")
    for number in range(30):
        path = files[number % len(files)]
        content = bytearray(path.read_bytes())
        kept = bytes(content)
        place = int(rng.integers(len(content)))
        if number < 20:
            content[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(content if number < 20 else content[:place])
        with pytest.raises(ValueError, match="damaged") as caught:
            read("state.pt")
        assert path.parent.as_posix() in str(caught.value)
        path.write_bytes(kept)
    read("state.pt")
    names = ", ".join(path.name for path in files)
    print(f"{kind}: 20 of 20 flips and 10 of 10 cuts refused, over {names}")
