import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ecgpipe.prediction import intervals, outputs
from ecgpipe.project import tables

CODES, NAMES = ["426783006", "164889003"], ["NSR", "AF"]
ANSWERS = [
    outputs.RecordingPrediction(
        Path("a/R1.hea"), "ok", "", np.array([0.123456789, 0.75]), np.array([0, 1])
    ),
    outputs.RecordingPrediction(
        Path("a/R,2.hea"),
        "flagged",
        "flat-lead|age-unknown",
        np.array([1e-9, 1.0]),
        np.array([1, 1]),
    ),
    outputs.RecordingPrediction(
        Path("a/R3.hea"), "refused", "truncated: a/R3.mat: 10 bytes,\nfound 5"
    ),
]


def words(full_names, precision=(np.nan, np.nan)):
    return outputs.ClassWords(NAMES, full_names, np.array(precision))


def official(path: Path) -> dict[str, tuple[int, float]]:
    """Code -> decision and probability, by the rules of evaluation-2021's load_outputs: lines that
    are blank or begin with # are skipped; three lines of equal length follow, codes, decisions (1,
    True, true, T and t are positive) and probabilities (what is no number is 0; where all are NaN
    the scorer itself fails)."""
    lines = [
        line
        for line in path.read_text().split("\n")
        if line.strip() and not line.strip().startswith("#")
    ]
    rows = [[field.strip() for field in line.split(",")] for line in lines]
    assert len(rows) >= 3
    assert len({len(row) for row in rows}) == 1
    codes, decisions, probabilities = rows[:3]
    assert np.isfinite([float(value) for value in probabilities]).all()
    positive = [int(text in ("1", "True", "true", "T", "t")) for text in decisions]
    return dict(zip(codes, zip(positive, map(float, probabilities), strict=True), strict=True))


def write(form, out, answers=ANSWERS):
    with outputs.writer(form, out, CODES, NAMES) as take:
        for answer in answers:
            take(answer)


def test_the_csv_has_a_row_per_recording_and_blanks_where_refused(tmp_path):
    write("csv", tmp_path / "p.csv")
    table = tables.read(tmp_path / "p.csv", sealed=False)
    assert list(table.columns) == [
        "path",
        "verdict",
        "reason",
        "NSR",
        "AF",
        "NSR_present",
        "AF_present",
    ]
    assert list(table["path"]) == ["a/R1.hea", "a/R,2.hea", "a/R3.hea"]
    assert list(table["NSR"]) == ["0.1234568", "1e-09", ""]
    assert list(table["AF_present"]) == ["1", "1", ""]
    assert table["reason"][2] == "truncated: a/R3.mat: 10 bytes,\\nfound 5"


def test_measured_numbers_are_columns_where_they_are_asked_for(tmp_path):
    measured = intervals.Intervals(71.6, np.nan, 92.4, 380, 401, -30)
    answers = [dataclasses.replace(ANSWERS[0], intervals=measured), ANSWERS[2]]
    with outputs.writer("csv", tmp_path / "p.csv", CODES, NAMES, with_intervals=True) as take:
        for answer in answers:
            take(answer)
    with (tmp_path / "p.csv").open(newline="") as handle:
        head, row, refused = csv.reader(handle)
    names = ("rate_bpm", "pr_ms", "qrs_ms", "qt_ms", "qtc_ms", "qrs_axis_deg")
    assert head[-7:] == ["AF_present", *names]
    assert row[-7:] == ["1", "72", "", "92", "380", "401", "-30"]
    assert refused[3:] == [""] * 10


def test_a_class_that_was_not_learnt_is_blank_and_0_for_the_scorer(tmp_path):
    answers = [
        outputs.RecordingPrediction(
            Path("a/R1.hea"), "flagged", "flat-lead", np.array([np.nan, 0.75]), np.array([0, 1])
        )
    ]
    write("csv", tmp_path / "p.csv", answers)
    assert (tmp_path / "p.csv").read_text().splitlines()[1] == "a/R1.hea,flagged,flat-lead,,0.75,,1"
    write("challenge", tmp_path / "out", answers)
    assert official(tmp_path / "out/R1.csv") == {"426783006": (0, 0.0), "164889003": (1, 0.75)}
    assert outputs.positive_classes(answers[0], words(NAMES)) == "AF 0.75"
    none = outputs.RecordingPrediction(
        Path("a"), "ok", "", np.array([np.nan, 0.1]), np.array([0, 0])
    )
    assert outputs.positive_classes(none, words(NAMES)) == "none of the 1 classes"


