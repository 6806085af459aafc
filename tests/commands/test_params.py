import re
import shutil
from pathlib import Path

import pytest

from ecgpipe.__main__ import main
from ecgpipe.project import params
from tests.commands.conftest import ROOT

CATALOGUE = ROOT / params.SOURCES


@pytest.fixture
def both(tmp_path):
    """The arguments that name a params file and a catalogue, copies of the project's."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copy(CATALOGUE, tmp_path)
    return [str(tmp_path / "params.yaml"), "--catalogue", str(tmp_path / "sources.yaml")]


def edit(path, *changes):
    text = Path(path).read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    Path(path).write_text(text)


def checked(arguments, capsys):
    """The exit status of the command, and the lines that it prints."""
    status = main(["params", *arguments])
    return status, capsys.readouterr().out.splitlines()


def test_the_command_finds_no_fault_in_the_projects_files(both, capsys):
    assert checked(both, capsys) == (0, [f"{both[0]}: ok", f"{both[2]}: ok"])


def test_the_command_lists_all_faults_of_both_files(both, capsys):
    edit(
        both[0], ("\n  epochs: ", "\n  epochs: x"), ("kernel: 7\n", "kernel: 7.5\n  kernel: 7.5\n")
    )
    edit(both[0], ("  - sim-west\n", "  - sim-wset\n"), ("respect_labels: false", "on: 2020-01-01"))
    edit(both[2], ("form: h5", "form: h5\n    form: edf"))
    status, lines = checked(both, capsys)
    assert status == 1
    starts = (
        "model.kernel: it stands twice, in lines ",
        "augment.on: a value is text, a number, true, false or null, found '2020-01-01' in line ",
        "model.kernel: a whole number",
        "train.epochs: a whole number",
        "augment.respect_labels: it is missing",
        "augment.on: no such setting (found '2020-01-01')",
        "data.sources: 'sim-wset' is not in the catalogue of sources (it holds chapman_shaoxing, ",
        f"{both[0]}: 7 faults",
        "sources.sim-west.form: it stands twice, in lines ",
        "sources.sim-west.form: 'wfdb' or 'h5' (found 'edf')",
        f"{both[2]}: 2 faults",
    )
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        told = re.sub(r"^\S+, line [0-9]+: ", "", line)
        assert told.startswith(start)


def test_a_fault_is_told_with_its_line_and_the_setting_that_was_meant(both, capsys):
    edit(both[0], ("  width: 20", "  widht: 20"), ("  triangle: false", "  trianlge: true"))
    edit(both[0], ("model:", "modle:"), ("    - ptb-xl\n", "    - ptbxl\n"))
    edit(both[2], ("vocabulary: LUDB", "vocabulary: LUDP"))
    _, lines = checked(both, capsys)
    text = Path(both[0]).read_text().splitlines()

    def line(of):
        return f"{both[0]}, line {text.index(of) + 1}: "

    assert lines[:-4] == [
        line("modle:") + "modle: no such section; did you mean 'model'?",
        f"{both[0]}: model: section is missing",
        line("  trianlge: true")
        + "augment.trianlge: no such setting; did you mean 'triangle'? (found True)",
    ]
    assert lines[-4].startswith(
        line("  institutions:") + "split.institutions: 'ptbxl' is not in the"
    )
    assert lines[-4].endswith("; did you mean 'ptb-xl'?")
    edit(both[0], ("modle:", "model:"))
    _, lines = checked(both, capsys)
    assert lines[:2] == [
        line("modle:") + "model.width: it is missing",
        line("  widht: 20") + "model.widht: no such setting; did you mean 'width'? (found 20)",
    ]


def test_a_file_that_is_none_or_is_the_catalogue_is_told_so(both, capsys):
    status, lines = checked(["nofile", *both[1:]], capsys)
    assert (status, lines[0]) == (
        1,
        "nofile: no such file; configs/ holds params files and the catalogue",
    )
    status, lines = checked([both[2], *both[1:]], capsys)
    assert status == 1
    rule = "this is a catalogue of sources, no params file; give it as --catalogue"
    assert lines == [f"{both[2]}: {rule}", f"{both[2]}: 1 fault", f"{both[2]}: ok"]


def test_folders_that_are_missing_are_told_unless_settings_alone_are_asked_for(both, capsys):
    edit(both[0], ("root: data/raw", "root: /nowhere/at/all"))
    status, lines = checked(both, capsys)
    assert status == 1
    assert "data.root: no such folder; put the recordings there" in lines[0]
    assert checked([*both, "--settings-only"], capsys)[0] == 0


def test_the_command_checks_the_one_file_where_the_other_cannot_be_read(both, capsys):
    edit(both[0], ("data:", "data: ["))
    status, lines = checked(both, capsys)
    assert status == 1
    assert lines[0].startswith(f"{both[0]}, line ")
    assert lines[1:] == [f"{both[0]}: 1 fault", f"{both[2]}: ok"]
    shutil.copy(ROOT / "params.yaml", both[0])
    edit(both[2], ("sources:\n", "sauces:\n"))
    edit(both[0], ("  epochs: ", "  epochs: x"))
    status, lines = checked(both, capsys)
    assert status == 1
    assert lines[0].startswith(f"{both[0]}, line ")
    assert [line.split(": ")[0] for line in lines[1:]] == [both[0], both[2], both[2]]
    assert lines[2].startswith(f"{both[2]}: expected entries below 'sources:', found none")


def test_the_command_says_where_entries_left_in_a_params_file_go(both, capsys):
    entries = CATALOGUE.read_text()[CATALOGUE.read_text().index("\nsources:") :]
    Path(both[0]).write_text(Path(both[0]).read_text() + entries)
    status, lines = checked(both, capsys)
    assert status == 1
    move = "move entries of your own to configs/sources.yaml and remove the section"
    rule = "the catalogue of sources is no part of this file"
    number = Path(both[0]).read_text().splitlines().index("sources:") + 1
    assert lines[0] == f"{both[0]}, line {number}: sources: {rule}; {move}"
    assert lines[1:] == [f"{both[0]}: 1 fault", f"{both[2]}: ok"]
