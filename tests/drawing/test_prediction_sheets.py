"""Sheets of predictions: what stands on them, and under which names they are written."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from ecgpipe.drawing import prediction_sheets
from ecgpipe.prediction import intervals, outputs
from ecgpipe.recordings import recording
from ecgpipe.report import style

SIGNAL = np.random.default_rng(1).normal(0, 0.2, (3000, 12)).astype(np.float32)
RECORDING = recording.Recording(SIGNAL, 500.0, 50.0, "F", None, (), ())
# Abbreviations and full names of the classes.
CLASSES = outputs.ClassWords(
    ["NSR", "AF"], ["sinus rhythm", "atrial fibrillation"], np.full(2, np.nan)
)


def answer(path="a/R1.hea", **about):
    usual = {
        "verdict": "ok",
        "reason": "",
        "probabilities": np.array([0.9, 0.2]),
        "present": np.array([1, 0]),
        "recording": RECORDING,
        "duration_s": 6.0,
    }
    return outputs.RecordingPrediction(Path(path), **(usual | about))


def sheets_in(folder):
    return prediction_sheets.Sheets(folder, CLASSES)


@pytest.fixture
def drawn(monkeypatch):
    """The figures of the sheets, which are not written."""
    figures = []
    monkeypatch.setattr(style, "save", lambda figure, path, dpi: figures.append(figure))
    return figures


def test_a_sheet_says_whose_it_is_what_was_found_and_what_is_in_doubt(tmp_path, drawn):
    sheets = sheets_in(tmp_path)
    sheets.draw(answer(verdict="flagged", reason="flat-lead|age-unknown"))
    nobody = recording.Recording(SIGNAL, 500.0, None, None, None, (), ())
    sheets.draw(answer("a/R$1$\u5fc3.hea", recording=nobody))
    texts = [[text.get_text() for text in figure.axes[0].texts] for figure in drawn]
    assert texts[0][:3] == [
        "a/R1.hea, F, 50 years, 6.0 s at 500 Hz",
        "The models find: NSR sinus rhythm 0.90",
        "Flags: flat-lead|age-unknown",
    ]
    assert texts[1][0] == "a/R\\$1\\$?.hea, sex unknown, age unknown, 6.0 s at 500 Hz"


def test_a_sheet_says_what_was_measured(tmp_path, drawn):
    measured = intervals.Intervals(72, np.nan, 92, 380, 404, -30)
    sheets_in(tmp_path).draw(answer(intervals=measured))
    texts = [text.get_text() for text in drawn[0].axes[0].texts]
    assert texts[2] == f"Measured: {measured.words}"


def test_a_sheet_says_how_often_such_an_answer_was_right(tmp_path, drawn):
    classes = CLASSES._replace(precision=np.array([0.951, 0.276]))
    sheets = prediction_sheets.Sheets(tmp_path, classes)
    sheets.draw(answer(present=np.array([1, 1])))
    assert drawn[0].axes[0].texts[1].get_text() == (
        "The models find (in brackets: how often such an answer was right in validation): "
        "NSR sinus rhythm 0.90 (95 %), AF atrial fibrillation 0.20 (28 %)"
    )


def test_a_sheet_of_a_network_of_simulated_hearts_says_so(tmp_path, drawn):
    classes = CLASSES._replace(remark="made from simulated hearts alone; not for patients")
    prediction_sheets.Sheets(tmp_path, classes).draw(answer())
    texts = [text.get_text() for text in drawn[0].axes[0].texts]
    assert "The network is made from simulated hearts alone; not for patients." in texts


def test_the_title_tells_recordings_of_one_name_in_two_folders_apart(tmp_path, drawn):
    sheets = sheets_in(tmp_path)
    for folder in ("one", "x" * 200 + "/two"):
        sheets.draw(answer(f"{folder}/R1.hea", duration_s=61.0))
    titles = [figure.axes[0].texts[0].get_text() for figure in drawn]
    captions = [figure.axes[0].texts[-1].get_text() for figure in drawn]
    assert titles[0].startswith("one/R1.hea, F")
    assert titles[1].startswith("...xxxx")
    assert "x/two/R1.hea, F" in titles[1]
    assert len(titles[1]) < 130
    assert all(caption.startswith("first 10 of 61 s") for caption in captions)


def test_what_was_not_learnt_is_not_on_the_sheet(tmp_path, drawn):
    sheets = sheets_in(tmp_path)
    sheets.draw(answer(probabilities=np.array([0.9, np.nan])))
    assert drawn[0].axes[0].texts[1].get_text() == "The models find: NSR sinus rhythm 0.90"


def test_a_folder_of_sheets_is_new_and_whole_or_not_there(tmp_path):
    folder = tmp_path / "p-sheets"
    with (
        pytest.raises(KeyboardInterrupt),
        prediction_sheets.drawing(folder, CLASSES) as sheets,
    ):
        sheets.draw(answer())
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with prediction_sheets.drawing(folder, CLASSES) as sheets:
        sheets.draw(answer())
    assert [path.name for path in (tmp_path / "p-sheets").iterdir()] == ["R1.png"]


def test_sheets_are_written_under_names_of_their_own_and_a_refused_recording_has_none(tmp_path):
    sheets = sheets_in(tmp_path / "sheets")
    paths = [sheets.draw(answer(path)) for path in ("a/R 1.hea", "b/R 1.hea", "b/r_1.hea")]
    assert [path.name for path in paths] == ["R_1.png", "R_1-2.png", "r_1-3.png"]
    assert sheets.new_name("\uc2ec\uc804\ub3c43") == "\uc2ec\uc804\ub3c43.png"
    assert sheets.new_name("\udcff/x") == "__x.png"
    longest = sheets.new_name("\uc2ec" * 200)
    assert len(longest.encode()) <= 160
    assert longest.startswith("\uc2ec\uc2ec")
    assert image.imread(paths[0]).shape[1] > 1300
    assert sheets.draw(answer(verdict="refused", recording=None, probabilities=None)) is None
    assert len(list((tmp_path / "sheets").iterdir())) == 3


def test_a_name_that_no_font_has_is_drawn_all_the_same(tmp_path):
    sheets = sheets_in(tmp_path)
    assert sheets.draw(answer("a/\u5fc3\u96fb.hea")).is_file()
