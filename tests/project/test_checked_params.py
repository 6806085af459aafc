"""The whole params are checked before a stage runs, once for the same files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ecgpipe.project import checked_params, params, paths
from ecgpipe.project.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ours(project):
    """The project's own params and catalogue; the working directory has them and nothing else."""
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    Path("configs").mkdir()
    shutil.copy(ROOT / params.SOURCES, params.SOURCES)
    return project


@pytest.fixture
def processes(monkeypatch):
    """The commands of the processes that are run."""
    run, commands = subprocess.run, []

    def counted(command, **options):
        commands.append(command[1:])
        return run(command, **options)

    monkeypatch.setattr(checked_params.subprocess, "run", counted)
    return commands


def test_what_passed_is_not_checked_again_until_a_file_changes(ours, monkeypatch):
    processes = []

    def passed(command, **options):
        processes.append(command[1:])
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(checked_params.subprocess, "run", passed)
    checked_params.check(with_folders=True)
    checked_params.check(with_folders=True)
    assert processes == [["-m", "ecgpipe", "params"]]
    for path in (paths.PARAMS, paths.SOURCES):
        path.write_text(path.read_text() + "# a comment\n")
        checked_params.check(with_folders=True)
        checked_params.check(with_folders=True)
    assert len(processes) == 3
    checked_params.check(with_folders=False)
    assert processes[-1] == ["-m", "ecgpipe", "params", "--settings-only"]


def test_a_fault_in_any_section_is_told_with_all_others_and_each_time(ours):
    text = paths.PARAMS.read_text().replace("  width: 20", "  widht: 20")
    paths.PARAMS.write_text(text.replace("resamples: 1000", "resamples: many"))
    catalogue = paths.SOURCES.read_text()
    paths.SOURCES.write_text(catalogue.replace("vocabulary: LUDB", "vocabulary: LUDP"))
    for with_folders in (True, True, False):
        with pytest.raises(
            UserError, match=r"^the params are checked before anything runs:"
        ) as told:
            checked_params.check(with_folders=with_folders)
        assert "model.widht: no such setting; did you mean 'width'? (found 20)" in str(told.value)
        assert "evaluate.resamples: a whole number (found 'many')" in str(told.value)
        assert "configs/sources.yaml, line " in str(told.value)
    assert not paths.CHECKPOINTS.exists()


def test_folders_of_sources_are_looked_for_where_recordings_are_read(ours):
    text = paths.PARAMS.read_text()
    paths.PARAMS.write_text(text.replace("  sources:\n  - sim-north", "  sources:\n  - ludb", 1))
    checked_params.check(with_folders=False)
    with pytest.raises(UserError, match=r"params\.yaml, line 13: data\.root: no such folder"):
        checked_params.check(with_folders=True)
    Path("data/raw/ludb").mkdir(parents=True)
    checked_params.check(with_folders=True)


def test_a_folder_that_is_gone_since_is_told_before_the_first_stage(ours, processes):
    text = paths.PARAMS.read_text()
    text = text.replace("  sources:\n  - sim-north", "  sources:\n  - ludb\n  - sph", 1)
    paths.PARAMS.write_text(text)
    for name in ("ludb", "sph"):
        Path("data/raw", name).mkdir(parents=True)
    Path("data/raw/sph/metadata.csv").touch()
    checked_params.check(with_folders=True)
    Path("data/raw/ludb").rmdir()  # a disk that is mounted no more
    checked_params.check(with_folders=False)
    for _ in range(2):
        with pytest.raises(UserError, match=r"data\.sources: 'ludb' has no folder data/raw/ludb"):
            checked_params.check(with_folders=True)
    Path("data/raw/ludb").mkdir()
    count = len(processes)
    checked_params.check(with_folders=True)
    assert len(processes) == count


def test_a_project_without_params_is_not_checked(project, processes):
    checked_params.check(with_folders=True)
    assert processes == []
