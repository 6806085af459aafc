import errno
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed

from ecgpipe.evaluation import thresholds
from ecgpipe.project import params, stage

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stages/label_map.py"])
    monkeypatch.delenv("RANK", raising=False)


def status(main, *arguments):
    with pytest.raises(SystemExit) as ended:
        stage.run(main, *arguments)
    return ended.value.code


def test_a_stage_that_ends_well_runs_under_its_lock_alone(caplog):
    locks = []

    def main(fold):
        assert fold == "a"
        locks.extend(path.name for path in Path("data/checkpoints").iterdir())

    stage.run(main, "a")
    assert locks == ["label-map-a.lock"]
    assert caplog.text == ""


def test_a_fault_of_the_users_is_one_line(caplog):
    assert status(lambda: params.section(params.Compute, {}, "compute")) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "label-map: params.yaml has no section 'compute'; "
        "configs/ holds complete files to start from"
    ]


def test_what_a_stage_says_has_no_signs_that_a_terminal_obeys():
    code = (
        "import logging, sys; from ecgpipe.project import stage; sys.argv = ['stages/split.py']; "
        "stage.run(lambda: logging.warning('%s', 'a\\x1b[2J\\u202eb'))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert ran.stderr == "a\\x1b[2J\\u202eb\n"


def test_a_missing_file_is_one_line(caplog):
    assert status(lambda: Path("absent.csv").read_text()) == 1
    assert "label-map: absent.csv: no such file or folder\n" in caplog.text


def _fault(number):
    return params.section(params.Compute, {}, "compute")


def test_a_fault_found_in_a_worker_is_one_line(caplog):
    assert status(lambda: Parallel(n_jobs=2)(delayed(_fault)(k) for k in range(2))) == 1
    assert "params.yaml has no section 'compute'" in caplog.text


def _bug(number):
    return thresholds.maximal_f1(np.zeros((2, 1)), np.full((2, 1), 2.0))


def test_an_error_of_ours_keeps_its_traceback():
    with pytest.raises(ValueError, match="could not be broadcast"):
        stage.run(lambda: np.zeros(2) + np.zeros(3))
    with pytest.raises(ZeroDivisionError):
        stage.run(lambda: 1 / 0)


def test_a_value_error_that_this_package_raises_is_ours_unless_it_is_a_user_error():
    with pytest.raises(ValueError, match="apply the sigmoid first"):
        stage.run(lambda: _bug(0))
    with pytest.raises(ValueError, match="apply the sigmoid first"):
        stage.run(lambda: Parallel(n_jobs=2)(delayed(_bug)(k) for k in range(2)))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_so(caplog, number):
    def full():
        raise OSError(number, os.strerror(number), "data/labels/labels.csv")

    assert status(full) == 1
    assert "the disk is full or a limit is reached" in caplog.text
    assert "data/labels/labels.csv" in caplog.text
    assert (
        "under dvc, `dvc checkout` brings the last outputs back. Make room and run it again"
        in caplog.text
    )


def test_a_full_disk_is_known_in_what_numpy_says_of_it(tmp_path):
    script = "import numpy, sys; numpy.zeros(10000).tofile(sys.argv[1])"
    command = [sys.executable, "-c", script, str(tmp_path / "x")]

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    ended = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)
    last_line = ended.stderr.splitlines()[-1]
    assert "disk is full" in stage.message(OSError(last_line.removeprefix("OSError: ")))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_status_130_and_says_that_the_same_command_begins_again(caplog, number):
    before = signal.getsignal(signal.SIGTERM)
    assert status(lambda: signal.raise_signal(number)) == 130
    assert caplog.messages == [
        "label-map: stopped; this run has saved nothing, and leaves nothing half-done "
        "(under dvc, `dvc checkout` brings the last outputs back). "
        "The same command begins again"
    ]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_stage_that_saved_its_state_says_that_the_same_command_goes_on(caplog):
    def halted():
        raise stage.Stopped("the state after epoch 3 is saved")

    assert status(halted) == 130
    assert caplog.messages == [
        "label-map: stopped; the state after epoch 3 is saved. The same command goes on"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "it takes 1 argument, found 0; python -m stages.label_map FOLD"),
        (("0", "1"), "it takes 1 argument, found 2; python -m stages.label_map FOLD"),
        (
            ("../../x",),
            "'../../x' is no name of 1 to 100 letters, digits, '.', '_' and '-'; python -m stages",
        ),
        (("",), "'' is no name"),
        (("a" * 101,), "is no name"),
        (("a;b",), "'a;b' is no name"),
    ],
)
def test_arguments_are_looked_at_before_a_path_is_made_of_them(
    caplog, tmp_path, arguments, message
):
    def main(fold):
        raise AssertionError

    assert status(main, *arguments) == 1
    assert message in caplog.text
    assert list(tmp_path.rglob("*")) == []