def test_the_scorer_of_the_challenge_reads_every_recording(tmp_path):
    write("challenge", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "R,2.csv",
        "R1.csv",
        "R3.csv",
    ]
    assert official(tmp_path / "out/R1.csv") == {
        "426783006": (0, 0.1234568),
        "164889003": (1, 0.75),
    }
    assert official(tmp_path / "out/R,2.csv") == {"426783006": (1, 1e-9), "164889003": (1, 1.0)}
    assert official(tmp_path / "out/R3.csv") == {"426783006": (0, 0.0), "164889003": (0, 0.0)}
    assert (
        tmp_path / "out/R1.csv"
    ).read_text() == "#R1\n426783006,164889003\n0,1\n0.1234568,0.75\n"
    assert (tmp_path / "out/R,2.csv").read_text().endswith("\n#flagged: flat-lead|age-unknown\n")
    assert (
        (tmp_path / "out/R3.csv")
        .read_text()
        .endswith("\n#refused: truncated: a/R3.mat: 10 bytes,\\nfound 5\n")
    )


def test_an_answer_that_is_no_number_is_no_file_for_the_scorer(tmp_path):
    """Zeros would call the patient healthy."""
    odd = outputs.RecordingPrediction(Path("a/R4.hea"), "refused", "not-finite: a/R4.hea: AF; step")
    write("challenge", tmp_path / "out", [ANSWERS[0], odd])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["R1.csv"]
    write("csv", tmp_path / "p.csv", [odd])
    assert (tmp_path / "p.csv").read_text().splitlines()[1] == (
        "a/R4.hea,refused,not-finite: a/R4.hea: AF; step,,,,"
    )


def test_two_recordings_of_one_name_are_no_challenge():
    outputs.check_distinct_names([Path("a/R1.hea"), Path("a/R2.hea")])
    with pytest.raises(
        ValueError, match=r"'R1' is both a/R1\.hea and b/R1\.hea; predict them apart"
    ):
        outputs.check_distinct_names([Path("a/R1.hea"), Path("b/R1.hea")])


def test_nothing_is_replaced_by_half_a_result(tmp_path):
    (tmp_path / "p.csv").write_text("before")
    for form, out in (("csv", tmp_path / "p.csv"), ("challenge", tmp_path / "new")):
        with pytest.raises(RuntimeError), outputs.writer(form, out, CODES, NAMES) as take:
            take(ANSWERS[0])
            raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv"]
    assert (tmp_path / "p.csv").read_text() == "before"


def test_a_name_that_is_no_unicode_is_spelled_out(tmp_path):
    odd = outputs.RecordingPrediction(
        Path("a/\udcff.hea"), "ok", "", np.array([0.5, 0.5]), np.array([0, 0])
    )
    write("csv", tmp_path / "p.csv", [odd])
    with (tmp_path / "p.csv").open(encoding="utf-8") as handle:
        assert list(csv.reader(handle))[1][0] == "a/\\udcff.hea"


def test_findings_name_the_most_probable_first_and_say_why_there_are_none():
    full = ["sinus rhythm", "AF"]
    assert outputs.positive_classes(ANSWERS[1], words(full)) == "AF 1.00, NSR sinus rhythm 0.00"
    shares = words(full, (np.nan, 0.276))
    assert outputs.positive_classes(ANSWERS[1], shares) == "AF 1.00 (28 %), NSR sinus rhythm 0.00"
    assert shares.legend.startswith("in brackets: how often") and words(full).legend == ""
    none = outputs.RecordingPrediction(Path("a"), "ok", "", np.array([0.1, 0.1]), np.array([0, 0]))
    assert outputs.positive_classes(none, words(full)) == "none of the 2 classes"
    assert outputs.positive_classes(ANSWERS[2], words(full)).startswith("refused, truncated: ")
