"""Suspects of a project with one wrong label: found, named and drawn, or why there are none."""

import pandas as pd
import pytest
from matplotlib import image

from ecgpipe.audit import suspects
from ecgpipe.diagnoses.classes import select
from ecgpipe.project import paths, tables
from ecgpipe.project.params import SOURCES
from ecgpipe.recordings import sources
from ecgpipe.recordings.sources import DataParams
from tests.fixtures.mapped_project import AFL, CODES, WRONG, predict
from tests.fixtures.sealed import write_sealed

CLASSES = select(CODES)


@pytest.fixture
def predicted(project, tmp_path):
    predict(tmp_path)
    return DataParams.model_validate(project["data"])


def plotted(data, folder, most=3):
    """The table with its plots, and what is not plotted."""
    folder.mkdir()
    selected = sources.select(data.sources, SOURCES)
    table = suspects.find(CLASSES).table
    return suspects.plot(table, most, folder, data, selected, list)


@pytest.mark.usefixtures("predicted")
def test_both_labels_of_the_wrong_recording_are_found_and_nothing_else():
    doubted = suspects.find(CLASSES)
    assert doubted.without == ""
    rows = doubted.table[["source", "record", "class", "label", "others", "fold"]]
    assert sorted(rows.to_numpy().tolist()) == [
        [*WRONG, "AF", 1, "", "1"],
        [*WRONG, "NSR", 0, "AF", "1"],
    ]
    assert doubted.table["score"].is_monotonic_decreasing
    assert doubted.unjudged["SB"].startswith("1 with it, ")


def test_a_recording_has_one_sheet_for_all_its_doubts(predicted, tmp_path):
    table, unplotted = plotted(predicted, tmp_path / "sheets")
    assert unplotted == {}
    assert list(table.columns) == suspects.COLUMNS
    name = f"001-{WRONG[0]}-{WRONG[1]}.png"
    assert set(table["plot"]) == {name}
    assert [path.name for path in (tmp_path / "sheets").iterdir()] == [name]
    assert image.imread(tmp_path / "sheets" / name).shape[1] > 1300


def test_no_more_are_drawn_than_asked_for(predicted, tmp_path):
    table, unplotted = plotted(predicted, tmp_path / "sheets", most=0)
    assert set(table["plot"]) == {""}
    assert unplotted == {}


def test_a_recording_that_cannot_be_read_has_no_sheet_and_is_named(predicted, tmp_path):
    (tmp_path / f"raw/{WRONG[0]}/{WRONG[1]}.mat").unlink()
    table, unplotted = plotted(predicted, tmp_path / "sheets")
    assert set(table["plot"]) == {""}
    (why,) = unplotted.values()
    assert list(unplotted) == [" ".join(WRONG)]
    assert "no such file" in why


@pytest.mark.usefixtures("predicted")
@pytest.mark.parametrize(
    "path", [paths.FOLDS, paths.FOLDS_INFO, paths.predictions(1) / "val.csv"], ids=str
)
def test_without_one_of_its_files_nobody_is_judged_and_the_file_is_named(path):
    path.unlink()
    doubted = suspects.find(CLASSES)
    assert doubted.table.empty
    assert doubted.without.startswith(f"No {path}: single recordings are judged from")


@pytest.mark.usefixtures("predicted")
def test_folds_of_other_classes_are_refused():
    table = tables.read(paths.FOLDS)
    write_sealed(table.drop(columns=[AFL]), paths.FOLDS)
    with pytest.raises(
        ValueError, match=r"data/folds/folds\.csv: its classes are those of data/labels/labels\.csv"
    ):
        suspects.find(CLASSES)


def test_what_a_sheet_says_of_a_recording_is_text(predicted):
    """A dollar sign begins mathematics in pictures, and the font lacks many a letter."""
    row = pd.Series({"source": "a", "record": "$x_\u5fc3$\x1b", "gender": "F", "age": 50.0})
    assert suspects.title(row) == r"a \$x_?\$\x1b, F, 50 years, as recorded"