def test_of_several_processes_the_first_takes_the_lock_of_the_stage(caplog, monkeypatch):
    ran = []
    with stage.lock("label-map"):
        monkeypatch.setenv("RANK", "0")
        assert status(lambda: ran.append("0")) == 1
        monkeypatch.setenv("RANK", "1")
        stage.run(lambda: ran.append("1"))
    assert ran == ["1"]
    assert "another process is running stage label-map" in caplog.text


STAGES = [path.stem for path in (ROOT / "stages").glob("[a-z]*.py")]


def interrupted(arguments, number):
    """The status and the last words of `python -m ...` that gets a signal while it imports."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    # Until libraries are being loaded.
    while "numpy" not in maps.read_text() and "pydantic_core" not in maps.read_text():
        time.sleep(0.001)
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", STAGES)
def test_a_stage_interrupted_while_it_imports_says_so_in_one_line(name, number):
    status, said = interrupted([f"stages.{name}", "x"], number)
    began = "stopped before it began. The same command begins again"
    assert (status, said) == (130, f"{name.replace('_', '-')}: {began}\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_interrupted_while_it_imports_says_so_in_one_line(number, tmp_path):
    status, said = interrupted(["ecgpipe", "export", "--onnx", str(tmp_path / "x.onnx")], number)
    # Python may end by SIGINT itself once its KeyboardInterrupt was caught: 130 to a shell.
    assert status in (130, -signal.SIGINT)
    assert said == "ecgpipe: stopped; nothing half-written is left\n"


def test_signals_are_held_back_once():
    with stage.defer_signals() as asked:
        assert not asked()
        signal.raise_signal(signal.SIGTERM)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_in_another_thread_no_signal_is_held():
    found = []

    def work():
        with stage.defer_signals() as asked:
            found.append(asked())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


def _try_lock(answers):
    try:
        with stage.lock("train-0"):
            answers.put("held")
    except ValueError as error:
        answers.put(str(error))


def test_a_lock_is_held_once_and_is_free_after():
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with stage.lock("train-0"):
        other = context.Process(target=_try_lock, args=(answers,))
        other.start()
        assert "another process is running stage train-0" in answers.get(timeout=30)
        other.join()
    with stage.lock("train-0"), stage.lock("train-1"):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told_as_what_it_is(monkeypatch, number):
    def without(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(stage.fcntl, "flock", without)
    with (
        pytest.raises(ValueError, match=r"split\.lock: this file system gives no lock \("),
        stage.lock("split"),
    ):
        pass


def test_a_fault_in_the_section_of_a_later_stage_stops_this_one_before_it_begins(caplog, tmp_path):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("  width: 20", "  widht: 20"))
    (tmp_path / "configs").mkdir()
    shutil.copy(ROOT / params.SOURCES, tmp_path / params.SOURCES)

    def main():
        raise AssertionError

    assert status(main) == 1
    assert "label-map: the params are checked before anything runs:" in caplog.text
    assert "model.widht: no such setting; did you mean 'width'? (found 20)" in caplog.text


@pytest.mark.parametrize("name", STAGES)
def test_help_says_what_a_stage_is_how_it_is_called_and_which_stages_make_what_it_reads(name):
    """In the project's folder, by the scripts themselves."""
    option = "-h" if name == "split" else "--help"
    said = subprocess.run(
        [sys.executable, "-m", f"stages.{name}", option],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    text = said.stdout
    assert f"python -m stages.{name}" in text
    assert f"`dvc repro {name.replace('_', '-')}`" in text
    reads = {
        "split": "It reads data/labels, which the stage label-map makes.",
        "train": "It reads data/folds, which the stage split makes.",
        "evaluate": "It reads data/predictions, which the stage train makes.",
    }
    assert reads.get(name, "") in text
    takes = {"train": "FOLD, one of split.folds", "preprocess": "NAME, one of data.sources"}
    assert takes.get(name, "") in text


def test_a_missing_input_is_told_with_the_stage_that_makes_it(caplog, tmp_path):
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "configs").mkdir()
    shutil.copy(ROOT / params.SOURCES, tmp_path / params.SOURCES)
    assert status(lambda: Path("data/folds/folds.csv").read_text()) == 1
    assert (
        "label-map: data/folds/folds.csv: no such file or folder; "
        "the stage split makes it: `dvc repro split`\n" in caplog.text
    )
